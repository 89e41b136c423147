"""Every mistake in the settings is reported: the setting, its value and what to write instead."""

import copy
import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import pulumi
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pulumi.runtime import set_all_config

from clusters.addresses import SLOTS
from problems import SettingsError
from settings import Settings, parse
from tests.objects import deployment, job
from tests.unit import program
from tests.unit.program import ROOT, run_program, stack_settings

JOB = json.dumps(job(parallelism=2))
GOOD: dict[str, Any] = {
    "clusters": {
        "training": {
            "region": "us-west1",
            "zones": ["us-west1-b"],
            "slot": 0,
            "role": "training",
            "labels": {"tier": "gold"},
            "node_pools": {
                "a100": {"machine_type": "a2-highgpu-1g", "accelerator": {"type": "nvidia-tesla-a100", "count": 1}}
            },
        },
        "serving": {"region": "europe-west1", "slot": 1, "role": "serving"},
    },
    "federation": {"host": "training"},
    "workloads": {"train": {"manifests": "job.yaml", "namespace": "ai", "placement": {"policy": "spread"}}},
}
DELETE = object()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "job.yaml").write_text(JOB)
    return tmp_path


def changed(changes: Mapping[str, Any], base: Mapping[str, Any] = GOOD) -> dict[str, Any]:
    """Good settings with some values changed; keys are dotted paths, and DELETE takes one out."""
    raw = copy.deepcopy(dict(base))
    for path, value in changes.items():
        *parents, last = path.split(".")
        node: Any = raw
        for key in parents:
            node = node.setdefault(key, {})
        if value is DELETE:
            del node[last]
        else:
            node[last] = value
    return raw


def mistakes(folder: Path, changes: Mapping[str, Any], project: str | None = "my-project") -> str:
    with pytest.raises(SettingsError) as raised:
        parse(changed(changes), folder, project)
    message = str(raised.value)
    assert "Traceback" not in message
    for problem in raised.value.problems:
        assert str(problem) in message
        assert problem.advice
    return message


def test_good_settings_are_taken(folder: Path) -> None:
    parsed = parse(GOOD, folder)
    assert isinstance(parsed, Settings)
    assert parsed.federation.host == "training"
    assert parsed.clusters["training"].node_pools["a100"].accelerator
    assert parsed.clusters["serving"].zones == []
    assert [each.name for each in parsed.manifests["train"]] == ["train"]


@pytest.mark.parametrize("stack", ["dev", "prod", "local"])
def test_the_stacks_of_the_project_are_good(stack: str) -> None:
    raw = stack_settings(stack)
    parsed = parse({key: value for key, value in raw.items() if ":" not in key}, ROOT, raw["gcp:project"])
    assert set(parsed.workloads) == {"finetune", "inference"}


def test_workloads_and_types_have_defaults(folder: Path) -> None:
    parsed = parse(changed({"workloads": DELETE}), folder)
    assert parsed.workloads == {}
    assert list(parsed.federation.types) == [
        "deployments.apps",
        "jobs.batch",
        "services",
        "configmaps",
        "secrets",
        "serviceaccounts",
    ]


WORKLOAD = {"manifests": "job.yaml", "namespace": "ai", "placement": {"policy": "spread"}}
POOL = {"machine_type": "g2-standard-8"}

