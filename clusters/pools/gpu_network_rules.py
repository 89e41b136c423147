"""What must hold between the settings of networks between GPUs."""

from collections.abc import Iterator, Mapping, Sequence

from clusters.addresses import GPU_SUBNET
from clusters.facts.gpu_networks import DRANET_SINCE, TABLE, GpuNetworks, gpu_networks
from clusters.facts.machines import is_known
from clusters.pools.gpu_networks import own_pools
from clusters.pools.spec import NodePool
from clusters.pools.zones import spread_over
from clusters.versions import is_older
from problems import Problem

NODES = 2 ** (32 - GPU_SUBNET) - 4
"""How many nodes each network between GPUs has addresses for: Google Cloud reserves four of each subnet."""
_EXAMPLE = "a3-megagpu-8g"


def check_gpu_networks(setting: str, pools: Mapping[str, NodePool], cluster_zones: Sequence[str]) -> Iterator[Problem]:
    """Yields what is wrong with the networks between GPUs of a cluster's pools; `setting` is the cluster's own path."""
    for name, pool in pools.items():
        if pool.gpu_networks != "none":
            yield from _check_pool(f"{setting}.node_pools.{name}", pool, cluster_zones)
    yield from _check_together(f"{setting}.node_pools", pools, cluster_zones)


def doubtful_gpu_networks(setting: str, pools: Mapping[str, NodePool], kubernetes: str) -> Iterator[str]:
    """Yields a warning for each network between GPUs that depends on an unsure fact, or that may be of no use."""
    for name, pool in pools.items():
        where, facts = f"{setting}.node_pools.{name}", gpu_networks().get(pool.machine_type)
        if pool.gpu_networks == "none":
            continue
        if facts is None:
            yield f"{where}.gpu_networks: {TABLE} does not know {pool.machine_type}; if no node comes up, write none"
            continue
        if not (facts.sure_own if pool.gpu_networks == "own" else facts.sure_auto):
            other = "auto" if pool.gpu_networks == "own" else "own"
            yield f"{where}.gpu_networks: {TABLE} is not sure of it ({facts.note}); if no node comes up, write {other}"
        if pool.accelerator and pool.accelerator.sharing:
            yield (
                f"{where}.gpu_networks: GPUDirect is for pods that have all GPUs of a node, and these are shared; "
                "remove accelerator.sharing, or write none"
            )
        if pool.gpu_networks == "auto" and facts.dranet and is_older(kubernetes, DRANET_SINCE):
            yield (
                f"{setting}.kubernetes: {kubernetes}: pods claim the networks of pool {name} from GKE "
                f"1.34.1-gke.1829001 on; write that, or a newer version"
            )


def _check_pool(setting: str, pool: NodePool, cluster_zones: Sequence[str]) -> Iterator[Problem]:
    facts, where, value = gpu_networks().get(pool.machine_type), f"{setting}.gpu_networks", pool.gpu_networks
    if facts is None:
        # One that no table knows may have them: GKE then makes them, but how many there are is not known here.
        if value == "own" or is_known(pool.machine_type):
            advice = f"{TABLE} has no networks of {pool.machine_type}; write none, or a machine type such as {_EXAMPLE}"
            yield Problem(where, value, advice)
        return
    if value == "own" and not facts.count:
        yield Problem(where, value, f"only GKE makes the networks of {pool.machine_type}; write auto")
    if value == "auto" and not facts.auto:
        yield Problem(where, value, f"GKE does not make the networks of {pool.machine_type}; write own")
    zones = tuple(dict.fromkeys(pool.zones or cluster_zones))
    if len(zones) != 1 and (facts.rdma or value == "auto"):
        advice = f"these networks are in one zone, and {spread_over(zones)}; write zones with one zone"
        yield Problem(where, value, advice)
    if pool.fast_socket:
        advice = "NCCL uses either Fast Socket or GPUDirect; write false, or gpu_networks: none"
        yield Problem(f"{setting}.fast_socket", True, advice)
    if value == "own" and facts.count and pool.max_nodes > NODES:
        advice = f"each network between GPUs has addresses for {NODES} nodes; write a smaller number"
        yield Problem(f"{setting}.max_nodes", pool.max_nodes, advice)


def _check_together(setting: str, pools: Mapping[str, NodePool], cluster_zones: Sequence[str]) -> Iterator[Problem]:
    own = own_pools(pools)
    automatic = [name for name, pool in pools.items() if pool.gpu_networks == "auto"]
    for name in own if automatic else ():
        advice = f"GKE takes only one of the two in a cluster, and pool {automatic[0]} has auto; write auto for both"
        yield Problem(f"{setting}.{name}.gpu_networks", "own", f"{advice}, or another cluster for one of them")
    first = next(iter(own), "")
    for name, facts in own.items():
        if _fabric(facts) != _fabric(own[first]):
            advice = f"{_fabric(facts)}, and pool {first} has {_fabric(own[first])}, whose drivers exclude each other"
            yield Problem(f"{setting}.{name}.gpu_networks", "own", f"{advice}; make another cluster for one of them")
        here, there = (set(pools[each].zones or cluster_zones) for each in (name, first))
        if facts.rdma and own[first].rdma and len(here) == len(there) == 1 and here != there:
            advice = f"the RoCE networks of a cluster are in one zone, and pool {first} is in {min(there)}"
            yield Problem(f"{setting}.{name}.zones", min(here), f"{advice}; write that, or make another cluster")
    nodes = sum(pools[name].max_nodes for name in own)
    largest = max(own, key=lambda name: pools[name].max_nodes, default="")
    if len(own) > 1 and nodes > NODES >= max(pools[name].max_nodes for name in own):
        advice = f"pools with own networks have up to {nodes} nodes, and each network has addresses for {NODES}"
        yield Problem(f"{setting}.{largest}.max_nodes", pools[largest].max_nodes, f"{advice}; write a smaller number")


def _fabric(facts: GpuNetworks) -> str:
    return "RDMA" if facts.rdma else "GPUDirect over TCP"
