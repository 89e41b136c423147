"""What GKE refuses of a pool because of its machine type."""

from collections.abc import Iterator

from local.gcp.pools.machines import Machine
from local.gcp.pools.sizes import known_zones
from local.gcp.resource import Wrong, invalid, value, values
from local.wire import Properties


def wrong_accelerator(kind: str, size: Machine, inputs: Properties) -> Iterator[Wrong]:
    """Yields which accelerators do not go with a machine type."""
    path = "nodeConfig.guestAccelerators"
    for each in values(inputs, f"{path}[]"):
        accelerator, count = value(each, "type"), value(each, "count")
        if accelerator and count and (why := size.why_not(accelerator, count)):
            both = f"[{kind}, {count} {accelerator}] features are not compatible for creating instance"
            yield Wrong(path, f"Error 400: {both}: {why}")
        clients = value(each, "gpuSharingConfig.maxSharedClientsPerGpu")
        if clients is not None and not 2 <= clients <= 48:
            yield Wrong(path, invalid(f"{path}.maxSharedClientsPerGpu", clients, "It must be from 2 to 48"))
    if len(values(inputs, f"{path}[]")) > 1:
        yield Wrong(path, "Error 400: a node pool has accelerators of one type only")


def wrong_disks(kind: str, size: Machine, inputs: Properties) -> Iterator[Wrong]:
    """Yields which disks do not go with a machine type."""
    fields = ("ephemeralStorageLocalSsdConfig", "localNvmeSsdBlockConfig")
    if all(value(inputs, f"nodeConfig.{each}.localSsdCount", 0) for each in fields):
        why = "ephemeral_storage_local_ssd_config and local_nvme_ssd_block_config exclude each other"
        yield Wrong(f"nodeConfig.{fields[1]}", f"Error 400: {why}")
    for field in fields:
        count = value(inputs, f"nodeConfig.{field}.localSsdCount", 0)
        if count > size.local_ssds:
            why = f"machine type {kind} has at most {size.local_ssds} local SSDs, not {count}"
            yield Wrong(f"nodeConfig.{field}", f"Error 400: {why}")
    gigabytes = value(inputs, "nodeConfig.diskSizeGb", 100)
    if gigabytes < 10:
        yield Wrong("nodeConfig.diskSizeGb", invalid("nodeConfig.diskSizeGb", gigabytes, "It must be at least 10"))


def wrong_placement(size: Machine | None, kind: str, inputs: Properties, cluster: Properties | None) -> Iterator[Wrong]:
    """Yields why the nodes of a pool cannot be close to each other."""
    if value(inputs, "placementPolicy.type") != "COMPACT":
        return
    chosen = known_zones(inputs, cluster)
    if len(chosen) > 1:
        why = f"Error 400: compact placement is in one zone only, not in {', '.join(chosen)}"
        yield Wrong("nodeLocations", f"{why}: name one in nodeLocations")
    if value(inputs, "upgradeSettings.strategy") == "BLUE_GREEN":
        yield Wrong("upgradeSettings", "Error 400: blue-green upgrades cannot be used with compact placement")
    if size and not size.compact:
        yield Wrong("placementPolicy", f"Error 400: machine type {kind} does not support compact placement")
