"""What a new stack has, and what it shows in comments: every setting once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from placement.api.kinds import DEFAULT_TYPES
from stackfile.schema import PREFIX


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
