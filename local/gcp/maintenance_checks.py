"""What GKE refuses of the times in which a cluster may be upgraded."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from local.gcp.resource import Wrong, value
from local.wire import Properties

_PERIOD, _NEEDED, _LEAST = timedelta(days=32), timedelta(hours=48), timedelta(hours=4)


def wrong_maintenance(inputs: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with the times in which a cluster may be upgraded."""
    path = "maintenancePolicy.recurringWindow"
    start, end = value(inputs, f"{path}.startTime"), value(inputs, f"{path}.endTime")
    recurrence = value(inputs, f"{path}.recurrence")
    if start is None or end is None or recurrence is None:
        return
    try:
        length = datetime.fromisoformat(end) - datetime.fromisoformat(start)
        rule = dict(part.split("=", 1) for part in recurrence.removeprefix("RRULE:").split(";"))
        times = {"DAILY": 32, "WEEKLY": 4 * len(rule.get("BYDAY", "MO").split(","))}[rule["FREQ"]]
    except (ValueError, TypeError):
        why = "its times must be RFC 3339, as 2026-01-01T02:00:00Z, and its recurrence RFC 5545, as FREQ=DAILY"
        yield Wrong(path, f"Error 400: Error validating maintenance policy: {why}")
        return
    except KeyError:
        why = "its recurrence must have FREQ=DAILY or FREQ=WEEKLY;BYDAY=SA,SU"
        yield Wrong(path, f"Error 400: Error validating maintenance policy: {why}")
        return
    if length <= timedelta(0):
        yield Wrong(path, "Error 400: Error validating maintenance policy: the window must end after it starts")
    elif length < _LEAST or times * length < _NEEDED:
        why = f"maintenance policy would go longer than {_PERIOD.days}d without 48h maintenance availability"
        yield Wrong(path, f"Error 400: Error validating maintenance policy: {why} of ≥4h contiguous duration")
