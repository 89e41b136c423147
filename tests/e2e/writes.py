"""Every write to one object in several clusters, followed at once: what it changed, and whose it was."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from threading import Thread
from typing import Any, Self

from local.api import Api, ApiError, Unreachable

_FOLLOWED_SECONDS = 900


@dataclass(frozen=True)
class Write:
    """An object of a cluster as one write has left it."""

    cluster: str
    generation: int
    replicas: int
    managers: frozenset[tuple[str, str]]
    """Who has written to it, but for its status, and when each did last."""


class Writes:
    """The writes to the object at a path, from `with` on, for at most 15 minutes."""

    def __init__(self, clusters: Mapping[str, Api], path: str) -> None:
        self._clusters = clusters
        self._folder, _, self._name = path.rpartition("/")
        self._found: dict[str, list[Write]] = {name: [] for name in clusters}
        self._over = False
        self._started = 0.0

    def __enter__(self) -> Self:
        for name, api in self._clusters.items():
            self._found[name].append(_write(name, api.get(f"{self._folder}/{self._name}")))
            Thread(target=self._follow, args=(name, api), daemon=True).start()
        self._started = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True

    @property
    def seconds(self) -> float:
        """For how long they have been followed."""
        return time.monotonic() - self._started

    def of(self, manager: str) -> list[tuple[Write, Write]]:
        """What each write of someone has left, after what was there before it."""
        return [
            (before, after)
            for found in self._found.values()
            for before, after in pairwise(found)
            if any(name == manager for name, _ in after.managers - before.managers)
        ]

    def managers(self) -> set[str]:
        """Who has written at any time, before it was followed too."""
        return {name for found in self._found.values() for each in found for name, _ in each.managers}

    def _follow(self, cluster: str, api: Api) -> None:
        found = self._found[cluster]
        with suppress(ApiError, Unreachable):
            for change in api.watch(self._folder, _FOLLOWED_SECONDS, fieldSelector=f"metadata.name={self._name}"):
                if self._over:
                    return
                # The first change of all is what exists; those of the status change neither.
                if change["type"] != "DELETED" and (write := _write(cluster, change["object"])) != found[-1]:
                    found.append(write)


def _write(cluster: str, found: Mapping[str, Any]) -> Write:
    metadata = found["metadata"]
    entries = [each for each in metadata.get("managedFields", []) if each.get("subresource") != "status"]
    managers = frozenset((each["manager"], each.get("time", "")) for each in entries)
    return Write(cluster, metadata["generation"], found["spec"]["replicas"], managers)