# The mistake, the setting that the message names, and what else must be in the same line: the value, or the way out.
BAD: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "unknown key": ({"cluster": {}}, "cluster", ["write", "clusters"]),
    "unknown key of a cluster": (
        {"clusters.serving.node_pool": {}},
        "clusters.serving.node_pool",
        ["unknown", "node_pools"],
    ),
    "unknown key of a pool": (
        {"clusters.serving.node_pools": {"l4": POOL | {"machine": "x"}}},
        "clusters.serving.node_pools.l4.machine",
        ["unknown", "machine_type"],
    ),
    "unknown key of an accelerator": (
        {"clusters.training.node_pools.a100.accelerator.kind": "x"},
        "clusters.training.node_pools.a100.accelerator.kind",
        ["'x'", "unknown", "type"],
    ),
    "unknown key of the federation": ({"federation.hosts": "x"}, "federation.hosts", ["'x'", "unknown", "host"]),
    "unknown key of a workload": (
        {"workloads.train.manifest": "x"},
        "workloads.train.manifest",
        ["'x'", "unknown", "manifests"],
    ),
    "unknown key of a placement": (
        {"workloads.train.placement": {"policy": "spread", "selects": {"role": "x"}}},
        "workloads.train.placement.selects",
        ["unknown", "select"],
    ),
    "key of another policy": (
        {"workloads.train.placement": {"policy": "spread", "region": "us-west1"}},
        "workloads.train.placement.region",
        ["'us-west1'", "unknown"],
    ),
    "unknown region": (
        {"clusters.serving.region": "europe-west99"},
        "clusters.serving.region",
        ["'europe-west99'", "write europe-west"],
    ),
    "a zone for a region": (
        {"clusters.serving.region": "europe-west1-b"},
        "clusters.serving.region",
        ["'europe-west1-b'", "write europe-west1"],
    ),
    "zone of another region": (
        {"clusters.serving.zones": ["us-west1-b"]},
        "clusters.serving.zones",
        ["'us-west1-b'", "europe-west1-"],
    ),
    "letters for a zone": ({"clusters.serving.zones": ["b"]}, "clusters.serving.zones", ["'b'", "europe-west1-"]),
    "one slot twice": ({"clusters.serving.slot": 0}, "clusters.serving.slot", ["0", "training", "write", "1"]),
    "slot above the plan": ({"clusters.serving.slot": SLOTS}, "clusters.serving.slot", [str(SLOTS), str(SLOTS - 1)]),
    "slot below the plan": ({"clusters.serving.slot": -1}, "clusters.serving.slot", ["-1", "0 to"]),
    "host that is no cluster": ({"federation.host": "trainin"}, "federation.host", ["'trainin'", "training"]),
    "unknown type": ({"federation.types": ["deployment"]}, "federation.types", ["'deployment'", "deployments.apps"]),
    "token of no cluster": ({"federation.tokens": {"servin": 2}}, "federation.tokens.servin", ["'servin'", "serving"]),
    "token of no number": ({"federation.tokens": {"serving": 0}}, "federation.tokens.serving", ["0", "from 1 up"]),
    "no clusters": ({"clusters": DELETE}, "clusters", ["required", "write"]),
    "empty clusters": ({"clusters": {}}, "clusters", ["required", "write"]),
    "no federation": ({"federation": DELETE}, "federation.host", ["required", "write"]),
    "no host": ({"federation.host": DELETE}, "federation.host", ["required", "write"]),
    "no region": ({"clusters.serving.region": DELETE}, "clusters.serving.region", ["required", "us-west1"]),
    "no slot": ({"clusters.serving.slot": DELETE}, "clusters.serving.slot", ["required", "write"]),
    "no role": ({"clusters.serving.role": DELETE}, "clusters.serving.role", ["required", "write"]),
    "no machine type": (
        {"clusters.training.node_pools.a100.machine_type": DELETE},
        "clusters.training.node_pools.a100.machine_type",
        ["required", "g2-standard-8"],
    ),
    "no accelerator type": (
        {"clusters.training.node_pools.a100.accelerator.type": DELETE},
        "clusters.training.node_pools.a100.accelerator.type",
        ["required", "nvidia-l4"],
    ),
    "no manifests": ({"workloads.train.manifests": DELETE}, "workloads.train.manifests", ["required", "write"]),
    "no namespace": ({"workloads.train.namespace": DELETE}, "workloads.train.namespace", ["required", "write"]),
    "no placement": ({"workloads.train.placement": DELETE}, "workloads.train.placement", ["required", "spread"]),
    "no policy": ({"workloads.train.placement": {}}, "workloads.train.placement.policy", ["write", "spread"]),
    "unknown policy": (
        {"workloads.train.placement": {"policy": "spred"}},
        "workloads.train.placement.policy",
        ["'spred'", "spread"],
    ),
    "region policy without region": (
        {"workloads.train.placement": {"policy": "region"}},
        "workloads.train.placement.region",
        ["required", "region"],
    ),
    "region policy elsewhere": (
        {"workloads.train.placement": {"policy": "region", "region": "asia-east1"}},
        "workloads.train.placement",
        ["asia-east1", "europe-west1", "us-west1", "write"],
    ),
    "no named cluster": (
        {"workloads.train.placement": {"policy": "clusters", "clusters": []}},
        "workloads.train.placement.clusters",
        ["write", "list"],
    ),
    "unknown cluster in a placement": (
        {"workloads.train.placement": {"policy": "clusters", "clusters": ["training", "servin"]}},
        "workloads.train.placement.clusters",
        ["'servin'", "serving"],
    ),
    "an override that says nothing": (
        {"workloads.train.overrides": {"serving": [{"path": "/spec/suspend", "op": "add"}]}},
        "workloads.train.overrides.serving.0",
        ["value is missing"],
    ),
    "an override that removes a value": (
        {"workloads.train.overrides": {"serving": [{"path": "/spec/suspend", "op": "remove", "value": 1}]}},
        "workloads.train.overrides.serving.0",
        ["leave value out"],
    ),
    "unknown cluster in overrides": (
        {"workloads.train.overrides": {"servin": [{"path": "/spec/suspend", "value": True}]}},
        "workloads.train.overrides",
        ["'servin'", "serving"],
    ),
    "override by a label that no cluster has": (
        {"workloads.train.overrides": {"role=servin": [{"path": "/spec/suspend", "op": "add", "value": True}]}},
        "workloads.train.overrides",
        ["'role=servin'", "no cluster has this label"],
    ),
    "override of what the placement decides": (
        {"workloads.train.overrides": {"serving": [{"path": "/spec/parallelism", "value": 4}]}},
        "workloads.train.overrides.serving.0.path",
        ["'/spec/parallelism'", "the placement decides"],
    ),
    "override of a name": (
        {"workloads.train.overrides": {"serving": [{"path": "/metadata/name", "value": "other"}]}},
        "workloads.train.overrides.serving.0.path",
        ["'/metadata/name'", "same in every copy"],
    ),
    "override of a path that no manifest has": (
        {"workloads.train.overrides": {"serving": [{"path": "/spec/selector", "value": {}}]}},
        "workloads.train.overrides.serving.0.path",
        ["'/spec/selector'", "op: add"],
    ),
    "override of a kind that no manifest has": (
        {"workloads.train.overrides": {"serving": [{"kind": "Pod", "path": "/spec/suspend", "op": "add", "value": 1}]}},
        "workloads.train.overrides.serving.0.kind",
        ["'Pod'", "Job"],
    ),
    "override of an element that is none": (
        {"workloads.train.overrides": {"serving": [{"path": "/spec/template/spec/containers/²", "value": {}}]}},
        "workloads.train.overrides.serving.0.path",
        ["in none of the manifests"],
    ),
    "override of no path": (
        {"workloads.train.overrides": {"serving": [{"path": "spec.suspend", "value": True}]}},
        "workloads.train.overrides.serving.0.path",
        ["'spec.suspend'", "JSON pointer"],
    ),
    "select that nothing matches": (
        {"workloads.train.placement": {"policy": "spread", "select": {"role": "servin"}}},
        "workloads.train.placement",
        ["servin", "training", "write"],
    ),
    "namespace that is left alone": (
        {"workloads.train.namespace": "kube-system"},
        "workloads.train.namespace",
        ["'kube-system'", "write"],
    ),
    "KubeFed's own namespace": (
        {"workloads.train.namespace": "kube-federation-system"},
        "workloads.train.namespace",
        ["'kube-federation-system'", "write"],
    ),
    "namespace that is no name": (
        {"workloads.train.namespace": "A I"},
        "workloads.train.namespace",
        ["'A I'", "write"],
    ),
    "cluster in capitals": ({"clusters.Serving": {}}, "clusters.Serving", ["'Serving'", "lower-case"]),
    "cluster with a digit first": ({"clusters.1a": {}}, "clusters.1a", ["'1a'", "letter first"]),
    "cluster with an underscore": ({"clusters.a_b": {}}, "clusters.a_b", ["'a_b'", "dashes"]),
    "cluster with a dash last": ({"clusters.a-": {}}, "clusters.a-", ["'a-'", "dash"]),
    "cluster with too long a name": ({f"clusters.{'a' * 41}": {}}, f"clusters.{'a' * 41}", ["32"]),
    "pool with a bad name": (
        {"clusters.serving.node_pools": {"L4": POOL}},
        "clusters.serving.node_pools.L4",
        ["'L4'", "lower-case"],
    ),
    "pool with too long a name": (
        {"clusters.serving.node_pools": {"a" * 41: POOL}},
        f"clusters.serving.node_pools.{'a' * 41}",
        ["32"],
    ),
    "pool of the system": (
        {"clusters.serving.node_pools": {"system": POOL}},
        "clusters.serving.node_pools",
        ["'system'", "another name"],
    ),
    "pool larger at the least than at the most": (
        {"clusters.serving.node_pools": {"l4": POOL | {"min_nodes": 3, "max_nodes": 2}}},
        "clusters.serving.node_pools.l4",
        ["min_nodes 3", "max_nodes 2", "write"],
    ),
    "machine type that is none": (
        {"clusters.serving.node_pools": {"l4": {"machine_type": "big"}}},
        "clusters.serving.node_pools.l4.machine_type",
        ["'big'", "g2-standard-8"],
    ),
    "no accelerators": (
        {"clusters.training.node_pools.a100.accelerator.count": 0},
        "clusters.training.node_pools.a100.accelerator.count",
        ["0", "1 to 16"],
    ),
    "reserved label role": (
        {"clusters.serving.labels": {"role": "x"}},
        "clusters.serving.labels",
        ["'role'", "another"],
    ),
    "reserved label region": (
        {"clusters.serving.labels": {"region": "x"}},
        "clusters.serving.labels",
        ["'region'", "another"],
    ),
    "reserved label continent": (
        {"clusters.serving.labels": {"continent": "x"}},
        "clusters.serving.labels",
        ["'continent'", "another"],
    ),
    "a continent's old code in select": (
        {"workloads.train.placement.select": {"continent": "EU"}},
        "workloads.train.placement.select",
        ["continent: EU", "write continent: Europe, which includes London and Zurich"],
    ),
    "a continent's old code in overrides": (
        {"workloads.train.overrides": {"continent=NA": [{"path": "/spec/parallelism", "value": 1}]}},
        "workloads.train.overrides",
        ["continent=NA", "write continent=North-America"],
    ),
    "reserved label of an accelerator": (
        {"clusters.serving.labels": {"accelerator/nvidia-l4": "x"}},
        "clusters.serving.labels",
        ["'accelerator/nvidia-l4'", "another"],
    ),
    "label key that is none": (
        {"clusters.serving.labels": {"a b": "x"}},
        "clusters.serving.labels.a b",
        ["'a b'", "label key"],
    ),
    "label value that is none": (
        {"clusters.serving.labels": {"tier": "a b"}},
        "clusters.serving.labels.tier",
        ["'a b'", "label value"],
    ),
    "label value that is a number": ({"clusters.serving.labels": {"tier": 1}}, "clusters.serving.labels.tier", ["1"]),
    "role that is no label": ({"clusters.serving.role": "a b"}, "clusters.serving.role", ["'a b'", "write"]),
    "empty role": ({"clusters.serving.role": ""}, "clusters.serving.role", ["''", "write"]),
    "text for the clusters": ({"clusters": "training"}, "clusters", ["'training'", "map"]),
    "list for the clusters": ({"clusters": [1]}, "clusters", ["[1]", "map"]),
    "text for a cluster": ({"clusters.serving": "x"}, "clusters.serving", ["'x'", "write"]),
    "nothing for a cluster": ({"clusters.serving": None}, "clusters.serving", ["write"]),
    "text for zones": ({"clusters.serving.zones": "europe-west1-b"}, "clusters.serving.zones", ["list"]),
    "text for a slot": ({"clusters.serving.slot": "one"}, "clusters.serving.slot", ["'one'", "write"]),
    "half a slot": ({"clusters.serving.slot": 1.5}, "clusters.serving.slot", ["1.5", "write"]),
    "number for a region": ({"clusters.serving.region": 7}, "clusters.serving.region", ["7", "us-west1"]),
    "list of pools": ({"clusters.serving.node_pools": []}, "clusters.serving.node_pools", ["[]", "map"]),
    "text for the federation": ({"federation": "training"}, "federation", ["'training'", "write"]),
    "text for types": ({"federation.types": "services"}, "federation.types", ["'services'", "list"]),
    "text for the workloads": ({"workloads": "x"}, "workloads", ["'x'", "map"]),
    "text for a workload": ({"workloads.train": "x"}, "workloads.train", ["'x'", "write"]),
    "text for a placement": (
        {"workloads.train.placement": "spread"},
        "workloads.train.placement",
        ["'spread'", "policy"],
    ),
    "list for overrides": ({"workloads.train.overrides": []}, "workloads.train.overrides", ["[]", "map"]),
}


