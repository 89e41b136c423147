"""What GKE refuses of the node pools that it may create in a cluster."""

from collections.abc import Iterator

from clusters.classes.auto_provisioning import may_be_accelerator
from local.gcp.places import region_of, zones
from local.gcp.resource import Wrong, given, invalid, lacking, value, values
from local.wire import Properties

_PATH = "clusterAutoscaling"
_LIMITS, _DEFAULTS = f"{_PATH}.resourceLimits", f"{_PATH}.autoProvisioningDefaults"
CHOICES = {
    f"{_PATH}.autoscalingProfile": ("BALANCED", "OPTIMIZE_UTILIZATION"),
    f"{_DEFAULTS}.imageType": ("COS_CONTAINERD", "COS", "UBUNTU_CONTAINERD", "UBUNTU"),
    f"{_DEFAULTS}.upgradeSettings.strategy": ("SURGE", "BLUE_GREEN"),
}


def wrong_autoscaling(inputs: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with node auto-provisioning, by the cluster's inputs alone."""
    yield from _wrong_limits(inputs)
    region = region_of(str(value(inputs, "location", "")))
    for zone in values(inputs, f"{_PATH}.autoProvisioningLocations[]"):
        if region and zone not in zones(region):
            yield Wrong(f"{_PATH}.autoProvisioningLocations", f"Error 400: {zone!r} is not a zone of {region}")
    gigabytes = value(inputs, f"{_DEFAULTS}.diskSize", 100)
    if gigabytes < 10:
        yield Wrong(f"{_DEFAULTS}.diskSize", invalid(f"{_DEFAULTS}.diskSize", gigabytes, "It must be at least 10"))
    upgrades = f"{_DEFAULTS}.upgradeSettings"
    if given(inputs, upgrades) and value(inputs, f"{upgrades}.strategy", "SURGE") == "SURGE":
        counts = [value(inputs, f"{upgrades}.{each}", 0) for each in ("maxSurge", "maxUnavailable")]
        if min(counts) < 0 or sum(counts) < 1:
            why = "Error 400: max_surge and max_unavailable must not be negative, and at least one must be above 0"
            yield Wrong(upgrades, why)


def _wrong_limits(inputs: Properties) -> Iterator[Wrong]:
    limits: list[Properties] = values(inputs, f"{_LIMITS}[]")
    names = [str(each.get("resourceType")) for each in limits]
    if value(inputs, f"{_PATH}.enabled") is True and (limits or lacking(inputs, _LIMITS)):
        for name in {"cpu", "memory"}.difference(names):
            why = "resource limits for cpu and memory must be defined to enable node auto-provisioning"
            yield Wrong(_LIMITS, f"Error 400: {why}; {name} is missing")
    for each, name in zip(limits, names, strict=True):
        least, most = value(each, "minimum", 0), value(each, "maximum")
        if name not in ("cpu", "memory") and not may_be_accelerator(name):
            yield Wrong(_LIMITS, f"Error 400: resource type {name!r} does not exist")
        if lacking(each, "maximum"):
            yield Wrong(_LIMITS, f"Missing required argument: maximum of {name}")
        elif most is not None and not 0 <= least <= most:
            yield Wrong(_LIMITS, f"Error 400: minimum {least} of {name} must be from 0 to its maximum, {most}")
    for name in sorted({each for each in names if names.count(each) > 1}):
        yield Wrong(_LIMITS, f"Error 400: resource type {name!r} is given twice")
