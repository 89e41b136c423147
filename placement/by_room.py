"""Fills the candidates that have the most room first (policy spare-capacity).

It decides from how many pods fit, as the facts say. It does not measure that: federation/free_accelerators.py does,
when the placement is applied.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from placement.decision import Decision, Facts, NothingFits, decision
from placement.shares import split


def by_room(names: Sequence[str], counts: Sequence[int], facts: Facts) -> dict[str, Decision]:
    """Fills the candidate with the most room first, for each object that requests something scarce.

    Such objects request the same resource, so that one of them reduces another's room by the part that it fills of its
    own. The other objects are split in the same proportions. Raises NothingFits.
    """
    scarce = [position for position in range(len(counts)) if _requests_scarce(facts, position)]
    shares = _scarce_shares(names, counts, scarce, facts)
    totals = {name: sum(shares[name]) for name in names}
    for position in set(range(len(counts))) - {*scarce}:
        parts = split(counts[position], totals if any(totals.values()) else dict.fromkeys(names, 1))
        for name, part in parts.items():
            shares[name][position] = part
    free = facts.free or {}
    decisions: dict[str, Decision] = {}
    for name in names:
        room = " and ".join(str(free[name][position]) for position in scarce) if name in free else ""
        reason = f"room for {room} now" if room else "not measured"
        share = sum(shares[name])
        reason += f", gets {share} of {sum(counts)}" if share else _why_none(name, scarce, facts, totals)
        # Where there is something to place, a member without room for it has nothing to keep.
        decisions[name] = decision(name, shares[name], bool(share) or not any(counts), reason)
    return decisions


def is_scarce(counts: Sequence[int], facts: Facts) -> bool:
    """Whether some counted object requests something scarce, so that room must be measured."""
    return any(_requests_scarce(facts, position) for position in range(len(counts)))


def _requests_scarce(facts: Facts, position: int) -> bool:
    # Where the facts have no requests, every object is taken for scarce: what fits is all that is known.
    return not facts.requested or bool(facts.requested[position])


def _scarce_shares(
    names: Sequence[str], counts: Sequence[int], scarce: Sequence[int], facts: Facts
) -> dict[str, list[int]]:
    """Each candidate's share of every object, 0 for those that are not scarce. Raises NothingFits."""
    free = facts.free or {}
    shares = {name: [0] * len(counts) for name in names}
    left = dict.fromkeys(names, Fraction(1))
    for position in scarce:
        whole = {name: free[name][position] if name in free else 0 for name in names}
        room = {name: int(whole[name] * left[name]) for name in names}
        if sum(room.values()) < counts[position]:
            raise NothingFits(_too_little_room(counts[position], room, facts, position))
        unplaced = counts[position]
        for name in sorted(names, key=lambda name: (-room[name], name)):
            part = min(unplaced, room[name])
            if part:
                shares[name][position] = part
                left[name] -= Fraction(part, whole[name])
                unplaced -= part
    return shares


def _why_none(name: str, scarce: Sequence[int], facts: Facts, totals: Mapping[str, int]) -> str:
    """Why a candidate gets nothing although it has room; empty where it has none."""
    free = facts.free or {}
    if name not in free or not any(free[name][position] for position in scarce):
        return ""
    filled = " and ".join(f"{each} ({total})" for each, total in totals.items() if total)
    return f", but all of it is placed in {filled}" if filled else ", but there is nothing to place"


def _too_little_room(count: int, room: Mapping[str, int], facts: Facts, position: int) -> str:
    each = f" that each request {facts.requested[position]}" if facts.requested else ""
    free = facts.free or {}
    rooms = ", ".join(
        f"{name} has room for {room[name]}" if name in free else f"{name} is not measured" for name in room
    )
    return f"{count} pods{each} do not fit into what is free now: {rooms}, {sum(room.values())} in all"
