"""What must hold between a pool's GPUs, how its machines are had, and its boot disk; and what of it is not sure."""

from collections.abc import Iterator, Mapping, Sequence

from clusters.facts.boot_disks import unsure_disk, wrong_disk
from clusters.facts.consumption import consumption, flex_start_compact_machines
from clusters.facts.machines import fraction_of
from clusters.facts.partitions import unsure_partition, wrong_partition
from clusters.pools.accelerator import DRA_LABELS, Accelerator
from clusters.pools.reservations import check_reservation, spread_reservation
from clusters.pools.spec import NodePool
from clusters.versions import is_older
from problems import Problem

_ELSE = ("spot", "flex_start", "queued", "reservation")
"""The settings of a pool whose machines are not sold on demand."""
_DRA_VERSION = "1.34"
"""The first version of Kubernetes whose GKE has GPUs by DRA. Source: as DRA_LABELS."""


def check_gpu_pool(setting: str, pool: NodePool, cluster_zones: Sequence[str]) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed pool; `setting` is the pool's own path."""
    if advice := wrong_disk(pool.machine_type, pool.disk_type):
        yield Problem(f"{setting}.disk_type", pool.disk_type, advice)
    yield from _check_consumption(setting, pool)
    yield from check_reservation(setting, pool.reservation, pool.zones or cluster_zones)
    if pool.accelerator:
        yield from _check_accelerator(f"{setting}.accelerator", pool.accelerator)
        for key in pool.labels.keys() & DRA_LABELS.keys() if pool.accelerator.dra else ():
            yield Problem(f"{setting}.labels", key, "accelerator.dra sets this label; remove it")


def check_dra(setting: str, pools: Mapping[str, NodePool], kubernetes: str) -> Iterator[Problem]:
    """Yields which pools of a cluster need a newer version of Kubernetes than the one in its settings."""
    if is_older(kubernetes, _DRA_VERSION):
        for name in _with_dra(pools):
            what = f"needs Kubernetes {_DRA_VERSION}, and the cluster has {kubernetes}"
            advice = f"{what}; write false, or a later kubernetes"
            yield Problem(f"{setting}.node_pools.{name}.accelerator.dra", True, advice)


def unsure_gpu_pools(
    setting: str, pools: Mapping[str, NodePool], kubernetes: str, cluster_zones: Sequence[str]
) -> Iterator[str]:
    """Yields a warning for each setting of a cluster's pools that may be wrong."""
    for name, pool in pools.items():
        where, machine = f"{setting}.node_pools.{name}", pool.machine_type
        had = consumption(machine)
        if not had.on_demand and not had.sure and not any(getattr(pool, each) for each in _ELSE):
            yield f"{where}.machine_type: {machine} may not be sold on demand; if no node comes up, {_how_else()}"
        if note := unsure_disk(machine, pool.disk_type):
            yield f"{where}.disk_type: {pool.disk_type}: {note}"
        yield from spread_reservation(where, pool.reservation, pool.zones or cluster_zones)
        if pool.accelerator:
            yield from _unsure_accelerator(f"{where}.accelerator", machine, pool.accelerator)
    if not kubernetes:
        for name in _with_dra(pools):
            yield (
                f"{setting}.node_pools.{name}.accelerator.dra: true: needs Kubernetes 1.34 or later, and the release "
                'channel decides; write kubernetes: "1.34" or later for the cluster'
            )


def _check_consumption(setting: str, pool: NodePool) -> Iterator[Problem]:
    had = consumption(pool.machine_type)
    if not had.on_demand and had.sure and not any(getattr(pool, each) for each in _ELSE):
        yield Problem(f"{setting}.machine_type", pool.machine_type, f"is not sold on demand; {_how_else()}")
    if pool.compact and pool.flex_start and not had.flex_start_compact:
        others = ", ".join(flex_start_compact_machines())
        advice = f"machines of flex_start can be compact in {others} alone; write false, or one of these machine types"
        yield Problem(f"{setting}.compact", True, advice)


def _how_else() -> str:
    return "write spot, flex_start or queued: true, or a reservation"


def _check_accelerator(setting: str, own: Accelerator) -> Iterator[Problem]:
    if advice := wrong_partition(own.type, own.partition):
        yield Problem(f"{setting}.partition", own.partition, advice)
    if own.dra:
        for other in ("sharing", "partition"):
            if value := getattr(own, other):
                advice = f"GPUs of dra are neither shared nor cut by GKE; remove {other}, or write dra: false"
                yield Problem(f"{setting}.{other}", value if isinstance(value, str) else None, advice)
        if own.driver != "DEFAULT":
            advice = "with dra, GKE installs no driver; remove it, and install the driver in the cluster"
            yield Problem(f"{setting}.driver", own.driver, advice)


def _unsure_accelerator(setting: str, machine: str, own: Accelerator) -> Iterator[str]:
    if note := unsure_partition(own.type, own.partition):
        yield f"{setting}.partition: {own.partition}: {note}; if no node comes up, write what Google says"
    if own.partition and (fraction := fraction_of(machine)):
        yield f"{setting}.partition: {own.partition}: {machine} has {fraction} of a GPU, which may not be cut further"


def _with_dra(pools: Mapping[str, NodePool]) -> list[str]:
    return [name for name, pool in pools.items() if pool.accelerator and pool.accelerator.dra]
