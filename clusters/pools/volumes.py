"""Of which disks the volumes of a cluster's pods are: machine types that boot from Hyperdisk alone attach no other."""

from collections.abc import Iterator, Mapping

from clusters.facts.boot_disks import takes
from clusters.pools.spec import NodePool

CHECKPOINTS, ON_HYPERDISK = "checkpoints", "checkpoints-hyperdisk"
"""The storage classes for checkpoints: the one that every cluster has, and one where some pools need another disk."""
_SSD, _HYPERDISK = "pd-ssd", "hyperdisk-balanced"


def checkpoint_classes(pools: Mapping[str, NodePool]) -> dict[str, str]:
    """The storage classes for checkpoints of a cluster with these pools, and the type of their disks."""
    training = _training(pools)
    others = _without_ssd(training)
    if others and len(others) == len(training):
        return {CHECKPOINTS: _HYPERDISK}
    return {CHECKPOINTS: _SSD} | ({ON_HYPERDISK: _HYPERDISK} if others else {})


def other_volumes(setting: str, pools: Mapping[str, NodePool]) -> Iterator[str]:
    """Yields a warning for each pool whose pods cannot have the volumes that other pods of the cluster have."""
    if ON_HYPERDISK not in checkpoint_classes(pools):
        return
    for name in _without_ssd(_training(pools)):
        yield (
            f"{setting}.node_pools.{name}.machine_type: {pools[name].machine_type} attaches no {_SSD}, of which class "
            f"{CHECKPOINTS} is for the other pools; write storageClassName: {ON_HYPERDISK} in claims of its pods"
        )


def _training(pools: Mapping[str, NodePool]) -> dict[str, NodePool]:
    """The pools whose pods write checkpoints: those with accelerators, or all where none has."""
    return {name: pool for name, pool in pools.items() if pool.accelerator} or dict(pools)


def _without_ssd(pools: Mapping[str, NodePool]) -> list[str]:
    return [name for name, pool in pools.items() if not takes(pool.machine_type, _SSD)]
