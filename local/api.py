"""The Kubernetes API as the local stack uses it: JSON in, JSON out, errors with the API server's own messages."""

import json
import ssl
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import urllib3

from local.control_plane import ControlPlane

_CONNECTIONS = 64
_SECONDS = 30


class ApiError(Exception):
    """The API server refused a request; `status` is its HTTP status, the message its reason."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Unreachable(Exception):
    """No API server answered."""


class Api:
    """One API server."""

    def __init__(self, plane: ControlPlane) -> None:
        """Takes a control plane of this machine, as its administrator."""
        authority, (certificate, key) = plane.certificate_files
        context = ssl.create_default_context(cafile=authority)
        context.load_cert_chain(certificate, key)
        self._base = f"https://{plane.endpoint}"
        self._pool = urllib3.PoolManager(maxsize=_CONNECTIONS, ssl_context=context)

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """Raises ApiError or Unreachable, as all the others do."""
        return self._call("GET", path, parameters)

    def list(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        """The items of a collection; an API server may return null for none."""
        return self.get(path, **parameters).get("items") or []

    def create(self, path: str, body: Mapping[str, Any], **parameters: str) -> dict[str, Any]:
        return self._call("POST", path, parameters, body)

    def replace(self, path: str, body: Mapping[str, Any], **parameters: str) -> dict[str, Any]:
        return self._call("PUT", path, parameters, body)

    def merge(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Merges into the existing object."""
        return self._call("PATCH", path, {}, body, "application/merge-patch+json")

    def delete(self, path: str, **parameters: str) -> None:
        """Deletes an object or a collection; one that is gone already is no error."""
        try:
            self._call("DELETE", path, parameters)
        except ApiError as error:
            if error.status != 404:
                raise

    def watch(self, path: str, seconds: float, **parameters: str) -> Iterator[dict[str, Any]]:
        """Yields what exists and then every change, for at most so many seconds."""
        query = urlencode(parameters | {"watch": "true", "timeoutSeconds": str(max(1, round(seconds)))})
        reply = self._request("GET", f"{path}?{query}", None, {}, urllib3.Timeout(connect=5, read=seconds + 5))
        try:
            if reply.status >= 400:
                raise _error(reply.status, reply.data)
            buffer = b""
            for chunk in reply.stream(amt=None, decode_content=True):
                *lines, buffer = (buffer + chunk).split(b"\n")
                yield from (json.loads(line) for line in lines)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{self._base} went away: {error}") from None
        finally:
            reply.close()

    def _call(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        content: str = "application/json",
    ) -> dict[str, Any]:
        query = f"?{urlencode(parameters)}" if parameters else ""
        data = None if body is None else json.dumps(body).encode()
        reply = self._request(method, path + query, data, {"Content-Type": content}, urllib3.Timeout(_SECONDS))
        text = reply.data
        if reply.status >= 400:
            raise _error(reply.status, text)
        return json.loads(text)

    def _request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str], timeout: urllib3.Timeout
    ) -> urllib3.BaseHTTPResponse:
        def send() -> urllib3.BaseHTTPResponse:
            return self._pool.request(
                method,
                self._base + path,
                body=body,
                headers={"Accept": "application/json", **headers},
                timeout=timeout,
                retries=False,
                preload_content=False,
            )

        try:
            try:
                return send()
            except urllib3.exceptions.SSLError:
                # Under load, a handshake was seen to fail for no reason. Nothing has been sent before it.
                return send()
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Unreachable(f"{self._base} does not answer: {error}") from None


def _error(status: int, text: bytes) -> ApiError:
    try:
        return ApiError(status, json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return ApiError(status, text.decode(errors="replace")[:500])