@pytest.mark.parametrize("case", BAD)
def test_a_mistake_is_reported(case: str, folder: Path) -> None:
    changes, setting, expected = BAD[case]
    message = mistakes(folder, changes)
    lines = [line for line in message.splitlines() if line.strip().startswith(f"{setting}:")]
    assert lines, message
    assert any(all(each in line for each in expected) for line in lines), message


MANIFESTS: dict[str, tuple[bytes, list[str]]] = {
    "empty": (b"", ["no object", "write"]),
    "comments alone": (b"# nothing\n---\n", ["no object", "write"]),
    "malformed": (b"kind: [Job\n", ["not YAML", "line", "fix"]),
    "unprintable": (b"kind: \x07", ["not YAML", "fix"]),
    "not UTF-8": (b"kind: \xff\xfe", ["UTF-8"]),
    "a list": (b"[1, 2]", ["not a Kubernetes object", "write"]),
    "text": (b"hello", ["not a Kubernetes object", "write"]),
    "no kind": (b"{apiVersion: v1, metadata: {name: a}}", ["kind is missing", "write"]),
    "no name": (b"{apiVersion: v1, kind: Service}", ["metadata.name", "write"]),
    "metadata that is none": (b"{apiVersion: v1, kind: Service, metadata: x}", ["metadata.name", "write"]),
    "two namespaces": (
        b"{apiVersion: v1, kind: Service, metadata: {name: a, namespace: prod}}\n---\n"
        b"{apiVersion: v1, kind: Service, metadata: {name: b, namespace: dev}}",
        ["object 2, line 3", "namespace dev", "prod in line 1", "leave them out", "ai"],
    ),
    "a namespace that is no name": (
        b"{apiVersion: v1, kind: Service, metadata: {name: a, namespace: Prod}}",
        ["'Prod'", "leave it out", "ai"],
    ),
    "a type that is not enabled": (
        b"{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: a}}",
        ["DaemonSet", "daemonsets.apps", "federation.types"],
    ),
    "a type that is unknown": (
        b"{apiVersion: x/v1, kind: Thing, metadata: {name: a}}",
        ["Thing", "not an enabled type"],
    ),
    "a namespace": (b"{apiVersion: v1, kind: Namespace, metadata: {name: a}}", ["Namespace"]),
    "the same object twice": (
        b"---\n{apiVersion: v1, kind: Service, metadata: {name: a}}\n" * 2,
        ["object 2, line 4", "Service a appears twice, first in object 1, line 2", "rename"],
    ),
    "replicas that are no number": (
        b"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: many}}",
        ["spec.replicas", "'many'", "whole number"],
    ),
    "replicas below none": (
        b"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: -1}}",
        ["spec.replicas", "-1", "whole number"],
    ),
    "replicas that are true": (
        b"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {replicas: true}}",
        ["spec.replicas", "whole number"],
    ),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_mistake_in_a_manifest_is_reported(case: str, folder: Path) -> None:
    content, expected = MANIFESTS[case]
    (folder / "job.yaml").write_bytes(content)
    message = mistakes(folder, {})
    assert "workloads.train.manifests: 'job.yaml':" in message
    assert all(each in message for each in expected), message


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("missing.yaml", "no such file"),
        ("../job.yaml", "outside the project"),
        ("/etc/hostname", "outside the project"),
        (".", "cannot be read"),
        ("nul\0.yaml", "cannot be read"),
    ],
)
def test_a_manifest_file_that_cannot_be_read_is_reported(file: str, expected: str, folder: Path) -> None:
    message = mistakes(folder, {"workloads.train.manifests": file})
    assert "workloads.train.manifests:" in message
    assert expected in message


