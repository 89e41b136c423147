"""Applies a placement's policy: decides which members a workload takes, each one's share, and the reason as text.

It chooses the policy's file (by_weight.py, by_distance.py, by_room.py). It does not know whether KubeFed is up, what is
free now (federation/free_accelerators.py measures that) or how copies are written (copies.py).
"""

from collections.abc import Sequence

from placement.by_distance import by_distance, origins
from placement.by_room import by_room, is_scarce
from placement.by_weight import by_weight, unmet_limits
from placement.candidates import candidates, why_not
from placement.decision import NO_FACTS, SCALED_TO_0, Decision, Facts, Members, NothingFits, decision, table
from placement.spec import Nearest, Placement, SpareCapacity

__all__ = [
    "NO_FACTS",
    "SCALED_TO_0",
    "Decision",
    "Facts",
    "Members",
    "NothingFits",
    "candidates",
    "place",
    "table",
    "undecided",
    "unmet_limits",
]


def place(placement: Placement, members: Members, counts: Sequence[int], facts: Facts = NO_FACTS) -> list[Decision]:
    """Splits each count over the members that the placement takes; one decision for each member, by name.

    The shares of an object add up to its count, unless there is no candidate or `undecided` says why nothing can be
    decided: then they are all 0. What cannot be split evenly is given one by one to the nearest, or to the first
    by name. Raises NothingFits.
    """
    for text in unmet_limits(placement, members, counts, facts):
        raise NothingFits(text)
    passed_over = {name: why_not(placement, name, members[name], facts) for name in sorted(members)}
    names = [name for name, reason in passed_over.items() if not reason]
    why_undecided = undecided(placement, counts, facts)
    if why_undecided:
        placed = {name: decision(name, [0] * len(counts), False, why_undecided) for name in names}
    elif isinstance(placement, Nearest):
        placed = by_distance(placement, {name: members[name]["region"] for name in names}, counts, facts)
    elif isinstance(placement, SpareCapacity) and names and is_scarce(counts, facts):
        placed = by_room(names, counts, facts)
    else:
        placed = by_weight(placement, names, counts)
    return [placed.get(name) or decision(name, [0] * len(counts), False, passed_over[name]) for name in passed_over]


def undecided(placement: Placement, counts: Sequence[int], facts: Facts = NO_FACTS) -> str:
    """Why a placement cannot be decided before more is known; empty where it can."""
    if isinstance(placement, SpareCapacity) and facts.free is None and is_scarce(counts, facts):
        return "decided by free accelerators when it is applied"
    if isinstance(placement, Nearest) and not origins(placement, facts):
        return f"decided by the distance from {placement.to} once its location is known"
    return ""
