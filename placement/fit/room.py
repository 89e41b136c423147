"""What is free in one cluster: its nodes, where those that are equal and equally filled are counted together.

It says how many pods one node takes. How a workload's pods are put on many nodes is decided in packing.py.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any, NamedTuple

from clusters.nodes.nodes import Nodes
from placement.api.claims import Claims
from placement.api.pod_requests import is_extended
from placement.fit.judge import Verdict, judge
from placement.fit.needs import Group, Needs, conflict, needs_of
from placement.fit.node_labels import HOSTNAME, ZONES
from placement.fit.slices import whole_slices

# More pods of a kind than a node ever takes, where nothing that they request limits them.
UNLIMITED = 10**9


@dataclass(frozen=True, eq=False)
class Pool:
    """Nodes of the same labels and taints. Each object is compared by identity, so that verdicts are found again.

    `resources` are those that are counted: what the pool does not surely have of one limits nothing. Of a pool that is
    `sure`, the same as another but for this, nodes are counted only for pods of which it is certain that they fit.
    """

    nodes: Nodes
    known: frozenset[str]
    resources: tuple[str, ...]
    sure: "Pool | None" = None


class Bin(NamedTuple):
    """So many nodes of a pool, each with as much free, in the order of its resources, and with pods of the same kinds.

    `zones` are those in which they can be, None where that is not known or only one.
    """

    pool: Pool
    free: tuple[int, ...]
    size: int
    zones: frozenset[str] | None
    inside: frozenset[Needs]


@dataclass(frozen=True)
class Room:
    """What is free in one cluster."""

    bins: tuple[Bin, ...]


@dataclass(frozen=True, eq=False)
class Gang:
    """Pods that run together: how many of each kind."""

    kinds: tuple[Needs, ...]
    counts: tuple[int, ...]


class Offer(NamedTuple):
    """What a pod of one kind needs of a pool that it fits on: of each resource, by its position, and the zones.

    `alone` says that no second one is on its node. `spare` are the positions of accelerators that it does not request.
    """

    takes: tuple[tuple[int, int], ...]
    zones: frozenset[str] | None
    alone: bool
    doubts: int
    spare: tuple[int, ...]


def gang(groups: Iterable[Group], namespace: str = "", claims: Claims | None = None) -> Gang:
    """The pods that run together. Read it once for each workload, with its claims: it remembers where they fit."""
    found = [(needs_of(each, namespace, claims), each.count) for each in groups if each.count > 0]
    return Gang(tuple(kind for kind, _ in found), tuple(count for _, count in found))


def room(nodes: Iterable[Nodes], known: Collection[str] = ()) -> Room:
    """What is free on empty nodes of pools at their largest, or on nodes that exist, of which each has a most of 1.

    The allocatable of a node that exists is what is free on it; its label of a host name marks it. `known` has the
    keys of labels, and the resources, that only the settings of the stack give, in whichever of its clusters.
    """
    alike: dict[tuple[Any, ...], list[Nodes]] = {}
    for each in whole_slices(nodes):
        labels = frozenset((key, value) for key, value in each.labels.items() if key != HOSTNAME)
        exists = HOSTNAME in each.labels
        alike.setdefault((each.pool, labels, exists, each.taints, each.zones, each.unsure), []).append(each)
    bins: dict[tuple[Any, ...], Bin] = {}
    for same in alike.values():
        # The verdict on labels and taints is the same for all of them; what is free on each is counted here.
        resources = sorted({name for each in same for name in each.allocatable})
        largest = {name: max(each.allocatable.get(name, 0) for each in same) for name in resources}
        counted = tuple(name for name in resources if name not in same[0].unsure)
        pool = Pool(replace(same[0], allocatable=largest), frozenset(known), counted)
        several = same[0].zones and ZONES[0] not in same[0].labels and not same[0].total
        zones = frozenset(same[0].zones) if several else None
        for each in same:
            free = tuple((each.total or each.allocatable).get(name, 0) for name in counted)
            _add(bins, Bin(pool, free, each.most, zones, frozenset()))
    return Room(tuple(bins.values()))


def merged(bins: Iterable[Bin]) -> Room:
    """The same nodes, with those that are equal counted together."""
    found: dict[tuple[Any, ...], Bin] = {}
    for each in bins:
        _add(found, each)
    return Room(tuple(found.values()))


def _add(bins: dict[tuple[Any, ...], Bin], each: Bin) -> None:
    if each.size > 0:
        key = (each.pool, each.free, each.zones, each.inside)
        bins[key] = each._replace(size=each.size + (bins[key].size if key in bins else 0))


def surely(room: Room) -> Room:
    """The same nodes, of which each has about what GKE's own pods leave, for pods that fit there without a doubt."""
    return merged(each._replace(pool=_sure(each.pool), free=_beside_system(each)) for each in room.bins)


