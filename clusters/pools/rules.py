"""What must hold between the settings of a node pool, where GKE would refuse the pool or never make a node of it."""

from collections.abc import Iterator, Mapping, Sequence

from clusters.facts.machine_sizes import tpus
from clusters.facts.machines import (
    TABLE,
    can_be_compact,
    is_known,
    unsure,
    wrong_accelerator,
    wrong_count,
    wrong_local_ssds,
    wrong_size,
)
from clusters.pools.preload import check_preload
from clusters.pools.spec import NodePool
from clusters.pools.tpu_rules import check_tpus
from clusters.pools.zones import check_zones, spread_over
from problems import Problem

_EXCLUSIVE = (
    ("spot", "flex_start"),
    ("spot", "queued"),
    ("spot", "reservation"),
    ("flex_start", "reservation"),
    ("queued", "reservation"),
    ("compact", "queued"),
)
# Domains of labels that GKE sets on nodes; it refuses them from users.
_RESERVED = ("kubernetes.io", "k8s.io", "cloud.google.com")


def check_pool(setting: str, pool: NodePool, region: str, cluster_zones: Sequence[str]) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed pool of a cluster in a region; `setting` is the pool's own path."""
    yield from _check_machine(setting, pool)
    yield from check_tpus(setting, pool, region, cluster_zones)
    for one, other in _EXCLUSIVE:
        if getattr(pool, one) and getattr(pool, other):
            advice = f"a pool cannot have both {one} and {other}; write one of the two"
            yield Problem(f"{setting}.{one}", getattr(pool, one), advice)
    if pool.queued and pool.min_nodes:
        yield Problem(
            f"{setting}.min_nodes", pool.min_nodes, "a queued pool has no node until one is requested; write 0"
        )
    if (pool.queued or pool.flex_start) and pool.location_policy == "BALANCED":
        advice = "queued and flex-start machines come from any zone that has them; write ANY"
        yield Problem(f"{setting}.location_policy", pool.location_policy, advice)
    yield from check_zones(f"{setting}.zones", pool.zones, region)
    zones = pool.zones or cluster_zones
    if pool.compact and pool.machine_type not in tpus() and len(zones) != 1:
        advice = f"needs one zone, and {spread_over(zones)}; write zones: [{region}-b] or another"
        yield Problem(f"{setting}.compact", True, advice)
    for key in pool.labels:
        domain = key.partition("/")[0] if "/" in key else ""
        if key == "role" or any(domain == each or domain.endswith(f".{each}") for each in _RESERVED):
            yield Problem(f"{setting}.labels", key, "GKE or the program sets this label; write another key")
    yield from check_preload(setting, pool)


def unsure_machines(setting: str, pools: Mapping[str, NodePool]) -> Iterator[str]:
    """Yields a warning for each fact about a machine type that is used although it is unsure."""
    for name, pool in pools.items():
        if note := unsure(pool.machine_type, pool.local_ssds.count if pool.local_ssds else 0):
            yield f"{setting}.node_pools.{name}.machine_type: {note}; if no node comes up, write what Google says"


def _check_machine(setting: str, pool: NodePool) -> Iterator[Problem]:
    machine = pool.machine_type
    if advice := wrong_size(machine):
        yield Problem(f"{setting}.machine_type", machine, advice)
    elif pool.accelerator:
        own = pool.accelerator
        if advice := wrong_accelerator(machine, own.type):
            yield Problem(f"{setting}.accelerator.type", own.type, advice)
        elif advice := wrong_count(machine, own.type, own.count):
            yield Problem(f"{setting}.accelerator.count", own.count, advice)
    elif not is_known(machine) and "accelerator" not in pool.model_fields_set:
        # Otherwise a pool of a new family would silently have no GPU, taint or label.
        advice = f"{TABLE} does not know {machine}; write its type and count, or null where it has none"
        yield Problem(f"{setting}.accelerator", None, advice)
    if pool.local_ssds and (advice := wrong_local_ssds(machine, pool.local_ssds.count)):
        yield Problem(f"{setting}.local_ssds.count", pool.local_ssds.count, advice)
    if pool.compact and not can_be_compact(machine):
        yield Problem(f"{setting}.compact", True, f"{machine} cannot be compact; write false, or another machine type")
    if pool.fast_socket and not pool.accelerator:
        yield Problem(f"{setting}.fast_socket", True, "only for nodes with GPUs; write false")
