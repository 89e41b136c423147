"""What a pod takes of each extended resource of its node, such as nvidia.com/gpu."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from placement.quantities import whole
from placement.reach import at, elements, entries


def extended(amounts: Any) -> dict[str, int]:
    """Of amounts by resource, those counted in whole numbers; Kubernetes' own resources have no domain."""
    found = {name: whole(amount) for name, amount in entries(amounts).items() if is_extended(name)}
    return {name: amount for name, amount in found.items() if amount is not None}


def requested(pod: Any) -> dict[str, int]:
    """What the scheduler counts for a pod of this spec, of each extended resource of which it takes some.

    Containers run side by side, and so do sidecars, the init containers with restartPolicy: Always. Another init
    container runs before the containers, beside the sidecars that come before it. What is malformed counts as nothing.
    Source: AggregateContainerRequests and PodRequests in k8s.io/component-helpers/resource/helpers.go, v0.35.
    """
    together, sidecars, most = Counter[str](), Counter[str](), Counter[str]()
    for container in elements(at(pod, "containers")):
        together += _of_container(container)
    for container in elements(at(pod, "initContainers")):
        own = _of_container(container)
        if at(container, "restartPolicy") == "Always":
            sidecars += own
            together += own
        else:
            most |= own + sidecars
    # Requests of the pod as a whole, in its spec.resources, can only be of cpu, memory and huge pages.
    return dict((together | most) + Counter(extended(at(pod, "overhead"))))


def _of_container(container: Any) -> Counter[str]:
    # As Kubernetes does, which has a limit stand for a request that is left out; given both, they are the same.
    resources: Mapping[str, Any] = entries(at(container, "resources"))
    return Counter(extended(resources.get("requests")) | extended(resources.get("limits")))


def is_extended(name: Any) -> bool:
    """Whether a resource is a device plugin's, such as nvidia.com/gpu, and not Kubernetes' own.

    Source: IsExtendedResourceName in k8s.io/kubernetes/pkg/apis/core/helper, v1.35.
    """
    return isinstance(name, str) and "/" in name and "kubernetes.io/" not in name
