"""Fills the candidates that have the most room first (policy spare-capacity): what is free now, then what can be added.

It does not measure what is free: federation/free_nodes.py does, when the placement is applied.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from placement.fit.space import MANY, Space
from placement.policies.decision import Decision, Facts, NothingFits, Unit, decision
from placement.policies.divide import divide
from placement.policies.ties import in_order


def by_room(names: Sequence[str], counts: Sequence[int], facts: Facts) -> dict[str, Decision]:
    """Fills the candidate with the most room first, for each object that requests something scarce.

    The other objects are divided in the same proportions. Raises NothingFits.
    """
    scarce = [position for position in range(len(counts)) if facts.units[position].requested]
    space = {name: facts.space[name] for name in in_order(facts.workload, names)}
    shares = {name: [0] * len(counts) for name in names}
    texts: dict[str, list[str]] = {name: [] for name in names}
    for position in scarce:
        unit, count = facts.units[position], counts[position]
        rooms = {name: each.now_and_whole(unit.gang, max(count, MANY)) for name, each in space.items()}
        for name, part in _filled(space, rooms, unit, count).items():
            shares[name][position] = part
            texts[name].append(room_text(space[name], unit, rooms[name]))
            space[name] = space[name].without(unit.gang, part)
    totals = {name: sum(shares[name]) for name in space}
    rest = [position for position in range(len(counts)) if position not in scarce]
    weights = totals if any(totals.values()) else dict.fromkeys(space, 1)
    others = replace(facts, space=space, units=tuple(facts.units[position] for position in rest))
    for position, parts in zip(rest, divide(weights, [counts[position] for position in rest], others), strict=True):
        for name, part in parts.items():
            shares[name][position] = part
    decisions: dict[str, Decision] = {}
    for name in names:
        share = sum(shares[name])
        reason = " and ".join(dict.fromkeys(texts[name]))
        reason += f", gets {share} of {sum(counts)}" if share else _why_none(facts.space[name], facts, totals)
        # Where there is something to place, a member without room for it has nothing to keep.
        decisions[name] = decision(name, shares[name], bool(share) or not any(counts), reason)
    return decisions


def is_scarce(facts: Facts) -> bool:
    """Whether some pods request something scarce, so that room must be measured."""
    return any(unit.requested for unit in facts.units)


def room_text(space: Space, unit: Unit, room: tuple[int, int]) -> str:
    """What fits in a member now and in all, as a reason says it."""
    now, whole = room
    if space.now is None:
        return "not measured"
    if not whole:
        return "no room, now or after a scale-up"
    if now == whole:
        return f"room for {_many(now)} now"
    growing = of_pools(space.growing(unit.gang, whole - now))
    more = f"room for {_many(now)} now, {_many(whole - now)} more" if now else f"room for {_many(whole)}"
    return f"{more} after scale-up{growing}"


def of_pools(names: Sequence[str]) -> str:
    """Of which pools, as the end of a reason."""
    return f" of {' and '.join(names)}" if names else ""


def or_measure(space: Mapping[str, Space]) -> str:
    """What to do first where not all of these members are measured, as a run does; empty where all are."""
    unknown = [name for name, each in sorted(space.items()) if each.now is None]
    return f"give explain --free for {' and '.join(unknown)}, " if unknown else ""


def _many(number: int) -> str:
    return str(number) if number < MANY else f"{MANY} or more"


def _filled(space: Mapping[str, Space], rooms: Mapping[str, tuple[int, int]], unit: Unit, count: int) -> dict[str, int]:
    """What each candidate gets: what fits now, the one with the most room first, then what fits after a scale-up."""
    measured = [name for name, each in space.items() if each.now is not None]
    now = {name: rooms[name][0] for name in measured}
    more = {name: rooms[name][1] - now[name] for name in measured}
    shares = dict.fromkeys(space, 0)
    unplaced = count
    for room in (now, more):
        for name in sorted(room, key=lambda name: -room[name]):
            part = min(unplaced, room[name])
            shares[name] += part
            unplaced -= part
    if unplaced:
        raise NothingFits(_too_little_room(unit, count, space, rooms))
    return shares


def _why_none(space: Space, facts: Facts, totals: Mapping[str, int]) -> str:
    """Why a candidate gets nothing although it has room; empty where it has none, or that is not known."""
    if space.now is None or not any(space.room(unit.gang, 1) for unit in facts.units if unit.requested):
        return ""
    filled = " and ".join(f"{each} ({total})" for each, total in sorted(totals.items()) if total)
    return f", but all of it is placed in {filled}" if filled else ", but there is nothing to place"


def _too_little_room(unit: Unit, count: int, space: Mapping[str, Space], rooms: Mapping[str, tuple[int, int]]) -> str:
    texts = ", ".join(
        f"{name} {'is' if own.now is None else 'has'} {room_text(own, unit, rooms[name])}"
        for name, own in sorted(space.items())
    )
    what = f"{count} of {unit.title} that each request {unit.requested}"
    return f"{what} do not fit: {texts}; {or_measure(space)}raise max_nodes, or write fewer"
