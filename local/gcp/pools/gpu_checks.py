"""What GKE refuses of a pool's GPUs, of its boot disk, and of how its machines are had."""

import re
from collections.abc import Iterator

from clusters.facts.boot_disks import DEFAULT, wrong_disk
from clusters.facts.consumption import consumption
from clusters.facts.machine_sizes import tpus
from clusters.facts.partitions import wrong_partition
from local.gcp.pools.sizes import known_zones
from local.gcp.resource import Wrong, invalid, value, values
from local.wire import Properties

_GPUS = "nodeConfig.guestAccelerators"
_NO_PLUGIN = "gke-no-default-nvidia-gpu-device-plugin"
_RESERVATION = "nodeConfig.reservationAffinity"
_BLOCK = re.compile(r"projects/[^/]+/reservations/[^/]+/reservationBlocks/[^/]+(/reservationSubBlocks/[^/]+)?")
_DRA_VERSION = (1, 34)


def has_no_plugin(inputs: Properties) -> bool:
    """Whether the nodes of a pool are without GKE's device plugin, so that no pod can request nvidia.com/gpu."""
    return value(inputs, f"nodeConfig.labels.{_NO_PLUGIN}") == "true"


def wrong_gpus(inputs: Properties, cluster: Properties | None) -> Iterator[Wrong]:
    """Yields what is wrong with the partitions of a pool's GPUs, or with their allocation by claims."""
    for each in values(inputs, f"{_GPUS}[]"):
        size = value(each, "gpuPartitionSize", "")
        if size and wrong_partition(value(each, "type", ""), size):
            why = f"It is not supported for {value(each, 'type')}"
            yield Wrong(_GPUS, invalid(f"{_GPUS}.gpuPartitionSize", size, why))
        driver = value(each, "gpuDriverInstallationConfig.gpuDriverVersion")
        if not has_no_plugin(inputs) or driver != "INSTALLATION_DISABLED":
            continue
        if size or value(each, "gpuSharingConfig"):
            yield Wrong(_GPUS, "Error 400: GPUs without GKE's device plugin can be neither shared nor partitioned")
        version = re.match(r"(\d+)\.(\d+)", str(value(cluster or {}, "masterVersion", "")))
        if version and (int(version[1]), int(version[2])) < _DRA_VERSION:
            why = f"dynamic resource allocation needs version 1.34 or later, and the cluster has {version[0]}"
            yield Wrong(_GPUS, f"Error 400: {why}")


def wrong_boot_disk(kind: str, inputs: Properties) -> Iterator[Wrong]:
    """Yields why a machine type cannot boot from the disk of a pool, in the API's words."""
    disk = value(inputs, "nodeConfig.diskType", DEFAULT)
    if advice := wrong_disk(kind, disk):
        why = f"[{disk}, {kind}] features are not compatible for creating instance: {advice.partition(';')[0]}"
        yield Wrong("nodeConfig.diskType", f"Error 400: {why}")


def wrong_consumption(kind: str, inputs: Properties) -> Iterator[Wrong]:
    """Yields why the machines of a pool cannot be had in this way."""
    had, flex = consumption(kind), value(inputs, "nodeConfig.flexStart", False)
    reserved = value(inputs, f"{_RESERVATION}.consumeReservationType") == "SPECIFIC_RESERVATION"
    ways = value(inputs, "nodeConfig.spot", False), flex, value(inputs, "queuedProvisioning.enabled", False), reserved
    if not had.on_demand and had.sure and not any(ways):
        why = f"Machine type {kind} is not available on demand"
        yield Wrong("nodeConfig.machineType", f"Error 400: {why}: it needs Spot VMs, flex-start or a reservation")
    compact = value(inputs, "placementPolicy.type") == "COMPACT" and kind not in tpus()
    if flex and compact and not had.flex_start_compact:
        why = "Compact placement with DWS Flex start is only supported for A3 Ultra, A4, and H4D machine types"
        yield Wrong("placementPolicy", f"Error 400: {why}")


def wrong_block(inputs: Properties, cluster: Properties | None) -> Iterator[Wrong]:
    """Yields what is wrong with the block of a reservation."""
    for name in values(inputs, f"{_RESERVATION}.values[]"):
        if "/reservationBlocks/" not in name and "/reservationSubBlocks/" not in name:
            continue
        if not _BLOCK.fullmatch(name):
            why = "It must be projects/P/reservations/R/reservationBlocks/B, and may end in /reservationSubBlocks/S"
            yield Wrong(_RESERVATION, invalid(f"{_RESERVATION}.values", name, why))
        zones = known_zones(inputs, cluster)
        if len(zones) > 1:
            why = f"a reservation block is in one zone only, not in {', '.join(zones)}"
            yield Wrong("nodeLocations", f"Error 400: {why}: name one in nodeLocations")
