"""Divides the counted objects of a workload over members by weight, within limits and within what fits.

What is decided here is how much each member gets; which members are taken is the policies' decision.
"""

from collections.abc import Collection, Mapping, Sequence

from placement.fit.space import MANY, Space
from placement.policies.decision import Facts, NothingFits, Unit
from placement.policies.shares import NO_LIMITS, split
from placement.spec import Limit


def divide(
    weights: Mapping[str, int], counts: Sequence[int], facts: Facts, limits: Mapping[str, Limit] = NO_LIMITS
) -> list[dict[str, int]]:
    """Each member's share of every count, by weight. Raises NothingFits where more is to be placed than fits.

    What cannot be split evenly goes to the first in the order of the weights.
    """
    space = {name: facts.space[name] for name in weights if name in facts.space}
    shares: list[dict[str, int]] = []
    for position, count in enumerate(counts):
        unit = facts.units[position] if position < len(facts.units) else None
        if unit is None or not space:
            shares.append(split(count, weights, limits))
            continue
        own = {name: weight for name, weight in weights.items() if name in space and weight}
        room = {name: space[name].room(unit.gang, max(count, 1)) for name in own}
        check_room(unit, count, room, space, limits)
        within = {name: _within(limits.get(name), free) for name, free in room.items()}
        part = dict.fromkeys(weights, 0) | split(count, own, within)
        shares.append(part)
        if position < len(counts) - 1:
            space = {name: each.without(unit.gang, part[name]) for name, each in space.items()}
    return shares


def check_room(
    unit: Unit, count: int, room: Mapping[str, int], space: Mapping[str, Space], limits: Mapping[str, Limit] = NO_LIMITS
) -> None:
    """Raises NothingFits where the members have no room for so many units, or for the minimum of one of them."""
    for name, free in room.items():
        least = limits[name].min if name in limits else 0
        if free < least:
            raise NothingFits(
                f"{name} has a minimum of {least} of {unit.title}, and room for {free} at its largest; "
                "raise max_nodes of a pool that fits, or write a smaller minimum"
            )
    capped = {name: _most(limits.get(name), free) for name, free in room.items()}
    if sum(capped.values()) < count:
        limited = {name for name, most in capped.items() if most < room[name]}
        raise NothingFits(_too_many(unit, count, capped, limited, space))


def _too_many(
    unit: Unit, count: int, room: Mapping[str, int], limited: Collection[str], space: Mapping[str, Space]
) -> str:
    """Why so many units do not fit, with the numbers to raise; some members are `limited` to what they may have."""
    rooms = ", ".join(
        f"{name} {free if free < MANY else f'{MANY} or more'}{' by its maximum' if name in limited else ''}"
        for name, free in sorted(room.items())
    )
    others = any(space[name].left != space[name].largest for name in room)
    beside = " beside the rest of the stack" if others else ""
    what = f"{count} of {unit.title} do" if count != 1 else f"{unit.title} does"
    return f"{what} not fit: {rooms} at their largest{beside}; raise max_nodes, or write fewer"


def _most(limit: Limit | None, free: int) -> int:
    return free if limit is None or limit.max is None else min(limit.max, free)


def _within(limit: Limit | None, free: int) -> Limit:
    return Limit(min=limit.min if limit else 0, max=_most(limit, free))
