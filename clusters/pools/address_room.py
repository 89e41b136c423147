"""Checks that a cluster has enough addresses for its pools at their largest."""

import math
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network

from clusters.addresses import NODE_BLOCK, POD_BLOCK, Addresses
from clusters.pools.spec import NodePool
from clusters.pools.system_pool import SYSTEM, SYSTEM_POOL
from problems import Problem

_NOT_FOR_NODES = 5
"""Google Cloud reserves the first two and the last two addresses of a subnet, and the control plane has one."""
NODES = 2 ** (32 - NODE_BLOCK) - _NOT_FOR_NODES
"""How many nodes a slot has addresses for."""
POD_ADDRESSES = 2 ** (32 - POD_BLOCK)
"""How many addresses a slot has for pods."""


def addresses_per_node(max_pods: int) -> int:
    """The addresses that GKE gives each node for its pods: the power of two that is at least twice as many."""
    return 2 ** math.ceil(math.log2(2 * max_pods))


def most_nodes(pools: Mapping[str, NodePool]) -> int:
    """The nodes of a cluster with all its pools at their largest."""
    return sum(pool.max_nodes for pool in {**pools, SYSTEM_POOL: SYSTEM}.values())


def room_for_nodes(block: IPv4Network, clusters: int = 1) -> int:
    """How many nodes a subnet has addresses for, with the control planes of so many clusters in it."""
    return block.num_addresses - _NOT_FOR_NODES + 1 - clusters


def nodes_left(pools: Mapping[str, NodePool], max_pods: int, ranges: Addresses) -> int:
    """How many more nodes of so many pods a cluster has addresses for, beside the pools at their largest."""
    everything = [*pools.values(), SYSTEM]
    addresses = sum(pool.max_nodes * addresses_per_node(pool.max_pods_per_node) for pool in everything)
    for_pods = (ranges.pods.num_addresses - addresses) // addresses_per_node(max_pods)
    return max(0, min(room_for_nodes(ranges.nodes) - most_nodes(pools), for_pods))


def check_capacity(
    setting: str, pools: Mapping[str, NodePool], ranges: Addresses, existing: bool = False
) -> Iterator[Problem]:
    """Yields why the pools of a cluster, all at their largest, would not fit; upgrades add no node to them.

    `existing` says whether the ranges are those of an existing subnet.
    """
    everything = {**pools, SYSTEM_POOL: SYSTEM}
    nodes, room = most_nodes(pools), room_for_nodes(ranges.nodes)
    needed = {name: pool.max_nodes * addresses_per_node(pool.max_pods_per_node) for name, pool in everything.items()}
    largest = max(needed, key=lambda name: needed[name])
    where, pool = f"{setting}.node_pools.{largest}", everything[largest]
    if largest == SYSTEM_POOL:
        # No setting changes that pool.
        yield from _too_small_for_system(setting, nodes, sum(needed.values()), ranges)
        return
    owner, total = "subnet" if existing else "slot", sum(needed.values())
    if nodes > room:
        advice = f"the pools have up to {nodes} nodes, and the {owner} has addresses for {max(room, 0)}"
        yield Problem(f"{where}.max_nodes", pool.max_nodes, f"{advice}; write a smaller number")
    elif total > ranges.pods.num_addresses:
        reason = (
            f"the pods of up to {nodes} nodes take {total} addresses, and the {owner} has {ranges.pods.num_addresses}"
        )
        fewer = _fewer_pods(pool, ranges.pods.num_addresses - total + needed[largest])
        if fewer:
            yield Problem(f"{where}.max_pods_per_node", pool.max_pods_per_node, f"{reason}; write at most {fewer}")
        else:
            yield Problem(f"{where}.max_nodes", pool.max_nodes, f"{reason}; write a smaller number")


def _too_small_for_system(setting: str, nodes: int, total: int, ranges: Addresses) -> Iterator[Problem]:
    if nodes > room_for_nodes(ranges.nodes):
        advice = f"the pools have up to {nodes} nodes, one of them always; write a subnet with more addresses"
        yield Problem(f"{setting}.subnet.nodes", str(ranges.nodes), advice)
    elif total > ranges.pods.num_addresses:
        advice = f"the pods of up to {nodes} nodes take {total} addresses; write a larger range"
        yield Problem(f"{setting}.subnet.pods.range", str(ranges.pods), advice)


def _fewer_pods(pool: NodePool, room: int) -> int:
    """The most pods per node with which a pool fits into so many addresses; 0 where it never does."""
    return next((pods for pods in (128, 64, 32, 16, 8) if pool.max_nodes * addresses_per_node(pods) <= room), 0)
