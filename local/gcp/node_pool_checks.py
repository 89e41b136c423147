"""What GKE refuses of a node pool."""

import re
from collections.abc import Iterator
from ipaddress import IPv4Network
from math import ceil, log2

from local.gcp.cluster_checks import node_zones
from local.gcp.machines import Machine, machine
from local.gcp.network import SUBNETS, secondary_range
from local.gcp.places import region_of, zones
from local.gcp.resource import Cloud, Wrong, find, given, invalid, lacking, value, values
from local.wire import Properties

EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}
DEFAULT_MACHINE, DEFAULT_PODS = "e2-medium", 110
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
    "nodeConfig.diskType": ("pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"),
    "nodeConfig.loggingVariant": ("DEFAULT", "MAX_THROUGHPUT"),
    "autoscaling.locationPolicy": ("BALANCED", "ANY"),
    "placementPolicy.type": ("COMPACT",),
    "upgradeSettings.strategy": ("SURGE", "BLUE_GREEN", "SHORT_LIVED"),
}
_TOTALS, _PER_ZONE = ("totalMinNodeCount", "totalMaxNodeCount"), ("minNodeCount", "maxNodeCount")
_RESERVATION = "nodeConfig.reservationAffinity"
_RESERVATION_NAME = "compute.googleapis.com/reservation-name"
_SURGE = 20  # nodes at a time
_LONGEST_RUN = 7 * 86_400  # seconds


def wrong_pool(cloud: Cloud, inputs: Properties) -> Iterator[Wrong]:
    """Yields what GKE refuses of a pool by its inputs alone."""
    kind = value(inputs, "nodeConfig.machineType", DEFAULT_MACHINE)
    size = machine(kind)
    if size is None:
        yield Wrong("nodeConfig.machineType", f"Error 400: Machine type {kind} does not exist")
    else:
        yield from _wrong_accelerator(kind, size, inputs)
        yield from _wrong_disks(kind, size, inputs)
    yield from _wrong_sizes(inputs)
    yield from _wrong_provisioning(inputs)
    yield from _wrong_reservation(inputs)
    yield from _wrong_upgrades(inputs)
    yield from _wrong_taints(inputs)
    pods = value(inputs, "maxPodsPerNode", DEFAULT_PODS)
    if not 8 <= pods <= 256:
        yield Wrong("maxPodsPerNode", invalid("maxPodsPerNode", pods, "It must be from 8 to 256"))
    reference = value(inputs, "cluster")
    cluster = find(cloud, "cluster", reference) if reference else None
    yield from _wrong_placement(size, kind, inputs, cluster[1] if cluster else None)
    if cluster:
        yield from _wrong_in_cluster(cloud, inputs, *cluster)


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


def pods_per_node(inputs: Properties, cluster: Properties) -> int:
    """The most pods on one of a pool's nodes."""
    return int(inputs.get("maxPodsPerNode") or cluster.get("defaultMaxPodsPerNode") or DEFAULT_PODS)


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


def _wrong_accelerator(kind: str, size: Machine, inputs: Properties) -> Iterator[Wrong]:
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


def _wrong_disks(kind: str, size: Machine, inputs: Properties) -> Iterator[Wrong]:
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


def _wrong_sizes(inputs: Properties) -> Iterator[Wrong]:
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


def _wrong_provisioning(inputs: Properties) -> Iterator[Wrong]:
    spot, flex = value(inputs, "nodeConfig.spot", False), value(inputs, "nodeConfig.flexStart", False)
    queued = value(inputs, "queuedProvisioning.enabled", False)
    reserved = _reservation(inputs)
    ways = {"Spot VMs": spot, "flex-start": flex, "queued provisioning": queued}
    for way in (each for each, asked in ways.items() if asked and reserved):
        yield Wrong(_RESERVATION, f"Error 400: {way} cannot consume a reservation, as {reserved} asks for")
    if spot:
        others = {
            "flex_start": flex,
            "queued provisioning": queued,
            "preemptible": value(inputs, "nodeConfig.preemptible", False),
        }
        for other in (each for each, asked in others.items() if asked):
            yield Wrong("nodeConfig.spot", f"Error 400: spot and {other} exclude each other")
    if flex and value(inputs, "management.autoRepair", False):
        yield Wrong("management.autoRepair", "Error 400: node auto-repair must be off with flex-start")
    if queued:
        yield from _wrong_queue(inputs)
    run = value(inputs, "nodeConfig.maxRunDuration")
    seconds = re.fullmatch(r"(\d+)s", str(run))
    if run is not None and (not seconds or not 0 < int(seconds[1]) <= _LONGEST_RUN):
        why = f"It must be in seconds, as 3600s, and at most 7 days, {_LONGEST_RUN}s"
        yield Wrong("nodeConfig.maxRunDuration", invalid("nodeConfig.maxRunDuration", run, why))


def _wrong_queue(inputs: Properties) -> Iterator[Wrong]:
    if given(inputs, "placementPolicy.type"):
        yield Wrong("placementPolicy", "Error 400: queued provisioning cannot be used with compact placement")
    if lacking(inputs, "autoscaling"):
        yield Wrong("autoscaling", "Error 400: queued provisioning needs autoscaling")
    if any(value(inputs, f"autoscaling.{each}", 0) for each in ("totalMinNodeCount", "minNodeCount")):
        yield Wrong("autoscaling", "Error 400: queued provisioning needs a minimum of 0 nodes")


def _reservation(inputs: Properties) -> str | None:
    """The type of reservation that is requested, or None where none is."""
    kind = value(inputs, f"{_RESERVATION}.consumeReservationType")
    return None if kind in (None, "UNSPECIFIED", "NO_RESERVATION") else kind


def _wrong_reservation(inputs: Properties) -> Iterator[Wrong]:
    kind = value(inputs, f"{_RESERVATION}.consumeReservationType")
    names = value(inputs, f"{_RESERVATION}.values", [] if lacking(inputs, f"{_RESERVATION}.values") else None)
    if kind == "SPECIFIC_RESERVATION":
        if names is not None and len(names) != 1:
            why = f"SPECIFIC_RESERVATION needs exactly one name in values, not {len(names)}"
            yield Wrong(_RESERVATION, f"Error 400: {why}")
        key = value(inputs, f"{_RESERVATION}.key", "" if lacking(inputs, f"{_RESERVATION}.key") else None)
        if key not in (None, _RESERVATION_NAME):
            why = f"the key of a SPECIFIC_RESERVATION must be {_RESERVATION_NAME}, not {key!r}"
            yield Wrong(_RESERVATION, f"Error 400: {why}")
    elif names and kind:
        yield Wrong(_RESERVATION, f"Error 400: {kind} takes no names of reservations")


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


def _wrong_placement(
    size: Machine | None, kind: str, inputs: Properties, cluster: Properties | None
) -> Iterator[Wrong]:
    if value(inputs, "placementPolicy.type") != "COMPACT":
        return
    chosen = pool_zones(inputs, cluster) if cluster else tuple(values(inputs, "nodeLocations[]"))
    if len(chosen) > 1:
        why = f"Error 400: compact placement is in one zone only, not in {', '.join(chosen)}"
        yield Wrong("nodeLocations", f"{why}: name one in nodeLocations")
    if value(inputs, "upgradeSettings.strategy") == "BLUE_GREEN":
        yield Wrong("upgradeSettings", "Error 400: blue-green upgrades cannot be used with compact placement")
    if size and not size.compact:
        yield Wrong("placementPolicy", f"Error 400: machine type {kind} does not support compact placement")


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
