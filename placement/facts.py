"""Reads from a workload's manifests what its placement is decided from: its pods, the units that are placed, doubts.

What members have room for is measured elsewhere (space.py), and passed in.
"""

from collections.abc import Iterable, Mapping, Sequence

from placement.api.claims import Claims
from placement.api.pod_kinds import Run
from placement.copies import PlacedWorkload
from placement.fit.room import Gang, gang
from placement.fit.space import Space
from placement.manifests.manifest import Manifest
from placement.pods.demand import demands, whole_demand
from placement.pods.pods import claims_of, pod_groups
from placement.pods.pods import doubts as doubts_of_kind
from placement.pods.runs import counted, named, run_of
from placement.policies.decision import Facts, Unit, numbered
from placement.spec import SpareCapacity
from placement.workload import Workload

NO_SPACE: Mapping[str, Space] = {}


def facts_of(
    name: str,
    workload: Workload,
    manifests: Sequence[Manifest],
    space: Mapping[str, Space] = NO_SPACE,
    origins: tuple[str, ...] = (),
) -> Facts:
    """What a workload's placement is decided from; `origins` are the regions of its data."""
    run = run_of(manifests, workload.run)
    claims = claims_of(manifests)
    units = tuple(_units(name, workload, manifests, run, claims))
    beside = _beside(workload, manifests, claims) if run == "divided" else None
    daemons = _gang(workload, filter(_is_daemon_set, manifests), claims)
    pods = _all([*(each.gang for each in (*units, *([beside] if beside else ()))), daemons])
    doubts = dict.fromkeys(text for manifest in manifests for text in doubts_of_kind(manifest))
    return Facts(name, origins, units, pods, beside, space, tuple(doubts))


def after(
    facts: Facts, workload: Workload, placed: PlacedWorkload, run: Run, runs_already: bool = False
) -> dict[str, Space]:
    """What each member has room for beside a workload that runs as decided.

    What an autoscaler may add is counted as well, but not by spare capacity, which needs room for the minimum alone.
    Objects without a number also run where replicas may be moved.
    """
    spare = isinstance(workload.placement, SpareCapacity)
    space, clusters = dict(facts.space), {*placed.clusters}
    for each in placed.decisions:
        if each.cluster in space and (each.taken or each.cluster in clusters):
            counts = each.shares if spare else each.most or each.shares
            for gang, count in numbered(facts, counts, run):
                own = space[each.cluster]
                space[each.cluster] = own.beside(gang, count) if runs_already else own.without(gang, count)
    return space


def _units(name: str, workload: Workload, manifests: Sequence[Manifest], run: Run, claims: Claims) -> list[Unit]:
    if run == "divided":
        each_requests = zip(counted(manifests), demands(manifests), strict=True)
        return [
            Unit(named(manifest), gang(pod_groups(manifest, "divided"), workload.namespace, claims), requested)
            for manifest, requested in each_requests
        ]
    # A DaemonSet has pods where there are nodes for them.
    others = [manifest for manifest in manifests if not _is_daemon_set(manifest)]
    groups = [group for manifest in others for group in pod_groups(manifest, "whole")]
    return [Unit(f"workload {name}", gang(groups, workload.namespace, claims), whole_demand(others))]


def _beside(workload: Workload, manifests: Sequence[Manifest], claims: Claims) -> Unit | None:
    """The pods of a divided workload's objects that have no number to divide; None where there are none."""
    others = [each for each in manifests if not each.type.counted and not _is_daemon_set(each)]
    found = _gang(workload, others, claims)
    names = " and ".join(named(each) for each in others if pod_groups(each, "divided"))
    return Unit(names, found, whole_demand(others)) if found.kinds else None


def _gang(workload: Workload, manifests: Iterable[Manifest], claims: Claims) -> Gang:
    groups = (group for manifest in manifests for group in pod_groups(manifest, "divided"))
    return gang(groups, workload.namespace, claims)


def _all(gangs: Sequence[Gang]) -> Gang:
    """Every kind of pod of a workload."""
    return Gang(tuple(kind for each in gangs for kind in each.kinds), tuple(n for each in gangs for n in each.counts))


def _is_daemon_set(manifest: Manifest) -> bool:
    return manifest.type.kind == "DaemonSet"
