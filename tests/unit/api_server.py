"""An API server on this machine that gives the answers of a test."""

import json
import ssl
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import yaml


@contextmanager
def api_server(answers: Mapping[str, tuple[int, bytes]], certificate: Path | None = None) -> Generator[str]:
    """Serves each path's status and body, and 404 for every other, and returns its URL.

    The paths come without their parameters, and "*" is any. A status of 0 closes the connection.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            nothing = (404, status_of(404, "not found"))
            status, body = answers.get(self.path.partition("?")[0]) or answers.get("*") or nothing
            if status:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            else:
                # What is written is less than what was promised.
                self.wfile.write(body)
            self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Logs nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            server.handle_error = lambda request, client_address: None
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def status_of(code: int, message: str) -> bytes:
    """What an API server answers where it refuses."""
    return json.dumps({"kind": "Status", "apiVersion": "v1", "message": message, "code": code}).encode()


def kubeconfig(server: str, user: Mapping[str, Any] | None = None, cluster: Mapping[str, str] | None = None) -> str:
    """A kubeconfig for a server, of a user with a token where nothing else is said; `cluster` says more of it."""
    config = {
        "current-context": "one",
        "clusters": [{"name": "one", "cluster": {"server": server, **(cluster or {})}}],
        "contexts": [{"name": "one", "context": {"cluster": "one", "user": "one"}}],
        "users": [{"name": "one", "user": {"token": "a token"} if user is None else dict(user)}],
    }
    return yaml.safe_dump(config)
