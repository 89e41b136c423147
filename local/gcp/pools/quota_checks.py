"""What GKE refuses of a new pool whose first nodes have more accelerators than the project's quota allows."""

from collections.abc import Iterator, Sequence

from clusters.facts.quotas import Kind, quota_of
from local.gcp.places import region_of
from local.gcp.pools.checks import DEFAULT_MACHINE
from local.gcp.pools.machines import machine
from local.gcp.pools.nodes import accelerators_of
from local.gcp.pools.sizes import pool_zones, sizes
from local.gcp.quotas import limit_of
from local.gcp.resource import Wrong, value
from local.wire import Properties


def beyond_quota(
    inputs: Properties, cluster: Properties, others: Sequence[tuple[Properties, Properties]]
) -> Iterator[Wrong]:
    """Yields why a new pool is refused; `others` are all other pools, each with its cluster.

    Source of the words: Error 403 of GKE for a pool beyond a regional quota, as users report it.
    """
    accelerator, each_node = _accelerators(inputs)
    kind, region = _kind(inputs), region_of(cluster["location"])
    quota = quota_of(accelerator, kind) if accelerator and kind and region else None
    limit = limit_of(quota.id, region or "", quota.dimensions) if quota else None
    if quota is None or limit is None:
        return
    wanted = inputs.get("initialNodeCount", 0) * len(pool_zones(inputs, cluster)) * each_node
    used = sum(
        sizes(pool, len(pool_zones(pool, its)))[0] * _accelerators(pool)[1]
        for pool, its in others
        if region_of(its["location"]) == region and _accelerators(pool)[0] == accelerator and _kind(pool) == kind
    )
    left = max(0, limit - used)
    if wanted > left:
        metric = quota.id.removesuffix("-per-project-region").replace("-", "_")
        why = f"request requires '{wanted:.1f}' and is short '{wanted - left:.1f}'"
        has = f"project has a quota of '{limit:.1f}' with '{left:.1f}' available"
        text = f'Error 403: Insufficient regional quota to satisfy request: resource "{metric}": {why}. {has}'
        yield Wrong("initialNodeCount", text)


def _accelerators(inputs: Properties) -> tuple[str, int]:
    """The accelerator of a pool, and how many each node has."""
    return accelerators_of(inputs, machine(value(inputs, "nodeConfig.machineType", DEFAULT_MACHINE)))


def _kind(inputs: Properties) -> Kind | None:
    """The kind of quota that a pool counts against; None for the machines of a reservation."""
    if value(inputs, "nodeConfig.reservationAffinity.consumeReservationType") == "SPECIFIC_RESERVATION":
        return None
    ways = ("nodeConfig.spot", "nodeConfig.preemptible", "nodeConfig.flexStart", "queuedProvisioning.enabled")
    return "preemptible" if any(value(inputs, way, False) for way in ways) else "standard"
