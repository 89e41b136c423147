"""The objects of one API server: where they are served, and how to write, read and follow them."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from local.api import Api, ApiError, Unreachable
from local.plugin import Properties, Refused

T = TypeVar("T")

# How long a kind that was only just defined, a namespace that was only just made, or an API server that restarts may
# take to be served.
_SETTLING_SECONDS = 15.0


class UnknownKind(Exception):
    """The API server serves no such kind."""


@dataclass(frozen=True)
class Place:
    """Where one object is served: its collection's path, its name, and what the API server calls its type."""

    collection: str
    name: str
    type: str

    @property
    def path(self) -> str:
        return f"{self.collection}/{self.name}"


class Objects:
    """The objects of one API server, found by their apiVersion, kind, namespace and name."""

    def __init__(self, connect: Callable[[], Api], namespace: str) -> None:
        """`connect` signs in; it is called again when the API server no longer takes the credentials."""
        self._connect, self._namespace = connect, namespace
        self._api = connect()
        self._lock = threading.Lock()
        self._served: dict[str, dict[str, tuple[str, bool]]] = {}
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Ends every watch."""
        self._stopped.set()
        self._api.stop_watching()

    def place(self, body: Properties) -> Place:
        """Raises UnknownKind, ApiError or Unreachable."""
        version, metadata = body["apiVersion"], body["metadata"]
        plural, namespaced = self._kind(version, body["kind"])
        prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
        inside = f"/namespaces/{metadata.get('namespace') or self._namespace}" if namespaced else ""
        group = version.rpartition("/")[0]
        return Place(f"{prefix}{inside}/{plural}", metadata["name"], f"{plural}.{group}" if group else plural)

    def find(self, body: Properties) -> Properties | None:
        """The object as it is, or None when it, or its kind, is not there. Raises ApiError or Unreachable."""
        try:
            place = self.place(body)
            return self._signed_in(lambda api: api.get(place.path))
        except UnknownKind:
            return None
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def apply(self, body: Properties, manager: str, *, force: bool, dry_run: bool = False) -> Properties:
        """Server-side apply. Raises UnknownKind, ApiError or Unreachable."""
        parameters = {"fieldManager": manager, "force": str(force).lower()} | ({"dryRun": "All"} if dry_run else {})
        place = self.place(body)
        return self._signed_in(lambda api: api.apply(place.path, body, **parameters))

    def delete(self, place: Place, policy: str) -> None:
        """One that is gone already is no error. Raises ApiError or Unreachable."""
        self._signed_in(lambda api: api.delete(place.path, propagationPolicy=policy))

    def list(self, collection: str, **selectors: str) -> list[Properties]:
        """Raises ApiError or Unreachable."""
        return self._signed_in(lambda api: api.list(collection, **selectors))

    def reachable(self) -> bool:
        """Whether the API server answers."""
        try:
            self._signed_in(lambda api: api.get("/version"))
        except (ApiError, Unreachable):
            return False
        return True

    def settled(self, request: Callable[[], T]) -> T:
        """Makes a request, again while what it needs is not served yet or the API server is busy.

        Raises Refused, ApiError or Unreachable.
        """
        deadline, pause = time.monotonic() + _SETTLING_SECONDS, 0.05
        while True:
            try:
                return request()
            except UnknownKind as error:
                problem: Exception = Refused(f"{error}; is its CustomResourceDefinition there?")
            except ApiError as error:
                if not _passes(error):
                    raise
                problem = error
            except Unreachable as error:
                problem = error
            if time.monotonic() > deadline:
                raise problem
            time.sleep(pause)
            pause = min(pause * 2, 1.0)

    def follow(self, place: Place, seconds: float) -> Iterator[Properties | None]:
        """Yields an object as it is and at each change, None once it is gone, for at most so many seconds."""
        return self.follow_all(place.collection, seconds, fieldSelector=f"metadata.name={place.name}")

    def follow_all(self, collection: str, seconds: float, **selectors: str) -> Iterator[Properties | None]:
        """Yields the objects of a collection as they are and at each change, None for one that is gone or not there."""
        deadline = time.monotonic() + seconds
        while not self._stopped.is_set() and (left := deadline - time.monotonic()) > 0:
            try:
                yield from self._changes(collection, left, selectors)
            except (ApiError, Unreachable) as error:
                # The kind itself may go, and all its objects with it.
                if isinstance(error, ApiError) and error.status == 404:
                    yield None
                self._stopped.wait(min(0.5, left))

    def _changes(self, collection: str, seconds: float, selectors: dict[str, str]) -> Iterator[Properties | None]:
        listed = self._signed_in(lambda api: api.get(collection, **selectors))
        # Items of a list lack the kind and version that the list has.
        kind = {"apiVersion": listed["apiVersion"], "kind": listed["kind"].removesuffix("List")}
        items: list[Properties] = listed.get("items") or []
        yield from [kind | item for item in items] or [None]
        version: str = listed["metadata"]["resourceVersion"]
        changes = self._api.watch(collection, seconds, **selectors, resourceVersion=version)
        for change in changes:
            if change["type"] == "ERROR":
                return
            yield None if change["type"] == "DELETED" else change["object"]

    def _signed_in(self, request: Callable[[Api], T]) -> T:
        api = self._api
        try:
            return request(api)
        except ApiError as error:
            if error.status != 401:
                raise
        with self._lock:
            if self._api is api:
                self._api = self._connect()
        return request(self._api)

    def _kind(self, version: str, kind: str) -> tuple[str, bool]:
        """A kind's plural, and whether it is of a namespace."""
        served = self._served.get(version, {})
        if kind not in served:
            served = self._served[version] = self._discover(version)
        if kind not in served:
            raise UnknownKind(f"the cluster serves no {kind} of {version}")
        return served[kind]

    def _discover(self, version: str) -> dict[str, tuple[str, bool]]:
        path = f"/apis/{version}" if "/" in version else f"/api/{version}"
        try:
            listed: list[Any] = self._signed_in(lambda api: api.get(path)).get("resources") or []
        except ApiError as error:
            if error.status == 404:
                return {}
            raise
        return {each["kind"]: (each["name"], each["namespaced"]) for each in listed if "/" not in each["name"]}


def _passes(error: ApiError) -> bool:
    """Whether a request that was refused may be granted a little later."""
    message = str(error)
    if error.status == 500:
        # An object that does not fit its schema is answered by 500 too.
        return "failed calling webhook" in message or "etcdserver" in message
    # A conflict with another manager stays, however often one retries.
    return error.status in (404, 409, 429, 502, 503, 504) and "conflict with" not in message
