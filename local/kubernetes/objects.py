"""Where an object is served, and how to wait for it."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from local.api import Api, ApiError, Unreachable
from local.plugin import Properties, Refused

T = TypeVar("T")

# How long a kind that was only just defined, or a namespace that was only just made, may take to be served.
_SETTLING_SECONDS = 15.0


class UnknownKind(Exception):
    """The API server serves no such kind."""


@dataclass(frozen=True)
class Place:
    """Where one object is served: its collection's path and its name."""

    collection: str
    name: str

    @property
    def path(self) -> str:
        return f"{self.collection}/{self.name}"


class Objects:
    """The objects of one API server, found by their apiVersion, kind, namespace and name."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api, self._namespace = api, namespace
        self._lock = threading.Lock()
        self._served: dict[str, dict[str, tuple[str, bool]]] = {}

    def place(self, body: Properties) -> Place:
        """Raises UnknownKind."""
        version, metadata = body["apiVersion"], body["metadata"]
        plural, namespaced = self._kind(version, body["kind"])
        prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
        inside = f"/namespaces/{metadata.get('namespace') or self._namespace}" if namespaced else ""
        return Place(f"{prefix}{inside}/{plural}", metadata["name"])

    def find(self, body: Properties) -> Properties | None:
        """The object as it is, or None when it, or its kind, is not there."""
        try:
            return self.api.get(self.place(body).path)
        except UnknownKind:
            return None
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def settled(self, request: Callable[[], T]) -> T:
        """Makes a request, again while what it needs is not served yet or the API server is busy."""
        deadline, pause = time.monotonic() + _SETTLING_SECONDS, 0.05
        while True:
            try:
                return request()
            except UnknownKind as error:
                problem: Exception = Refused(f"{error}; is its CustomResourceDefinition there?")
            except ApiError as error:
                if error.status not in (404, 409, 429, 500, 503, 504) or "conflict with" in str(error):
                    raise
                problem = error
            except Unreachable as error:
                problem = error
            if time.monotonic() > deadline:
                raise problem
            time.sleep(pause)
            pause = min(pause * 2, 1.0)

    def follow(self, place: Place, seconds: float) -> Iterator[Properties | None]:
        """Yields the object as it is and at each change, None once it is gone, for at most so many seconds."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                yield from self._changes(place, left)
            except (Unreachable, ApiError):
                time.sleep(min(0.5, left))

    def _changes(self, place: Place, seconds: float) -> Iterator[Properties | None]:
        listed = self.api.get(place.collection, fieldSelector=f"metadata.name={place.name}")
        # The API server leaves out of a list's items what the list says of them all.
        kind = {"apiVersion": listed["apiVersion"], "kind": listed["kind"].removesuffix("List")}
        yield kind | listed["items"][0] if listed["items"] else None
        version = listed["metadata"]["resourceVersion"]
        changes = self.api.watch(
            place.collection, seconds, fieldSelector=f"metadata.name={place.name}", resourceVersion=version
        )
        for change in changes:
            if change["type"] == "ERROR":
                return
            yield None if change["type"] == "DELETED" else change["object"]

    def _kind(self, version: str, kind: str) -> tuple[str, bool]:
        """A kind's plural, and whether it is of a namespace."""
        with self._lock:
            if kind not in self._served.get(version, {}):
                self._served[version] = self._discover(version)
            if kind not in self._served[version]:
                raise UnknownKind(f"the cluster serves no {kind} of {version}")
            return self._served[version][kind]

    def _discover(self, version: str) -> dict[str, tuple[str, bool]]:
        try:
            listed: list[Any] = self.api.get(f"/apis/{version}" if "/" in version else f"/api/{version}")["resources"]
        except ApiError as error:
            if error.status == 404:
                return {}
            raise
        return {each["kind"]: (each["name"], each["namespaced"]) for each in listed if "/" not in each["name"]}
