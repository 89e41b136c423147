"""What a node reports of a pod that runs as a process."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from local.ports import LOOPBACK


def now() -> str:
    """The time, as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def running(body: Mapping[str, Any], started: str, ready: bool, restarts: int) -> dict[str, Any]:
    """The status of a pod whose process runs since `started`."""
    container = body["spec"]["containers"][0]
    return {
        "phase": "Running",
        "hostIP": LOOPBACK,
        "podIP": _address(body["metadata"]["uid"]),
        "startTime": started,
        "conditions": _conditions(ready),
        "containerStatuses": [
            _container(container, ready, restarts) | {"started": True, "state": {"running": {"startedAt": started}}}
        ],
    }


def waiting(body: Mapping[str, Any], reason: str) -> dict[str, Any]:
    """The status of a pod whose process cannot be started; `reason` is a sentence."""
    container = body["spec"]["containers"][0]
    state = {"waiting": {"reason": "CreateContainerError", "message": reason}}
    return {
        "phase": "Pending",
        "conditions": _conditions(False),
        "containerStatuses": [_container(container, False, 0) | {"started": False, "state": state}],
    }


def _container(container: Mapping[str, Any], ready: bool, restarts: int) -> dict[str, Any]:
    return {
        "name": container["name"],
        "image": container["image"],
        "imageID": "",
        "ready": ready,
        "restartCount": restarts,
    }


def _conditions(ready: bool) -> list[dict[str, str]]:
    state = "True" if ready else "False"
    return [
        {"type": kind, "status": status, "lastTransitionTime": now()}
        for kind, status in (
            ("PodScheduled", "True"),
            ("Initialized", "True"),
            ("ContainersReady", state),
            ("Ready", state),
        )
    ]


def _address(uid: str) -> str:
    """An address of no machine: endpoints may not have one of the loopback interface, where the process listens."""
    number = int(uid.replace("-", "")[:8], 16)
    return f"10.255.{number // 254 % 254 + 1}.{number % 254 + 1}"