def test_an_object_in_two_workloads_is_told_with_its_owner(folder: Path) -> None:
    message = mistakes(folder, {"workloads.again": WORKLOAD})
    assert "workloads.again.manifests" in message
    assert "train" in message
    assert "rename" in message


def test_two_kinds_of_one_name_that_kubefed_would_move_are_reported(folder: Path) -> None:
    texts = [json.dumps(deployment(kind=kind)) for kind in ("Deployment", "ReplicaSet")]
    (folder / "job.yaml").write_text("\n---\n".join(texts))
    types = {"federation.types": ["deployments.apps", "replicasets.apps"]}
    message = mistakes(folder, types)
    assert "workloads.train.manifests: 'ReplicaSet api': KubeFed cannot move it apart from Deployment api" in message
    # Any other kind can have the name.
    (folder / "job.yaml").write_text(f"{texts[0]}\n---\n{JOB.replace('train', 'api')}")
    assert parse(changed({"federation.types": ["deployments.apps", "jobs.batch"]}), folder)


def test_the_same_name_in_another_namespace_is_another_object(folder: Path) -> None:
    assert parse(changed({"workloads.again": WORKLOAD | {"namespace": "other"}}), folder)


@pytest.mark.parametrize("project", [None, ""])
def test_a_project_is_required(project: str | None, folder: Path) -> None:
    message = mistakes(folder, {}, project)
    assert "gcp:project: required; write" in message


