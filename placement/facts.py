"""Reads from a workload's manifests what its placement is decided from: its pods, the units that are placed, doubts.

What members have room for is measured elsewhere (space.py), and passed in.
"""

from collections.abc import Mapping, Sequence

from placement.decision import Decision, Facts, Unit
from placement.demand import demands, whole_demand
from placement.fit import doubts
from placement.manifests import Manifest
from placement.pod_kinds import Run
from placement.pods import doubts as doubts_of_kind
from placement.pods import pod_groups
from placement.room import gang
from placement.runs import counted, named, run_of
from placement.space import Space
from placement.workload import Workload

NO_SPACE: Mapping[str, Space] = {}
_MOST_DOUBTS = 3


def facts_of(
    name: str,
    workload: Workload,
    manifests: Sequence[Manifest],
    space: Mapping[str, Space] = NO_SPACE,
    origins: tuple[str, ...] = (),
) -> Facts:
    """What a workload's placement is decided from; `origins` are the regions of its data."""
    run = run_of(manifests, workload.run)
    every = [group for manifest in manifests for group in pod_groups(manifest, "divided")]
    pools = list({id(each.pool): each.pool for own in space.values() for each in own.largest.bins}.values())
    found = [text for manifest in manifests for text in doubts_of_kind(manifest)]
    if pools:
        nodes, known = [each.nodes for each in pools], pools[0].known
        found += [text for group in every for text in doubts(group.spec, nodes, known)]
    unjudged = list(dict.fromkeys(found))
    if len(unjudged) > _MOST_DOUBTS:
        unjudged = [*unjudged[:_MOST_DOUBTS], f"{len(unjudged) - _MOST_DOUBTS} more"]
    return Facts(
        name,
        origins,
        tuple(_units(name, workload, manifests, run)),
        gang(every, workload.namespace),
        space,
        tuple(unjudged),
    )


def after(facts: Facts, decisions: Sequence[Decision], run: Run, runs_already: bool = False) -> dict[str, Space]:
    """What each member has room for beside a workload that runs as decided."""
    space = dict(facts.space)
    for each in decisions:
        if each.taken and each.cluster in space:
            # What an autoscaler may add is counted as well.
            shares = (each.most or each.shares) if run == "divided" else [1] * len(facts.units)
            for unit, share in zip(facts.units, shares, strict=True):
                own = space[each.cluster]
                space[each.cluster] = own.beside(unit.gang, share) if runs_already else own.without(unit.gang, share)
    return space


def _units(name: str, workload: Workload, manifests: Sequence[Manifest], run: Run) -> list[Unit]:
    if run == "divided":
        each_requests = zip(counted(manifests), demands(manifests), strict=True)
        return [
            Unit(named(manifest), gang(pod_groups(manifest, "divided"), workload.namespace), str(requested))
            for manifest, requested in each_requests
        ]
    # A DaemonSet has pods where there are nodes for them.
    others = (manifest for manifest in manifests if manifest.type.kind != "DaemonSet")
    groups = [group for manifest in others for group in pod_groups(manifest, "whole")]
    return [Unit(f"workload {name}", gang(groups, workload.namespace), str(whole_demand(manifests)))]
