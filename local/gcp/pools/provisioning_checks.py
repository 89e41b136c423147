"""What GKE refuses of the way in which a pool gets its machines: spot, flex-start, queued, or a reservation."""

import re
from collections.abc import Iterator

from local.gcp.resource import Wrong, given, invalid, lacking, value
from local.wire import Properties

_RESERVATION = "nodeConfig.reservationAffinity"
_RESERVATION_NAME = "compute.googleapis.com/reservation-name"
_LONGEST_RUN = 7 * 86_400  # seconds


def wrong_provisioning(inputs: Properties) -> Iterator[Wrong]:
    """Yields which ways of getting machines exclude each other."""
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
    if given(inputs, "placementPolicy.type") and lacking(inputs, "placementPolicy.tpuTopology"):
        yield Wrong("placementPolicy", "Error 400: queued provisioning cannot be used with compact placement")
    if lacking(inputs, "autoscaling"):
        yield Wrong("autoscaling", "Error 400: queued provisioning needs autoscaling")
    if any(value(inputs, f"autoscaling.{each}", 0) for each in ("totalMinNodeCount", "minNodeCount")):
        yield Wrong("autoscaling", "Error 400: queued provisioning needs a minimum of 0 nodes")


def _reservation(inputs: Properties) -> str | None:
    """The type of reservation that is requested, or None where none is."""
    kind = value(inputs, f"{_RESERVATION}.consumeReservationType")
    return None if kind in (None, "UNSPECIFIED", "NO_RESERVATION") else kind


def wrong_reservation(inputs: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with the reservation of a pool."""
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
