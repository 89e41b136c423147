"""What the scheduler counts for a pod: containers, sidecars and init containers."""

from typing import Any

import pytest

from placement.api.pod_requests import most_of_container, requested, requested_of_node

GPU = "nvidia.com/gpu"


def takes(gpus: Any, sidecar: bool = False, part: str = "requests") -> dict[str, Any]:
    return {"resources": {part: {GPU: gpus, "cpu": "2"}}} | ({"restartPolicy": "Always"} if sidecar else {})


# Each was put to PodRequests of k8s.io/component-helpers v0.35.4.
@pytest.mark.parametrize(
    ("init", "main", "gpus"),
    [
        ([], [1, 2], 3),
        ([takes(8)], [1], 8),
        ([takes(1)], [1, 2], 3),
        ([takes(2), takes(5)], [1], 5),
        ([takes(2, sidecar=True)], [1], 3),
        ([takes(2, sidecar=True), takes(3)], [1], 5),
        ([takes(3), takes(2, sidecar=True)], [1], 3),
        ([takes(2, sidecar=True), takes(1), takes(2, sidecar=True), takes(3)], [2], 7),
    ],
)
def test_a_pod_takes_the_most_that_it_has_at_any_time(init: list[Any], main: list[int], gpus: int) -> None:
    assert requested({"initContainers": init, "containers": [takes(each) for each in main]}) == {GPU: gpus}


def test_overhead_is_added_to_it() -> None:
    pod = {"containers": [takes(1)], "initContainers": [takes(4)], "overhead": {GPU: 1, "memory": "120Mi"}}
    assert requested(pod) == {GPU: 5}


def test_the_pods_own_requests_hold_none() -> None:
    assert requested({"containers": [takes(2)], "resources": {"requests": {GPU: 8, "cpu": 1}}}) == {GPU: 2}


@pytest.mark.parametrize("amount", ["2", 2, "2.0", "2000m"])
def test_every_way_to_write_an_amount_counts(amount: Any) -> None:
    assert requested({"containers": [takes(amount, part="limits")]}) == {GPU: 2}


@pytest.mark.parametrize("resource", ["cpu", "memory", "hugepages-1Gi", "ephemeral-storage", "example.kubernetes.io/x"])
def test_kubernetes_own_resources_are_not_counted(resource: str) -> None:
    assert requested({"containers": [{"resources": {"requests": {resource: "2"}}}]}) == {}


@pytest.mark.parametrize("pod", [None, [], {}, {"containers": {}, "initContainers": "a"}, {"containers": [None, 1]}])
def test_what_is_no_pod_takes_nothing(pod: Any) -> None:
    assert requested(pod) == {}


MI, GI = 2**20, 2**30


def amounts(requests: Any = None, limits: Any = None, **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": requests or {}, "limits": limits or {}}, **more}


@pytest.mark.parametrize(
    ("pod", "expected"),
    [
        ({"containers": [amounts({"cpu": "100m"}), amounts({"cpu": 2})]}, {"cpu": 2100}),
        ({"containers": [amounts({"cpu": "0.0001"}), amounts({"cpu": "0.0001"})]}, {"cpu": 1}),
        ({"containers": [amounts({"cpu": "0.1001"})]}, {"cpu": 101}),
        ({"containers": [amounts({"memory": "1Gi"}, {"memory": "4Gi", "cpu": 1})]}, {"memory": GI, "cpu": 1000}),
        ({"containers": [amounts({"memory": "1500m"})]}, {"memory": 2}),
        ({"containers": [amounts({"ephemeral-storage": "10Mi", GPU: "2"})]}, {"ephemeral-storage": 10 * MI, GPU: 2}),
        ({"containers": [amounts({"cpu": 1})], "initContainers": [amounts({"cpu": 3})]}, {"cpu": 3000}),
        (
            {"containers": [amounts({"cpu": 1})], "initContainers": [amounts({"cpu": 3}, restartPolicy="Always")]},
            {"cpu": 4000},
        ),
        (
            {"containers": [amounts({"cpu": 1})], "overhead": {"cpu": "50m", "memory": "1Mi"}},
            {"cpu": 1050, "memory": MI},
        ),
        ({"containers": [amounts({"cpu": 0, GPU: 0})]}, {}),
        ({"containers": [amounts({"memory": "999999Ei"})]}, {"memory": 2**63 - 1}),
        ({"containers": [amounts({"cpu": "-1", "memory": "much"})]}, {}),
        # The pod's own requests count instead of its containers'.
        ({"containers": [amounts({"cpu": 1, "memory": "1Gi"})], **amounts({"cpu": 4})}, {"cpu": 4000, "memory": GI}),
        ({"containers": [amounts({"cpu": 4})], **amounts({"cpu": 1})}, {"cpu": 1000}),
        ({"containers": [amounts()], **amounts(limits={"cpu": 4})}, {"cpu": 4000}),
        (
            {"containers": [amounts({"cpu": 1})], **amounts(limits={"cpu": 4, "memory": "2Gi"})},
            {"cpu": 1000, "memory": 2 * GI},
        ),
        ({"containers": [amounts()], **amounts({"cpu": 4}), "overhead": {"cpu": 1}}, {"cpu": 5000}),
        ({"containers": [amounts()], **amounts({"ephemeral-storage": "1Gi"})}, {}),
    ],
)
def test_a_pod_takes_all_of_this_of_its_node(pod: dict[str, Any], expected: dict[str, int]) -> None:
    assert requested_of_node(pod) == expected | {"pods": 1}


def test_the_most_that_a_container_requests() -> None:
    pod = {"containers": [takes(1), takes(2, part="limits")], "initContainers": [takes(3)]}
    assert most_of_container(pod, GPU) == 3
    assert most_of_container({}, GPU) == 0


@pytest.mark.parametrize(
    "pod", [None, [], {}, {"containers": {}, "resources": 3}, {"containers": [None, {"resources": [1]}]}]
)
def test_what_is_no_pod_is_one_of_pods_alone(pod: Any) -> None:
    assert requested_of_node(pod) == {"pods": 1}