def test_every_mistake_is_told_at_once(folder: Path) -> None:
    message = mistakes(
        folder,
        {
            "clusters.serving.region": "europe-west99",
            "clusters.training.zones": ["europe-west1-b"],
            "federation.host": "nowhere",
            "workloads.train.manifests": "missing.yaml",
            "typo": 1,
        },
        None,
    )
    for setting in (
        "clusters.serving.region",
        "clusters.training.zones",
        "federation.host",
        "workloads.train.manifests",
        "typo",
        "gcp:project",
    ):
        assert f"\n  {setting}:" in message
    assert message.startswith("6 mistakes")


def test_a_misspelt_key_hides_no_other_mistake(folder: Path) -> None:
    workload = {
        "manifest": "missing.yaml",
        "namespace": "ai",
        "colour": "red",
        "placement": {"policy": "clusters", "cluster": ["servign"]},
    }
    accelerator = {"typ": "nvidia-tesla-a100", "count": 3}
    pools = {"a100": {"machine_typ": "a2-highgpu-1g", "accelerator": accelerator}}
    message = mistakes(folder, {"workloads.train": workload, "clusters.training.node_pools": pools})
    reported = [
        "workloads.train.manifest: 'missing.yaml': unknown setting; write manifests, ",
        "workloads.train.manifests: 'missing.yaml': no such file",
        "workloads.train.colour: 'red': unknown setting; write ",
        "workloads.train.placement.cluster: ['servign']: unknown setting; write one of clusters, ",
        "workloads.train.placement.clusters: 'servign': ",
        "clusters.training.node_pools.a100.machine_typ: 'a2-highgpu-1g': unknown setting; write machine_type, ",
        "clusters.training.node_pools.a100.accelerator.count: 3: ",
        "clusters.training.node_pools.a100.accelerator.typ: 'nvidia-tesla-a100': unknown setting; write ",
    ]
    assert [each for each in reported if f"\n  {each}" not in message] == [], message
    assert message.startswith(f"{len(reported)} mistakes"), message


