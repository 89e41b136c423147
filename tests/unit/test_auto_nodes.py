"""Pods that select no compute class fit on the nodes that GKE could create for them by auto-provisioning."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from clusters.nodes.auto_nodes import is_made
from clusters.nodes.nodes import GPU, TPU, Nodes, nodes_of
from clusters.spec import Cluster
from federation.queues import cluster_queue, flavors
from placement.fit.judge import doubts, judge
from placement.fit.needs import needs
from placement.fit.node_labels import HOSTNAME, MACHINE, POOL, TOPOLOGY
from placement.fit.packing import fitting
from placement.fit.space import measured, spaces_of
from problems import SettingsError
from tests.rooms import gang_of, requests
from tests.unit.test_class_fit import gpu_pod, stack
from tests.unit.test_fit import ACCELERATOR, affinity, pod, term, text_of

LIMITS = {"cpu": {"max": 100}, "memory": {"max": 1000}, "nvidia-l4": {"max": 6}}
L4: dict[str, Any] = {"nodeSelector": {ACCELERATOR: "nvidia-l4"}}
V6E: dict[str, Any] = {"tpu-v6e-slice": {"max": 16}}
MADE = "nodes that auto-provisioning makes, of machines that GKE chooses"


def cluster(region: str = "us-east1", slot: int = 0, limits: Any = LIMITS, **settings: Any) -> dict[str, Any]:
    plain = {"region": region, "slot": slot, "role": "serving", "zones": [f"{region}-c"]}
    return plain | {"auto_provisioning": {"limits": limits}} | settings


def made(plain: dict[str, Any]) -> dict[str, Nodes]:
    return {each.pool: each for each in nodes_of(Cluster.model_validate(plain)) if is_made(each)}


CPU_NODES, L4_NODES = made(cluster()).values()


# The nodes.


def test_all_together_have_what_the_limits_leave_beside_own_pools() -> None:
    assert [*made(cluster())] == ["auto-provisioning/cpu", "auto-provisioning/nvidia-l4"]
    # The system pool has up to 3 e2-standard-4.
    assert CPU_NODES.total["cpu"] == (100 - 3 * 4) * 1000
    assert CPU_NODES.total["memory"] == (1000 - 3 * 16) * 2**30
    assert GPU not in CPU_NODES.allocatable
    # Machines have 1, 2, 4 or 8 L4.
    assert (L4_NODES.total[GPU], L4_NODES.allocatable[GPU]) == (6, 4)
    own = {"l4": {"machine_type": "g2-standard-8", "max_nodes": 4}}
    assert made(cluster(node_pools=own))["auto-provisioning/nvidia-l4"].total[GPU] == 2


@pytest.mark.parametrize(
    "plain",
    [
        cluster(auto_provisioning=None),
        cluster(auto_provisioning={"enabled": False}),
        cluster(limits=LIMITS | {"cpu": {"max": 12}}),
    ],
)
def test_nothing_is_made_without_auto_provisioning_or_beyond_its_limits(plain: dict[str, Any]) -> None:
    assert made(plain) == {}


def test_accelerators_are_made_only_where_the_region_and_its_zones_have_them() -> None:
    # The tables have L4 in us-east1-c, and in no zone of us-south1.
    assert "auto-provisioning/nvidia-l4" not in made(cluster("us-south1"))
    assert "auto-provisioning/nvidia-l4" not in made(cluster(zones=["us-east1-e"]))
    assert made(cluster(zones=["us-east1-e", "us-east1-d"]))["auto-provisioning/nvidia-l4"].zones == ("us-east1-d",)
    assert made(cluster(limits=LIMITS | {"nvidia-new": {"max": 2}}))["auto-provisioning/nvidia-new"].total[GPU] == 2
    assert not any("tpu" in name or "ct6e" in name for name in made(cluster("us-west2", limits=LIMITS | V6E)))


def test_slices_are_made_whole() -> None:
    found = made(cluster("us-east5", limits={"cpu": {"max": 1000}, "memory": {"max": 9000}} | V6E, zones=[]))
    one, four = found["auto-provisioning/ct6e-standard-8t-2x4"], found["auto-provisioning/ct6e-standard-4t-4x4"]
    assert (one.most, one.slice_nodes, one.allocatable[TPU]) == (2, 1, 8)
    assert (four.most, four.slice_nodes, four.allocatable[TPU]) == (4, 4, 4)
    assert four.labels[TOPOLOGY] == "4x4" and four.doubts == (MADE,)
    assert not any("8x8" in name for name in found), "64 chips are above the limit"


# One pod.


def test_a_pod_fits_with_a_doubt() -> None:
    large = pod({"cpu": 80})
    assert text_of(large, CPU_NODES) == ""
    assert doubts(large, [CPU_NODES]) == [MADE]
    assert text_of(pod({"cpu": 89}), CPU_NODES) == "auto-provisioning/cpu has 88 cpu on a node, the pod requests 89"
    assert doubts(gpu_pod(4, **L4), [L4_NODES]) == [MADE]
    assert "auto-provisioning/nvidia-l4 has 4 nvidia.com/gpu on a node" in text_of(gpu_pod(5, **L4), L4_NODES)
    assert (
        text_of(pod(), L4_NODES) == "taint nvidia.com/gpu=present of pool auto-provisioning/nvidia-l4 is not tolerated"
    )


def test_gpus_that_are_not_selected_are_a_second_doubt() -> None:
    assert doubts(gpu_pod(), [L4_NODES]) == [MADE, f"which nodes GKE makes for pods that select no {ACCELERATOR}"]


@pytest.mark.parametrize(
    "key", ["cloud.google.com/gke-spot", "cloud.google.com/machine-family", MACHINE, "kubernetes.io/arch"]
)
def test_what_a_pod_can_choose_of_its_node_is_a_doubt(key: str) -> None:
    found = judge(needs(pod(nodeSelector={key: "x"})), CPU_NODES)
    assert not found.misses and len(found.doubts) == 2


@pytest.mark.parametrize("key", [POOL, "role", "cloud.google.com/compute-class", ACCELERATOR])
def test_nodes_have_no_labels_of_pools_or_classes(key: str) -> None:
    assert judge(needs(pod(nodeSelector={key: "x"})), CPU_NODES, known={"role"}).misses


def test_a_label_that_a_pod_selects_and_tolerates_may_be_given_to_its_node() -> None:
    for operator in ("Exists", "Equal"):
        own = {"tolerations": [{"key": "team", "operator": operator, "value": "" if operator == "Exists" else "a"}]}
        found = judge(needs(pod(nodeSelector={"team": "a"}, **own)), CPU_NODES, known={"team"})
        assert not found.misses and len(found.doubts) == 2
    of_class = {"cloud.google.com/compute-class": "a"}
    assert judge(needs(pod(nodeSelector=of_class)), CPU_NODES).misses


# Many pods.


def test_as_many_pods_fit_as_the_limits_leave_room_for() -> None:
    space = spaces_of({"a": Cluster.model_validate(cluster())})["a"]
    assert space.room(gang_of(requests(1, "nvidia-l4"))) == 6
    assert space.room(gang_of(requests(4, "nvidia-l4"))) == 1
    # 88 CPUs, beside 3 nodes of the system pool with 3.92 each.
    assert space.room(gang_of(requests(0, cpu=4))) == 22
    assert fitting(space.sure, gang_of(requests(0, cpu=4)), 1) == 0, "none of it is sure"


def test_pods_that_keep_apart_have_a_node_each() -> None:
    space = spaces_of({"a": Cluster.model_validate(cluster())})["a"]
    label = {"matchLabels": {"app": "a"}}
    rule = {"topologyKey": HOSTNAME, "labelSelector": label}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [rule]}}
    one = requests(1, "nvidia-l4")
    spec = {**one.spec, "affinity": {**one.spec["affinity"], **apart}}
    assert space.room(gang_of(replace(one, spec=spec, labels={"app": "a"}))) == 6


def test_nodes_that_were_made_count_against_the_limits() -> None:
    space = spaces_of({"a": Cluster.model_validate(cluster())})["a"]
    labels = {HOSTNAME: "n1", POOL: "nap-1", MACHINE: "g2-standard-48", ACCELERATOR: "nvidia-l4"}
    live = Nodes("nap-1", labels, {"cpu": 0, "memory": 0, "pods": 0, GPU: 0}, 1, L4_NODES.taints)
    # Of 88 CPUs it has 48, and of 6 L4 4.
    found = measured(space, [live])
    assert found.room(gang_of(requests(1, "nvidia-l4"))) == 2
    assert found.room(gang_of(requests(0, cpu=40))) == 1
    assert found.growing(gang_of(requests(1, "nvidia-l4")), 2) == ["auto-provisioning/nvidia-l4"]


# The settings of a stack.


def test_a_workload_that_fits_on_no_pool_is_placed_where_nodes_are_made(tmp_path: Path) -> None:
    clusters = {"a": cluster(), "b": cluster("us-south1", 1)}
    found = stack(tmp_path, clusters, gpu_pod(**L4), 3).decided.workloads["api"].decisions
    assert [(each.cluster, each.share) for each in found] == [("a", 3), ("b", 0)]
    assert found[0].reason.endswith(f"; not judged: {MADE}")
    with pytest.raises(SettingsError, match="6 at their largest"):
        stack(tmp_path, {"a": cluster()}, gpu_pod(**L4), 7)


def test_own_pools_are_used_first(tmp_path: Path) -> None:
    own = {"l4": {"machine_type": "g2-standard-8", "max_nodes": 2}}
    (found,) = stack(tmp_path, {"a": cluster(node_pools=own)}, gpu_pod(**L4), 2).decided.workloads["api"].decisions
    assert MADE not in found.reason
    (found,) = stack(tmp_path, {"a": cluster(node_pools=own)}, gpu_pod(**L4), 3).decided.workloads["api"].decisions
    assert MADE in found.reason


def test_alternatives_are_judged_one_by_one() -> None:
    either = affinity(term((ACCELERATOR, "In", "nvidia-tesla-a100")), term((ACCELERATOR, "In", "nvidia-l4")))
    assert doubts(gpu_pod(affinity=either), [L4_NODES]) == [MADE]


# Kueue's queues.


def test_a_queue_has_a_quota_of_what_may_be_made() -> None:
    spec = Cluster.model_validate(cluster())
    found = flavors(spec)
    assert [*found] == ["system", "auto.cpu", "auto.nvidia-l4"]
    assert found["auto.cpu"] == {}
    assert found["auto.nvidia-l4"]["nodeLabels"] == {ACCELERATOR: "nvidia-l4"}
    (group,) = cluster_queue(spec)["resourceGroups"]
    quotas = {
        each["name"]: {one["name"]: one["nominalQuota"] for one in each["resources"]} for each in group["flavors"]
    }
    assert quotas["auto.cpu"] | {"memory": "", "ephemeral-storage": ""} == {
        "cpu": "88",
        "memory": "",
        "ephemeral-storage": "",
        GPU: "0",
    }
    assert quotas["auto.nvidia-l4"][GPU] == "6"
