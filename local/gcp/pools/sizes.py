"""How many nodes a pool has, and where."""

from collections.abc import Iterator

from local.gcp.cluster_checks import node_zones
from local.gcp.resource import Wrong, given, invalid, lacking, value, values
from local.wire import Properties

DEFAULT_PODS = 110
_TOTALS, _PER_ZONE = ("totalMinNodeCount", "totalMaxNodeCount"), ("minNodeCount", "maxNodeCount")


def sizes(inputs: Properties, zones_: int) -> tuple[int, int]:
    """The least and the most nodes of a pool: counts are for each zone, unless they are totals."""
    if given(inputs, "autoscaling"):
        total = any(given(inputs, f"autoscaling.{each}") for each in _TOTALS)
        limits = [value(inputs, f"autoscaling.{each}", 0) for each in (_TOTALS if total else _PER_ZONE)]
        least, most = limits if total else [limit * zones_ for limit in limits]
        return least, most
    fixed = value(inputs, "nodeCount", value(inputs, "initialNodeCount", 0)) * zones_
    return fixed, fixed


def pool_zones(inputs: Properties, cluster: Properties) -> tuple[str, ...]:
    """The zones that a pool's nodes are in."""
    return tuple(values(inputs, "nodeLocations[]")) or node_zones(cluster)


def known_zones(inputs: Properties, cluster: Properties | None) -> tuple[str, ...]:
    """The zones that a pool's nodes are in, as far as they are known yet."""
    named = tuple(values(inputs, "nodeLocations[]"))
    certain = lacking(inputs, "nodeLocations[]")
    return node_zones(cluster) if cluster and certain else named


def pods_per_node(inputs: Properties, cluster: Properties) -> int:
    """The most pods on one of a pool's nodes."""
    return int(inputs.get("maxPodsPerNode") or cluster.get("defaultMaxPodsPerNode") or DEFAULT_PODS)


def wrong_sizes(inputs: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with the limits and counts of a pool."""
    totals = [each for each in _TOTALS if given(inputs, f"autoscaling.{each}")]
    per_zone = [each for each in _PER_ZONE if given(inputs, f"autoscaling.{each}")]
    if totals and per_zone:
        yield Wrong("autoscaling", "Error 400: total and per-zone limits of autoscaling exclude each other")
    for least, most in (_TOTALS, _PER_ZONE):
        low, high = value(inputs, f"autoscaling.{least}", 0), value(inputs, f"autoscaling.{most}")
        if low < 0 or (high is not None and low > high):
            yield Wrong(f"autoscaling.{least}", f"Error 400: {least} {low} must be from 0 to {most} {high}")
        if given(inputs, f"autoscaling.{least}") and lacking(inputs, f"autoscaling.{most}"):
            yield Wrong(f"autoscaling.{most}", f"Error 400: {least} is given without {most}")
    if given(inputs, "autoscaling") and given(inputs, "nodeCount"):
        yield Wrong("nodeCount", "node_count and autoscaling exclude each other: each would undo the other's work")
    counts = [value(inputs, each, 0) for each in ("nodeCount", "initialNodeCount")]
    if min(counts) < 0:
        yield Wrong("nodeCount", invalid("nodeCount", min(counts), "It must not be negative"))
