"""Services whose pods are processes of this machine."""

import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from local.ports import free_ports, service_range
from local.services import Forwards, addresses

POD: dict[str, Any] = {
    "metadata": {"labels": {"app": "a", "more": "b"}},
    "spec": {"containers": [{"ports": [{"name": "webhook-server", "containerPort": 9443}]}]},
}


def service(**spec: Any) -> dict[str, Any]:
    port = {"port": 9443, "targetPort": 9443}
    return {"spec": {"clusterIP": "127.90.0.9", "selector": {"app": "a"}, "ports": [port], **spec}}


@pytest.mark.parametrize("target", [9443, "webhook-server"])
def test_a_services_address_is_that_of_the_process(target: int | str) -> None:
    found = addresses([service(ports=[{"port": 8443, "targetPort": target}])], POD, {9443: 40000})
    assert found == {("127.90.0.9", 8443): 40000}


@pytest.mark.parametrize(
    "spec",
    [
        {"selector": {"app": "other"}},
        {"selector": {}},
        {"selector": None},
        {"clusterIP": "None"},
        {"ports": [{"port": 80}]},
        {"ports": [{"port": 443, "targetPort": "other"}]},
    ],
)
def test_other_services_have_none(spec: dict[str, Any]) -> None:
    assert addresses([service(**spec)], POD, {9443: 40000}) == {}


def test_a_service_without_selector_or_address_has_none() -> None:
    assert addresses([{"spec": {"type": "ExternalName", "externalName": "x"}}], POD, {9443: 1}) == {}


def test_clusters_have_ranges_of_their_own() -> None:
    ranges = [service_range(port) for port in (21000, 21001, 31999)]
    assert [str(each) for each in ranges] == ["127.82.8.0/24", "127.82.9.0/24", "127.124.255.0/24"]


@pytest.fixture
def echo() -> Iterator[int]:
    """The port of a process that answers with what it was sent, in capitals."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while data := self.request.recv(100):
                self.request.sendall(data.upper())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def said(address: tuple[str, int], text: bytes) -> bytes:
    with socket.create_connection(address, timeout=5) as connection:
        connection.sendall(text)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(100), b""))


def test_connections_are_passed_on_until_the_process_ends(echo: int) -> None:
    (port,) = free_ports(1)
    forwards, address = Forwards(), ("127.90.0.9", port)
    assert forwards.set({address: echo}) == []
    assert said(address, b"one") == b"ONE"
    assert forwards.set({address: echo}) == []
    assert said(address, b"two") == b"TWO"
    forwards.set({})
    with pytest.raises(ConnectionRefusedError):
        said(address, b"three")


def test_an_address_that_another_process_has_is_reported(echo: int) -> None:
    (port,) = free_ports(1)
    first, second, address = Forwards(), Forwards(), ("127.90.0.9", port)
    first.set({address: echo})
    assert second.set({address: echo}) == [f"127.90.0.9:{port}: Address already in use"]
    first.set({})
    assert second.set({address: echo}) == []
    second.set({})
