"""The number of nodes that a new pool starts with: GKE's autoscaler adds none to reach a pool's minimum."""

import math
from collections.abc import Iterator, Mapping, Sequence

from clusters.pools.spec import NodePool

_DEFAULT_ZONES = 3
"""The number of zones that GKE chooses for a regional cluster that names none."""


def first_nodes(pool: NodePool, cluster_zones: Sequence[str]) -> int:
    """The nodes in each zone of a new pool: enough for its minimum, unless that exceeds its maximum in total."""
    zones = _zone_count(pool, cluster_zones)
    return min(math.ceil(pool.min_nodes / zones), pool.max_nodes // zones)


def too_few_at_first(setting: str, pools: Mapping[str, NodePool], cluster_zones: Sequence[str]) -> Iterator[str]:
    """Yields a warning for each pool that starts with fewer nodes than its minimum."""
    for name, pool in pools.items():
        zones = _zone_count(pool, cluster_zones)
        first = first_nodes(pool, cluster_zones) * zones
        if first < pool.min_nodes:
            enough = math.ceil(pool.min_nodes / zones) * zones
            yield (
                f"{setting}.node_pools.{name}.max_nodes: {pool.max_nodes}: a new pool has as many nodes in each of its "
                f"{zones} zones, so that it starts with {first} and not with min_nodes, {pool.min_nodes}; write "
                f"{enough}, or fewer zones"
            )


def _zone_count(pool: NodePool, cluster_zones: Sequence[str]) -> int:
    return len(set(pool.zones or cluster_zones)) or _DEFAULT_ZONES
