"""Which nodes of a pool are close to each other, and by what: slices of TPUs, domains of GPUs, and compact pools."""

from typing import Literal

from clusters.facts.machine_sizes import tpus
from clusters.facts.topologies import slice_nodes
from clusters.facts.workload_policies import domain_of, needs_workload_policy
from clusters.pools.spec import NodePool

PolicyOf = Literal["none", "pool", "workload"]


def nodes_of(pool: NodePool) -> int:
    """How many nodes make a slice of the pool: 1 where each is one, and for a pool without TPUs."""
    return slice_nodes(pool.machine_type, pool.tpu.topology) if pool.tpu else 1


def is_slice(pool: NodePool) -> bool:
    """Whether all nodes of the pool are one slice, of which none is there without the others."""
    return nodes_of(pool) > 1


def is_always_there(pool: NodePool) -> bool:
    """Whether the pool is a slice that no autoscaler removes."""
    return is_slice(pool) and pool.min_nodes == pool.max_nodes


def policy_of(pool: NodePool) -> PolicyOf:
    """What places the pool's nodes close to each other: nothing, the pool's own policy, or a workload policy."""
    if not (is_slice(pool) or (pool.compact and pool.machine_type not in tpus())):
        return "none"
    return "workload" if needs_workload_policy(pool.machine_type) else "pool"


def policy_topology(pool: NodePool) -> str:
    """The topology of the accelerators of a pool that has a workload policy."""
    domain = domain_of(pool.machine_type)
    return pool.tpu.topology if pool.tpu else domain.topology if domain else ""
