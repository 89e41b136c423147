"""Says what cannot be judged of pods that are placed in a member, although there is room for them.

It refuses nothing, and does not say how many fit: space.py does.
"""

from collections.abc import Iterator, Sequence

from placement.api.quantities import as_text
from placement.fit.needs import Needs
from placement.fit.packing import fitting, pools_of
from placement.fit.room import Gang, Pool, Room, beside_system, doubts_on, surely, verdict_on
from placement.fit.space import Space


def doubts_of_kinds(space: Space, gang: Gang) -> list[str]:
    """What cannot be judged of pods that each have a pool here, but for these doubts, whatever room there is."""
    found = (_least_doubts(kind, _pools(space.largest)) for kind in gang.kinds)
    return list(dict.fromkeys(text for texts in found for text in texts))


def doubts_of_room(space: Space, gangs: Sequence[tuple[Gang, int]]) -> list[str]:
    """What the room for so many of each gang depends on, and cannot be judged; empty where all surely fit."""
    found: list[str] = []
    for at, (gang, count) in enumerate(gangs):
        if count and gang.kinds and not _surely_fits(space, gang, count):
            found += _why_unsure(space, gang, count)
        if at < len(gangs) - 1:
            space = space.without(gang, count)
    return list(dict.fromkeys(found))


def _surely_fits(space: Space, gang: Gang, count: int) -> bool:
    if space.now is not None and _fits_in(space.now, gang, count):
        return True
    return fitting(space.sure, gang, count) == count and (space.grown is None or _fits_in(space.grown, gang, count))


def _fits_in(room: Room, gang: Gang, count: int) -> bool:
    """Whether so many gangs fit in a room without a doubt."""
    if fitting(room, gang, count) < count:
        return False
    pools = _pools(room)
    if not any(pool.nodes.system or doubts_on(kind, pool) for pool in pools for kind in gang.kinds):
        return True
    return fitting(surely(room), gang, count) == count


def _why_unsure(space: Space, gang: Gang, count: int) -> Iterator[str]:
    count = fitting(space.left, gang, count)
    pools = {pool.nodes.pool: pool for pool in _pools(space.left)}
    used: dict[str, Pool] = {}
    of_pools: list[str] = []
    for kind, pods in zip(gang.kinds, pools_of(space.left, gang, count), strict=True):
        used |= {name: pools[name] for name in sorted(pods)}
        of_pools += [text for name in sorted(pods) for text in doubts_on(kind, pools[name])]
    yield from of_pools
    if not of_pools or fitting(beside_system(space.left), gang, count) < count:
        yield from _beside_system(used)


def _beside_system(pools: dict[str, Pool]) -> Iterator[str]:
    system = {name: pool.nodes.system for name, pool in pools.items() if pool.nodes.system}
    if system:
        most = {name: max(each.get(name, 0) for each in system.values()) for name in ("cpu", "memory")}
        cpu, memory = (as_text(name, amount, 1) for name, amount in most.items())
        yield f"room beside GKE's own pods, about {cpu} CPUs and {memory} on each node of {' and '.join(system)}"


def _least_doubts(kind: Needs, pools: Sequence[Pool]) -> tuple[str, ...]:
    verdicts = (verdict_on(kind, pool) for pool in pools)
    return min((each.doubts for each in verdicts if not each.misses), key=len, default=())


def _pools(room: Room) -> list[Pool]:
    return list(dict.fromkeys(each.pool for each in room.bins))
