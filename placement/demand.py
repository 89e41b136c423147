"""What the pods of a workload ask for, as far as its manifests say; what is no pod asks for nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from placement.manifests import Manifest
from placement.pod_requests import requested
from placement.reach import at, elements

ACCELERATOR_LABEL = "cloud.google.com/gke-accelerator"


@dataclass(frozen=True)
class PodDemand:
    """What each pod of one object asks for.

    `resources` says how much of each extended resource, such as nvidia.com/gpu. `accelerators` are those of which its
    node must have one; where there are none, any node will do.
    """

    resources: Mapping[str, int]
    accelerators: frozenset[str]

    def __str__(self) -> str:
        return " and ".join(f"{amount} {resource}" for resource, amount in sorted(self.resources.items()))


def pod_demand(manifest: Manifest) -> PodDemand:
    """What each pod of an object asks for. What is malformed asks for nothing: to refuse it is the API server's."""
    pod = pod_spec(manifest)
    return PodDemand(requested(pod), _accelerators(pod))


def pod_spec(manifest: Manifest) -> Mapping[str, Any] | None:
    """The spec of the pods that an object runs; None for an object that runs none."""
    template = manifest.type.pod_template
    pod: Any = at(manifest.body, *template, "spec") if template else None
    return cast(Mapping[str, Any], pod) if isinstance(pod, Mapping) else None


def pod_labels(manifest: Manifest) -> Mapping[str, str] | None:
    """The labels of the pods that an object runs; None for an object that runs none."""
    if pod_spec(manifest) is None:
        return None
    labels: Any = at(manifest.body, *manifest.type.pod_template, "metadata", "labels")
    return cast(Mapping[str, str], labels) if isinstance(labels, Mapping) else {}


def demands(manifests: Iterable[Manifest]) -> list[PodDemand]:
    """What each pod asks for of every counted object, in their order."""
    return [pod_demand(manifest) for manifest in manifests if manifest.type.counted]


def accelerators(manifests: Iterable[Manifest]) -> frozenset[frozenset[str]]:
    """What a member must have to run a workload: at least one accelerator of each set."""
    return frozenset(filter(None, (pod_demand(manifest).accelerators for manifest in manifests)))


def pods(manifest: Manifest) -> int:
    """How many pods a counted object runs side by side; Kubernetes' own default is 1."""
    counts = [at(manifest.body, "spec", key) for key in manifest.type.counted]
    return min([1 if counts[0] is None else counts[0], *(count for count in counts[1:] if count is not None)])


def _accelerators(pod: Any) -> frozenset[str]:
    wanted: list[frozenset[str]] = []
    selected = at(pod, "nodeSelector", ACCELERATOR_LABEL)
    if isinstance(selected, str):
        wanted.append(frozenset({selected}))
    required = at(pod, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    # One of the terms must hold, so that a term which names no accelerator lets every node pass.
    terms = [_of_term(term) for term in elements(at(required, "nodeSelectorTerms"))]
    if terms and all(terms):
        wanted.append(frozenset[str]().union(*terms))
    if not wanted:
        return frozenset()
    # A pod that contradicts itself fits nowhere, and its node selector is what its author sees first.
    return wanted[0].intersection(*wanted[1:]) or wanted[0]


def _of_term(term: Any) -> frozenset[str]:
    wanted: list[frozenset[str]] = []
    for expression in elements(at(term, "matchExpressions")):
        if at(expression, "key") == ACCELERATOR_LABEL and at(expression, "operator") == "In":
            wanted.append(frozenset(each for each in elements(at(expression, "values")) if isinstance(each, str)))
    return wanted[0].intersection(*wanted[1:]) if wanted else frozenset()
