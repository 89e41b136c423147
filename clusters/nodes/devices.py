"""What pods can have of a node by claims and by annotations: its devices, and its networks beside the cluster's own."""

from collections.abc import Mapping

from clusters.facts.device_classes import MANAGED_GPUS, DeviceClass, device_classes
from clusters.facts.gpu_networks import DRANET_LABEL, NETWORK_RESOURCE, gpu_networks
from clusters.facts.machine_sizes import tpus
from clusters.facts.machines import is_sure
from clusters.nodes.class_nodes import is_created
from clusters.pools.accelerator import DRA_LABELS
from clusters.pools.gpu_networks import network_labels, networks_of, own_pools
from clusters.pools.spec import NodePool

GPU, TPU = "nvidia.com/gpu", "google.com/tpu"
"""The resources by which pods have accelerators without claims."""


def networks(pool: NodePool) -> dict[str, int]:
    """The networks that the program attaches to each node of a pool, as the resources that GKE makes of them."""
    own = own_pools({"": pool}).values()
    return {f"{NETWORK_RESOURCE}{each.name}": 1 for facts in own for each in networks_of(facts, 0)}


def devices(name: str, pool: NodePool) -> Mapping[str, int | None]:
    """How many devices of each class a node has that has some; None where it may have some, or not so many."""
    found = {key: _count(each, pool, is_created(name)) for key, each in device_classes().items()}
    return {key: count for key, count in found.items() if count != 0}


def is_claimed(resource: str) -> bool:
    """Whether a resource of nodes is a network or a device, which the status of a live node need not list."""
    return resource.startswith(NETWORK_RESOURCE) or resource in device_classes()


def _count(devices: DeviceClass, pool: NodePool, created: bool) -> int | None:
    count = _of_networks(devices.of, pool, created) if devices.of in ("rdma", "netdev") else 0
    if devices.of == "gpus":
        count = _gpus(pool, created)
    elif devices.of == "tpus" and pool.machine_type in tpus():
        count = None
    return count if devices.counted or not count else None


def _gpus(pool: NodePool, created: bool) -> int | None:
    if pool.accelerator is None:
        return 0
    if pool.accelerator.dra:
        return pool.accelerator.count if is_sure(pool.machine_type) else None
    # Somebody can write the labels without the setting; which nodes GKE creates for a class is not known.
    by_hand = DRA_LABELS.items() <= pool.labels.items() or MANAGED_GPUS in pool.labels
    return None if by_hand or created else 0


def _of_networks(kind: str, pool: NodePool, created: bool) -> int | None:
    facts = gpu_networks().get(pool.machine_type)
    if DRANET_LABEL not in {**pool.labels, **network_labels(pool)}:
        # An unknown machine type may have some; so may what GKE creates.
        return None if (pool.gpu_networks == "auto" and facts is None) or (created and pool.accelerator) else 0
    if facts is None or kind == "netdev":
        return None
    if not facts.rdma:
        return 0
    known = facts.sure_auto and pool.gpu_networks == "auto"
    return facts.count if known and facts.count else None
