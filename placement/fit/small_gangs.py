"""Packs small gangs exactly: by all ways to fill one node after another, of which only the best are kept."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

from placement.fit.room import Bin, Gang, Room, filled, slots

# The most states of what is left to place: how long it takes depends on that, and not on the nodes alone.
_STATES = 600
Counts = tuple[int, ...]


class Put(NamedTuple):
    """So many nodes, of the room's bin at this position, each take so many pods of each kind."""

    origin: int
    size: int
    pattern: Counts


class _Way(NamedTuple):
    """One way to come to a state: the last node's pods, and the way before it."""

    origin: int
    pattern: Counts
    before: "_Way | None"


def is_small(gang: Gang, count: int) -> bool:
    """Whether so many gangs are few enough to be packed exactly."""
    return prod(count * each + 1 for each in gang.counts) <= _STATES


def packed(room: Room, gang: Gang, count: int) -> list[Put] | None:
    """Where the pods of so many gangs run; None where they do not all fit."""
    start = tuple(count * each for each in gang.counts)
    nothing = (0,) * len(start)
    states: dict[Counts, _Way | None] = {start: None}
    for origin, each in enumerate(room.bins):
        patterns = _patterns(each, gang, start)
        for _ in range(min(each.size, sum(start)) if patterns else 0):
            found = dict(states)
            for state, way in states.items():
                for pattern in patterns:
                    here = tuple(min(one, other) for one, other in zip(state, pattern, strict=True))
                    rest = tuple(one - other for one, other in zip(state, here, strict=True))
                    if rest not in found:
                        found[rest] = _Way(origin, here, way)
            if nothing in found:
                return _puts(found[nothing])
            best = _best(found)
            if best.keys() == states.keys():
                break
            states = best
    return None


def _patterns(each: Bin, gang: Gang, most: Counts) -> list[Counts]:
    """What one node takes, without what is less than another."""
    found: list[Counts] = []
    for pattern in _filling(each, gang, most, 0):
        if any(pattern) and not any(_is_less(pattern, other) for other in found):
            found = [other for other in found if not _is_less(other, pattern)] + [pattern]
    return found


def _filling(each: Bin, gang: Gang, most: Counts, kind: int) -> Iterator[Counts]:
    if kind == len(most):
        yield ()
        return
    largest = min(most[kind], slots(gang.kinds[kind : kind + 1], each))
    # The last kind takes what it can.
    for count in range(largest, (largest if kind == len(most) - 1 else 0) - 1, -1):
        here = filled(each, gang.kinds[kind : kind + 1], (count,))
        assert here
        for rest in _filling(here, gang, most, kind + 1):
            yield (count, *rest)


def _best(states: dict[Counts, _Way | None]) -> dict[Counts, _Way | None]:
    """The states in which no other has less left of everything."""
    kept: dict[Counts, _Way | None] = {}
    for state in sorted(states, key=lambda each: (sum(each), each)):
        if not any(_is_less(other, state) for other in kept):
            kept[state] = states[state]
    return kept


def _is_less(one: Sequence[int], other: Sequence[int]) -> bool:
    return all(mine <= theirs for mine, theirs in zip(one, other, strict=True))


def _puts(way: _Way | None) -> list[Put]:
    found: list[Put] = []
    while way:
        found.append(Put(way.origin, 1, way.pattern))
        way = way.before
    return found
