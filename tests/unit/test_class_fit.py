"""Pods that select a compute class fit where it is defined, on its own pools and on nodes that GKE could create."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusters.classes.spec import LABEL as CLASS
from clusters.nodes.auto_nodes import is_made
from clusters.nodes.class_nodes import is_created
from clusters.nodes.nodes import GPU, TPU, Nodes, Taint, nodes_of
from clusters.spec import Cluster
from federation.queues import cluster_queue, flavors
from placement.fit.judge import doubts, judge, nearest_miss
from placement.fit.needs import needs
from placement.fit.node_labels import HOSTNAME, POOL
from placement.fit.room import gang
from placement.fit.space import measured, spaces_of
from problems import SettingsError
from settings import Settings, parse
from tests import objects
from tests.rooms import gang_of, requests
from tests.unit.test_compute_classes import L4, LIMITS, V6E, cluster
from tests.unit.test_fit import ACCELERATOR, SPOT, affinity, pod, pool, term, text_of

FAST = pool("fast", {CLASS: "fast"}, (Taint(CLASS, "fast", "NoSchedule"),))
SELECTS: dict[str, Any] = {"nodeSelector": {CLASS: "fast"}}


# One pod and one pool.


@pytest.mark.parametrize(
    "spec",
    [
        SELECTS,
        {"affinity": affinity(term((CLASS, "In", "fast")))},
        {"affinity": affinity(term((CLASS, "In", "slow", "fast")))},
        {"affinity": affinity(term((CLASS, "In", "slow")), term((CLASS, "In", "fast")))},
    ],
)
def test_gke_adds_the_toleration_of_the_class_that_a_pod_selects(spec: dict[str, Any]) -> None:
    assert text_of(pod(**spec), FAST) == ""
    assert doubts(pod(**spec), [FAST]) == []


def test_a_pool_of_a_class_is_for_the_pods_that_select_it() -> None:
    assert text_of(pod(), FAST) == f"taint {CLASS}=fast of pool fast is not tolerated"
    assert text_of(pod(nodeSelector={CLASS: "slow"}), FAST) == "pool fast is of class fast, the pod selects slow"
    assert text_of(pod(**SELECTS), pool()) == "pool cpus is of no compute class, the pod selects fast"
    assert nearest_miss(pod(**SELECTS), [pool(), pool("b")]) == "no compute class fast is defined"
    # Of several pools, one of the class is closest, whatever else it lacks.
    large = pod({"cpu": 64}, **SELECTS)
    assert nearest_miss(large, [pool(), FAST]) == "fast has 3.92 cpu on a node, the pod requests 64"


def test_a_toleration_that_only_some_terms_bring_is_a_doubt() -> None:
    either = affinity(term((CLASS, "In", "fast")), term(("role", "Exists")))
    assert doubts(pod(affinity=either), [FAST]) == [f"whether taint {CLASS} of pool fast is tolerated"]
    exists = affinity(term((CLASS, "Exists")))
    assert doubts(pod(affinity=exists), [FAST]) == [f"whether taint {CLASS} of pool fast is tolerated"]


def test_a_queue_reads_pods_before_gke_adds_the_toleration() -> None:
    found = judge(needs(pod(**SELECTS), queued=True), FAST)
    assert not found.misses
    text = f"whether taint {CLASS} of pool fast is tolerated when a queue reads it; write the toleration"
    assert found.doubts == (text,)
    written = pod(tolerations=[{"key": CLASS, "operator": "Exists"}], **SELECTS)
    assert judge(needs(written, queued=True), FAST).doubts == ()


@pytest.mark.parametrize(
    "key", [SPOT, ACCELERATOR, "cloud.google.com/machine-family", "node.kubernetes.io/instance-type"]
)
def test_what_a_class_decides_is_reported_where_a_pod_selects_it_too(key: str) -> None:
    labelled = pool("fast", {CLASS: "fast", key: "x"}, FAST.taints)
    spec = pod(nodeSelector={CLASS: "fast", key: "x"})
    text = f"label {key}=x beside a compute class, which decides it; leave it to the class"
    assert text_of(spec, labelled) == ""
    assert doubts(spec, [labelled]) == [text]
    assert doubts(pod(nodeSelector={key: "x"}), [pool("a", {key: "x"})]) == []


def test_what_else_a_node_depends_on_is_a_doubt() -> None:
    unsure = replace(pool(), doubts=("the limits",))
    assert text_of(pod(), unsure) == ""
    assert doubts(pod(), [unsure]) == ["the limits"]


# The nodes that GKE could create.


def created(plain: Mapping[str, Any]) -> dict[str, Nodes]:
    found = nodes_of(Cluster.model_validate(plain))
    return {each.pool: each for each in found if is_created(each.pool) and not is_made(each)}


def test_nodes_are_as_many_as_the_limits_leave_beside_own_pools() -> None:
    (found,) = created(cluster(L4)).values()
    own = next(each for each in nodes_of(Cluster.model_validate(cluster(L4))) if each.pool == "own")
    # 8 L4 less the 2 of the own pool at its largest.
    assert (found.pool, found.most) == ("fast/2", 6)
    assert found.allocatable == own.allocatable
    assert found.taints == own.taints
    assert found.labels[CLASS] == "fast" and found.labels["role"] == "test"
    assert POOL not in found.labels and POOL in found.unsure
    assert found.doubts == ()


def test_machines_that_differ_in_how_they_are_bought_are_created_once() -> None:
    plain = cluster(L4 | {"spot": True}, L4 | {"flex_start": True}, L4 | {"zones": ["us-west1-a"]}, L4)
    (found,) = created(plain).values()
    assert found.most == 6
    assert SPOT not in found.labels and SPOT in found.unsure
    assert "topology.kubernetes.io/zone" in found.unsure
    assert found.doubts == ()


def test_priorities_that_share_a_limit_are_a_doubt() -> None:
    found = created(cluster(L4, {"gpu": {"type": "nvidia-l4", "count": 2}}))
    assert [each.most for each in found.values()] == [6, 3]
    for name, each in found.items():
        assert each.doubts == (f"the limits of auto_provisioning, which {name} shares with other priorities",)


def test_sizes_that_are_left_to_gke_are_doubts() -> None:
    (found,) = created(cluster({"machine_family": "n2", "min_cores": 8})).values()
    assert {"cpu", "memory"} <= found.unsure and "cpu" not in found.allocatable
    assert found.labels["cloud.google.com/machine-family"] == "n2"
    assert "node.kubernetes.io/instance-type" not in found.labels
    spec = pod({"cpu": 30}, **SELECTS)
    assert text_of(spec, found) == ""
    assert doubts(spec, [found]) == ["how much cpu pool fast/2 has"]
    assert text_of(pod({GPU: 1}, **SELECTS), found) == "fast/2 has no nvidia.com/gpu, the pod requests 1"
    # 400 CPUs less those of the system pool and of the own pool, in eights.
    assert found.most == (400 - 3 * 4 - 2 * 8) // 8


def test_any_machine_is_a_small_one_of_unknown_size() -> None:
    found = created(cluster(fast={"when_unsatisfiable": "ScaleUpAnyway", "create_pools": True}))["fast/any"]
    assert "cloud.google.com/machine-family" not in found.labels and GPU not in found.allocatable


def test_a_slice_is_created_whole() -> None:
    (found,) = created(cluster({"tpu": V6E})).values()
    # 8 chips, 4 on each node, 2 nodes a slice.
    assert (found.most, found.allocatable[TPU]) == (2, 4)
    assert found.labels["cloud.google.com/gke-tpu-topology"] == "2x4"
    limits = {"limits": LIMITS | {"tpu-v6e-slice": {"max": 15}}}
    assert created(cluster({"tpu": V6E}, auto_provisioning=limits))["fast/2"].most == 2


def test_no_more_nodes_are_created_than_there_are_addresses() -> None:
    limits = {"limits": {name: {"max": 10**6} for name in LIMITS}}
    # Of 65,536 addresses, 256 for each node of 110 pods: those of the system pool, of the own pool, and others.
    assert created(cluster(L4, auto_provisioning=limits))["fast/2"].most == 65536 // 256 - 3 - 2
    assert created(cluster(L4 | {"max_pods_per_node": 32}, auto_provisioning=limits))["fast/2"].most == 251 * 4


def test_nothing_is_created_without_auto_provisioning() -> None:
    assert created(cluster()) == {}
    assert created(cluster(L4, auto_provisioning={"enabled": False})) == {}
    assert created(cluster(L4, fast={"create_pools": False})) == {}


def test_nodes_that_were_created_are_not_created_again() -> None:
    space = spaces_of({"a": Cluster.model_validate(cluster(L4))})["a"]
    (virtual,) = created(cluster(L4)).values()
    labels = {**virtual.labels, HOSTNAME: "n1", POOL: "nap-1"}
    live = Nodes("nap-1", labels, {**virtual.allocatable, GPU: 0}, 1, virtual.taints)
    own = gang([requests(1)])
    selecting = gang_of(replace(requests(1), spec={**requests(1).spec, **SELECTS}))
    # 2 of the own pool and 6 that may be created, of which one exists and is full.
    assert space.room(selecting) == 8
    assert measured(space, [live]).room(selecting) == 7
    # Pods that select no class are on no pool, and GKE makes nodes for them within the same limits.
    assert space.room(own) == 6
    assert measured(space, [live]).room(own) == 5


# The settings of a stack.


def stack(folder: Path, clusters: dict[str, Any], spec: dict[str, Any], replicas: int = 2) -> Settings:
    """A stack with one Deployment of such pods, spread over all clusters."""
    (folder / "api.yaml").write_text(yaml.safe_dump(objects.deployment("api", spec, replicas=replicas)))
    workload = {"manifests": "api.yaml", "namespace": "ai", "placement": {"policy": "spread"}}
    raw = {"clusters": clusters, "federation": {"host": "a"}, "workloads": {"api": workload}}
    return parse(raw, folder)


def gpu_pod(count: int = 1, **spec: Any) -> dict[str, Any]:
    return {"containers": [{"name": "a", "image": "b", "resources": {"limits": {GPU: count}}}], **spec}


def plain(slot: int, **pools: Any) -> dict[str, Any]:
    return {"region": "us-west1", "slot": slot, "role": "test", "node_pools": pools}


def test_pods_run_only_where_their_class_is_defined(tmp_path: Path) -> None:
    clusters = {"a": cluster(L4), "b": plain(1, l4=L4 | {"max_nodes": 9})}
    found = stack(tmp_path, clusters, gpu_pod(**SELECTS)).decided.workloads["api"].decisions
    assert [(each.cluster, each.share) for each in found] == [("a", 2), ("b", 0)]
    assert found[1].reason == "no compute class fast is defined"


def test_the_nodes_that_may_be_created_are_counted(tmp_path: Path) -> None:
    assert stack(tmp_path, {"a": cluster(L4)}, gpu_pod(**SELECTS), 8).decided.problems == {}
    with pytest.raises(SettingsError, match="8 at their largest"):
        stack(tmp_path, {"a": cluster(L4)}, gpu_pod(**SELECTS), 9)
    with pytest.raises(SettingsError, match="2 at their largest"):
        stack(tmp_path, {"a": cluster()}, gpu_pod(**SELECTS), 3)


def test_a_class_that_no_cluster_defines_is_refused_with_where_to_write_it(tmp_path: Path) -> None:
    slow: dict[str, Any] = {"nodeSelector": {CLASS: "slow"}}
    with pytest.raises(SettingsError) as error:
        stack(tmp_path, {"b": plain(1, l4=L4), "a": cluster(L4)}, gpu_pod(**slow))
    assert (
        "no cluster fits (a: no compute class slow is defined; b: no compute class slow is defined); write slow in the "
        "compute_classes of a cluster, such as a, or select fast"
    ) in str(error.value)
    with pytest.raises(SettingsError) as error:
        stack(tmp_path, {"a": plain(1, l4=L4)}, gpu_pod(**slow))
    assert str(error.value).endswith("write slow in the compute_classes of a cluster, such as a")


def test_a_class_that_gke_itself_may_define_is_a_doubt(tmp_path: Path) -> None:
    spec = gpu_pod(nodeSelector={CLASS: "autopilot"})
    (found,) = stack(tmp_path, {"a": plain(1, l4=L4 | {"max_nodes": 2})}, spec).decided.workloads["api"].decisions
    assert f"label {CLASS}=autopilot, which the settings do not give" in found.reason


# Kueue's queues.


def test_a_flavor_of_a_class_takes_the_pods_that_select_it() -> None:
    spec = Cluster.model_validate(cluster(L4, {"machine_family": "n2"}))
    found = flavors(spec)
    assert [*found] == ["system", "own", "class.fast", "auto.cpu", "auto.nvidia-l4"]
    label = "cloud.google.com/gke-nodepool"
    assert found["own"]["nodeLabels"] == {label: "own", CLASS: "fast"}
    assert found["class.fast"]["nodeLabels"] == {CLASS: "fast"}
    taint = {"key": CLASS, "value": "fast", "effect": "NoSchedule"}
    for each in ("own", "class.fast"):
        assert taint in found[each]["nodeTaints"]
        # By a toleration of the flavor, any pod would be admitted to it.
        assert [one["key"] for one in found[each]["tolerations"]] == [GPU]
    (group,) = cluster_queue(spec)["resourceGroups"]
    quotas = {
        each["name"]: {one["name"]: one["nominalQuota"] for one in each["resources"]} for each in group["flavors"]
    }
    assert quotas["class.fast"][GPU] == "6"
    # The size of an n2 is left to GKE.
    assert quotas["class.fast"]["cpu"] == "1P"
    assert quotas["own"][GPU] == "2"
