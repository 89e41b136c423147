"""Applies a placement's policy: decides which members a workload takes, each one's share, and the reason as text.

It chooses the policy's file (by_weight.py, by_distance.py, by_room.py; undivided.py for what is whole or duplicated).
It does not know whether KubeFed is up, what is free now (federation/free_accelerators.py measures that) or how copies
are written (copies.py).
"""

from collections.abc import Iterator, Sequence

from placement.by_distance import by_distance, origins
from placement.by_room import by_room, is_scarce
from placement.by_weight import by_weight, unmet_limits
from placement.candidates import candidates, why_not
from placement.decision import NO_FACTS, SCALED_TO_0, Decision, Facts, Members, NothingFits, decision, table
from placement.pod_kinds import Run
from placement.runs import contradiction
from placement.spec import Nearest, Placement, SpareCapacity
from placement.undivided import is_scarce_together, undivided

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


def place(
    placement: Placement, members: Members, counts: Sequence[int], facts: Facts = NO_FACTS, run: Run = "divided"
) -> list[Decision]:
    """Decides what each member gets of each count; one decision for each member, by name.

    Divided, the shares of an object add up to its count; whole, one member has all of each; duplicated, each that is
    taken has all of each. Where there is no candidate, or `undecided` says why nothing can be decided, they are all 0.
    What cannot be split evenly is given one by one to the nearest, or to the first by name. Raises NothingFits.
    """
    passed_over = {name: why_not(placement, name, members[name], facts) for name in sorted(members)}
    names = [name for name, reason in passed_over.items() if not reason]
    for text in impossible(placement, members, counts, facts, run):
        raise NothingFits(text)
    regions = {name: members[name]["region"] for name in names}
    why_undecided = undecided(placement, counts, facts, run)
    if why_undecided:
        placed = {name: decision(name, [0] * len(counts), False, why_undecided) for name in names}
    elif run != "divided":
        placed = undivided(placement, regions, counts, facts, run)
    elif isinstance(placement, Nearest):
        placed = by_distance(placement, regions, counts, facts)
    elif isinstance(placement, SpareCapacity) and names and is_scarce(counts, facts):
        placed = by_room(names, counts, facts)
    else:
        placed = by_weight(placement, names, counts)
    return [placed.get(name) or decision(name, [0] * len(counts), False, passed_over[name]) for name in passed_over]


def impossible(
    placement: Placement, members: Members, counts: Sequence[int], facts: Facts = NO_FACTS, run: Run = "divided"
) -> Iterator[str]:
    """Yields why a placement cannot hold with these members, and what to write instead."""
    if run == "whole":
        setting, value, text = contradiction(placement, candidates(placement, members, facts))
        if text:
            yield f"{setting} {value}: {text}"
    if run != "duplicated":
        yield from unmet_limits(placement, members, counts, facts)


def undecided(placement: Placement, counts: Sequence[int], facts: Facts = NO_FACTS, run: Run = "divided") -> str:
    """Why a placement cannot be decided before more is known; empty where it can."""
    scarce = is_scarce(counts, facts) if run == "divided" else is_scarce_together(facts)
    if isinstance(placement, SpareCapacity) and facts.free is None and scarce:
        return "decided by free accelerators when it is applied"
    if isinstance(placement, Nearest) and not origins(placement, facts):
        return f"decided by the distance from {placement.to} once its location is known"
    return ""
