"""Which pods of a stack's workloads a member does not run yet, so that what is free there is not free for others."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clusters.facts.gpu_networks import NETWORK_RESOURCE
from placement.api.pod_requests import is_extended
from placement.fit.needs import Needs
from placement.fit.room import Gang
from placement.manifests.manifest import Manifest
from placement.pods.runs import run_of
from placement.policies.decision import numbered
from placement.stack import Placed
from placement.workload import Workload


@dataclass(frozen=True)
class Running:
    """What pods on nodes are told apart by; `requests` are of extended resources, such as nvidia.com/gpu."""

    namespace: str
    labels: frozenset[tuple[str, str]]
    requests: tuple[tuple[str, int], ...]


def scarce_of(requests: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """What pods are told apart by of their requests: no networks, which GKE adds to the limits of pods by itself."""
    found = requests.items()
    return tuple(sorted(each for each in found if is_extended(each[0]) and not each[0].startswith(NETWORK_RESOURCE)))


def yet_to_start(
    placed: Placed,
    member: str,
    running: Mapping[Running, int],
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
) -> list[tuple[Gang, int]]:
    """The pods of placed workloads that a member does not run yet, given those that it runs.

    Those that request nothing scarce are left out: what is injected into pods would make them look like others.
    """
    left, found = Counter(running), list[tuple[Gang, int]]()
    for kind, pods in _pods_in(member, placed, workloads, manifests):
        count = pods
        scarce = scarce_of(dict(kind.requests))
        for each in left if scarce else ():
            if each.namespace == kind.namespace and each.requests == scarce and each.labels >= {*kind.labels}:
                there = min(left[each], count)
                left[each] -= there
                count -= there
        if scarce and count:
            found.append((Gang((kind,), (1,)), count))
    return found


def _pods_in(
    member: str, placed: Placed, workloads: Mapping[str, Workload], manifests: Mapping[str, Sequence[Manifest]]
) -> Iterator[tuple[Needs, int]]:
    for name, each in sorted(placed.workloads.items()):
        run = run_of(manifests[name], workloads[name].run)
        for decision in each.decisions:
            if decision.cluster == member and decision.taken:
                for gang, units in numbered(placed.facts[name], decision.shares, run):
                    for kind, count in zip(gang.kinds, gang.counts, strict=True):
                        yield kind, units * count
