"""The nodes that GKE could create by auto-provisioning for pods that select no compute class.

GKE creates pools with the CPUs, the memory, the accelerators and the labels that pending pods need, within limits for
the whole cluster, and none with an accelerator that the limits leave out. Which machines it takes is not known, nor is
any label that pods can choose. Source: GKE's "About node pool auto-creation", read in November 2026.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from clusters.classes.auto_provisioning import CPU, MEMORY, amounts, most_of
from clusters.classes.machines import as_pool, machines_of
from clusters.classes.spec import LABEL as CLASS
from clusters.classes.spec import ClassGpu, ClassTpu, Priority
from clusters.facts.machine_sizes import attachable, size_of
from clusters.facts.machines import BUILT_IN
from clusters.facts.regions import accelerators, regions
from clusters.facts.zones import zones_with
from clusters.nodes.class_nodes import is_created
from clusters.nodes.devices import GPU
from clusters.nodes.labels import ARCHITECTURES, TYPES
from clusters.pools.address_room import nodes_left
from clusters.pools.spec import NodePool
from clusters.spec import Cluster

if TYPE_CHECKING:
    from clusters.nodes.nodes import Nodes

_GKE = "cloud.google.com/"
_COUNT = f"{_GKE}gke-accelerator-count"
_DOUBT = "nodes that auto-provisioning makes, of machines that GKE chooses"
_OF_MACHINE = frozenset((*TYPES, f"{_GKE}machine-family", *ARCHITECTURES))
_CHOSEN = frozenset(
    f"{_GKE}{name}"
    for name in (
        "gke-boot-disk",
        "gke-flex-start",
        "gke-gpu-driver-version",
        "gke-gpu-partition-size",
        "gke-gpu-sharing-strategy",
        "gke-max-pods-per-node",
        "gke-max-shared-clients-per-gpu",
        "gke-provisioning",
        "gke-spot",
        "reservation-affinity",
        "reservation-name",
        "reservation-project",
    )
)
_MOST_GPUS = 16
"""As many as any machine has, where no table says it of a GPU."""


def is_made(nodes: "Nodes") -> bool:
    """Whether these are the nodes that auto-provisioning could make for pods of no class."""
    return is_created(nodes.pool) and CLASS not in nodes.labels


def auto_nodes(cluster: Cluster, nodes: Callable[[str, NodePool, Cluster], "Nodes"]) -> list["Nodes"]:
    """Those without accelerators, and those with each accelerator that the limits and the region have.

    They are named as auto-provisioning/nvidia-l4. `nodes` makes those of a pool.
    """
    auto = cluster.auto_provisioning
    if auto is None or not auto.enabled:
        return []
    left = most_of(auto.limits, cluster.node_pools)
    most = nodes_left(cluster.node_pools, Priority().max_pods_per_node, cluster.addresses)
    if min(left.get(CPU, 0), left.get(MEMORY, 0), most) < 1:
        return []
    of_all = {"cpu": left[CPU] * 1000, "memory": left[MEMORY] * 2**30}
    found: list[Nodes] = []
    for name, priority in [("cpu", Priority()), *_priorities(left)]:
        pool = as_pool("", priority, auto)
        if (zones := _zones(pool, cluster)) is None:
            continue
        own = _of_no_pool(nodes(f"auto-provisioning/{name}", pool.model_copy(update={"zones": zones}), cluster))
        if priority.tpu:
            found.append(_slices(own, pool, left, most))
        else:
            limits = of_all | ({GPU: left[name]} if priority.gpu else {})
            found.append(_of_any_size(own, limits, most))
    return [each for each in found if each.most]


def counted(node: "Nodes") -> dict[str, int]:
    """What a node that exists takes of the limits, its GPUs included, as far as its labels say it."""
    machine, number = node.labels.get(TYPES[0], ""), node.labels.get(_COUNT, "")
    size, (_, gpus) = size_of(machine), BUILT_IN.get(machine, ("", 0))
    found = {"cpu": size.vcpus * 1000, "memory": int(size.memory_gib * 2**30)} if size else dict[str, int]()
    found[GPU] = gpus or (int(number) if number.isdecimal() else 0)
    # What is free on it is known at the least.
    return {name: max(found.get(name, 0), node.allocatable.get(name, 0)) for name in ("cpu", "memory", GPU)}


def _priorities(left: Mapping[str, int]) -> Iterator[tuple[str, Priority]]:
    """What is left of each accelerator, as machines of a class would be written; GPUs in the largest number of one."""
    for name, amount in sorted(left.items()):
        for machine, tpu in machines_of(name).items():
            for topology in tpu.topologies:
                of_slice = ClassTpu(type=name, count=tpu.chips, topology=topology)
                yield f"{machine}-{topology}", Priority(machine_type=machine, tpu=of_slice)
        if name not in (CPU, MEMORY) and not machines_of(name) and (count := _most_gpus(name, amount)):
            yield name, Priority(gpu=ClassGpu(type=name, count=count))


def _most_gpus(accelerator: str, left: int) -> int:
    """The most GPUs of a machine that the limits leave room for."""
    known = {count for kind, count in BUILT_IN.values() if kind == accelerator}
    known |= {*attachable("n1-any").get(accelerator, ())}
    return max((each for each in known or range(1, _MOST_GPUS + 1) if each <= left), default=0)


def _zones(pool: NodePool, cluster: Cluster) -> list[str] | None:
    """The zones in which there may be such nodes, none where Google chooses; None where they are nowhere."""
    own, accelerator = pool.zones or cluster.zones, pool.accelerator_name
    listed = zones_with(pool.machine_type, accelerator) if accelerator else None
    if pool.accelerator and accelerator in accelerators() - regions()[cluster.region].accelerators:
        return None
    if pool.tpu and listed and not listed.has(cluster.region):
        return None
    kept = [zone for zone in own if listed is None or listed.may_have(zone, cluster.region)]
    return kept if kept or not own else None


def _of_no_pool(own: "Nodes") -> "Nodes":
    """The same nodes without what the settings give to pools, and without what pods or GKE choose."""
    hidden = _CHOSEN if size_of(own.labels.get(TYPES[0], "")) else _CHOSEN | _OF_MACHINE
    labels = {key: value for key, value in own.labels.items() if key != "role" and key not in hidden}
    return replace(own, labels=labels, unsure=own.unsure | hidden, system={}, doubts=(_DOUBT,))


def _slices(own: "Nodes", pool: NodePool, left: Mapping[str, int], most: int) -> "Nodes":
    """As many nodes as the limits leave, in whole slices."""
    most = min(most, *(left.get(name, 0) // amount for name, amount in amounts(pool).items() if amount))
    return replace(own, most=most // own.slice_nodes * own.slice_nodes)


def _of_any_size(own: "Nodes", limits: Mapping[str, int], most: int) -> "Nodes":
    """So many nodes at the most, of which each has what the pods need, and all together what the limits leave."""
    total = {name: amount * most for name, amount in own.allocatable.items()} | {**limits}
    largest = {**limits, **own.allocatable}
    return replace(own, allocatable=largest, most=1, total=total, unsure=own.unsure.difference(limits))
