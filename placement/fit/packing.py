"""Packs pods that run together onto the nodes of a cluster, and says how many such gangs fit.

It never counts more than a scheduler could place. Pods of one kind are counted exactly. Gangs of several kinds are all
placed or not at all: exactly where they are small (small_gangs.py), else by a few ways of which the best counts. Each
of these finds as much or more when a node is added, and so does their maximum.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from placement.fit.needs import Needs
from placement.fit.room import UNLIMITED, Bin, Gang, Room, filled, merged, offer, slots, slots_of
from placement.fit.small_gangs import Put, is_small, packed
from placement.fit.tolerations import refuses

# More kinds than this are not told apart in large gangs: the ways to pack them double with each.
_KINDS = 6
# Positions of kinds in a gang, whose pods are all counted as large as the largest of them.
Class = tuple[int, ...]
# Two classes at most: the second fills the nodes that the first leaves partly free. A block has its own nodes.
Block = tuple[Class, ...]


class _Piece(NamedTuple):
    """So many nodes of a bin with so many pods of each kind, and how many more of the class in hand each takes."""

    origin: int
    size: int
    pattern: tuple[int, ...]
    slots: int


def fitting(room: Room, gang: Gang, most: int) -> int:
    """How many gangs fit, at most `most`; all of them where a gang has no pods."""
    upper = most
    for kind, count in zip(gang.kinds, gang.counts, strict=True):
        upper = min(upper, _capacity(room, kind, upper * count) // count)
    if upper <= 0 or len(gang.kinds) < 2:
        return max(upper, 0)
    upper = min(upper, _by_sums(room, gang))
    best = 0
    for way in _ways(gang):
        best = _largest(best, upper, lambda count, way=way: _by_way(room, gang, count, way) is not None)
        if best == upper:
            return best
    small = _largest(best, upper, lambda count: is_small(gang, count))
    return _largest(best, small, lambda count: packed(room, gang, count) is not None)


def fits(room: Room, gangs: Sequence[tuple[Gang, int]]) -> bool:
    """Whether so many of each gang fit together."""
    for gang, count in gangs:
        if fitting(room, gang, count) < count:
            return False
        room, _ = without(room, gang, count)
    return True


def without(room: Room, gang: Gang, count: int) -> tuple[Room, Mapping[str, int]]:
    """What is left when so many gangs are placed, and how many of their pods run on each pool.

    Raises ValueError where fewer fit.
    """
    plan = _plan(room, gang, count)
    bins: list[Bin] = []
    left = [each.size for each in room.bins]
    pods = Counter[str]()
    for put in plan:
        origin = room.bins[put.origin]
        with_pods = filled(origin, gang.kinds, put.pattern)
        assert with_pods
        bins.append(with_pods._replace(size=put.size))
        left[put.origin] -= put.size
        pods[origin.pool.nodes.pool] += put.size * sum(put.pattern)
    bins += [each._replace(size=rest) for each, rest in zip(room.bins, left, strict=True)]
    return merged(bins), dict(pods)


def pools_of(room: Room, gang: Gang, count: int) -> list[Mapping[str, int]]:
    """How many pods run on each pool when so many gangs are placed, for each kind. Raises ValueError."""
    pods = [Counter[str]() for _ in gang.kinds]
    for put in _plan(room, gang, count):
        for kind, each in zip(pods, put.pattern, strict=True):
            if each:
                kind[room.bins[put.origin].pool.nodes.pool] += put.size * each
    return [dict(kind) for kind in pods]


def _plan(room: Room, gang: Gang, count: int) -> Sequence[Put]:
    if not gang.kinds or count <= 0:
        return ()
    for way in _ways(gang):
        plan = _by_way(room, gang, count, way)
        if plan is not None:
            return plan
    plan = packed(room, gang, count) if is_small(gang, count) else None
    if plan is None:
        raise ValueError(f"{count} gangs do not fit; {fitting(room, gang, count)} do")
    return plan


def _capacity(room: Room, kind: Needs, enough: int) -> int:
    """How many pods of a kind fit; counted no further than what is enough."""
    found = 0
    for each in room.bins:
        if found >= enough:
            break
        found += slots_of(kind, each) * each.size
    return found


def _by_sums(room: Room, gang: Gang) -> int:
    """A number of gangs above which no more fit: those whose sum of each resource is free on the nodes for them."""
    bins = [each for each in room.bins if any(slots_of(kind, each) for kind in gang.kinds)]
    needed = Counter[str]()
    for kind, count in zip(gang.kinds, gang.counts, strict=True):
        needed.update({name: amount * count for name, amount in kind.requests})
    free = Counter[str]()
    for each in bins:
        free.update({name: amount * each.size for name, amount in zip(each.pool.resources, each.free, strict=True)})
    # A resource that is not surely known of each pool limits nothing.
    known = [name for name in needed if all(name in each.pool.resources for each in bins)]
    return min((free[name] // needed[name] for name in known), default=UNLIMITED)


def _largest(least: int, most: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `most` that fits, if each below it does; `least`, which does, if no larger one."""
    if least < most and fits(most):
        return most
    most -= 1
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if fits(middle) else (least, middle - 1)
    return least


