"""What pods request, read from manifests in which anything may be written."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from placement.api.kinds import BUILT_IN, DEFAULT_TYPES
from placement.api.pod_requests import requested
from placement.manifests.manifest import Manifest, read_manifests
from placement.pods.demand import demands, pods, whole_demand
from placement.pods.pods import pod_groups
from tests.objects import paths
from tests.unit.program import ROOT

LABEL = "cloud.google.com/gke-accelerator"


def manifest(kind: str, pod: Any, **spec: Any) -> Manifest:
    """An object of a type that makes pods."""
    body: dict[str, Any] = {"spec": {**spec, "template": {"spec": pod}}}
    if kind == "cronjobs.batch":
        body = {"spec": {"jobTemplate": body}}
    return Manifest(BUILT_IN[kind], "a", body)


def demand_of(each: Manifest) -> dict[str, int]:
    """What the one pod of an object requests; nothing where it has none."""
    return next((requested(group.spec) for group in pod_groups(each)), dict[str, int]())


def container(limits: Any = None, requests: Any = None) -> dict[str, Any]:
    return {"name": "a", "resources": {"limits": limits, "requests": requests}}


def affinity(*terms: list[dict[str, Any]]) -> dict[str, Any]:
    required = {"nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


def one_of(*values: str, operator: str = "In", key: str = LABEL) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


@pytest.mark.parametrize(
    "kind",
    ["deployments.apps", "replicasets.apps", "statefulsets.apps", "daemonsets.apps", "jobs.batch", "cronjobs.batch"],
)
def test_every_type_that_makes_pods_is_read(kind: str) -> None:
    pod = {"nodeSelector": {LABEL: "nvidia-l4"}, "containers": [container({"nvidia.com/gpu": 2})]}
    assert demand_of(manifest(kind, pod)) == {"nvidia.com/gpu": 2}


def test_what_makes_no_pods_asks_for_nothing() -> None:
    pod = {"nodeSelector": {LABEL: "nvidia-l4"}, "containers": [container({"nvidia.com/gpu": 2})]}
    assert demand_of(manifest("services", pod)) == {}


def test_containers_add_up_and_a_limit_comes_before_a_request() -> None:
    pod = {
        "containers": [
            container({"nvidia.com/gpu": 1, "memory": "1Gi"}, {"nvidia.com/gpu": 3}),
            container(None, {"nvidia.com/gpu": "2", "cpu": 4}),
            container({"google.com/tpu": 4, "nvidia.com/gpu": 0}),
        ]
    }
    each = manifest("jobs.batch", pod)
    assert demand_of(each) == {"nvidia.com/gpu": 3, "google.com/tpu": 4}
    assert demands([each]) == ["4 google.com/tpu and 3 nvidia.com/gpu"]


def test_init_containers_and_sidecars_are_asked_for_too() -> None:
    first, sidecar = container({"nvidia.com/gpu": 4}), container({"nvidia.com/gpu": 2}) | {"restartPolicy": "Always"}
    pod = {"containers": [container({"nvidia.com/gpu": 1})], "initContainers": [sidecar, first]}
    assert demand_of(manifest("jobs.batch", pod)) == {"nvidia.com/gpu": 6}


def test_what_runs_together_is_told_together_what_requests_most_first() -> None:
    objects = [
        manifest("deployments.apps", {"nodeSelector": {LABEL: "nvidia-l4"}}, replicas=2),
        manifest("statefulsets.apps", {"containers": [container({"nvidia.com/gpu": 1})]}, replicas=3),
        manifest("services", {}),
        manifest("jobs.batch", {"containers": [container({"nvidia.com/gpu": 8})]}),
    ]
    assert demands(objects) == ["", "1 nvidia.com/gpu", "8 nvidia.com/gpu"]
    assert whole_demand(objects) == "1 pod of 8 nvidia.com/gpu and 3 pods of 1 nvidia.com/gpu"
    assert whole_demand(objects[:1]) == ""


def test_the_workloads_of_the_project_ask_for_a_gpu() -> None:
    types = [BUILT_IN[name] for name in DEFAULT_TYPES]
    for name, count in (("finetune", 1), ("inference", 3)):
        objects = read_manifests(Path(ROOT), f"workloads/{name}.yaml", "ai", types)
        assert demands(objects) == ["1 nvidia.com/gpu"]
        assert [pods(each) for each in objects if each.type.counted] == [count]


@pytest.mark.parametrize(
    ("kind", "spec", "count"),
    [
        ("deployments.apps", {}, 1),
        ("deployments.apps", {"replicas": 0}, 0),
        ("jobs.batch", {"parallelism": 5, "completions": 3}, 3),
        ("jobs.batch", {"parallelism": 2, "completions": None}, 2),
        ("jobs.batch", {"completions": 4}, 1),
    ],
)
def test_pods_are_those_that_run_side_by_side(kind: str, spec: dict[str, Any], count: int) -> None:
    assert pods(manifest(kind, {}, **spec)) == count


KEYS = [
    "spec",
    "template",
    "containers",
    "resources",
    "limits",
    "nvidia.com/gpu",
    "affinity",
    "nodeSelectorTerms",
    "matchExpressions",
    "key",
    "values",
]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.sampled_from([LABEL, "In"])
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.integers(), below, max_size=3)
    ),
    max_leaves=6,
)


@given(data=st.data(), kind=st.sampled_from(["deployments.apps", "cronjobs.batch"]))
def test_no_pod_is_too_odd(data: st.DataObject, kind: str) -> None:
    pod = {
        "nodeSelector": {LABEL: "nvidia-l4"},
        "affinity": affinity([one_of("nvidia-l4")]),
        "containers": [container({"nvidia.com/gpu": 1}, {"nvidia.com/gpu": 1})],
    }
    odd = manifest(kind, pod)
    body: Any = odd.body
    *parents, last = data.draw(st.sampled_from(paths(body)))
    for key in parents:
        body = body[key]
    body[last] = data.draw(ANYTHING)
    assert all(type(amount) is int and amount > 0 for amount in demand_of(odd).values())
    assert isinstance(whole_demand([odd]), str)


ODD_AMOUNTS = ["²", "$GPUS", "-1", "500m", "9" * 5000, 1 << 20000, True, None, 1.5, -1, [1], {"a": 1}]


@pytest.mark.parametrize("amount", ODD_AMOUNTS, ids=range(len(ODD_AMOUNTS)))
def test_an_amount_that_is_no_whole_number_is_left_out(amount: Any) -> None:
    pod = {"containers": [container({"nvidia.com/gpu": amount})]}
    assert demand_of(manifest("jobs.batch", pod)) == {}


def test_a_body_that_holds_itself_is_read() -> None:
    body: Any = yaml.safe_load("spec: &a {template: {spec: *a}, containers: [*a], nodeSelector: *a}")
    assert demand_of(Manifest(BUILT_IN["jobs.batch"], "a", body)) == {}