@pytest.mark.parametrize(
    "changes",
    [
        {"clusters.serving.region": "europe-west99"},
        {"workloads.train.placement": {"policy": "clusters", "clusters": ["servign"]}},
        {"workloads.train": {"manifests": "job.yaml", "namepsace": "ai", "placement": {"policy": "spread"}}},
        {"federation": {"hots": "training"}},
    ],
)
def test_one_mistake_is_told_once(changes: dict[str, Any], folder: Path) -> None:
    message = mistakes(folder, changes)
    assert message.startswith("1 mistake ")
    assert message.count("\n  ") == 1


def test_a_long_value_is_told_in_short(folder: Path) -> None:
    message = mistakes(folder, {"clusters.serving.region": "x" * 10_000})
    assert len(message) < 1000


def test_a_value_cannot_break_the_lines_of_a_message(folder: Path) -> None:
    message = mistakes(folder, {"clusters.serving.region": "a\n  fake: line\x1b[31m"})
    assert "\x1b" not in message
    assert message.count("\n") == 1


def test_a_name_cannot_break_the_lines_of_a_message(folder: Path) -> None:
    cluster = GOOD["clusters"]["serving"] | {"slot": 5}
    message = mistakes(folder, {"clusters.again\n": cluster})
    assert "lower-case" in message
    assert message.count("\n") == 1


