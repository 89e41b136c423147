"""Places a workload that is not divided: whole in one candidate, or duplicated with all of it in each that is taken.

The order of candidates is the policy's. What fits now is measured by federation/free_accelerators.py, as facts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from placement.by_distance import by_distance
from placement.by_weight import by_weight, why_taken
from placement.decision import SCALED_TO_0, Decision, Facts, NothingFits, decision
from placement.pod_kinds import Run
from placement.spec import ByClusters, Nearest, Placement, SpareCapacity, Weighted


def undivided(
    placement: Placement, regions: Mapping[str, str], counts: Sequence[int], facts: Facts, run: Run
) -> dict[str, Decision]:
    """The decision for each candidate, whose regions are given. Raises NothingFits."""
    by_room = isinstance(placement, SpareCapacity) and is_scarce_together(facts) and bool(regions)
    if run == "duplicated":
        placed = _with_room(regions, facts) if by_room else _as_nothing_counted(placement, regions, facts)
        return {name: _with_all(each, counts, ", gets all of it" if counts else "") for name, each in placed.items()}
    if by_room:
        placed = _most_room(regions, facts)
    elif isinstance(placement, Nearest):
        placed = _as_nothing_counted(placement, regions, facts)
    else:
        placed = _first(placement, sorted(regions))
    return {name: _as_whole(each, counts) for name, each in placed.items()}


def is_scarce_together(facts: Facts) -> bool:
    """Whether the pods of a workload that is not divided request something scarce, so that room must be measured."""
    return not facts.requested or any(facts.requested)


def _as_nothing_counted(placement: Placement, regions: Mapping[str, str], facts: Facts) -> dict[str, Decision]:
    if isinstance(placement, Nearest):
        return by_distance(placement, regions, [], facts)
    return by_weight(placement, sorted(regions), [])


def _with_all(each: Decision, counts: Sequence[int], text: str) -> Decision:
    """The decision with all of each counted object where the member is taken."""
    shares = list(counts) if each.taken else [0] * len(counts)
    if each.taken and counts and not any(counts):
        text = f", {SCALED_TO_0}"
    return decision(each.cluster, shares, each.taken, each.reason + (text if each.taken else ""))


def _as_whole(each: Decision, counts: Sequence[int]) -> Decision:
    reason = f"runs whole; {each.reason}" if each.taken else each.reason
    return _with_all(replace(each, reason=reason), counts, "")


def _first(placement: Placement, names: Sequence[str]) -> dict[str, Decision]:
    """Takes the first by the placement's list, or by name."""
    listed = isinstance(placement, ByClusters)
    order = [name for name in placement.clusters if name in names] if isinstance(placement, ByClusters) else list(names)
    weights = {name: placement.weights[name] if isinstance(placement, Weighted) else 1 for name in order}
    decisions: dict[str, Decision] = {}
    for name in order:
        why = why_taken(placement, weights, name)
        if name == order[0]:
            first = "first of the named clusters that can run it" if listed else f"{why}, first by name"
            decisions[name] = decision(name, [], True, first if len(order) > 1 else why)
        else:
            before = "named before it" if listed else "first by name"
            decisions[name] = decision(name, [], False, f"{why}, but runs whole in {order[0]}, which is {before}")
    return decisions


def _room(names: Mapping[str, str], facts: Facts) -> dict[str, int]:
    """How often all of the workload fits now in each candidate. Raises NothingFits."""
    free = facts.free or {}
    room = {name: free[name][0] if name in free else 0 for name in sorted(names)}
    if not any(room.values()):
        what = f"{facts.requested[0]} do" if facts.requested else "it does"
        rooms = [f"{name} {'has no room for all of it' if name in free else 'is not measured'}" for name in room]
        raise NothingFits(f"{what} not fit together into what is free now in one cluster: {', '.join(rooms)}")
    return room


def _most_room(names: Mapping[str, str], facts: Facts) -> dict[str, Decision]:
    room = _room(names, facts)
    best = min(room, key=lambda name: (-room[name], name))
    decisions: dict[str, Decision] = {}
    for name, times in room.items():
        if name == best:
            decisions[name] = decision(name, [], True, _times(times, facts, name))
        else:
            more = "has more room" if room[best] > times else "has as much room, and is first by name"
            why = f", but runs whole in {best}, which {more}" if times else ""
            decisions[name] = decision(name, [], False, _times(times, facts, name) + why)
    return decisions


def _with_room(names: Mapping[str, str], facts: Facts) -> dict[str, Decision]:
    return {
        name: decision(name, [], bool(times), _times(times, facts, name)) for name, times in _room(names, facts).items()
    }


def _times(times: int, facts: Facts, name: str) -> str:
    if name not in (facts.free or {}):
        return "not measured"
    what = facts.requested[0] if facts.requested else "all of it"
    return f"room for {what} now" if times else f"no room for {what} now"
