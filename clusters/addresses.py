"""The address plan: which blocks of the private network belong to which cluster.

A cluster's blocks follow from its slot alone, so none changes when another cluster is added or removed.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network

# Pools that do not overlap, and the prefix length of one cluster's block in each: a /20 of nodes (4,092 addresses),
# a /16 of pods (256 nodes of 110 pods) and a /20 of services (4,096).
NODES, NODE_BLOCK = IPv4Network("10.0.0.0/12"), 20
SERVICES, SERVICE_BLOCK = IPv4Network("10.32.0.0/14"), 20
PODS, POD_BLOCK = IPv4Network("10.64.0.0/10"), 16
# And a /20 for each cluster's file servers. A control plane has one address in the range of its nodes.
FILES, FILE_BLOCK = IPv4Network("10.48.0.0/14"), 20
# And a /18 for each cluster's networks between GPUs: 16 subnets of 1,020 nodes. These VPCs are not connected to others.
GPU_NETWORKS, GPU_BLOCK, GPU_SUBNET = IPv4Network("10.16.0.0/12"), 18, 22

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))


def _blocks(pool: IPv4Network, prefix: int) -> int:
    return 2 ** (prefix - pool.prefixlen)


SLOTS = min(_blocks(NODES, NODE_BLOCK), _blocks(SERVICES, SERVICE_BLOCK), _blocks(PODS, POD_BLOCK))


@dataclass(frozen=True)
class Addresses:
    """One cluster's ranges."""

    nodes: IPv4Network
    pods: IPv4Network
    services: IPv4Network


def addresses(slot: int) -> Addresses:
    """The ranges of a slot, from 0 to SLOTS - 1; raises ValueError for any other."""
    if not 0 <= slot < SLOTS:
        raise ValueError(f"slot {slot} is outside the address plan; write a number from 0 to {SLOTS - 1}")
    return Addresses(
        nodes=_block(NODES, NODE_BLOCK, slot),
        pods=_block(PODS, POD_BLOCK, slot),
        services=_block(SERVICES, SERVICE_BLOCK, slot),
    )


def file_range(slot: int) -> IPv4Network:
    """The range in which a slot's file servers get their addresses."""
    return _block(FILES, FILE_BLOCK, slot)


def gpu_ranges(slot: int) -> tuple[IPv4Network, ...]:
    """The ranges of a slot's networks between GPUs, one for each subnet."""
    return tuple(_block(GPU_NETWORKS, GPU_BLOCK, slot).subnets(new_prefix=GPU_SUBNET))


def is_private(block: str) -> bool:
    """Whether a range is inside the private networks, as Google Cloud defines them."""
    return any(IPv4Network(block).subnet_of(each) for each in _PRIVATE)


def _block(pool: IPv4Network, prefix: int, slot: int) -> IPv4Network:
    size = 2 ** (32 - prefix)
    return IPv4Network((int(pool.network_address) + slot * size, prefix))
