"""What is free is what nodes that take pods offer, less what their pods have requested."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.nodes.nodes import GPU, Nodes, Taint
from federation.free_nodes import free_nodes
from placement.fit.packing import fitting, without
from placement.fit.room import room
from tests.rooms import ACCELERATOR, Pods, gang_of, requests

POOL, HOST = "cloud.google.com/gke-nodepool", "kubernetes.io/hostname"


def node(name: str, gpus: int = 4, accelerator: str = "nvidia-l4", **changes: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {ACCELERATOR: accelerator, POOL: "l4"}},
        "spec": changes.get("spec", {}),
        "status": {
            "allocatable": {"cpu": "7910m", "memory": "32Gi", "pods": "10", GPU: str(gpus)},
            "conditions": [{"type": "Ready", "status": changes.get("ready", "True")}],
        },
    }


def pod(on: str, gpus: int, phase: str = "Running") -> dict[str, Any]:
    containers: list[dict[str, Any]] = [{"resources": {"requests": {GPU: str(gpus), "cpu": "500m"}}}, {"name": "plain"}]
    return {
        "spec": {"nodeName": on, "containers": containers} if on else {"containers": containers},
        "status": {"phase": phase},
    }


def gpus(nodes: list[dict[str, Any]], pods: list[dict[str, Any]]) -> list[int]:
    return [each.allocatable[GPU] for each in free_nodes(nodes, pods)]


def test_what_pods_have_requested_is_not_free() -> None:
    pods = [pod("one", 1), pod("one", 2), pod("two", 1, "Succeeded"), pod("two", 1, "Failed"), pod("", 4, "Pending")]
    free = free_nodes([node("one"), node("two")], pods)
    amounts = {"cpu": 7910, "memory": 32 * 2**30, "pods": 10, GPU: 4}
    assert [each.allocatable for each in free] == [amounts | {"cpu": 6910, "pods": 8, GPU: 1}, amounts]


def test_a_node_that_exists_has_the_pool_labels_and_taints_that_it_says() -> None:
    taints = [
        {"key": GPU, "value": "present", "effect": "NoSchedule"},
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute", "timeAdded": "2026-08-01T00:00:00Z"},
    ]
    (free,) = free_nodes([node("one", spec={"taints": taints})], [])
    assert (free.pool, free.most) == ("l4", 1)
    assert free.labels == {HOST: "one", ACCELERATOR: "nvidia-l4", POOL: "l4"}
    kept = (Taint(GPU, "present", "NoSchedule"), Taint("node.kubernetes.io/unreachable", "", "NoExecute"))
    assert free.taints == kept
    assert fitting(room([free]), gang_of(requests()), 9) == 0, "nothing tolerates that a node is unreachable"


def test_init_containers_sidecars_and_overhead_are_not_free() -> None:
    with_init, beside = pod("one", 1), pod("two", 1)
    with_init["spec"] |= {"initContainers": [{"resources": {"requests": {GPU: "3"}}}], "overhead": {"cpu": "250m"}}
    beside["spec"] |= {"initContainers": [{"restartPolicy": "Always", "resources": {"requests": {GPU: "1"}}}]}
    nodes = [node("one"), node("two")]
    assert gpus(nodes, [with_init, beside]) == [1, 2]
    assert [each.allocatable["cpu"] for each in free_nodes(nodes, [with_init, beside])] == [7160, 7410]


@pytest.mark.parametrize("changes", [{"ready": "False"}, {"ready": "Unknown"}, {"spec": {"unschedulable": True}}])
def test_a_node_that_takes_no_pods_has_nothing_free(changes: dict[str, Any]) -> None:
    assert free_nodes([node("one", **changes)], []) == []


def test_more_requested_than_there_is_leaves_nothing() -> None:
    assert gpus([node("one", 1)], [pod("one", 3)]) == [0]


def exists(number: int, gpus: int, accelerator: str = "nvidia-l4") -> Nodes:
    labels = {HOST: f"node-{number}"} | ({ACCELERATOR: accelerator} if accelerator else {})
    return Nodes("", labels, {"pods": 110} | ({GPU: gpus} if gpus else {}), 1)


def fit(nodes: list[Nodes], *pods: Pods) -> int:
    return fitting(room(nodes), gang_of(*pods), 1000)


def test_a_pod_fits_only_where_all_that_it_asks_for_is_on_one_node() -> None:
    nodes = [exists(1, 3), exists(2, 1)]
    assert [fit(nodes, requests(each)) for each in (1, 2, 3, 4)] == [4, 1, 1, 0]


def test_a_pod_fits_only_on_the_accelerators_that_it_names() -> None:
    nodes = [exists(1, 2), exists(2, 1, "nvidia-tesla-a100"), exists(3, 0, "")]
    assert fit(nodes, requests(1, "nvidia-tesla-a100")) == 1
    assert fit(nodes, requests(1, "nvidia-l4", "nvidia-tesla-a100")) == 3
    assert fit(nodes, requests(1)) == 3


@given(st.lists(st.integers(0, 8), max_size=6), st.integers(1, 4), st.integers(0, 12))
def test_what_has_been_put_somewhere_fits_no_second_time(free: list[int], each: int, count: int) -> None:
    nodes, gang = room([exists(*pair) for pair in enumerate(free)]), gang_of(requests(each))
    most = fitting(nodes, gang, 1000)
    assert most == sum(amount // each for amount in free)
    left, _ = without(nodes, gang, min(count, most))
    assert fitting(left, gang, 1000) == most - min(count, most)
    assert all(amount >= 0 for one in left.bins for amount in one.free)


def test_a_unit_of_several_pods_fits_only_where_all_of_them_do() -> None:
    nodes = [exists(1, 4), exists(2, 3), exists(3, 1)]
    assert fit(nodes, requests(2, count=2)) == 1
    assert fit(nodes, requests(4, count=2)) == 0
    both = gang_of(requests(4), requests(1, count=3))
    assert fitting(room(nodes), both, 1000) == 1
    left, _ = without(room(nodes), both, 1)
    assert fitting(left, gang_of(requests(1)), 1000) == 1


@given(st.lists(st.integers(0, 8), max_size=6), st.integers(1, 4), st.integers(1, 3))
def test_units_that_fit_leave_no_room_for_one_more(free: list[int], each: int, pods: int) -> None:
    nodes, gang = room([exists(*pair) for pair in enumerate(free)]), gang_of(requests(each, count=pods))
    most = fitting(nodes, gang, 1000)
    assert most == sum(amount // each for amount in free) // pods
    left, _ = without(nodes, gang, most)
    assert fitting(left, gang, 1000) == 0
