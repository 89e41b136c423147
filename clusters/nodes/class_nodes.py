"""The nodes that GKE could create for a cluster's compute classes, beside those of its own pools.

There are as many as auto_provisioning's limits leave beside the own pools at their largest. What the settings leave to
GKE, such as the size of a machine, is unsure.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from clusters.classes.auto_provisioning import AutoProvisioning, amounts, most_of
from clusters.classes.machines import UNKNOWN_SIZE, as_pool, nodes_of_slice
from clusters.classes.spec import ComputeClass, Priority
from clusters.nodes.labels import TYPES
from clusters.pools.address_room import nodes_left
from clusters.pools.spec import NodePool
from clusters.spec import Cluster

if TYPE_CHECKING:
    from clusters.nodes.nodes import Nodes

_GKE = "cloud.google.com/"
_POOL, _DISK, _FAMILY = f"{_GKE}gke-nodepool", f"{_GKE}gke-boot-disk", f"{_GKE}machine-family"
_TOPOLOGY = f"{_GKE}gke-tpu-topology"
_RESERVED = tuple(f"{_GKE}reservation-{each}" for each in ("name", "project", "affinity"))


class _Shape(NamedTuple):
    """Priorities of a class with the same machines, which differ only in how these are bought."""

    name: str
    pools: tuple[NodePool, ...]
    priority: Priority


def is_created(pool: str) -> bool:
    """Whether nodes are of a pool that GKE would create: the names of these have a slash, as fast/2 of a class."""
    return "/" in pool


def class_nodes(cluster: Cluster, nodes: Callable[[str, NodePool, Cluster], "Nodes"]) -> list["Nodes"]:
    """The nodes by class and priority, named as fast/2 for the second one of fast; `nodes` makes those of a pool."""
    auto = cluster.auto_provisioning
    if auto is None or not auto.enabled:
        return []
    left = {name: max(0, amount) for name, amount in most_of(auto.limits, cluster.node_pools).items()}
    shapes = [
        shape
        for name, each in sorted(cluster.compute_classes.items())
        if each.create_pools
        for shape in _shapes(name, each, auto)
    ]
    most = {each.name: _most(each, left, cluster) for each in shapes}
    shared = _shared(shapes, most, left)
    return [_of_shape(each, most[each.name], each.name in shared, cluster, nodes) for each in shapes]


def _shapes(name: str, spec: ComputeClass, auto: AutoProvisioning) -> Iterator[_Shape]:
    found: dict[object, _Shape] = {}
    for number, priority in enumerate(spec.priorities, 1):
        if not priority.pools:
            pool = as_pool(name, priority, auto)
            # The same machines are created only once, whichever way they are bought.
            key = (pool.machine_type, str(pool.accelerator), str(priority.tpu), priority.max_pods_per_node)
            before = found.get(key, _Shape(f"{name}/{number}", (), priority))
            found[key] = before._replace(pools=(*before.pools, pool))
    yield from found.values()
    if spec.when_unsatisfiable == "ScaleUpAnyway":
        anything = Priority()
        yield _Shape(f"{name}/any", (as_pool(name, anything, auto),), anything)


def _most(shape: _Shape, left: Mapping[str, int], cluster: Cluster) -> int:
    """How many such nodes the limits and the addresses leave; those of a slice are made all together."""
    needed = _needed(shape)
    # Where its accelerator has no limit, GKE creates none.
    by_limits = min(left.get(name, 0) // amount for name, amount in needed.items() if amount)
    most = min(by_limits, nodes_left(cluster.node_pools, shape.priority.max_pods_per_node, cluster.addresses))
    slices = nodes_of_slice(shape.priority)
    return most // slices * slices


def _needed(shape: _Shape) -> dict[str, int]:
    """What each node counts against the limits, at the least."""
    least = {"cpu": shape.priority.min_cores or 1, "memory": shape.priority.min_memory_gb or 1}
    return least | amounts(shape.pools[0])


def _shared(shapes: Sequence[_Shape], most: Mapping[str, int], left: Mapping[str, int]) -> set[str]:
    """The shapes that cannot all be created to their most together, by the limits."""
    sums = Counter[str]()
    for each in shapes:
        sums.update({name: amount * most[each.name] for name, amount in _needed(each).items()})
    scarce = {name for name, amount in sums.items() if amount > left.get(name, 0)}
    return {each.name for each in shapes if len(shapes) > 1 and scarce & _needed(each).keys()}


def _of_shape(
    shape: _Shape,
    most: int,
    shared: bool,
    cluster: Cluster,
    nodes: Callable[[str, NodePool, Cluster], "Nodes"],
) -> "Nodes":
    alike = [nodes(shape.name, pool, cluster) for pool in shape.pools]
    first, others = alike[0], alike[1:]
    hidden = {_POOL, _DISK, *_RESERVED}
    if shape.pools[0].machine_type.endswith(UNKNOWN_SIZE):
        hidden |= {*TYPES} if shape.priority.machine_family else {*TYPES, _FAMILY}
    hidden |= {key for each in others for key, _ in first.labels.items() ^ each.labels.items()}
    labels = {key: value for key, value in first.labels.items() if key not in hidden}
    unsure = frozenset(hidden).union(*(each.unsure for each in alike))
    zones = first.zones if all({*each.zones} == {*first.zones} for each in others) else ()
    if not zones and first.zones:
        unsure |= {"topology.kubernetes.io/zone", "topology.gke.io/zone"}
    if tpu := shape.priority.tpu:
        labels[_TOPOLOGY] = tpu.topology
        unsure -= {_TOPOLOGY}
    doubts = (f"the limits of auto_provisioning, which {first.pool} shares with other priorities",) if shared else ()
    return replace(first, labels=labels, most=most, zones=zones, unsure=unsure, doubts=doubts)
