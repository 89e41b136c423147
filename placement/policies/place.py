"""Applies a placement's policy: decides which members a workload takes, each one's share, and the reason as text.

It chooses the policy's file (by_weight.py, by_distance.py, by_room.py; undivided.py for what is whole or duplicated).
It does not know whether KubeFed is up, what is free now (federation/free_nodes.py measures that) or how copies
are written (copies.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from placement.api.pod_kinds import Run
from placement.fit.doubts import doubts_of_kinds, doubts_of_room
from placement.pods.runs import contradiction
from placement.policies.by_distance import by_distance, origins
from placement.policies.by_room import by_room, is_scarce
from placement.policies.by_weight import by_weight, unmet_limits
from placement.policies.candidates import candidates, why_no_room, why_not
from placement.policies.decision import (
    NO_FACTS,
    SCALED_TO_0,
    Decision,
    Facts,
    Members,
    NothingFits,
    decision,
    numbered,
    table,
)
from placement.policies.undivided import undivided
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

# So many doubts are named in a reason.
_MOST_DOUBTS = 3


def place(
    placement: Placement, members: Members, counts: Sequence[int], facts: Facts = NO_FACTS, run: Run = "divided"
) -> list[Decision]:
    """Decides what each member gets of each count; one decision for each member, by name.

    Divided, the shares of an object add up to its count; whole, one member has all of each; duplicated, each that is
    taken has all of each. Where there is no candidate, or `undecided` says why nothing can be decided, they are all 0.
    What cannot be split evenly goes to the nearest, or to members in an order of the workload's own.
    Raises NothingFits.
    """
    passed_over = {name: why_not(placement, name, members[name], facts) for name in sorted(members)}
    names = [name for name, reason in passed_over.items() if not reason]
    for text in impossible(placement, members, counts, facts, run):
        raise NothingFits(text)
    without_room = {name: reason for name in names if facts.beside and (reason := why_no_room(name, facts))}
    names = [name for name in names if name not in without_room]
    if without_room and not names:
        every = ", ".join(f"{name} has {reason}" for name, reason in without_room.items())
        raise NothingFits(f"it fits in no cluster: {every}; raise max_nodes")
    regions = {name: members[name]["region"] for name in names}
    why_undecided = undecided(placement, names, facts)
    if why_undecided:
        placed = {name: decision(name, [0] * len(counts), False, why_undecided) for name in names}
    elif run != "divided":
        placed = undivided(placement, regions, counts, facts, run)
    elif isinstance(placement, Nearest):
        placed = by_distance(placement, regions, counts, facts.of_units)
    elif isinstance(placement, SpareCapacity) and names and is_scarce(facts):
        placed = by_room(names, counts, facts.of_units)
    else:
        placed = by_weight(placement, names, counts, facts.of_units)
    nothing = [0] * len(counts)
    return [
        _with_doubts(placed.get(name) or decision(name, nothing, False, reason), facts, run)
        for name, reason in (passed_over | without_room).items()
    ]


def _with_doubts(each: Decision, facts: Facts, run: Run) -> Decision:
    """The decision with what cannot be judged of the pods or of their room, where there are any."""
    if not each.taken:
        return each
    doubts = [*facts.doubts]
    if space := facts.space.get(each.cluster):
        doubts += ["overrides, which change the pods"] if each.cluster in facts.overridden else []
        doubts += [*doubts_of_kinds(space, facts.pods), *doubts_of_room(space, numbered(facts, each.shares, run))]
    doubts = list(dict.fromkeys(doubts))
    if len(doubts) > _MOST_DOUBTS:
        doubts = [*doubts[:_MOST_DOUBTS], f"{len(doubts) - _MOST_DOUBTS} more"]
    return replace(each, reason=f"{each.reason}; not judged: {', '.join(doubts)}") if doubts else each


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


def undecided(placement: Placement, names: Sequence[str], facts: Facts = NO_FACTS) -> str:
    """Why a placement cannot be decided before more is known of its candidates; empty where it can."""
    if isinstance(placement, SpareCapacity) and is_scarce(facts) and not facts.measured(names):
        return "decided by free accelerators when it is applied"
    if isinstance(placement, Nearest) and not origins(placement, facts):
        return f"decided by the distance from {placement.to} once its location is known"
    return ""
