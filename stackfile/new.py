"""The file of a new stack, in which every setting is explained."""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from placement.api.kinds import DEFAULT_TYPES
from problems import Schema
from stackfile.describe import default, flow, meaning, of_each, policies, resolve, what_to_write
from stackfile.schema import FIRST_LINE, PREFIX, settings_of, stack_schema

WIDTH = 116


@dataclass(frozen=True)
class Example:
    """The value of a setting that the new stack only shows in a comment."""

    value: Any


def _pool(most: int) -> dict[str, Any]:
    return {
        "machine_type": "g2-standard-8",
        "accelerator": {
            "type": "nvidia-l4",
            "count": 1,
            "sharing": Example({"strategy": "TIME_SHARING", "clients": 2}),
        },
        "spot": True,
        "min_nodes": 0,
        "max_nodes": most,
        "local_ssds": Example({"count": 1, "use": "ephemeral"}),
        "disk_type": Example("pd-ssd"),
        "preload": Example(["projects/my-project/global/images/models"]),
        "gpu_networks": Example("none"),
    }


def _subnet(number: int) -> dict[str, Any]:
    return {
        "name": f"gke-{number}",
        "nodes": f"10.{number}.0.0/22",
        "pods": {"name": "pods", "range": f"10.{10 + number}.0.0/16"},
        "services": {"name": "services", "range": f"10.{20 + number}.0.0/20"},
    }


_GPU_POOLS: Mapping[str, Any] = {
    "parts": Example(
        {"machine_type": "a2-highgpu-1g", "accelerator": {"type": "nvidia-tesla-a100", "partition": "1g.5gb"}}
    ),
    "block": Example(
        {
            "machine_type": "a4-highgpu-8g",
            "reservation": "projects/my-project/reservations/b200/reservationBlocks/block-1",
        }
    ),
    "claims": Example({"machine_type": "a3-highgpu-8g", "accelerator": {"type": "nvidia-h100-80gb", "dra": True}}),
}
_SLICE = {"machine_type": "ct5lp-hightpu-4t", "tpu": {"topology": "4x4"}, "zones": ["us-west1-c"]}

SAMPLE: Mapping[str, Any] = {
    "gcp:project": "my-project",
    f"{PREFIX}clusters": {
        "training": {
            "region": "us-west1",
            "slot": 0,
            "role": "training",
            "zones": ["us-west1-b"],
            "labels": Example({"tier": "gold"}),
            "node_pools": {"l4": _pool(1), "tpus": Example(_SLICE)} | _GPU_POOLS,
            "authorized_networks": Example({"office": "203.0.113.0/24"}),
            "maintenance": Example({"days": ["SA", "SU"], "start": "02:00", "hours": 8}),
            "encryption_key": Example("own"),
            "backup": Example({"schedule": "0 3 * * *", "retain_days": 30}),
            "deletion_protection": Example(True),
            "compute_classes": Example(
                {
                    "gpus": {
                        "priorities": [
                            {"machine_type": "g2-standard-8", "reservation": "my-reservation"},
                            {"machine_type": "g2-standard-8", "spot": True},
                            {"gpu": {"type": "nvidia-l4", "count": 1, "driver": "default"}, "flex_start": True},
                            {"tpu": {"type": "tpu-v6e-slice", "count": 4, "topology": "2x2"}},
                        ],
                        "when_unsatisfiable": "DoNotScaleUp",
                        "create_pools": True,
                    }
                }
            ),
            "auto_provisioning": Example(
                {
                    "limits": {
                        "cpu": {"min": 0, "max": 2000},
                        "memory": {"min": 0, "max": 20000},
                        "nvidia-l4": {"min": 0, "max": 8},
                        "tpu-v6e-slice": {"min": 0, "max": 8},
                    }
                }
            ),
            "subnet": Example(_subnet(1)),
        },
        "serving": {
            "region": "europe-west1",
            "slot": 1,
            "role": "serving",
            "zones": ["europe-west1-b"],
            "node_pools": {"l4": _pool(3)},
            "subnet": Example(_subnet(2)),
        },
    },
    f"{PREFIX}federation": {
        "host": "training",
        "operators": Example({"jobset": {"version": "v0.10.1"}, "kueue": {"version": "v0.17.0", "queues": True}}),
        "base": Example(
            [
                {
                    "chart": "dcgm-exporter",
                    "repo": "https://nvidia.github.io/dcgm-exporter/helm-charts",
                    "version": "4.5.2",
                    "namespace": "gpu-metrics",
                    "values": {"serviceMonitor": {"enabled": False}},
                    "select": {"accelerator": "nvidia-l4"},
                }
            ]
        ),
        "types": Example([*DEFAULT_TYPES, "podgroups.example.com"]),
        "custom_types": Example(
            {
                "podgroups.example.com": {
                    "kind": "PodGroup",
                    "version": "v1",
                    "status": False,
                    "run": "whole",
                    "pods": [{"template": "/spec/template", "count": ["/spec/replicas"]}],
                }
            }
        ),
        "tokens": Example({"serving": 2}),
        "multi_cluster_services": Example(True),
        "default_deny": Example(True),
    },
    f"{PREFIX}workloads": {
        "finetune": {
            "manifests": "workloads/finetune.yaml",
            "namespace": "ai",
            "placement": {"policy": "clusters", "clusters": ["training"]},
            "run": Example("whole"),
            "overrides": Example(
                {"training": [{"path": "/data/EPOCHS", "kind": "ConfigMap", "op": "replace", "value": "5"}]}
            ),
            "buckets": Example({"gs://my-checkpoints": "write"}),
            "openings": Example([{"direction": "egress", "peer": "internet", "ports": [443]}]),
        },
        "inference": {
            "manifests": "workloads/inference.yaml",
            "namespace": "ai",
            "placement": {"policy": "spread", "select": {"role": "serving"}},
        },
    },
    f"{PREFIX}network": Example(
        {"vpc": "projects/network-host/global/networks/company", "peered_ranges": ["10.200.0.0/16"]}
    ),
}
"""A new stack: two small clusters, and one workload for each."""


