"""Pools with TPUs: what GKE would refuse is reported with what to write, and slices are made whole or not at all."""

from typing import Any

import pytest

from clusters.facts.machine_sizes import tpus
from clusters.facts.topologies import chips_of, only_topology, single_host, slice_nodes, wrong_topology
from clusters.filled_in import of_pool
from clusters.nodes.nodes import TPU, TPU_TAINT, nodes_of
from clusters.pool_placement import autoscaling, policy_name
from clusters.pools.slices import is_always_there, is_slice, policy_of
from clusters.pools.spec import NodePool
from clusters.spec import Cluster, check_clusters, member_labels, selects, warnings
from federation.queues import cluster_queue, quota
from problems import Problem, check_models
from tests.unit.program import Asked
from tests.unit.test_accelerators import run, settings

V5E, V5P, V4, V6E, V7 = (
    "ct5lp-hightpu-4t",
    "ct5p-hightpu-4t",
    "ct4p-hightpu-4t",
    "ct6e-standard-4t",
    "tpu7x-standard-4t",
)
GB200 = "a4x-highgpu-4g"
POOL = "clusters.a.node_pools.tpu"


def pool(machine: str = V5E, topology: str = "4x4", **others: Any) -> dict[str, Any]:
    return {"machine_type": machine, **({"tpu": {"topology": topology}} if topology else {}), **others}


