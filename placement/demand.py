"""Reads from manifests what the pods of a workload request: extended resources, accelerators and the number of pods.

It does not know the nodes: what fits is measured by federation/free_accelerators.py. cpu and memory are not counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from placement.lookup import at, elements
from placement.manifests import Manifest
from placement.pod_requests import requested

ACCELERATOR_LABEL = "cloud.google.com/gke-accelerator"


@dataclass(frozen=True)
class PodDemand:
    """What each pod of one object requests.

    `resources` says how much of each extended resource, such as nvidia.com/gpu. `accelerators` are those of which its
    node must have one; if empty, any node will do.
    """

    resources: Mapping[str, int]
    accelerators: frozenset[str]

    def __str__(self) -> str:
        return " and ".join(f"{amount} {resource}" for resource, amount in sorted(self.resources.items()))


def pod_demand(manifest: Manifest) -> PodDemand:
    """What each pod of an object requests. A malformed pod requests nothing; other checks refuse it."""
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
    """What each pod of every counted object requests, in the order of the objects."""
    return [pod_demand(manifest) for manifest in manifests if manifest.type.counted]


def accelerators(manifests: Iterable[Manifest]) -> frozenset[frozenset[str]]:
    """What a member must have to run a workload: at least one accelerator of each set."""
    return frozenset(filter(None, (pod_demand(manifest).accelerators for manifest in manifests)))


def pods(manifest: Manifest) -> int:
    """How many pods a counted object runs side by side; Kubernetes' own default is 1."""
    counts = [at(manifest.body, "spec", key) for key in manifest.type.counted]
    return min([1 if counts[0] is None else counts[0], *(count for count in counts[1:] if count is not None)])


def _accelerators(pod: Any) -> frozenset[str]:
    choices: list[frozenset[str]] = []
    selected = at(pod, "nodeSelector", ACCELERATOR_LABEL)
    if isinstance(selected, str):
        choices.append(frozenset({selected}))
    required = at(pod, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    # One of the terms must hold, so that a term without an accelerator matches every node.
    terms = [_accelerators_of_term(term) for term in elements(at(required, "nodeSelectorTerms"))]
    if terms and all(terms):
        choices.append(frozenset[str]().union(*terms))
    if not choices:
        return frozenset()
    # A pod that contradicts itself fits nowhere: its node selector is reported, as what its author sees first.
    return choices[0].intersection(*choices[1:]) or choices[0]


def _accelerators_of_term(term: Any) -> frozenset[str]:
    choices: list[frozenset[str]] = []
    for expression in elements(at(term, "matchExpressions")):
        if at(expression, "key") == ACCELERATOR_LABEL and at(expression, "operator") == "In":
            choices.append(frozenset(each for each in elements(at(expression, "values")) if isinstance(each, str)))
    return choices[0].intersection(*choices[1:]) if choices else frozenset()
