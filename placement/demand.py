"""Reads from manifests what the pods of a workload request: extended resources, accelerators and the number of pods.

It does not know the nodes, nor what is free (federation/free_nodes.py). cpu and memory are not counted.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from placement.lookup import at, elements
from placement.manifests import Manifest
from placement.pod_requests import requested
from placement.pod_templates import units_of
from placement.pods import PodGroup, pod_groups

ACCELERATOR_LABEL = "cloud.google.com/gke-accelerator"


@dataclass(frozen=True)
class PodDemand:
    """What a pod requests.

    `resources` says how much of each extended resource, such as nvidia.com/gpu. `accelerators` are those of which its
    node must have one; if empty, any node will do.
    """

    resources: Mapping[str, int]
    accelerators: frozenset[str]

    def __str__(self) -> str:
        return " and ".join(f"{amount} {resource}" for resource, amount in sorted(self.resources.items()))


@dataclass(frozen=True)
class UnitDemand:
    """What one unit requests: pods that run together, and how many of each. Those that request nothing are left out."""

    pods: tuple[tuple[PodDemand, int], ...]

    def __str__(self) -> str:
        if [count for _, count in self.pods] == [1]:
            return str(self.pods[0][0])
        return " and ".join(f"{count} pod{'s' if count > 1 else ''} of {pod}" for pod, count in self.pods)


def pod_demand(pod: Any) -> PodDemand:
    """What a pod of this spec requests. A malformed pod requests nothing; other checks refuse it."""
    return PodDemand(requested(pod), _accelerators(pod))


def unit_demand(groups: Iterable[PodGroup]) -> UnitDemand:
    """What pods that run together request."""
    counts: dict[tuple[tuple[tuple[str, int], ...], frozenset[str]], int] = {}
    for group in groups:
        pod = pod_demand(group.spec)
        key = (tuple(sorted(pod.resources.items())), pod.accelerators)
        counts[key] = counts.get(key, 0) + group.count
    # What requests most first, so that smaller pods are put into what is left.
    order = sorted((key for key, count in counts.items() if key[0] and count), key=lambda key: (key[0], sorted(key[1])))
    return UnitDemand(tuple((PodDemand(dict(key[0]), key[1]), counts[key]) for key in reversed(order)))


def demands(manifests: Iterable[Manifest]) -> list[UnitDemand]:
    """What each unit of every counted object requests, in the order of the objects."""
    return [unit_demand(pod_groups(manifest, "divided")) for manifest in manifests if manifest.type.counted]


def whole_demand(manifests: Iterable[Manifest]) -> UnitDemand:
    """What all pods of a workload request together."""
    return unit_demand(group for manifest in manifests for group in pod_groups(manifest, "whole"))


def accelerators(manifests: Iterable[Manifest]) -> frozenset[frozenset[str]]:
    """What a member must have to run a workload: at least one accelerator of each set."""
    pods = (group.spec for manifest in manifests for group in pod_groups(manifest))
    return frozenset(filter(None, map(_accelerators, pods)))


def pods(manifest: Manifest) -> int:
    """How many units a counted object runs side by side; Kubernetes' own default is 1."""
    return units_of(manifest.body, manifest.type.counted)


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
