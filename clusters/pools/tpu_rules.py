"""What must hold between the settings of a pool with TPUs, where GKE would refuse it or never make a node of it."""

from collections.abc import Iterator, Mapping, Sequence

from clusters.facts.machine_sizes import tpus
from clusters.facts.topologies import TABLE, unsure_topology, wrong_topology
from clusters.facts.workload_policies import domain_of
from clusters.pools.slices import is_slice, nodes_of, policy_of
from clusters.pools.spec import NodePool
from clusters.pools.tpus import MOST_NODES
from clusters.versions import is_older
from problems import Problem

_EXAMPLE = "ct5lp-hightpu-4t"


def check_tpus(setting: str, pool: NodePool, region: str, cluster_zones: Sequence[str]) -> Iterator[Problem]:
    """Yields what is wrong with the TPUs of a pool; `setting` is the pool's own path."""
    machine = pool.machine_type
    tpu = tpus().get(machine)
    if tpu is None:
        if pool.tpu:
            advice = f"{machine} has no TPUs; remove it, or write a machine type that has them, such as {_EXAMPLE}"
            yield Problem(f"{setting}.tpu", pool.tpu.topology or None, advice)
        return
    if pool.compact:
        advice = "nodes of a slice are close to each other, and no others need be; write false"
        yield Problem(f"{setting}.compact", True, advice)
    topology = pool.tpu.topology if pool.tpu else ""
    if advice := wrong_topology(machine, topology):
        yield Problem(f"{setting}.tpu.topology", topology or None, advice)
    elif is_slice(pool):
        yield from _check_slice(setting, pool, topology, region, pool.zones or cluster_zones)


def _check_slice(setting: str, pool: NodePool, topology: str, region: str, zones: Sequence[str]) -> Iterator[Problem]:
    nodes = nodes_of(pool)
    what = f"a slice of {topology} is {nodes} nodes of {pool.machine_type}"
    if nodes > MOST_NODES:
        advice = f"{what}, and a pool has at most {MOST_NODES}; write a smaller topology"
        yield Problem(f"{setting}.tpu.topology", topology, advice)
        return
    if pool.max_nodes != nodes:
        yield Problem(f"{setting}.max_nodes", pool.max_nodes, f"{what}; write {nodes}, or leave it out")
    if pool.min_nodes not in (0, nodes):
        advice = f"{what}, which are created and deleted together; write 0, or {nodes} for a slice that is always there"
        yield Problem(f"{setting}.min_nodes", pool.min_nodes, advice)
    elif pool.min_nodes and pool.flex_start:
        advice = "a slice of flex-start machines is not always there; write 0"
        yield Problem(f"{setting}.min_nodes", pool.min_nodes, advice)
    if len(set(zones)) != 1:
        where = f"these are in {', '.join(zones)}" if zones else "Google chooses several"
        advice = (
            f"{what} in one zone, and {where}; write zones: [{(pool.zones or zones or [f'{region}-b'])[0]}] or another"
        )
        yield Problem(f"{setting}.zones", list(pool.zones) or None, advice)
    if pool.location_policy == "BALANCED":
        yield Problem(f"{setting}.location_policy", "BALANCED", f"{what} in one zone; write ANY")


def unsure_tpus(setting: str, pools: Mapping[str, NodePool], kubernetes: str) -> Iterator[str]:
    """Yields a warning for each fact about TPUs, or about machines close to each other, that may not hold."""
    for name, pool in pools.items():
        where, machine = f"{setting}.node_pools.{name}", pool.machine_type
        tpu, domain = tpus().get(machine), domain_of(machine)
        if tpu and not tpu.sure:
            note = f"{TABLE} is not sure of its TPUs and topologies ({tpu.note})"
            yield f"{where}.machine_type: {note}; if no node comes up, write what Google says"
        if tpu and pool.tpu and (note := unsure_topology(machine, pool.tpu.topology)):
            yield f"{where}.tpu.topology: {pool.tpu.topology}: {note}"
        if tpu and tpu.gke and is_older(kubernetes, tpu.gke):
            advice = f"{machine} of pool {name} needs GKE {tpu.gke}; write that or later"
            yield f'{setting}.kubernetes: "{kubernetes}": {advice}'
        if domain and policy_of(pool) == "workload" and pool.max_nodes > domain.most_nodes:
            yield (
                f"{where}.max_nodes: {pool.max_nodes}: machines of {machine} are close to each other in domains of "
                f"{domain.most_nodes}; if no more come up, write that, and another pool"
            )
