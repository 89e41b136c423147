"""Slices of TPUs on the stand-in for Google Cloud: what GKE refuses of them, and nodes that are there all or none."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from local.plugin import Refused, Resource
from local.wire import UNKNOWN, Properties
from tests.unit.local.google import CLUSTER, GOOD, NODES, POLICY, POOL, Google, Nodes, changed, stand_in
from tests.unit.test_accelerators import run

_SCALING, _PLACEMENT = "autoscaling", "placementPolicy"
V5E: Properties = {
    "name": "slice",
    "nodeLocations": ["us-west1-b"],
    "autoscaling": {"minNodeCount": 0, "maxNodeCount": 4, "locationPolicy": "ANY"},
    "placementPolicy": {"type": "COMPACT", "tpuTopology": "4x4"},
    "nodeConfig": {
        "machineType": "ct5lp-hightpu-4t",
        "serviceAccount": NODES,
        "taints": [{"key": "google.com/tpu", "value": "present", "effect": "NO_SCHEDULE"}],
        "workloadMetadataConfig": {"mode": "GKE_METADATA"},
    },
}
_V7: Properties = {
    "nodeConfig.machineType": "tpu7x-standard-4t",
    "nodeConfig.diskType": "hyperdisk-balanced",
    "autoscaling.maxNodeCount": 2,
    "placementPolicy": {"type": "", "policyName": "slices-2x2x2", "tpuTopology": "2x2x2"},
}
_ALWAYS: Properties = {"autoscaling": None, "nodeCount": 4}


def slice_(changes: Properties | None = None) -> Properties:
    """The good slice with changes by path; None takes something away."""
    own = deepcopy({**V5E, **(changes or {})})
    gone = [path for path, each in own.items() if each is None]
    found = changed(POOL, {path: each for path, each in own.items() if each is not None})
    return {key: each for key, each in found.items() if key not in gone}


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Google, Nodes]:
    google, nodes = stand_in(tmp_path, monkeypatch)
    google.build()
    return google, nodes


@pytest.mark.parametrize(
    ("good", "bad", "field", "words"),
    [
        ({}, {_SCALING: {"totalMinNodeCount": 0, "totalMaxNodeCount": 4}}, _SCALING, "Maximum node count 0 is not a v"),
        ({}, {f"{_SCALING}.maxNodeCount": 3}, _SCALING, "Maximum node count 3 is not a valid size of TPU pod slice"),
        ({f"{_SCALING}.minNodeCount": 4}, {f"{_SCALING}.minNodeCount": 1}, _SCALING, "4 nodes, all or none"),
        (_ALWAYS, {**_ALWAYS, "nodeCount": 2}, "nodeCount", "Node count 2 is not a valid size of TPU pod slice"),
        ({}, {f"{_PLACEMENT}.tpuTopology": "2x2"}, _PLACEMENT, "TPU topology can't be specified with single-host TPU"),
        ({}, {f"{_PLACEMENT}.tpuTopology": "4x4x4"}, _PLACEMENT, "Invalid TPU topology 4x4x4"),
        ({}, {f"{_PLACEMENT}.tpuTopology": "big"}, _PLACEMENT, "Invalid TPU topology big"),
        ({}, {f"{_PLACEMENT}.type": ""}, _PLACEMENT, "needs compact placement"),
        ({}, {_PLACEMENT: {"tpuTopology": "4x4"}}, _PLACEMENT, "Missing required argument: placementPolicy.type"),
        ({}, {"nodeLocations": ["us-west1-a", "us-west1-b"]}, "nodeLocations", "one zone, not in us-west1-a, us-west1"),
        ({}, {"nodeLocations": []}, "nodeLocations", "of a TPU slice are in one zone, not in us-west1-a, us-west1-b"),
        (
            {},
            {"nodeConfig.machineType": "c2-standard-8"},
            _PLACEMENT,
            "can't be specified with machine type c2-standar",
        ),
        (_V7, {**_V7, "nodeConfig.diskType": "pd-balanced"}, "nodeConfig.diskType", "not compatible"),
        (_V7, {**_V7, f"{_PLACEMENT}.type": "COMPACT"}, _PLACEMENT, "Use workload policy instead"),
        (_V7, {**_V7, _PLACEMENT: {"type": "", "tpuTopology": "2x2x2"}}, _PLACEMENT, "needs a workload policy"),
        (
            {"queuedProvisioning": {"enabled": True}},
            {"queuedProvisioning": {"enabled": True}, f"{_SCALING}.minNodeCount": 4},
            _SCALING,
            "minimum of 0",
        ),
        (
            {},
            {"nodeConfig.guestAccelerators": [{"type": "nvidia-l4", "count": 1}]},
            "nodeConfig.guestAccelerators",
            "none can be attached to it",
        ),
    ],
)
def test_what_gke_refuses_of_a_slice(
    made: tuple[Google, Nodes], good: Properties, bad: Properties, field: str, words: str
) -> None:
    google, _ = made
    assert google.check(POOL, slice_(good)) == {}
    found = google.check(POOL, slice_(bad))
    assert words in found[field], found


def test_what_is_not_known_yet_is_not_refused(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    for key in V5E.keys() - {"nodeConfig"}:
        assert google.check(POOL, slice_({key: UNKNOWN})) == {}, key


def test_a_workload_policy_must_exist_with_the_topology_and_stays_while_it_is_used(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    google.create(POLICY, changed(POLICY, {"name": "other", "workloadPolicy.acceleratorTopology": "4x4x4"}))
    for name, words in (
        ("no-such", "no-such was not found in region us-west1"),
        ("other", "topology 4x4x4 of resourc"),
    ):
        with pytest.raises(Refused, match=words):
            google.create(POOL, slice_({**_V7, f"{_PLACEMENT}.policyName": name}))
    google.create(POOL, slice_(_V7))
    identifier = "projects/toys/regions/us-west1/resourcePolicies/slices-2x2x2"
    with pytest.raises(Refused, match="already being used by"):
        google.delete(POLICY, identifier)
    google.delete(POOL, f"{GOOD[POOL]['cluster']}/nodePools/slice")
    google.delete(POLICY, identifier)


def test_another_topology_is_another_policy_and_another_pool(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    _, replaces = google.diff(POLICY, changed(POLICY, {"workloadPolicy.acceleratorTopology": "2x2x4"}))
    assert replaces == ["workloadPolicy.acceleratorTopology"]
    found = google.plugin.diff(
        Resource("", POOL, "it"),
        slice_(),
        slice_(),
        slice_({f"{_PLACEMENT}.tpuTopology": "2x4", f"{_SCALING}.maxNodeCount": 2}),
    )
    assert (found.updates, found.replaces) == (["autoscaling.maxNodeCount"], ["placementPolicy.tpuTopology"])


def test_a_slice_is_there_with_all_its_nodes_or_none(made: tuple[Google, Nodes]) -> None:
    google, nodes = made
    identifier, _ = google.create(POOL, slice_())
    assert nodes.items == {}
    always = slice_(_ALWAYS)
    google.update(POOL, identifier, slice_(), always)
    assert len(nodes.items) == 4
    for node in nodes.items.values():
        labels = node["metadata"]["labels"]
        assert labels["cloud.google.com/gke-tpu-topology"] == "4x4"
        assert labels["cloud.google.com/gke-tpu-accelerator"] == "tpu-v5-lite-podslice"
        assert node["status"]["allocatable"]["google.com/tpu"] == "4"
        assert [each["key"] for each in node["spec"]["taints"]] == ["google.com/tpu"]
        node["mark"] = "first"
    # One that is lost takes the others with it.
    nodes.items.popitem()
    google.update(POOL, identifier, always, always)
    assert len(nodes.items) == 4
    assert not [each for each in nodes.items.values() if "mark" in each]
    google.update(POOL, identifier, always, slice_())
    assert nodes.items == {}


def test_a_node_that_is_a_slice_by_itself_says_its_topology(made: tuple[Google, Nodes]) -> None:
    google, nodes = made
    scaling = {"totalMinNodeCount": 2, "totalMaxNodeCount": 3}
    single = {"placementPolicy": None, "autoscaling": scaling, "initialNodeCount": 2}
    google.create(POOL, slice_(single))
    assert [each["metadata"]["labels"]["cloud.google.com/gke-tpu-topology"] for each in nodes.items.values()] == [
        "2x2",
        "2x2",
    ]


def test_google_takes_every_pool_of_the_accelerators_stack(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    where = {"location": "us-central1", "nodeLocations": ["us-central1-a"], "name": "tpus"}
    google.registry.put("cluster", "tpus", {**GOOD[CLUSTER], **where, "subnetwork": ""})
    asked = [each for each in run().asked if each.name.startswith("tpus-")]
    for kind in (POLICY, POOL):
        found = [each for each in asked if each.type == kind]
        assert len(found) >= 2
        for each in found:
            inputs: dict[str, Any] = {**each.inputs, **({"cluster": "tpus"} if kind == POOL else {})}
            assert google.check(kind, inputs) == {}, each.name
    pools = [dict(each.inputs) for each in asked if each.type == POOL]
    assert {each["nodeConfig"]["machineType"].partition("-")[0] for each in pools} >= {"ct5lp", "ct6e", "tpu7x", "a4x"}