# In the running program.


def reported(stack: str, raw: Mapping[str, Any]) -> str:
    """What the program says of settings, run in the working directory."""
    with pytest.raises(pulumi.RunError) as raised:
        run_program(stack, {"gcp:project": "my-project"} | dict(raw))
    return str(raised.value)


def write_stack(folder: Path, raw: Mapping[str, Any]) -> None:
    config = {key if ":" in key else f"geo-federation:{key}": value for key, value in raw.items()}
    (folder / "Pulumi.dev.yaml").write_text(yaml.safe_dump({"config": config}, sort_keys=False))


def line_of(folder: Path, text: str) -> int:
    """The line in which a text first appears in the stack's file."""
    lines = (folder / "Pulumi.dev.yaml").read_text().splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


def test_a_mistake_is_told_with_its_line_in_the_stacks_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    raw = changed(
        {"clusters.serving.region": "europe-west99", "clusters.training.slot": DELETE, "federation.host": "x"}
    )
    write_stack(folder, raw)
    message = reported("dev", raw)
    for setting, line in (
        ("clusters.serving.region: 'europe-west99'", line_of(folder, "europe-west99")),
        ("clusters.training.slot: required", line_of(folder, "training:")),
        ("federation.host: 'x'", line_of(folder, "host: x")),
    ):
        found = next(each for each in message.splitlines() if setting in each)
        assert found.endswith(f" (Pulumi.dev.yaml:{line})"), message


def test_a_mistake_that_is_in_another_file_is_told_without_a_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    write_stack(folder, {"clusters": {"training": GOOD["clusters"]["training"]}})
    raw = changed({"clusters.serving.region": "europe-west99"})
    assert "clusters.serving.region: 'europe-west99'" in reported("dev", raw)
    assert "Pulumi." not in reported("dev", raw)
    assert "Pulumi." not in reported("prod", raw)


def test_a_secret_value_is_not_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    secret = {"path": "/spec/suspend", "value": "hunter2", "note": "hunter2"}
    raw = changed({"workloads.train.overrides": {"serving": [secret]}, "federation.host": "plain"})
    write_stack(folder, raw)
    monkeypatch.setattr(program, "set_all_config", partial(set_all_config, secret_keys=["geo-federation:workloads"]))
    message = reported("dev", raw)
    assert "hunter2" not in message
    line = line_of(folder, "note: hunter2")
    assert "workloads.train.overrides.serving.0.note: '[secret]': unknown setting" in message
    assert f"(Pulumi.dev.yaml:{line})" in message
    # What is no secret is reported, and what is missing is not made up.
    assert "federation.host: 'plain'" in message
    assert "workloads.train.namespace: required" in reported("dev", changed({"workloads.train.namespace": DELETE}))


def test_what_is_not_used_as_it_is_written_is_told_in_a_line_for_each_workload(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "job.yaml").write_text(
        JOB.replace('"name": "train"', '"name": "train", "uid": "4f3a", "namespace": "default"')
    )
    notes = [
        "workloads.train.manifests: left out what the server had filled in: uid of Job train",
        "workloads.train.manifests: namespace default in the manifests is replaced by ai",
    ]
    assert list(parse(GOOD, folder).notes) == notes
    reported: list[str] = []

    def info(text: str, *_: object) -> None:
        reported.append(text)

    monkeypatch.setattr(pulumi.log, "info", info)
    monkeypatch.chdir(folder)
    run_program("dev", {"gcp:project": "my-project"} | GOOD)
    assert [text for text in reported if "manifests" in text] == notes


