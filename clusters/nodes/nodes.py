"""Nodes as the scheduler sees them: what each node of a pool offers to pods, and how many there can be."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from clusters.classes.spec import LABEL as CLASS
from clusters.facts import allocatable
from clusters.facts.machine_families import family_of, local_ssd_gib
from clusters.facts.machine_sizes import size_of, tpus
from clusters.facts.machines import always_has_ssds, is_sure
from clusters.facts.partitions import parts_of, unsure_partition
from clusters.facts.system_pods import system_requests
from clusters.nodes.auto_nodes import auto_nodes
from clusters.nodes.class_nodes import class_nodes
from clusters.nodes.devices import GPU, TPU, devices, networks
from clusters.nodes.labels import node_labels, unsure_labels, zones_of
from clusters.pools import slices
from clusters.pools.accelerator import Accelerator
from clusters.pools.spec import NodePool
from clusters.pools.system_pool import SYSTEM, SYSTEM_POOL
from clusters.spec import Cluster

"""The resources of which each GPU, or each chip of a TPU, is one."""


@dataclass(frozen=True)
class Taint:
    """What keeps pods away from a node unless they tolerate it."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True)
class Nodes:
    """The nodes of one pool, which are all alike.

    `allocatable` is what pods can request of a node: cpu in thousandths, memory and ephemeral-storage in bytes, and
    everything else, such as pods, nvidia.com/gpu, networks and classes of devices, in whole numbers. `most` is how many
    nodes there can be. `zones` are those in which its nodes can be, empty where Google chooses. `unsure` has the
    resources and label keys of which the value is not certain. `system` is about what GKE's own pods request on each of
    them; nothing on a node that exists, of which that is known. `slice_nodes` is how many of the nodes are one slice of
    TPUs together, of which none is there without the others: 1 where each is by itself.
    """

    pool: str
    labels: Mapping[str, str]
    allocatable: Mapping[str, int]
    most: int
    taints: tuple[Taint, ...] = ()
    zones: tuple[str, ...] = ()
    unsure: frozenset[str] = frozenset()
    system: Mapping[str, int] = field(default_factory=dict[str, int])
    slice_nodes: int = 1
    total: Mapping[str, int] = field(default_factory=dict[str, int])
    """What all have together, where GKE chooses how many there are; `allocatable` is then what the largest can have."""
    doubts: tuple[str, ...] = ()
    """What else whether there is such a node depends on, and is not certain."""


GPU_TAINT = Taint(GPU, "present", "NoSchedule")
"""What the factory writes into every pool with GPUs; GKE adds it to some of them alone."""
TPU_TAINT = Taint(TPU, "present", "NoSchedule")
"""What the factory writes into every pool with TPUs."""
_ARM_TAINT = Taint("kubernetes.io/arch", "arm64", "NoSchedule")
_QUEUED_TAINT = Taint("cloud.google.com/gke-queued", "true", "NoSchedule")


def nodes_of(cluster: Cluster) -> list[Nodes]:
    """The nodes that a cluster can have, by pool: those of the system pool first, then those of its settings by name.

    They are as an empty node of each pool is on GKE, before GKE's own pods are on it, and as many as the pool has at
    its largest. At the end are the nodes that GKE could create: for the cluster's compute classes, and for other pods.
    """
    pools = {SYSTEM_POOL: SYSTEM} | dict(sorted(cluster.node_pools.items()))
    own = [_nodes(name, pool, cluster) for name, pool in pools.items()]
    return own + class_nodes(cluster, _nodes) + auto_nodes(cluster, _nodes)


def _nodes(name: str, pool: NodePool, cluster: Cluster) -> Nodes:
    claimed = devices(name, pool)
    return Nodes(
        name,
        node_labels(name, pool, cluster),
        _allocatable(pool) | networks(pool) | {each: count for each, count in claimed.items() if count},
        pool.max_nodes,
        taints(pool),
        zones_of(pool, cluster),
        unsure_labels(pool, cluster) | _unsure_resources(pool) | {each for each in claimed if not claimed[each]},
        system_requests(pool.accelerator is not None and not pool.accelerator.dra, pool.machine_type in tpus()),
        slices.nodes_of(pool),
    )


def taints(pool: NodePool) -> tuple[Taint, ...]:
    """The taints of a pool's nodes: the factory's, and those that GKE adds. Spot nodes have none on GKE Standard."""
    family = family_of(pool.machine_type)
    found = {
        GPU_TAINT: pool.accelerator is not None,
        TPU_TAINT: pool.machine_type in tpus(),
        _ARM_TAINT: family is not None and family.arch == "arm64",
        _QUEUED_TAINT: pool.queued,
    }
    own = (Taint(CLASS, pool.compute_class, "NoSchedule"),) if pool.compute_class else ()
    return tuple(taint for taint, true in found.items() if true) + own


def own_taints(pool: NodePool) -> tuple[Taint, ...]:
    """Those of the taints that the factory writes into the pool."""
    return tuple(taint for taint in taints(pool) if taint not in (_ARM_TAINT, _QUEUED_TAINT))


def _allocatable(pool: NodePool) -> dict[str, int]:
    size, tpu = size_of(pool.machine_type), tpus().get(pool.machine_type)
    found = {"pods": pool.max_pods_per_node}
    if size:
        found["cpu"] = allocatable.cpu(pool.machine_type, size.vcpus, pool.max_pods_per_node)
        found["memory"] = allocatable.memory(size.memory_gib)
    if pool.local_ssds and pool.local_ssds.use == "ephemeral":
        found["ephemeral-storage"] = allocatable.local_ssds(pool.local_ssds.count, local_ssd_gib(pool.machine_type))
    elif pool.local_ssds or not always_has_ssds(pool.machine_type):
        found["ephemeral-storage"] = allocatable.boot_disk(pool.disk_gb)
    if pool.accelerator and not pool.accelerator.dra:
        found[GPU] = _gpus(pool.accelerator)
    return found | ({TPU: tpu.chips} if tpu else {})


def _gpus(own: Accelerator) -> int:
    """How many nvidia.com/gpu a node has: each part of each GPU counts as often as pods may share it."""
    parts = parts_of(own.type, own.partition) or 1
    return own.count * parts * (own.sharing.clients if own.sharing else 1)


def _unsure_resources(pool: NodePool) -> frozenset[str]:
    size, tpu, own = size_of(pool.machine_type), tpus().get(pool.machine_type), pool.accelerator
    found = {
        "cpu": size is None or pool.max_pods_per_node > allocatable.MANY_PODS or (tpu and not tpu.sure_size),
        "memory": size is None or (tpu and not tpu.sure_size),
        # GKE puts it on local SSDs that are always present, unless the pool says otherwise.
        "ephemeral-storage": not pool.local_ssds and always_has_ssds(pool.machine_type),
        GPU: own and not own.dra and (not is_sure(pool.machine_type) or unsure_partition(own.type, own.partition)),
        TPU: tpu and not tpu.sure,
    }
    return frozenset(resource for resource, true in found.items() if true)
