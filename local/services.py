"""Services whose pods run as processes: connections to a Service are passed on to the process, as by a kube-proxy.

The addresses of Services are of the loopback interface (local/ports.py), so that an API server reaches its webhooks.
"""

import socket
import socketserver
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from local.ports import LOOPBACK

Address = tuple[str, int]


def addresses(
    services: Iterable[Mapping[str, Any]], pod: Mapping[str, Any], ports: Mapping[int, int]
) -> dict[Address, int]:
    """The addresses of the Services that select a pod, and the port of this machine that is behind each.

    `ports` are this machine's ports in place of the container's.
    """
    labels: Mapping[str, str] = pod["metadata"].get("labels") or {}
    containers = pod["spec"]["containers"]
    names = {port.get("name"): port["containerPort"] for each in containers for port in each.get("ports", [])}
    found: dict[Address, int] = {}
    for service in services:
        spec = service["spec"]
        selector: Mapping[str, str] = spec.get("selector") or {}
        selected = selector and all(labels.get(key) == value for key, value in selector.items())
        if selected and spec.get("clusterIP", "None") not in ("", "None"):
            for port in spec.get("ports", []):
                target = port.get("targetPort", port["port"])
                target = names.get(target, target)
                if target in ports:
                    found[spec["clusterIP"], port["port"]] = ports[target]
    return found


class Forwards:
    """The addresses that are passed on to one process."""

    def __init__(self) -> None:
        self._servers: dict[Address, socketserver.ThreadingTCPServer] = {}

    def set(self, wanted: Mapping[Address, int]) -> list[str]:
        """Listens on these addresses and no others. Returns what is wrong with those on which it cannot."""
        problems: list[str] = []
        for address in [each for each in self._servers if each not in wanted]:
            _close(self._servers.pop(address))
        for address, port in wanted.items():
            if address not in self._servers:
                try:
                    self._servers[address] = _listen(address, port)
                except OSError as error:
                    problems.append(f"{address[0]}:{address[1]}: {error.strerror}")
        return problems


def _listen(address: Address, port: int) -> socketserver.ThreadingTCPServer:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), socket.create_connection((LOOPBACK, port)) as process:
                back = threading.Thread(target=_copy, args=(process, self.request), daemon=True)
                back.start()
                _copy(self.request, process)
                back.join()

    server = _Server(address, Handler)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    return server


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def _close(server: socketserver.ThreadingTCPServer) -> None:
    server.shutdown()
    server.server_close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