def stack_text(name: str) -> str:
    """The content of the file of a new stack."""
    schema = stack_schema()
    head = (
        f"The stack {name}. Each setting is explained where it first appears, and those left out are shown in comments."
    )
    lines = _Writer(schema).settings(settings_of(schema), SAMPLE, 2)
    return "\n".join([FIRST_LINE, *_comment(head, 0), "config:", *lines, ""])


class _Writer:
    """Writes settings as lines of YAML, and explains those of each model once."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.explained: set[str] = set()

    def settings(self, model: Schema, values: Mapping[str, Any], indent: int) -> Iterator[str]:
        """The settings of a model, the required ones first."""
        title = str(model.get("title"))
        explain = title not in self.explained
        self.explained.add(title)
        for name in sorted(model["properties"], key=lambda name: name not in model.get("required", [])):
            node = model["properties"][name]
            if explain:
                yield from self._explanation(name, node, model, indent)
            value = values.get(name)
            if isinstance(value, Example) and explain:
                yield from self._shown(name, node, value, indent)
            elif value is not None and not isinstance(value, Example):
                yield from self._setting(name, node, value, indent)

    def _shown(self, name: str, node: Schema, value: Example, indent: int) -> Iterator[str]:
        """A setting in a comment."""
        yield from (f"{' ' * indent}# {line[indent:]}" for line in self._setting(name, node, value.value, indent))

    def _setting(self, name: str, node: Schema, value: Any, indent: int) -> Iterator[str]:
        start, model, each = " " * indent, resolve(node, self.schema), of_each(node)
        if "properties" in model:
            yield f"{start}{name}:"
            yield from self.settings(model, value, indent + 2)
        elif each and isinstance(value, Mapping) and self._has_settings(each):
            yield f"{start}{name}:"
            for key, inner in cast(Mapping[str, Any], value).items():
                write = self._shown if isinstance(inner, Example) else self._setting
                yield from write(key, each, inner, indent + 2)
        elif each and isinstance(value, list) and self._has_settings(each):
            yield f"{start}{name}:"
            for inner in cast(list[Any], value):
                lines = list(self.settings(resolve(each, self.schema), inner, indent + 4))
                first = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
                lines[first] = f"{start}  - {lines[first].lstrip()}"
                yield from lines
        else:
            yield f"{start}{name}: {flow(value)}"

    def _has_settings(self, node: Schema) -> bool:
        model = resolve(node, self.schema)
        below = of_each(model)
        return "properties" in model or (below is not None and self._has_settings(below))

    def _explanation(self, name: str, node: Schema, model: Schema, indent: int) -> Iterator[str]:
        yield from _comment(_description(name, node, model), indent)
        explained: set[str] = set()
        for policy, variant in policies(node, self.schema).items():
            yield from _comment(f"policy: {policy}. {variant['description']}", indent, 2)
            for key, each in variant["properties"].items():
                if key == "policy":
                    continue
                text = "as above" if key in explained else _description(key, each, variant)
                yield from _comment(f"{key}: {text}", indent, 4)
                inner = resolve(of_each(each) or {}, self.schema)
                for below, limit in inner.get("properties", {}).items() if key not in explained else ():
                    yield from _comment(f"{below}: {_description(below, limit, inner)}", indent, 6)
                explained.add(key)


def _description(name: str, node: Schema, model: Schema) -> str:
    """What to write for a setting, its default and its meaning."""
    left_out = default(name, node, model)
    shown = {"required": " (required)", "none": ""}.get(left_out, f" (default: {left_out})")
    return f"{what_to_write(node)}{shown}. {meaning(node)}"


def _comment(text: str, indent: int, further: int = 0) -> list[str]:
    start = f"{' ' * indent}# {' ' * further}"
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)
