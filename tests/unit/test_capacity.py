"""What is free is what nodes that take pods offer, less what their pods have requested."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.free_accelerators import Node, fitting, free_nodes, without
from placement.demand import PodDemand, UnitDemand

GPU = "nvidia.com/gpu"


def node(name: str, gpus: int = 4, accelerator: str = "nvidia-l4", **changes: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"cloud.google.com/gke-accelerator": accelerator}},
        "spec": changes.get("spec", {}),
        "status": {
            "allocatable": {"cpu": "8", "memory": "32Gi", GPU: str(gpus)},
            "conditions": [{"type": "Ready", "status": changes.get("ready", "True")}],
        },
    }


def pod(on: str, gpus: int, phase: str = "Running") -> dict[str, Any]:
    containers: list[dict[str, Any]] = [{"resources": {"requests": {GPU: str(gpus), "cpu": "500m"}}}, {"name": "plain"}]
    return {
        "spec": {"nodeName": on, "containers": containers} if on else {"containers": containers},
        "status": {"phase": phase},
    }


def asks(each: int, *accelerators: str, pods: int = 1) -> UnitDemand:
    return UnitDemand(((PodDemand({GPU: each}, frozenset(accelerators)), pods),))


def test_what_pods_have_requested_is_not_free() -> None:
    pods = [pod("one", 1), pod("one", 2), pod("two", 1, "Succeeded"), pod("two", 1, "Failed"), pod("", 4, "Pending")]
    assert free_nodes([node("one"), node("two")], pods) == [Node("nvidia-l4", {GPU: 1}), Node("nvidia-l4", {GPU: 4})]


def test_init_containers_sidecars_and_overhead_are_not_free() -> None:
    with_init, beside = pod("one", 1), pod("two", 1)
    with_init["spec"] |= {"initContainers": [{"resources": {"requests": {GPU: "3"}}}], "overhead": {"cpu": "250m"}}
    beside["spec"] |= {"initContainers": [{"restartPolicy": "Always", "resources": {"requests": {GPU: "1"}}}]}
    assert [each.free[GPU] for each in free_nodes([node("one"), node("two")], [with_init, beside])] == [1, 2]


@pytest.mark.parametrize("changes", [{"ready": "False"}, {"ready": "Unknown"}, {"spec": {"unschedulable": True}}])
def test_a_node_that_takes_no_pods_has_nothing_free(changes: dict[str, Any]) -> None:
    assert free_nodes([node("one", **changes)], []) == []


def test_more_requested_than_there_is_leaves_nothing() -> None:
    assert free_nodes([node("one", 1)], [pod("one", 3)]) == [Node("nvidia-l4", {GPU: 0})]


def test_a_pod_fits_only_where_all_that_it_asks_for_is_on_one_node() -> None:
    nodes = [Node("nvidia-l4", {GPU: 3}), Node("nvidia-l4", {GPU: 1})]
    assert [fitting(nodes, asks(each)) for each in (1, 2, 3, 4)] == [4, 1, 1, 0]


def test_a_pod_fits_only_on_the_accelerators_that_it_names() -> None:
    nodes = [Node("nvidia-l4", {GPU: 2}), Node("nvidia-tesla-a100", {GPU: 1}), Node("", {})]
    assert fitting(nodes, asks(1, "nvidia-tesla-a100")) == 1
    assert fitting(nodes, asks(1, "nvidia-l4", "nvidia-tesla-a100")) == 3
    assert fitting(nodes, asks(1)) == 3


@given(st.lists(st.integers(0, 8), max_size=6), st.integers(1, 4), st.integers(0, 12))
def test_what_has_been_put_somewhere_fits_no_second_time(free: list[int], each: int, count: int) -> None:
    nodes = [Node("", {GPU: amount}) for amount in free]
    room = fitting(nodes, asks(each))
    left = without(nodes, asks(each), min(count, room))
    assert fitting(left, asks(each)) == room - min(count, room)
    assert all(amount >= 0 for one in left for amount in one.free.values())


def test_a_unit_of_several_pods_fits_only_where_all_of_them_do() -> None:
    nodes = [Node("nvidia-l4", {GPU: 4}), Node("nvidia-l4", {GPU: 3}), Node("nvidia-l4", {GPU: 1})]
    assert fitting(nodes, asks(2, pods=2)) == 1
    assert fitting(nodes, asks(4, pods=2)) == 0
    both = UnitDemand(((PodDemand({GPU: 4}, frozenset()), 1), (PodDemand({GPU: 1}, frozenset()), 3)))
    assert fitting(nodes, both) == 1
    assert [each.free[GPU] for each in without(nodes, both, 1)] == [0, 0, 1]


@given(st.lists(st.integers(0, 8), max_size=6), st.integers(1, 4), st.integers(1, 3))
def test_units_that_fit_leave_no_room_for_one_more(free: list[int], each: int, pods: int) -> None:
    nodes, unit = [Node("", {GPU: amount}) for amount in free], asks(each, pods=pods)
    fit = fitting(nodes, unit)
    assert fit == sum(amount // each for amount in free) // pods
    assert fitting(without(nodes, unit, fit), unit) == 0
