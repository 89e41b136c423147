"""What the scheduler counts for a pod: containers, sidecars and init containers."""

from typing import Any

import pytest

from placement.pod_requests import requested

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