def beside_system(room: Room) -> Room:
    """The same nodes, of which each has about what GKE's own pods leave."""
    return merged(each._replace(free=_beside_system(each)) for each in room.bins)


@lru_cache(maxsize=2**12)
def _sure(pool: Pool) -> Pool:
    return replace(pool, sure=pool)


def _beside_system(each: Bin) -> tuple[int, ...]:
    system = each.pool.nodes.system
    amounts = zip(each.pool.resources, each.free, strict=True)
    return tuple(max(0, free - system.get(name, 0)) for name, free in amounts) if system else each.free


@lru_cache(maxsize=2**17)
def verdict_on(kind: Needs, pool: Pool) -> Verdict:
    """Whether a pod fits on an empty node of a pool."""
    return judge(kind, pool.nodes, pool.known)


def doubts_on(kind: Needs, pool: Pool) -> tuple[str, ...]:
    """What cannot be judged of a pod on this pool, beside what cannot be judged on any."""
    return verdict_on(kind, pool).doubts[len(kind.doubts) :]


@lru_cache(maxsize=2**17)
def offer(kind: Needs, pool: Pool) -> Offer | None:
    """What a pod needs of a pool's nodes; None where it fits on none, even if empty."""
    verdict = verdict_on(kind, pool.sure or pool)
    if verdict.misses or (pool.sure and len(verdict.doubts) > len(kind.doubts)):
        return None
    requests = dict(kind.requests)
    takes = tuple((at, requests[name]) for at, name in enumerate(pool.resources) if name in requests)
    spare = tuple(at for at, name in enumerate(pool.resources) if is_extended(name) and name not in requests)
    return Offer(takes, verdict.zones, _apart(kind, kind, pool), len(verdict.doubts), spare)


def _apart(one: Needs, other: Needs, pool: Pool) -> bool:
    """Whether two pods cannot be on the same node; where GKE chooses how many nodes there are, they have one each."""
    return not pool.nodes.total and conflict(one, other)


def slots(kinds: Sequence[Needs], each: Bin) -> int:
    """How many pods fit on one node, whichever of these kinds each of them is; 0 where one kind does not fit."""
    if len(kinds) == 1:
        return slots_of(kinds[0], each)
    if not all(slots_of(kind, each) for kind in kinds):
        return 0
    largest: dict[int, int] = {}
    zones = each.zones
    for kind in kinds:
        terms = offer(kind, each.pool)
        assert terms
        zones = zones if zones is None or terms.zones is None else zones & terms.zones
        for position, amount in terms.takes:
            largest[position] = max(amount, largest.get(position, 0))
    most = min((each.free[at] // amount for at, amount in largest.items()), default=UNLIMITED)
    apart = any(_apart(one, other, each.pool) for one, other in combinations_with_replacement(kinds, 2))
    return min(most, 1) if apart or zones == frozenset() else most


def slots_of(kind: Needs, each: Bin) -> int:
    """How many pods of one kind fit on one node."""
    terms = offer(kind, each.pool)
    if terms is None:
        return 0
    if terms.zones is not None and each.zones is not None and not terms.zones & each.zones:
        return 0
    if each.inside and any(_apart(kind, other, each.pool) for other in each.inside):
        return 0
    free, most = each.free, 1 if terms.alone else UNLIMITED
    for at, amount in terms.takes:
        if free[at] < most * amount:
            most = free[at] // amount
    return most


def filled(each: Bin, kinds: Sequence[Needs], pattern: Sequence[int]) -> Bin | None:
    """The nodes of a bin with so many pods more of each kind on each of them; None where they do not fit."""
    for kind, count in zip(kinds, pattern, strict=True):
        if not count:
            continue
        terms = offer(kind, each.pool)
        if terms is None or count > slots_of(kind, each):
            return None
        free = list(each.free)
        for position, amount in terms.takes:
            free[position] -= count * amount
        zones = each.zones
        zones = zones if zones is None or terms.zones is None else zones & terms.zones
        each = Bin(each.pool, tuple(free), each.size, zones, each.inside | {kind})
    return each
