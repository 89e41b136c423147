"""Checks that a cluster's slot has enough addresses for its pools at their largest."""

import math
from collections.abc import Iterator, Mapping

from clusters.addresses import NODE_BLOCK, POD_BLOCK
from clusters.pools.spec import NodePool
from clusters.pools.system_pool import SYSTEM, SYSTEM_POOL
from problems import Problem

# Google Cloud reserves the first two and the last two addresses of a subnet, and the control plane has one.
NODES = 2 ** (32 - NODE_BLOCK) - 5
"""How many nodes a slot has addresses for."""
POD_ADDRESSES = 2 ** (32 - POD_BLOCK)
"""How many addresses a slot has for pods."""


def addresses_per_node(max_pods: int) -> int:
    """The addresses that GKE gives each node for its pods: the power of two that is at least twice as many."""
    return 2 ** math.ceil(math.log2(2 * max_pods))


def nodes_left(pools: Mapping[str, NodePool], max_pods: int) -> int:
    """How many more nodes of so many pods a slot has addresses for, beside the pools at their largest."""
    everything = [*pools.values(), SYSTEM]
    nodes = NODES - sum(pool.max_nodes for pool in everything)
    addresses = POD_ADDRESSES - sum(pool.max_nodes * addresses_per_node(pool.max_pods_per_node) for pool in everything)
    return max(0, min(nodes, addresses // addresses_per_node(max_pods)))


def check_capacity(setting: str, pools: Mapping[str, NodePool]) -> Iterator[Problem]:
    """Yields why the pools of a cluster, all at their largest, would not fit; upgrades add no node to them."""
    everything = {**pools, SYSTEM_POOL: SYSTEM}
    nodes = sum(pool.max_nodes for pool in everything.values())
    needed = {name: pool.max_nodes * addresses_per_node(pool.max_pods_per_node) for name, pool in everything.items()}
    largest = max(needed, key=lambda name: needed[name])
    where, pool = f"{setting}.node_pools.{largest}", everything[largest]
    if nodes > NODES:
        advice = f"the pools have up to {nodes} nodes, and the slot has addresses for {NODES}; write a smaller number"
        yield Problem(f"{where}.max_nodes", pool.max_nodes, advice)
    elif sum(needed.values()) > POD_ADDRESSES:
        reason = (
            f"the pods of up to {nodes} nodes take {sum(needed.values())} addresses, and the slot has {POD_ADDRESSES}"
        )
        fewer = _fewer_pods(pool, POD_ADDRESSES - sum(needed.values()) + needed[largest])
        if fewer:
            yield Problem(f"{where}.max_pods_per_node", pool.max_pods_per_node, f"{reason}; write at most {fewer}")
        else:
            yield Problem(f"{where}.max_nodes", pool.max_nodes, f"{reason}; write a smaller number")


def _fewer_pods(pool: NodePool, room: int) -> int:
    """The most pods per node with which a pool fits into so many addresses; 0 where it never does."""
    return next((pods for pods in (128, 64, 32, 16, 8) if pool.max_nodes * addresses_per_node(pods) <= room), 0)
