"""What GKE refuses of a node pool."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from math import ceil, log2

from local.gcp.network import SUBNETS, secondary_range
from local.gcp.places import region_of, zones
from local.gcp.pools.gpu_checks import wrong_block, wrong_boot_disk, wrong_consumption, wrong_gpus
from local.gcp.pools.machine_checks import wrong_accelerator, wrong_disks, wrong_placement
from local.gcp.pools.machines import machine
from local.gcp.pools.network_checks import wrong_networks, wrong_networks_in
from local.gcp.pools.preload_checks import MODE, MODES, wrong_preload
from local.gcp.pools.provisioning_checks import wrong_provisioning, wrong_reservation
from local.gcp.pools.sizes import DEFAULT_PODS, pods_per_node, pool_zones, sizes, wrong_sizes
from local.gcp.pools.slice_checks import wrong_slice
from local.gcp.resource import Cloud, Wrong, find, given, invalid, lacking, value, values
from local.wire import Properties

EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}
DEFAULT_MACHINE = "e2-medium"
CHOICES = {
    "nodeConfig.taints[].effect": tuple(EFFECTS),
    "nodeConfig.workloadMetadataConfig.mode": ("GKE_METADATA", "GCE_METADATA"),
    "nodeConfig.reservationAffinity.consumeReservationType": (
        "UNSPECIFIED",
        "NO_RESERVATION",
        "ANY_RESERVATION",
        "SPECIFIC_RESERVATION",
        "ANY_RESERVATION_THEN_FAIL",
    ),
    "nodeConfig.guestAccelerators[].gpuDriverInstallationConfig.gpuDriverVersion": (
        "DEFAULT",
        "LATEST",
        "INSTALLATION_DISABLED",
        "GPU_DRIVER_VERSION_UNSPECIFIED",
    ),
    "nodeConfig.guestAccelerators[].gpuSharingConfig.gpuSharingStrategy": ("TIME_SHARING", "MPS"),
    MODE: MODES,
    "nodeConfig.diskType": ("pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"),
    "nodeConfig.loggingVariant": ("DEFAULT", "MAX_THROUGHPUT"),
    "autoscaling.locationPolicy": ("BALANCED", "ANY"),
    "placementPolicy.type": ("COMPACT", ""),
    "networkConfig.acceleratorNetworkProfile": ("auto",),
    "upgradeSettings.strategy": ("SURGE", "BLUE_GREEN", "SHORT_LIVED"),
}
_SURGE = 20  # nodes at a time


def wrong_pool(cloud: Cloud, inputs: Properties) -> Iterator[Wrong]:
    """Yields what GKE refuses of a pool by its inputs alone."""
    kind = value(inputs, "nodeConfig.machineType", DEFAULT_MACHINE)
    size = machine(kind)
    if size is None:
        yield Wrong("nodeConfig.machineType", f"Error 400: Machine type {kind} does not exist")
    else:
        yield from wrong_accelerator(kind, size, inputs)
        yield from wrong_disks(kind, size, inputs)
        yield from wrong_boot_disk(kind, inputs)
        yield from wrong_consumption(kind, inputs)
    yield from wrong_sizes(inputs)
    yield from wrong_provisioning(inputs)
    yield from wrong_reservation(inputs)
    yield from wrong_networks(kind, inputs)
    yield from _wrong_upgrades(inputs)
    yield from _wrong_taints(inputs)
    yield from wrong_preload(inputs)
    pods = value(inputs, "maxPodsPerNode", DEFAULT_PODS)
    if not 8 <= pods <= 256:
        yield Wrong("maxPodsPerNode", invalid("maxPodsPerNode", pods, "It must be from 8 to 256"))
    reference = value(inputs, "cluster")
    cluster = find(cloud, "cluster", reference) if reference else None
    yield from wrong_placement(size, kind, inputs, cluster[1] if cluster else None)
    yield from wrong_gpus(inputs, cluster[1] if cluster else None)
    yield from wrong_block(inputs, cluster[1] if cluster else None)
    yield from wrong_slice(kind, inputs, cluster[1] if cluster else None)
    if cluster:
        yield from _wrong_in_cluster(cloud, inputs, *cluster)
        yield from wrong_networks_in(inputs, cluster[1])


def room(cloud: Cloud, inputs: Properties, cluster: Properties) -> tuple[str, int] | None:
    """The range of a pool's pods and how many nodes fit in it; None where the range is not known."""
    name = value(inputs, "networkConfig.podRange") or value(cluster, "ipAllocationPolicy.clusterSecondaryRangeName")
    subnet = find(cloud, SUBNETS, cluster.get("subnetwork") or "")
    text = secondary_range(subnet[1], name) if subnet and name else None
    if text is None:
        return None
    # Each node takes a block of at least twice as many addresses as it has pods.
    block = 32 - ceil(log2(2 * pods_per_node(inputs, cluster)))
    length = IPv4Network(text).prefixlen
    return text, 2 ** (block - length) if block >= length else 0