@lru_cache(maxsize=2**12)
def _ways(gang: Gang) -> tuple[tuple[Block, ...], ...]:
    """Ways to pack a gang: by its pods alone, so that another node makes none of them unavailable."""
    order = sorted(range(len(gang.kinds)), key=lambda kind: _size(gang.kinds[kind]), reverse=True)
    classes: list[Class] = [(kind,) for kind in order[: _KINDS - 1]]
    if len(order) >= _KINDS:
        classes.append(tuple(order[_KINDS - 1 :]))
    ways = list(_cuts(classes))
    if len(classes) == 2:
        ways.append(((classes[1], classes[0]),))
    return tuple(ways)


def _size(kind: Needs) -> tuple[int, ...]:
    amounts = dict(kind.requests)
    devices = sum(amount for name, amount in kind.requests if "/" in name)
    return devices, amounts.get("cpu", 0), amounts.get("memory", 0)


def _cuts(classes: Sequence[Class]) -> Iterator[tuple[Block, ...]]:
    """The ways to cut classes into blocks, those with few blocks first."""
    for end in range(len(classes), 0, -1):
        block = (classes[0],) if end == 1 else (classes[0], tuple(kind for each in classes[1:end] for kind in each))
        for rest in _cuts(classes[end:]) if end < len(classes) else ((),):
            yield (block, *rest)


def _by_way(room: Room, gang: Gang, count: int, way: Sequence[Block]) -> list[Put] | None:
    """Where the pods run if they are packed in this way; None where they do not all fit.

    Why another node never makes this fail: the first class of a block then takes the same nodes or fewer, so that the
    second finds no less, and the nodes that are left for the next block are the same or more. This needs that nodes
    are always taken in the same order.
    """
    empty = (0,) * len(gang.kinds)
    nodes: list[_Piece] = [_Piece(at, each.size, empty, 0) for at, each in enumerate(room.bins)]
    done: list[Put] = []
    for block in way:
        for kinds in block:
            placed = _first_fit(room, gang, count, kinds, nodes)
            if placed is None:
                return None
            nodes = placed
        done += [Put(each.origin, each.size, each.pattern) for each in nodes if any(each.pattern)]
        nodes = [each for each in nodes if not any(each.pattern)]
    return done


def _first_fit(room: Room, gang: Gang, count: int, kinds: Class, nodes: Sequence[_Piece]) -> list[_Piece] | None:
    """The nodes with the pods of a class of so many gangs, or None where they do not all fit."""
    of_class = [gang.kinds[kind] for kind in kinds]
    pieces: list[_Piece] = []
    for each in sorted(nodes, key=lambda piece: _preference(of_class, room.bins[piece.origin], piece.origin)):
        now = filled(room.bins[each.origin], gang.kinds, each.pattern)
        assert now
        pieces.append(each._replace(slots=slots(of_class, now)))
    for kind in kinds:
        left = count * gang.counts[kind]
        result: list[_Piece] = []
        for each in pieces:
            taken, left = _take(each, kind, left)
            result += taken
        if left:
            return None
        pieces = result
    return pieces


def _take(piece: _Piece, kind: int, pods: int) -> tuple[list[_Piece], int]:
    """Equal nodes with pods of a kind on the first of them, and how many pods are left."""
    if not pods or not piece.slots:
        return [piece], pods
    full = min(piece.size, pods // piece.slots)
    pods -= full * piece.slots
    part = pods if full < piece.size else 0
    sizes = [(full, piece.slots), (1 if part else 0, part), (piece.size - full - (1 if part else 0), 0)]
    pieces = [
        _Piece(
            piece.origin,
            nodes,
            tuple(each + here if at == kind else each for at, each in enumerate(piece.pattern)),
            piece.slots - here,
        )
        for nodes, here in sizes
        if nodes
    ]
    return pieces, pods - part


def _preference(kinds: Sequence[Needs], each: Bin, position: int) -> tuple[object, ...]:
    """The order in which nodes are taken: sure ones first, those with accelerators for others last.

    Those that a taint keeps for a few pods come before those for all, and those with less free before others.
    """
    offers = [terms for terms in (offer(kind, each.pool) for kind in kinds) if terms]
    doubts = sum(terms.doubts for terms in offers)
    spare = {at for terms in offers for at in terms.spare}.intersection(*(terms.spare for terms in offers))
    kept = sum(refuses(taint) for taint in each.pool.nodes.taints)
    return doubts, sum(each.free[at] for at in spare), -kept, not each.inside, each.free, each.pool.nodes.pool, position
