"""The Kubernetes API as this package's own servers use it: JSON in, JSON out, signed in by a client certificate."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import requests

from local.control_plane import ControlPlane


class Api:
    """One control plane's API server, as its administrator."""

    def __init__(self, plane: ControlPlane) -> None:
        self._base = f"https://{plane.endpoint}"
        self._session = requests.Session()
        # The servers are on this machine, whatever proxy the user has.
        self._session.trust_env = False
        self._session.verify, self._session.cert = plane.certificate_files

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        return self._call("GET", path, params=parameters)

    def create(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._call("POST", path, json=body)

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Merges into what is there."""
        headers = {"Content-Type": "application/merge-patch+json"}
        return self._call("PATCH", path, data=json.dumps(body), headers=headers)

    def delete(self, path: str, **parameters: str) -> None:
        """Deletes an object or a collection; one that is gone already is no error."""
        try:
            self._call("DELETE", path, params=parameters)
        except requests.HTTPError as error:
            if error.response is None or error.response.status_code != 404:
                raise

    def watch(self, path: str, seconds: int, **parameters: str) -> Iterator[dict[str, Any]]:
        """Yields what is there and then every change, for at most so many seconds."""
        parameters |= {"watch": "true", "timeoutSeconds": str(seconds)}
        reply = self._session.get(self._base + path, params=parameters, stream=True, timeout=(5, seconds + 10))
        with reply:
            reply.raise_for_status()
            for line in reply.iter_lines(chunk_size=None):
                yield json.loads(line)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        reply = self._session.request(method, self._base + path, timeout=20, **arguments)
        reply.raise_for_status()
        return reply.json()
