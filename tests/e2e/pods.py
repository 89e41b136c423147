"""Pods as they come and go in several clusters, followed at once."""

import time
from collections.abc import Mapping
from contextlib import suppress
from threading import Condition, Thread
from typing import Any, Self

from local.api import Api, ApiError, Unreachable

_FOLLOWED_SECONDS = 60


def replicas(api: Api, namespace: str, deployment: str) -> tuple[int, int] | None:
    """How many replicas a Deployment desires and how many are Ready; None where there is none, or no answer."""
    try:
        found = api.get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{deployment}")
    except (ApiError, Unreachable):
        return None
    return found["spec"]["replicas"], found.get("status", {}).get("readyReplicas", 0)


class Pods:
    """The pods with a label `app` in a namespace; follow them with `with`, for at most a minute."""

    def __init__(self, clusters: Mapping[str, Api], namespace: str, app: str) -> None:
        self.most = 0
        """The most that there were at one time."""
        self._clusters = clusters
        self._path = f"/api/v1/namespaces/{namespace}/pods"
        self._app = app
        self._ready: dict[tuple[str, str], bool] = {}
        self._changed = Condition()
        self._over = False

    def __enter__(self) -> Self:
        for name, api in self._clusters.items():
            # Existing pods are not followed; every change after this answer is.
            version = api.get(self._path, limit="1")["metadata"]["resourceVersion"]
            Thread(target=self._follow, args=(name, api, version), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over = True

    def wait_ready(self, count: int, seconds: float) -> float:
        """When there were exactly so many and every one was Ready. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: list(self._ready.values()) == [True] * count, seconds):
                raise TimeoutError(f"not {count} pods that are Ready, but {self._ready}")
            return time.monotonic()

    def _follow(self, name: str, api: Api, version: str) -> None:
        with suppress(ApiError, Unreachable):
            changes = api.watch(
                self._path, _FOLLOWED_SECONDS, labelSelector=f"app={self._app}", resourceVersion=version
            )
            for change in changes:
                if self._over:
                    return
                self._record(name, change["type"], change["object"])

    def _record(self, cluster: str, change: str, pod: Mapping[str, Any]) -> None:
        with self._changed:
            key = (cluster, pod["metadata"]["name"])
            if change == "DELETED":
                self._ready.pop(key, None)
            else:
                conditions = pod.get("status", {}).get("conditions", [])
                self._ready[key] = any((each["type"], each["status"]) == ("Ready", "True") for each in conditions)
            self.most = max(self.most, len(self._ready))
            self._changed.notify_all()
