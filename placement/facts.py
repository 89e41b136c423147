"""Reads from a workload's manifests what its placement is decided from: its pods, the units that are placed, doubts.

What members have room for is measured elsewhere (space.py), and passed in.
"""

from collections.abc import Mapping, Sequence

from placement.api.pod_kinds import Run
from placement.fit.room import Gang, gang
from placement.fit.space import Space
from placement.manifests.manifest import Manifest
from placement.pods.demand import demands, whole_demand
from placement.pods.pods import doubts as doubts_of_kind
from placement.pods.pods import pod_groups
from placement.pods.runs import counted, named, run_of
from placement.policies.decision import Decision, Facts, Unit, numbered
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
    units = tuple(_units(name, workload, manifests, run))
    pods = _pods(workload, manifests, run, units)
    doubts = dict.fromkeys(text for manifest in manifests for text in doubts_of_kind(manifest))
    return Facts(name, origins, units, pods, space, tuple(doubts))


def after(
    facts: Facts, workload: Workload, decisions: Sequence[Decision], run: Run, runs_already: bool = False
) -> dict[str, Space]:
    """What each member has room for beside a workload that runs as decided.

    What an autoscaler may add is counted as well, but not by spare capacity, which needs room for the minimum alone.
    """
    spare = isinstance(workload.placement, SpareCapacity)
    space = dict(facts.space)
    for each in decisions:
        if each.taken and each.cluster in space:
            counts = each.shares if spare else each.most or each.shares
            for gang, count in numbered(facts, counts, run):
                own = space[each.cluster]
                space[each.cluster] = own.beside(gang, count) if runs_already else own.without(gang, count)
    return space


def _units(name: str, workload: Workload, manifests: Sequence[Manifest], run: Run) -> list[Unit]:
    if run == "divided":
        each_requests = zip(counted(manifests), demands(manifests), strict=True)
        return [
            Unit(named(manifest), gang(pod_groups(manifest, "divided"), workload.namespace), requested)
            for manifest, requested in each_requests
        ]
    # A DaemonSet has pods where there are nodes for them.
    others = [manifest for manifest in manifests if not _is_daemon_set(manifest)]
    groups = [group for manifest in others for group in pod_groups(manifest, "whole")]
    return [Unit(f"workload {name}", gang(groups, workload.namespace), whole_demand(others))]


def _pods(workload: Workload, manifests: Sequence[Manifest], run: Run, units: Sequence[Unit]) -> Gang:
    """Every kind of pod of a workload, those of its units as they are there."""
    others = [each for each in manifests if (not each.type.counted if run == "divided" else _is_daemon_set(each))]
    rest = gang((group for manifest in others for group in pod_groups(manifest, run)), workload.namespace)
    gangs = [*(unit.gang for unit in units), rest]
    return Gang(tuple(kind for each in gangs for kind in each.kinds), tuple(n for each in gangs for n in each.counts))


def _is_daemon_set(manifest: Manifest) -> bool:
    return manifest.type.kind == "DaemonSet"
