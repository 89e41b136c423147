"""Which taints a pod tolerates: by the tolerations in its spec, and by those that GKE adds when the pod is made."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from clusters.nodes.nodes import Taint
from placement.api.lookup import at, elements, entries
from placement.api.pod_requests import is_extended
from placement.fit.classes import COMPUTE_CLASS, selected
from placement.fit.selectors import Requirement

QUEUED = "cloud.google.com/gke-queued"
ARCH = "kubernetes.io/arch"
# Taints of these effects keep pods away; PreferNoSchedule only makes other nodes better.
_REFUSING = ("NoSchedule", "NoExecute")


@dataclass(frozen=True)
class Toleration:
    """As in a pod's spec; empty parts match everything."""

    key: str
    operator: str
    value: str
    effect: str


def of_pod(pod: Any, terms: Iterable[tuple[Requirement, ...]], queued: bool = False) -> tuple[Toleration, ...]:
    """The tolerations of a pod whose node must meet one of the terms.

    GKE adds one for each extended resource that a container names, whatever its amount, and one for nodes with Arm
    processors or of a compute class where the pod selects them alone. Sources:
    plugin/pkg/admission/extendedresourcetoleration in k8s.io/kubernetes, v1.35; GKE's "Prepare an Arm workload for
    deployment" and "About custom ComputeClasses", read in November 2026.
    """
    written = [
        Toleration(*(_text(at(each, part)) for part in ("key", "operator", "value", "effect")))
        for each in elements(at(pod, "tolerations"))
    ]
    resources = {
        name
        for container in (*elements(at(pod, "containers")), *elements(at(pod, "initContainers")))
        for part in ("requests", "limits")
        for name in entries(at(container, "resources", part))
        if is_extended(name)
    }
    added = [Toleration(name, "Exists", "", "NoSchedule") for name in sorted(resources)]
    alternatives = list(terms)
    if alternatives and all(Requirement(ARCH, "In", ("arm64",)) in each for each in alternatives):
        added.append(Toleration(ARCH, "Equal", "arm64", "NoSchedule"))
    # A queue reads the pods before GKE adds it.
    if not queued:
        added += [Toleration(COMPUTE_CLASS, "Equal", name, "NoSchedule") for name in sorted(selected(alternatives))]
    return (*written, *added)


def refuses(taint: Taint) -> bool:
    """Whether a taint keeps away the pods that do not tolerate it."""
    return taint.effect in _REFUSING


def tolerates(tolerations: Iterable[Toleration], taint: Taint) -> bool | None:
    """Whether one of the tolerations is for this taint; None where that cannot be judged.

    Source: ToleratesTaint in k8s.io/component-helpers/scheduling, v0.35. Its operators Gt and Lt are alpha there.
    """
    fitting = [
        each.operator
        for each in tolerations
        if each.effect in ("", taint.effect)
        and each.key in ("", taint.key)
        and (each.operator not in ("", "Equal") or each.value == taint.value)
    ]
    if any(operator in ("", "Equal", "Exists") for operator in fitting):
        return True
    return None if "Gt" in fitting or "Lt" in fitting else False


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
