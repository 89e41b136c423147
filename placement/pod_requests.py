"""Computes what a pod requests of each extended resource, such as nvidia.com/gpu, as the scheduler counts it.

It does not count cpu and memory, and does not know which pods an object runs (demand.py does).
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from placement.lookup import at, elements, entries
from placement.quantities import whole


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
    running, sidecars, at_start = Counter[str](), Counter[str](), Counter[str]()
    for container in elements(at(pod, "containers")):
        running += _of_container(container)
    for container in elements(at(pod, "initContainers")):
        own = _of_container(container)
        if at(container, "restartPolicy") == "Always":
            sidecars += own
            running += own
        else:
            at_start |= own + sidecars
    # Requests of the pod as a whole, in its spec.resources, can only be of cpu, memory and huge pages.
    return dict((running | at_start) + Counter(extended(at(pod, "overhead"))))


def _of_container(container: Any) -> Counter[str]:
    # As Kubernetes does: a request that is left out equals the limit; given both, they are the same.
    resources: Mapping[str, Any] = entries(at(container, "resources"))
    return Counter(extended(resources.get("requests")) | extended(resources.get("limits")))


def is_extended(name: Any) -> bool:
    """Whether a resource comes from a device plugin, such as nvidia.com/gpu, and not Kubernetes' own.

    Source: IsExtendedResourceName in k8s.io/kubernetes/pkg/apis/core/helper, v1.35.
    """
    return isinstance(name, str) and "/" in name and "kubernetes.io/" not in name
