"""What each member has room for: its pools at their largest, less what other workloads of the stack take, and now.

It counts; which members a workload takes is decided by the policies.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from clusters.facts.gpu_networks import AUTO_LABEL
from clusters.nodes.auto_nodes import counted
from clusters.nodes.class_nodes import is_created
from clusters.nodes.devices import is_claimed
from clusters.nodes.nodes import GPU, Nodes, nodes_of
from clusters.spec import Cluster
from placement.fit.classes import COMPUTE_CLASS
from placement.fit.node_labels import GPU_LABEL, HOSTNAME, MACHINE
from placement.fit.packing import fitting, pools_of, without
from placement.fit.room import Bin, Gang, Room, merged, offer, room, surely

MANY = 1000
"""As many units as are counted in a member that has room for more."""


@dataclass(frozen=True)
class Space:
    """What one member offers a workload.

    `largest` has its pools at their largest, and nothing on them; `left` is what the stack's other workloads leave of
    it, and `sure` the same beside GKE's own pods, for what fits there without a doubt. Where the member was measured,
    `now` is what is free on the nodes that it has, and `grown` the same with all the nodes that can still be added.
    """

    largest: Room
    left: Room
    sure: Room
    now: Room | None = None
    grown: Room | None = None

    def room(self, gang: Gang, most: int = MANY) -> int:
        """How many gangs fit beside the stack's other workloads, now or after a scale-up."""
        least = fitting(self.left, gang, most)
        return least if self.grown is None else min(least, fitting(self.grown, gang, most))

    def alone(self) -> "Space":
        """What it offers a workload that is not counted beside the stack's other ones, since it waits for them."""
        return replace(self, left=self.largest, grown=self.grown and self.largest)

    def now_and_whole(self, gang: Gang, most: int = MANY) -> tuple[int, int]:
        """How many of them fit on the nodes that exist, 0 where that was not measured, and how many in all."""
        whole = self.room(gang, most)
        return 0 if self.now is None else fitting(self.now, gang, whole), whole

    def without(self, gang: Gang, count: int) -> "Space":
        """What is left beside so many gangs that are still to run, as far as they fit."""
        if not count:
            return self
        now, grown = self.now, self.grown
        return replace(
            self.beside(gang, count),
            now=now and _without(now, gang, count),
            grown=grown and _without(grown, gang, count),
        )

    def beside(self, gang: Gang, count: int) -> "Space":
        """What is left beside so many gangs that run already, so that what is free now is without them."""
        if not count:
            return self
        return replace(self, left=_without(self.left, gang, count), sure=_without(self.sure, gang, count))

    def starting(self, gangs: Iterable[tuple[Gang, int]]) -> "Space":
        """What is left beside pods that are counted already, and that run on no node yet."""
        now, grown = self.now, self.grown
        for gang, count in gangs:
            now, grown = now and _without(now, gang, count), grown and _without(grown, gang, count)
        return replace(self, now=now, grown=grown)

    def has_pool_for(self, gang: Gang) -> bool:
        """Whether each of the pods fits on an empty node of some pool."""
        return all(any(offer(kind, each.pool) for each in self.largest.bins) for kind in gang.kinds)

    def growing(self, gang: Gang, rest: int) -> list[str]:
        """The pools to which nodes are added for so many gangs, beside those that fit now."""
        if rest <= 0 or self.grown is None:
            return []
        new = Room(tuple(each for each in self.grown.bins if HOSTNAME not in each.pool.nodes.labels))
        rest = min(rest, fitting(new, gang, rest))
        return sorted({name for kind in pools_of(new, gang, rest) for name in kind}) if rest else []


def spaces_of(clusters: Mapping[str, Cluster]) -> dict[str, Space]:
    """What each cluster, as its settings say it, offers to the first workload."""
    return spaces({name: nodes_of(cluster) for name, cluster in clusters.items()})


def spaces(nodes: Mapping[str, Sequence[Nodes]]) -> dict[str, Space]:
    """What each member offers to the first workload."""
    known = _known(nodes)
    rooms = {name: room(own, known) for name, own in nodes.items()}
    return {name: Space(own, own, surely(own)) for name, own in rooms.items()}


def _known(nodes: Mapping[str, Sequence[Nodes]]) -> frozenset[str]:
    """The labels and resources that the stack gives to some node, so that a node without them surely lacks them."""
    every = [each for own in nodes.values() for each in own]
    return frozenset(key for each in every for key in (*each.labels, *each.allocatable))


def measured(space: Space, live: Iterable[Nodes], existing: Mapping[str, int] | None = None) -> Space:
    """The space of a member with what is free on its live nodes, each with a most of 1, and what its pools can add.

    `existing` is how many nodes each pool has; left out, the live ones are all. One that takes no pods is one of them.
    """
    pools = {each.pool.nodes.pool: each.pool.nodes for each in space.largest.bins}
    there = [_with_devices(each, pools[each.pool]) if each.pool in pools else each for each in live]
    known = next((each.pool.known for each in space.largest.bins), frozenset[str]())
    now = room(there, known)
    number = existing if existing is not None else Counter(each.pool for each in there)
    created = _created(space, there)
    made = [node for node in there if node.pool not in pools or is_created(node.pool)]
    added = [
        _beside(each, made)
        if each.pool.nodes.total
        else each._replace(size=each.size - number.get(each.pool.nodes.pool, 0) - created.get(each.pool.nodes.pool, 0))
        for each in space.largest.bins
    ]
    return replace(space, now=now, grown=merged([*now.bins, *added]))


def _with_devices(node: Nodes, pool: Nodes) -> Nodes:
    """A live node with the networks and devices that its status need not list, as its pool has them by the settings."""
    listed = {name: amount for name, amount in pool.allocatable.items() if is_claimed(name)}
    unsure = node.unsure | {name for name in pool.unsure if is_claimed(name) or name == AUTO_LABEL}
    return replace(node, allocatable={**listed, **node.allocatable}, unsure=unsure)


def _created(space: Space, there: Iterable[Nodes]) -> Counter[str]:
    """How many nodes exist in the pools that GKE creates for compute classes, by the name that they have in a space.

    Each counts for every priority of its class whose machine it can be: its name does not say which one made it.
    """
    pools = {each.pool.nodes.pool: each.pool.nodes for each in space.largest.bins}
    created = [each for name, each in pools.items() if is_created(name)]
    found = Counter[str]()
    for node in there:
        if created and node.pool not in pools:
            found.update(each.pool for each in created if _may_be_of(node, each))
    return found


def _beside(each: Bin, created: Iterable[Nodes]) -> Bin:
    """What GKE can still create of nodes whose sizes it chooses, beside those that it created already."""
    used = Counter[str]()
    accelerator = each.pool.nodes.labels.get(GPU_LABEL)
    for node in created:
        others = node.labels.get(GPU_LABEL) != accelerator
        used.update({name: amount for name, amount in counted(node).items() if not (name == GPU and others)})
    amounts = zip(each.pool.resources, each.free, strict=True)
    return each._replace(free=tuple(max(0, amount - used.get(name, 0)) for name, amount in amounts))


def _may_be_of(node: Nodes, created: Nodes) -> bool:
    keys = (COMPUTE_CLASS, MACHINE)
    return all(key not in created.labels or node.labels.get(key) == created.labels[key] for key in keys)


def unreachable(space: Space) -> Space:
    """The space of a member that does not answer: nothing is free there, and no node is added."""
    return replace(space, now=Room(()), grown=Room(()))


def _without(free: Room, gang: Gang, count: int) -> Room:
    return without(free, gang, fitting(free, gang, count))[0]