def _wrong_upgrades(inputs: Properties) -> Iterator[Wrong]:
    strategy = value(inputs, "upgradeSettings.strategy", "SURGE")
    surge, unavailable = value(inputs, "upgradeSettings.maxSurge"), value(inputs, "upgradeSettings.maxUnavailable")
    if strategy == "SURGE" and given(inputs, "upgradeSettings"):
        if (1 if surge is None else surge) + (unavailable or 0) < 1 or min(surge or 0, unavailable or 0) < 0:
            why = "Error 400: max_surge and max_unavailable must not be negative, and at least one must be above 0"
            yield Wrong("upgradeSettings", why)
        if (surge or 0) + (unavailable or 0) > _SURGE:
            yield Wrong("upgradeSettings", f"Error 400: max_surge + max_unavailable must not be above {_SURGE}")
    elif surge is not None or unavailable is not None:
        why = "Surge upgrade settings may only be changed when surge strategy is set"
        yield Wrong("upgradeSettings", f"{why}, not with {strategy}")
    if strategy != "BLUE_GREEN" and given(inputs, "upgradeSettings.blueGreenSettings"):
        yield Wrong("upgradeSettings", "Blue-green upgrade settings may only be given with strategy BLUE_GREEN")


def _wrong_taints(inputs: Properties) -> Iterator[Wrong]:
    seen: set[tuple[str, str]] = set()
    for taint in values(inputs, "nodeConfig.taints[]"):
        both = str(taint.get("key")), str(taint.get("effect"))
        if both in seen:
            yield Wrong("nodeConfig.taints", f"Error 400: taint {both[0]}:{both[1]} is given twice")
        seen.add(both)


def _wrong_in_cluster(cloud: Cloud, inputs: Properties, identifier: str, cluster: Properties) -> Iterator[Wrong]:
    region = region_of(cluster["location"])
    for zone in values(inputs, "nodeLocations[]"):
        if region and zone not in zones(region):
            yield Wrong("nodeLocations", f"Error 400: nodeLocations: {zone!r} is not a zone of {region}")
    location = value(inputs, "location")
    if location and location != cluster["location"]:
        yield Wrong("location", f"Error 404: {identifier} is not in {location}")
    channel = value(cluster, "releaseChannel.channel", "UNSPECIFIED")
    if channel != "UNSPECIFIED" and value(inputs, "management.autoUpgrade") is False:
        yield Wrong("management", f"Error 400: Auto_upgrade cannot be false when release_channel {channel} is set")
    metadata = value(inputs, "nodeConfig.workloadMetadataConfig.mode")
    if metadata == "GKE_METADATA" and lacking(cluster, "workloadIdentityConfig.workloadPool"):
        why = "Error 400: GKE_METADATA needs a cluster with Workload Identity"
        yield Wrong("nodeConfig.workloadMetadataConfig", why)
    wanted = value(inputs, "networkConfig.podRange")
    space = room(cloud, inputs, cluster)
    if wanted and space is None:
        yield Wrong("networkConfig", f"Error 400: Pod range {wanted!r} does not exist in the cluster's subnetwork")
    if space:
        text, most = space
        largest = sizes(inputs, len(pool_zones(inputs, cluster)))[1]
        if largest > most:
            pods = pods_per_node(inputs, cluster)
            why = f"range {text} has room for {most} nodes of {pods} pods, and the pool may have {largest}"
            yield Wrong("autoscaling", f"Error 400: IP_SPACE_EXHAUSTED: {why}")