@pytest.mark.parametrize("key", ["geo-federatoin:workloads", "geofederation:workloads", "geo_federation:workloads"])
def test_a_key_that_is_nearly_the_projects_is_not_passed_over(
    key: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    raw = {name: value for name, value in GOOD.items() if name != "workloads"}
    write_stack(folder, raw | {key: GOOD["workloads"]})
    message = reported("dev", raw | {key: json.dumps(GOOD["workloads"])})
    assert f"{key}: unknown setting; write the project's name before the colon, as Pulumi.yaml has it" in message
    assert f"(Pulumi.dev.yaml:{line_of(folder, key)})" in message
    assert "1 mistake " in message


# Anything at all.

KEYS = st.sampled_from(
    sorted(
        {"clusters", "federation", "workloads", "training", "serving", "region", "zones", "slot", "role", "labels"}
        | {"node_pools", "a100", "machine_type", "accelerator", "type", "count", "spot", "min_nodes", "max_nodes"}
        | {"host", "types", "manifests", "namespace", "placement", "policy", "select", "to", "weights", "overrides"}
        | {"path", "op", "value", "deletion_protection", "a b", "", "[key]", "system", "."}
    )
)
WORDS = st.sampled_from(
    ["us-west1", "us-west1-b", "training", "job.yaml", "spread", "region", "clusters", "nearest", "weighted", "", "\0"]
) | st.sampled_from(["gs://bucket", "services", "/spec/replicas", "nvidia-l4", "a2-highgpu-1g", "*", "🦄", ".."])
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-1, 70)
    | st.floats(allow_nan=False)
    | WORDS
    | st.text(max_size=5)
)
ANYTHING = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=8
)


def paths(node: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in plain data."""
    below: Iterable[tuple[Any, Any]] = ()
    if isinstance(node, dict):
        below = cast(dict[str, Any], node).items()
    elif isinstance(node, list):
        below = enumerate(cast(list[Any], node))
    return [*([prefix] if prefix else []), *(path for key, value in below for path in paths(value, (*prefix, key)))]


def answers(raw: Mapping[str, Any], folder: Path) -> None:
    """Checks that settings are taken or refused with a message, and nothing else happens."""
    try:
        parse(raw, folder)
    except SettingsError as error:
        assert error.problems
        assert all(each.setting and each.advice for each in error.problems)


FUZZ = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@FUZZ
@given(raw=st.dictionaries(st.sampled_from(["clusters", "federation", "workloads", "x"]), ANYTHING))
def test_anything_is_taken_or_refused_with_a_message(raw: dict[str, Any], folder: Path) -> None:
    answers(raw, folder)


@FUZZ
@given(data=st.data())
def test_good_settings_with_anything_in_one_place_are_taken_or_refused_with_a_message(
    data: st.DataObject, folder: Path
) -> None:
    raw = changed(
        {
            "workloads.train.overrides": {"serving": [{"path": "/spec/suspend", "value": True}]},
            "workloads.train.placement.select": {"role": "serving"},
            "federation.types": ["jobs.batch", "services"],
        }
    )
    *parents, last = data.draw(st.sampled_from(paths(raw)))
    node: Any = raw
    for key in parents:
        node = node[key]
    node[last] = data.draw(ANYTHING)
    answers(raw, folder)


@FUZZ
@given(content=st.binary(max_size=60))
def test_a_manifest_of_any_bytes_is_taken_or_refused_with_a_message(content: bytes, folder: Path) -> None:
    (folder / "job.yaml").write_bytes(content)
    answers(GOOD, folder)


@FUZZ
@given(document=st.dictionaries(st.sampled_from(["apiVersion", "kind", "metadata", "spec", "status"]), ANYTHING))
def test_a_manifest_of_any_values_is_taken_or_refused_with_a_message(document: dict[str, Any], folder: Path) -> None:
    named: dict[str, Any] = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a"}}
    for whole in (document, document | named):
        (folder / "job.yaml").write_text(json.dumps(whole), encoding="utf-8")
        answers(GOOD, folder)


@FUZZ
@given(data=st.data())
def test_a_good_manifest_with_anything_in_one_place_is_taken_or_refused_with_a_message(
    data: st.DataObject, folder: Path
) -> None:
    resources = {"limits": {"nvidia.com/gpu": 1, "cpu": "500m"}, "requests": {"nvidia.com/gpu": 1}}
    pod = {"initContainers": [{"name": "i", "resources": resources}], "nodeSelector": {"a": "b"}}
    whole: Any = job(pod=pod, parallelism=2, completions=3)
    whole["metadata"] |= {"labels": {"app": "a"}, "annotations": {"a/b": "c"}}
    *parents, last = data.draw(st.sampled_from(paths(whole)))
    node = whole
    for key in parents:
        node = node[key]
    node[last] = data.draw(ANYTHING)
    (folder / "job.yaml").write_text(json.dumps(whole), encoding="utf-8")
    answers(GOOD, folder)