def cluster(own: dict[str, Any], **others: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {"region": "us-central1", "slot": 0, "role": "test", "zones": ["us-central1-a"]}
    return plain | {"node_pools": {"tpu": own}} | others


def problems(plain: dict[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    clusters = check_models("clusters", {"a": plain}, Cluster, "a", found)
    return [*found, *check_clusters(clusters)]


def spec(own: dict[str, Any], **others: Any) -> NodePool:
    plain = cluster(own, **others)
    assert problems(plain) == []
    return Cluster.model_validate(plain).node_pools["tpu"]


# What is taken, and what follows.


@pytest.mark.parametrize(
    ("own", "nodes", "most"),
    [
        (pool(), 4, 4),
        (pool(topology="2x2"), 1, 1),
        (pool(topology="2x2", max_nodes=7, min_nodes=3), 1, 7),
        (pool(topology="2x4", max_nodes=2), 2, 2),
        (pool(topology="16x16"), 64, 64),
        (pool("ct5lp-hightpu-8t", "", max_nodes=3), 1, 3),
        (pool("ct5lp-hightpu-1t", ""), 1, 1),
        (pool("ct6e-standard-8t", "2x4"), 1, 1),
        (pool(V6E, "2x4", spot=True), 2, 2),
        (pool(V6E, "4x8", flex_start=True), 8, 8),
        (pool(V6E, "4x4", queued=True), 4, 4),
        (pool(V5P, "2x2x1", max_nodes=9), 1, 9),
        (pool(V5P, "2x2x4", reservation="mine"), 4, 4),
        (pool(V5P, "8x8x20", max_pods_per_node=32), 320, 320),
        (pool(V4, "4x4x8"), 32, 32),
        (pool(V7, "2x2x2", min_nodes=2), 2, 2),
        # Facts that are not sure refuse nothing.
        (pool(V4, "8x4x4"), 32, 32),
        (pool("ct5l-hightpu-4t", "4x4"), 4, 4),
        (pool("ct5p-hightpu-1t", ""), 1, 1),
    ],
)
def test_what_gke_takes_is_taken_with_the_nodes_of_its_slice(own: dict[str, Any], nodes: int, most: int) -> None:
    found = spec(own)
    assert found.tpu
    assert slice_nodes(found.machine_type, found.tpu.topology) == nodes
    assert (found.max_nodes, is_slice(found)) == (most, nodes > 1)


def test_the_only_topology_of_a_machine_type_and_its_boot_disk_are_filled_in() -> None:
    assert only_topology("ct5lp-hightpu-8t") == "2x4"
    eight = spec(pool("ct5lp-hightpu-8t", ""))
    assert eight.tpu
    assert (eight.tpu.topology, eight.disk_type) == ("2x4", "pd-balanced")
    assert spec(pool(V6E)).disk_type == spec(pool(V7, "2x2x1")).disk_type == "hyperdisk-balanced"
    assert spec(pool(disk_type="pd-ssd")).disk_type == "pd-ssd"


# What is refused.

BAD: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "a machine type with TPUs that is not known": (
        cluster(pool("ct5lp-hightpu-2t", "")),
        [(f"{POOL}.machine_type: 'ct5lp-hightpu-2t'", "not a machine type that clusters/facts/tpus.csv has; write")],
    ),
    "TPUs of a machine without": (
        cluster(pool("n2-standard-8", "2x2")),
        [(f"{POOL}.tpu: '2x2'", "n2-standard-8 has no TPUs; remove it, or write a machine type that has them")],
    ),
    "GPUs of a machine with TPUs": (
        cluster(pool(accelerator={"type": "nvidia-l4"})),
        [(f"{POOL}.accelerator.type: 'nvidia-l4'", "has TPUs and takes no GPUs; remove it")],
    ),
    "TPUs as GPUs": (
        cluster(pool(V7, "2x2x1", accelerator={"type": "tpu7x", "count": 4})),
        [(f"{POOL}.accelerator.type: 'tpu7x'", "tpu7x-standard-4t has TPUs and takes no GPUs; remove it")],
    ),
    "no topology where there are several": (
        cluster(pool(topology="")),
        [(f"{POOL}.tpu.topology:", "slices of several topologies; write 2x2, 2x4, 4x4, 4x8, 8x8, 8x16 or 16x16")],
    ),
    "no topology where there are many": (
        cluster(pool(V5P, "")),
        [(f"{POOL}.tpu.topology:", "or 16x16x24, or AxBxC of multiples of 4 with A<=B<=C")],
    ),
    "a topology that no machine has": (
        cluster(pool(topology="3x3")),
        [(f"{POOL}.tpu.topology: '3x3'", "not a topology of ct5lp-hightpu-4t; write 2x2 or 2x4")],
    ),
    "a topology of another machine type": (
        cluster(pool("ct5lp-hightpu-8t", "4x4")),
        [(f"{POOL}.tpu.topology: '4x4'", "write 2x4, or machine_type ct5lp-hightpu-4t, which has it")],
    ),
    "three sides of v5e": (
        cluster(pool(topology="2x2x2")),
        [(f"{POOL}.tpu.topology: '2x2x2'", "slices of ct5lp-hightpu-4t have 2 sides; write 2x2, 2x4")],
    ),
    "two sides of v5p": (
        cluster(pool(V5P, "4x4")),
        [(f"{POOL}.tpu.topology: '4x4'", "slices of ct5p-hightpu-4t have 3 sides; write 2x2x1, 2x2x2")],
    ),
    "sides in another order": (
        cluster(pool(topology="4x2")),
        [(f"{POOL}.tpu.topology: '4x2'", "its sides are in another order; write 2x4")],
    ),
    "sides of a cube in another order": (
        cluster(pool(V5P, "8x4x4")),
        [(f"{POOL}.tpu.topology: '8x4x4'", "write 4x4x8")],
    ),
    "no multiples of 4": (
        cluster(pool(V5P, "4x4x6")),
        [(f"{POOL}.tpu.topology: '4x4x6'", "not a topology of ct5p-hightpu-4t; write 4x4x4 or 4x4x8")],
    ),
    "too many cubes": (
        cluster(pool(V5P, "24x24x24")),
        [(f"{POOL}.tpu.topology: '24x24x24'", "216 cubes of 4x4x4, and slices of ct5p-hightpu-4t have at most 140")],
    ),
    "more nodes than a pool can have": (
        cluster(pool(V7, "16x24x24", zones=["us-central1-c"])),
        [(f"{POOL}.tpu.topology: '16x24x24'", "is 2304 nodes of tpu7x-standard-4t, and a pool has at most 1000")],
    ),
    "what is no topology": (
        cluster(pool(topology="2 by 4")),
        [(f"{POOL}.tpu.topology: '2 by 4'", "write how the chips of a slice are connected, such as 4x4 or 2x2x4")],
    ),
    "several zones": (
        cluster(pool(zones=["us-central1-a", "us-central1-b"])),
        [(f"{POOL}.zones: ['us-central1-a', 'us-central1-b']", "in one zone, and these are in us-central1-a, us-cent")],
    ),
    "several zones of the cluster": (
        cluster(pool(), zones=["us-central1-a", "us-central1-b"]),
        [(f"{POOL}.zones:", "4 nodes of ct5lp-hightpu-4t in one zone, and these are in us-central1-a, us-central1-b")],
    ),
    "zones that Google chooses": (
        cluster(pool(), zones=[]),
        [(f"{POOL}.zones:", "Google chooses several; write zones: [us-central1-b] or another")],
    ),
    "a part of a slice": (
        cluster(pool(max_nodes=3)),
        [(f"{POOL}.max_nodes: 3", "a slice of 4x4 is 4 nodes of ct5lp-hightpu-4t; write 4, or leave it out")],
    ),
    "two slices in a pool": (cluster(pool(max_nodes=8)), [(f"{POOL}.max_nodes: 8", "write 4, or leave it out")]),
    "a part of a slice that is always there": (
        cluster(pool(min_nodes=1)),
        [(f"{POOL}.min_nodes: 1", "created and deleted together; write 0, or 4 for a slice that is always there")],
    ),
    "more than the slice that is always there": (
        cluster(pool(min_nodes=8)),
        [(f"{POOL}.max_nodes: 8", "write 4, or leave it out"), (f"{POOL}.min_nodes: 8", "write 0, or 4 for a slice")],
    ),
    "flex-start machines that are always there": (
        cluster(pool(min_nodes=4, flex_start=True)),
        [(f"{POOL}.min_nodes: 4", "a slice of flex-start machines is not always there; write 0")],
    ),
    "a queued slice that is always there": (
        cluster(pool(min_nodes=4, queued=True)),
        [(f"{POOL}.min_nodes: 4", "a queued pool has no node until one is requested; write 0")],
    ),
    "nodes in several zones": (
        cluster(pool(location_policy="BALANCED")),
        [(f"{POOL}.location_policy: 'BALANCED'", "in one zone; write ANY")],
    ),
    "a compact slice": (
        cluster(pool(compact=True)),
        [(f"{POOL}.compact: True", "are close to each other, and no oth")],
    ),
    "compact nodes of which each is a slice": (
        cluster(pool(topology="2x2", compact=True), zones=[]),
        [(f"{POOL}.compact: True", "write false")],
    ),
    "a disk that the machine does not take": (
        cluster(pool(V6E, disk_type="pd-balanced")),
        [(f"{POOL}.disk_type: 'pd-balanced'", "ct6e-standard-4t takes hyperdisk-balanced; write that")],
    ),
    "spot and queued": (
        cluster(pool(V6E, spot=True, queued=True)),
        [(f"{POOL}.spot: True", "a pool cannot have both spot and queued")],
    ),
    "more addresses of pods than a slot has": (
        cluster(pool(V5P, "8x8x20")),
        [(f"{POOL}.max_pods_per_node: 110", "the slot has 65536; write at most 64")],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_gke_refuses_is_reported_with_what_to_write(case: str) -> None:
    plain, expected = BAD[case]
    found = list(map(str, problems(plain)))
    assert len(found) == len(expected), found
    for text, (start, advice) in zip(found, expected, strict=True):
        assert text.startswith(start), text
        assert advice in text


def test_every_topology_of_the_table_is_taken() -> None:
    for name, tpu in tpus().items():
        for topology in tpu.topologies:
            assert wrong_topology(name, topology) == ""
            assert slice_nodes(name, topology) * tpu.chips == chips_of(topology)
    assert single_host(V5P) == "2x2x1"


# What is reported, but not refused.


@pytest.mark.parametrize(
    ("own", "others", "text"),
    [
        (
            pool("ct5l-hightpu-4t", "4x4"),
            {},
            f"{POOL}.machine_type: clusters/facts/tpus.csv is not sure of its TPUs and topologies (the label from",
        ),
        (
            pool(V4, "8x4x4"),
            {},
            f"{POOL}.tpu.topology: 8x4x4: sources differ on whether its sides can be in this order; 4x4x8 is sure",
        ),
        (
            pool(V7, "2x2x2"),
            {"kubernetes": "1.33"},
            'clusters.a.kubernetes: "1.33": tpu7x-standard-4t of pool tpu needs GKE 1.34.0-gke.2201000; write that or',
        ),
        (
            pool(GB200, "", compact=True, max_nodes=20),
            {},
            f"{POOL}.max_nodes: 20: machines of a4x-highgpu-4g are close to each other in domains of 18",
        ),
    ],
)
def test_what_may_not_hold_is_a_warning(own: dict[str, Any], others: dict[str, Any], text: str) -> None:
    plain = cluster(own, **others)
    assert problems(plain) == []
    assert any(each.startswith(text) for each in warnings({"a": Cluster.model_validate(plain)}))


@pytest.mark.parametrize("kubernetes", ["", "1.34", "1.34.0-gke.2201000", "1.35.1"])
def test_a_version_that_may_be_new_enough_is_no_warning(kubernetes: str) -> None:
    plain = cluster(pool(V7, "2x2x2"), kubernetes=kubernetes)
    assert not any("kubernetes" in each for each in warnings({"a": Cluster.model_validate(plain)}))


# Members, nodes and quotas.


def test_a_member_is_selected_by_its_tpus() -> None:
    two = {"tpu": pool(), "gpu": {"machine_type": "g2-standard-8"}}
    labels = member_labels(Cluster.model_validate(cluster(pool(), node_pools=two)))
    assert selects(labels, "accelerator", "tpu-v5-lite-podslice")
    assert selects(labels, "accelerator", "nvidia-l4")
    assert not selects(labels, "accelerator", "tpu-v6e-slice")


def test_nodes_of_a_slice() -> None:
    (_, found) = nodes_of(Cluster.model_validate(cluster(pool())))
    assert (found.slice_nodes, found.most, found.allocatable[TPU]) == (4, 4, 4)
    assert found.taints == (TPU_TAINT,)
    sure = {"cloud.google.com/gke-tpu-topology": "4x4", "cloud.google.com/gke-tpu-accelerator": "tpu-v5-lite-podslice"}
    assert found.labels.items() >= sure.items()
    assert not {*sure, TPU, "cpu", "memory"} & found.unsure
    (_, unsure) = nodes_of(Cluster.model_validate(cluster(pool("ct5l-hightpu-4t", "2x2"))))
    assert {*sure, TPU} <= unsure.unsure
    (_, sizes) = nodes_of(Cluster.model_validate(cluster(pool(V7, "2x2x1"))))
    assert {"cpu", "memory"} <= sizes.unsure
    assert not {*sure, TPU} & sizes.unsure


def test_queues_have_the_chips_of_each_pool() -> None:
    plain = Cluster.model_validate(
        cluster(pool(), node_pools={"tpu": pool(), "one": pool(topology="2x2", max_nodes=3)})
    )
    assert {nodes.pool: quota(nodes, TPU) for nodes in nodes_of(plain)} == {"system": "0", "tpu": "16", "one": "12"}
    assert TPU in cluster_queue(plain)["resourceGroups"][0]["coveredResources"]


# What Google Cloud is asked for.


def made(name: str) -> Asked:
    (found,) = (each for each in run().asked if each.type.endswith(":NodePool") and each.name == f"tpus-{name}")
    return found


def policies() -> dict[str, Asked]:
    return {each.name: each for each in run().asked if each.type == "gcp:compute/resourcePolicy:ResourcePolicy"}


@pytest.mark.parametrize("name", ["v5e", "v6e", "v6e-queued", "v5p", "v7"])
def test_a_slice_is_scaled_to_none_or_all_in_its_zone(name: str) -> None:
    inputs = made(name).inputs
    own = NodePool.model_validate(settings()["clusters"]["tpus"]["node_pools"][name])
    assert own.tpu
    nodes = slice_nodes(own.machine_type, own.tpu.topology)
    assert inputs["autoscaling"] == {"minNodeCount": 0, "maxNodeCount": nodes, "locationPolicy": "ANY"}
    assert inputs["initialNodeCount"] == 0
    assert "nodeCount" not in inputs
    assert inputs["placementPolicy"]["tpuTopology"] == own.tpu.topology
    assert inputs["nodeConfig"]["taints"] == [{"key": TPU, "value": "present", "effect": "NO_SCHEDULE"}]


def test_a_slice_that_is_always_there_has_all_its_nodes_and_no_autoscaler() -> None:
    inputs = made("v5e-always").inputs
    assert inputs["nodeCount"] == 2
    assert not {"autoscaling", "initialNodeCount"} & inputs.keys()
    assert inputs["placementPolicy"] == {"type": "COMPACT", "tpuTopology": "2x4"}


@pytest.mark.parametrize("name", ["v5e-single", "v7-single"])
def test_nodes_that_are_slices_by_themselves_have_no_placement(name: str) -> None:
    inputs = made(name).inputs
    assert "placementPolicy" not in inputs
    assert inputs["autoscaling"]["totalMinNodeCount"] == 0
    assert inputs["autoscaling"]["totalMaxNodeCount"] in (2, 4)


@pytest.mark.parametrize(("name", "topology"), [("v7", "2x2x2"), ("gb200", "1x72")])
def test_a_workload_policy_is_named_by_the_pool_without_a_type(name: str, topology: str) -> None:
    policy = policies()[f"tpus-{name}"]
    assert policy.inputs["workloadPolicy"] == {"type": "HIGH_THROUGHPUT", "acceleratorTopology": topology}
    assert policy.inputs["region"] == "us-central1"
    placement = made(name).inputs["placementPolicy"]
    assert (placement["type"], placement["policyName"]) == ("", policy.inputs["name"])
    assert policy.urn in run().needs(made(name))


def test_others_need_no_workload_policy() -> None:
    assert policies().keys() == {"tpus-v7", "tpus-gb200"}


def test_another_topology_is_another_policy_of_a_short_name() -> None:
    one, other = (policy_name("stack", "c" * 32, "p" * 32, each) for each in ("2x2x2", "16x24x24"))
    assert one != other != policy_name("other", "c" * 32, "p" * 32, "16x24x24")
    assert max(len(one), len(other)) <= 63


@pytest.mark.parametrize(
    ("own", "ignored"),
    [
        ({"machine_type": "g2-standard-8"}, {"policyName", "tpuTopology"}),
        ({"machine_type": "g2-standard-8", "compact": True}, {"policyName", "tpuTopology"}),
        (pool(), {"policyName"}),
        (pool(topology="2x2"), set[str]()),
        (pool(V7, "2x2x2"), set[str]()),
        ({"machine_type": GB200, "compact": True}, {"tpuTopology"}),
        ({"machine_type": GB200}, {"tpuTopology"}),
    ],
)
def test_another_placement_makes_another_pool_where_the_settings_say_it(own: dict[str, Any], ignored: set[str]) -> None:
    found = {each.rpartition(".")[2] for each in of_pool(NodePool.model_validate(own)) if "placementPolicy" in each}
    assert found == ignored


def test_a_pool_that_is_no_slice_is_scaled_as_before() -> None:
    own = NodePool(machine_type="g2-standard-8", max_nodes=3, compact=True)
    assert autoscaling(own) == {"total_min_node_count": 0, "total_max_node_count": 3, "location_policy": "ANY"}
    assert (policy_of(own), is_always_there(NodePool(machine_type="g2-standard-8", min_nodes=1))) == ("pool", False)
