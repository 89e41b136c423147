"""Ports and addresses of this machine's loopback interface that nothing else uses."""

import socket
import zlib
from collections.abc import Collection
from contextlib import ExitStack, suppress
from ipaddress import IPv4Network
from pathlib import Path

LOOPBACK = "127.0.0.1"
RANGE = range(21000, 32000)
"""Below the range of ephemeral ports."""


def kept_port(taken: Collection[int], home: Path) -> int | None:
    """A port that nothing listens on, and that is not among those taken; None where there is none.

    Each local stack starts at another port, so that none takes the ports of another's stopped control plane.
    """
    first = zlib.crc32(str(home).encode()) % len(RANGE)
    ordered = [*RANGE[first:], *RANGE[:first]]
    return next((port for port in ordered if port not in taken and is_free(port)), None)


def free_ports(count: int) -> list[int]:
    """Ports that nothing listens on now, for a process that starts now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


def is_free(port: int) -> bool:
    """Whether nothing listens on a port."""
    with socket.socket() as trial, suppress(OSError):
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind((LOOPBACK, port))
        return True
    return False


def service_range(api_server: int) -> IPv4Network:
    """The addresses of a cluster's Services: of the loopback interface, so that what listens there is reached.

    On this machine, no other cluster has the API server's port, and so none has the range.
    """
    return IPv4Network(f"127.{api_server // 256}.{api_server % 256}.0/24")
