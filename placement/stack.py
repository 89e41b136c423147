"""Places the workloads of a stack one after the other, each in the room that those before it leave.

The order is by name, so that the same settings give the same answer. Workloads that need a measurement come later
(federation/decisions.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from placement.copies import PlacedWorkload, place_workload
from placement.facts import after, facts_of
from placement.fit.space import Space
from placement.manifests.manifest import Manifest
from placement.pods.pods import waits_in_a_queue
from placement.pods.runs import run_of
from placement.policies.decision import Facts, Members, NothingFits
from placement.spec import Nearest, SpareCapacity, is_by_settings
from placement.workload import Workload


@dataclass(frozen=True)
class Placed:
    """Workloads that are placed, why others cannot be, and what is left for further ones."""

    workloads: Mapping[str, PlacedWorkload]
    facts: Mapping[str, Facts]
    problems: Mapping[str, str]
    space: Mapping[str, Space]


def empty(space: Mapping[str, Space]) -> Placed:
    """Nothing placed yet in members with this space."""
    return Placed({}, {}, {}, space)


def place_more(
    before: Placed,
    names: Iterable[str],
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
    members: Members,
    origins: Mapping[str, tuple[str, ...]] | None = None,
) -> Placed:
    """Places the named workloads beside those before them; `origins` are the regions of buckets, by their address."""
    placed, found, problems, space = dict(before.workloads), dict(before.facts), dict(before.problems), before.space
    for name in sorted(names):
        workload, own = workloads[name], manifests[name]
        data = (origins or {}).get(workload.placement.to, ()) if isinstance(workload.placement, Nearest) else ()
        # What a queue admits is never counted beside others: it waits until there is room, which fits when it is alone.
        queued = waits_in_a_queue(own) and not isinstance(workload.placement, SpareCapacity)
        offered = {member: each.alone() for member, each in space.items()} if queued else space
        found[name] = facts_of(name, workload, own, offered, data)
        try:
            placed[name] = place_workload(workload, own, members, found[name])
        except NothingFits as error:
            problems[name] = str(error)
            continue
        if not queued:
            space = after(found[name], workload, placed[name], run_of(own, workload.run))
    return Placed(placed, found, problems, space)


def by_settings(workloads: Mapping[str, Workload]) -> list[str]:
    """The workloads whose placement needs no measurement, not even a bucket's location."""
    return [name for name, each in workloads.items() if is_by_settings(each.placement)]
