"""Places a workload that is not divided: whole in one candidate, or duplicated with all of it in each that is taken.

The order of candidates is the policy's; one is taken only where all of it fits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from placement.api.pod_kinds import Run
from placement.policies.by_distance import by_distance
from placement.policies.by_room import is_scarce, of_pools, or_measure
from placement.policies.by_weight import by_weight, why_taken
from placement.policies.candidates import beside_the_rest
from placement.policies.decision import SCALED_TO_0, Decision, Facts, NothingFits, Unit, decision
from placement.policies.ties import in_order
from placement.spec import ByClusters, InRegion, Nearest, Placement, SpareCapacity, Weighted


def undivided(
    placement: Placement, regions: Mapping[str, str], counts: Sequence[int], facts: Facts, run: Run
) -> dict[str, Decision]:
    """The decision for each candidate, whose regions are given. Raises NothingFits."""
    if not regions:
        return {}
    by_room = isinstance(placement, SpareCapacity) and is_scarce(facts)
    fit = {name: region for name, region in regions.items() if _times(name, facts)}
    if by_room:
        fit = {name: region for name, region in fit.items() if facts.space[name].now is not None}
    if not fit:
        raise NothingFits(_fits_nowhere(regions, facts, by_room))
    placed = {name: decision(name, [], False, _lack(name, facts, by_room)) for name in regions if name not in fit}
    if run == "duplicated":
        if by_room:
            placed |= {name: decision(name, [], True, _room(name, facts)) for name in fit}
        elif isinstance(placement, Nearest):
            placed |= by_distance(placement, fit, [], facts)
        else:
            placed |= by_weight(placement, sorted(fit), [])
        return {name: _with_all(each, counts, ", gets all of it" if counts else "") for name, each in placed.items()}
    if isinstance(placement, Nearest):
        placed |= _nearest(placement, fit, facts)
    elif by_room:
        placed |= _most_room(fit, facts)
    else:
        placed |= _first(placement, fit, facts)
    return {name: _as_whole(each, counts) for name, each in placed.items()}


def _unit(facts: Facts) -> Unit | None:
    return facts.units[0] if facts.units else None


def _times(name: str, facts: Facts) -> int:
    """How often all of the workload fits in a member at its largest; 1 where that is not judged."""
    unit = _unit(facts)
    return facts.space[name].room(unit.gang) if unit and name in facts.space else 1


def _now(name: str, facts: Facts) -> int:
    unit = _unit(facts)
    return facts.space[name].now_and_whole(unit.gang)[0] if unit and name in facts.space else 0


def _what(facts: Facts) -> str:
    """What must find room, with its verb."""
    unit = _unit(facts)
    if unit is None or not unit.requested:
        return "all of it fits"
    return f"{unit.requested} {'fit' if unit.requested[0].isdigit() and ' pods' in unit.requested else 'fits'}"


def _room(name: str, facts: Facts) -> str:
    unit = _unit(facts)
    assert unit
    if _now(name, facts):
        return f"room for {unit.requested} now"
    return f"room for {unit.requested} after scale-up{of_pools(facts.space[name].growing(unit.gang, 1))}"


def _lack(name: str, facts: Facts, by_room: bool) -> str:
    unit = _unit(facts)
    if by_room and unit and facts.space[name].now is None:
        return "not measured"
    beside = beside_the_rest(facts.space[name]) if name in facts.space else ""
    return f"no room for {(unit and unit.requested) or 'all of it'} at its largest{beside}"


def _fits_nowhere(names: Mapping[str, str], facts: Facts, by_room: bool) -> str:
    unit = _unit(facts)
    what = f"{unit.title} ({unit.requested})" if unit and unit.requested else unit.title if unit else "it"
    lacks = ", ".join(
        f"{name} {'is' if by_room and facts.space[name].now is None else 'has'} {_lack(name, facts, by_room)}"
        for name in sorted(names)
    )
    measure = or_measure({name: facts.space[name] for name in names}) if by_room else ""
    instead = f"{measure}or raise" if measure else "raise"
    return f"{what} must be in one cluster, and fits in none: {lacks}; {instead} max_nodes of a pool that it fits on"


def _with_all(each: Decision, counts: Sequence[int], text: str) -> Decision:
    """The decision with all of each counted object where the member is taken."""
    shares = list(counts) if each.taken else [0] * len(counts)
    if each.taken and counts and not any(counts):
        text = f", {SCALED_TO_0}"
    return decision(each.cluster, shares, each.taken, each.reason + (text if each.taken else ""))


def _as_whole(each: Decision, counts: Sequence[int]) -> Decision:
    reason = f"runs whole; {each.reason}" if each.taken else each.reason
    return _with_all(replace(each, reason=reason), counts, "")


def _nearest(placement: Nearest, regions: Mapping[str, str], facts: Facts) -> dict[str, Decision]:
    return {
        name: replace(each, reason=f"nearest in which {_what(facts)}; {each.reason}") if each.taken else each
        for name, each in by_distance(placement, regions, [], facts).items()
    }


def _first(placement: Placement, names: Mapping[str, str], facts: Facts) -> dict[str, Decision]:
    """Takes the first by the placement's list, or the one with the most room at its largest."""
    order = in_order(facts.workload, names)
    listed = isinstance(placement, ByClusters)
    if isinstance(placement, ByClusters):
        order = [name for name in placement.clusters if name in names]
    elif isinstance(placement, InRegion | SpareCapacity):
        order = sorted(order, key=lambda name: -_times(name, facts))
    first = f"first of the named clusters in which {_what(facts)}" if listed else "the one with the most room"
    weights = {name: placement.weights[name] if isinstance(placement, Weighted) else 1 for name in order}
    decisions: dict[str, Decision] = {}
    for name in order:
        why = why_taken(placement, weights, name)
        if name == order[0]:
            taken = (first if listed else f"{why}, {first}") if len(order) > 1 else why
            decisions[name] = decision(name, [], True, taken)
        else:
            before = "is named before it" if listed else "has as much room or more"
            decisions[name] = decision(name, [], False, f"{why}, but runs whole in {order[0]}, which {before}")
    return decisions


def _most_room(names: Mapping[str, str], facts: Facts) -> dict[str, Decision]:
    """Takes the candidate in which it fits most often now, or else after a scale-up."""
    order = sorted(in_order(facts.workload, names), key=lambda name: (-_now(name, facts), -_times(name, facts)))
    decisions = {order[0]: decision(order[0], [], True, _room(order[0], facts))}
    for name in order[1:]:
        more = "has as much room or more" if _now(name, facts) or not _now(order[0], facts) else "has it now"
        decisions[name] = decision(name, [], False, f"{_room(name, facts)}, but runs whole in {order[0]}, which {more}")
    return decisions
