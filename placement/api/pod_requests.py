"""Computes what a pod requests of each resource, as the scheduler counts it.

It does not know which pods an object runs (demand.py does), nor what nodes have (fit.py compares them).
"""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from placement.api.lookup import at, elements, entries
from placement.api.quantities import billionths, whole


def extended(amounts: Any) -> dict[str, int]:
    """The amounts of extended resources, in whole numbers; Kubernetes' own resources have no domain."""
    found = {name: whole(amount) for name, amount in entries(amounts).items() if is_extended(name)}
    return {name: amount for name, amount in found.items() if amount is not None}


def requested(pod: Any) -> dict[str, int]:
    """The amount of each extended resource that the scheduler counts for a pod of this spec.

    Containers run side by side, and so do sidecars, the init containers with restartPolicy: Always. Another init
    container runs before the containers, beside the sidecars that come before it. Malformed amounts count as nothing.
    Source: AggregateContainerRequests and PodRequests in k8s.io/component-helpers/resource/helpers.go, v0.35.
    """
    # Requests of the pod as a whole, in its spec.resources, can only be of cpu, memory and huge pages.
    return dict(_at_most(pod, _extended_of_container) + Counter(extended(at(pod, "overhead"))))


def requested_of_node(pod: Any) -> dict[str, int]:
    """The amount of every resource that a pod of this spec takes of its node, but for those of which it takes none.

    cpu is in thousandths, rounded up, memory and ephemeral-storage are in bytes, and the others in whole numbers;
    the pod itself is one of `pods`. What spec.resources requests counts instead of what the containers do. It is the
    limit there where neither is written.
    Source: as above, and defaultPodRequests in k8s.io/kubernetes/pkg/apis/core/v1/defaults.go, v1.35.
    """
    containers = _at_most(pod, _own_of_container)
    of_pod, limits = (
        {name: amount for name, amount in _own(at(pod, "resources", part)).items() if _of_pod(name)}
        for part in ("requests", "limits")
    )
    total = Counter({**limits, **containers, **of_pod}) + Counter(_own(at(pod, "overhead")))
    own = {name: -(-amount // (10**6 if name == "cpu" else 10**9)) for name, amount in total.items()}
    return own | {name: amount for name, amount in requested(pod).items() if amount} | {"pods": 1}


def offered(allocatable: Any) -> dict[str, int]:
    """What a node has of every resource, by its own status, in the units of requested_of_node; rounded down."""
    own = {name: amount // (10**6 if name == "cpu" else 10**9) for name, amount in _own(allocatable).items()}
    return own | extended(allocatable)


def most_of_container(pod: Any, resource: str) -> int:
    """The most that one container of a pod requests of an extended resource."""
    containers = [*elements(at(pod, "containers")), *elements(at(pod, "initContainers"))]
    return max((_extended_of_container(each).get(resource, 0) for each in containers), default=0)


def _at_most(pod: Any, of_container: Callable[[Any], Mapping[str, int]]) -> Counter[str]:
    """The most that a pod's containers request at any time."""
    running, sidecars, at_start = Counter[str](), Counter[str](), Counter[str]()
    for container in elements(at(pod, "containers")):
        running += Counter(of_container(container))
    for container in elements(at(pod, "initContainers")):
        own = Counter(of_container(container))
        if at(container, "restartPolicy") == "Always":
            sidecars += own
            running += own
        else:
            at_start |= own + sidecars
    return running | at_start


def _extended_of_container(container: Any) -> dict[str, int]:
    # As Kubernetes does: a request that is left out equals the limit; given both, they are the same.
    resources: Mapping[str, Any] = entries(at(container, "resources"))
    return extended(resources.get("requests")) | extended(resources.get("limits"))


def _own_of_container(container: Any) -> dict[str, int]:
    return _own(at(container, "resources", "limits")) | _own(at(container, "resources", "requests"))


def _own(amounts: Any) -> dict[str, int]:
    """The amounts of Kubernetes' own resources, in billionths; they have no domain."""
    named: Mapping[Any, Any] = entries(amounts)
    found = {name: billionths(amount) for name, amount in named.items() if isinstance(name, str) and "/" not in name}
    return {name: amount for name, amount in found.items() if amount is not None}


def _of_pod(resource: str) -> bool:
    return resource in ("cpu", "memory") or resource.startswith("hugepages-")


def is_extended(name: Any) -> bool:
    """Whether a resource comes from a device plugin, such as nvidia.com/gpu, and not Kubernetes' own.

    Source: IsExtendedResourceName in k8s.io/kubernetes/pkg/apis/core/helper, v1.35.
    """
    return isinstance(name, str) and "/" in name and "kubernetes.io/" not in name
