"""What GKE refuses of pools whose nodes are one slice of TPUs, or need a workload policy.

Sources of the messages: threads of xpk and of vllm-project/ci-infra (2025-11 and 2026-09), where they have them.
"""

from collections.abc import Iterator

from clusters.facts.machine_sizes import tpus
from clusters.facts.topologies import sides, slice_nodes, wrong_topology
from clusters.facts.workload_policies import domain_of, needs_workload_policy
from local.gcp.places import region_of
from local.gcp.pools.sizes import known_zones
from local.gcp.resource import Cloud, Wrong, given, lacking, project_of, value
from local.gcp.resource_policies import topology_of
from local.wire import Properties

_TYPE, _NAME, _TOPOLOGY = (f"placementPolicy.{each}" for each in ("type", "policyName", "tpuTopology"))
_TOTALS = ("totalMinNodeCount", "totalMaxNodeCount")


def nodes_of(kind: str, inputs: Properties) -> int:
    """How many nodes of a pool are one slice; 1 where each is by itself."""
    return slice_nodes(kind, str(value(inputs, _TOPOLOGY, "")))


def wrong_slice(kind: str, inputs: Properties, cluster: Properties | None) -> Iterator[Wrong]:
    """Yields what is wrong with the placement and the size of a pool, by its inputs alone."""
    topology = value(inputs, _TOPOLOGY)
    by_policy, is_tpu = needs_workload_policy(kind), kind in tpus()
    if value(inputs, _TYPE) == "COMPACT" and by_policy:
        why = f"Creation of a managed instance group with {kind} machine type with placement policy is not supported"
        yield Wrong("placementPolicy", f"Error 400: {why}. Use workload policy instead")
    if given(inputs, "placementPolicy") and lacking(inputs, _TYPE):
        yield Wrong("placementPolicy", "Missing required argument: placementPolicy.type")
    if topology is None:
        return
    if not is_tpu:
        yield Wrong("placementPolicy", f"Error 400: TPU topology can't be specified with machine type {kind}")
    elif not sides(topology) or wrong_topology(kind, topology):
        yield Wrong("placementPolicy", f"Error 400: Invalid TPU topology {topology} for machine type {kind}")
    elif nodes_of(kind, inputs) == 1:
        why = "TPU topology can't be specified with single-host TPU slice pool; please remove the tpu_topology"
        yield Wrong("placementPolicy", f"Error 400: {why}")
    else:
        yield from _wrong_size(kind, topology, inputs, cluster)
        if not by_policy and value(inputs, _TYPE) == "":
            yield Wrong("placementPolicy", f"Error 400: a slice of {topology} needs compact placement")
        if by_policy and lacking(inputs, _NAME):
            yield Wrong("placementPolicy", f"Error 400: a slice of {topology} of {kind} needs a workload policy")


def _wrong_size(kind: str, topology: str, inputs: Properties, cluster: Properties | None) -> Iterator[Wrong]:
    nodes = nodes_of(kind, inputs)
    zones = known_zones(inputs, cluster)
    if len(zones) > 1:
        why = f"the nodes of a TPU slice are in one zone, not in {', '.join(zones)}"
        yield Wrong("nodeLocations", f"Error 400: {why}: name one in nodeLocations")
    if any(given(inputs, f"autoscaling.{each}") for each in _TOTALS):
        why = f"Maximum node count 0 is not a valid size of TPU pod slice with topology {topology}"
        yield Wrong("autoscaling", f"Error 400: {why}")
    elif given(inputs, "autoscaling"):
        least, most = (_known(inputs, f"autoscaling.{each}") for each in ("minNodeCount", "maxNodeCount"))
        if least not in (None, 0, nodes) or most not in (None, nodes):
            why = f"Maximum node count {most} is not a valid size of TPU pod slice with topology {topology}"
            yield Wrong("autoscaling", f"Error 400: {why}: it has {nodes} nodes, all or none")
    else:
        yield from _wrong_count(topology, nodes, inputs)


def _wrong_count(topology: str, nodes: int, inputs: Properties) -> Iterator[Wrong]:
    field = "nodeCount" if given(inputs, "nodeCount") else "initialNodeCount"
    count = _known(inputs, field)
    if count not in (None, nodes):
        why = f"Node count {count} is not a valid size of TPU pod slice with topology {topology}"
        yield Wrong(field, f"Error 400: {why}: it has {nodes} nodes")


def _known(inputs: Properties, path: str) -> int | None:
    """A number of nodes, 0 where there is none; None where it is not known yet."""
    return value(inputs, path, 0 if lacking(inputs, path) else None)


def wrong_policy(cloud: Cloud, kind: str, inputs: Properties, cluster: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with the workload policy that a pool names, when it is created."""
    name = value(inputs, _NAME)
    if not name:
        return
    region = region_of(cluster["location"]) or ""
    found = topology_of(cloud, project_of(cloud, inputs), region, str(name).rpartition("/")[2])
    if found is None:
        why = f"The resource policy {name} was not found in region {region}"
        yield Wrong("placementPolicy", f"Error 400: InvalidArgument: {why}")
        return
    domain = domain_of(kind)
    needed = domain.topology if domain else value(inputs, _TOPOLOGY, "")
    if found != needed:
        why = f"the accelerator topology {found or 'none'} of resource policy {name} is not {needed or 'none'}"
        yield Wrong("placementPolicy", f"Error 400: {why}, which the pool has")
