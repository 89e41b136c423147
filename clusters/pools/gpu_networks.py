"""The networks between the GPUs of a cluster's pools, as far as they follow from the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network

from clusters.addresses import gpu_ranges
from clusters.facts.gpu_networks import DRANET_LABEL, GpuNetworks, gpu_networks
from clusters.pools.spec import NodePool

RDMA_VPC = "rdma"
_FIRST_RDMA = 8
"""The first of a slot's ranges that RoCE subnets have; those before it belong to VPCs of one subnet each."""


@dataclass(frozen=True)
class Attached:
    """One network that nodes are attached to, beside that of their cluster."""

    name: str
    """Of the Network and GKENetworkParamSet objects, by which pods request it. Source: Google's guides, which also the
    examples of cluster-toolkit and the manifests of others follow: vpc1 to vpc8, gvnic-1, and rdma-0 to rdma-7."""
    vpc: str
    """The VPC that it is a subnet of: its own, or the one that all RoCE subnets share."""
    range: IPv4Network
    mtu: int
    rdma: bool = False


@dataclass(frozen=True)
class OwnNetworks:
    """What the own networks of a cluster's pools are."""

    attached: Sequence[Attached]
    zone: str = ""
    """Where RoCE networks are; empty without any."""


def own_pools(pools: Mapping[str, NodePool]) -> dict[str, GpuNetworks]:
    """The networks of each pool whose networks the program makes; machine types without any are left out."""
    found = {name: gpu_networks().get(pool.machine_type) for name, pool in pools.items() if pool.gpu_networks == "own"}
    return {name: each for name, each in found.items() if each and each.count}


def networks_of(facts: GpuNetworks, slot: int) -> list[Attached]:
    """The networks that nodes of a machine type are attached to, in the order of their interfaces."""
    ranges = gpu_ranges(slot)
    if not facts.rdma:
        return [Attached(f"vpc{n + 1}", f"vpc{n + 1}", ranges[n], facts.mtu) for n in range(facts.count)]
    subnets = [
        Attached(f"rdma-{n}", RDMA_VPC, ranges[_FIRST_RDMA + n], facts.mtu, rdma=True) for n in range(facts.count)
    ]
    return [Attached("gvnic-1", "gvnic-1", ranges[0], facts.mtu), *subnets]


def own_networks(pools: Mapping[str, NodePool], slot: int, cluster_zones: Sequence[str]) -> OwnNetworks | None:
    """The own networks of a cluster, which pools of one kind share; None where no pool has any."""
    own = own_pools(pools)
    if not own:
        return None
    most = max(own.values(), key=lambda each: each.count)
    zones = {zone for name in own for zone in pools[name].zones or cluster_zones}
    return OwnNetworks(networks_of(most, slot), min(zones) if most.rdma else "")


def network_labels(pool: NodePool) -> dict[str, str]:
    """The labels of a pool's nodes by which pods can claim the networks that GKE has made."""
    facts = gpu_networks().get(pool.machine_type)
    return {DRANET_LABEL: "true"} if pool.gpu_networks == "auto" and facts and facts.dranet else {}


def may_have_gpu_networks(pool: NodePool) -> bool:
    """Whether a pool has networks between its GPUs, or can have some."""
    return pool.gpu_networks != "none" or pool.machine_type in gpu_networks()
