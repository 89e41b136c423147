"""Who decides the replicas of a federated object: KubeFed by a preference, or an autoscaler in each member.

Where that changes for an object that exists, some fields belong to neither the program nor the new one: KubeFed wrote
the shares into the object, and the program's own list of clusters is to become KubeFed's. Server-side apply would leave
the one and take the other away, so that copies would be scaled or deleted in between. What is done here keeps them.

Source: KubeFed v0.10.0 applies overrides after the replicas that it retains (pkg/controller/sync/dispatch/managed.go),
and a preference that intersects with a selector does nothing to an object without one (pkg/schedulingtypes).
"""

import asyncio
import copy
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import pulumi

from federation.api_client import NoAnswer, answered, asking
from federation.queries import Object
from placement.api.kinds import TargetType
from placement.api.lookup import at, elements, entries
from placement.preferences import selected

_SECONDS = 60.0
_PAUSE = 1.0
_REQUEST_SECONDS = 20
_REPLICAS = "/spec/replicas"
_MANAGER = "geo-federation"
# KubeFed's word for a member that is not Ready.
_AWAY = "ClusterNotReady"

Body = dict[str, Any]


class Live(Protocol):
    """A federated object on the host."""

    def read(self) -> Body | None:
        """The object, or None where there is none."""
        ...

    def write(self, body: Body) -> bool:
        """Replaces the object; False where it has changed since it was read."""
        ...

    def own(self, spec: Body) -> None:
        """Makes these fields of its spec its owner's too, so that they stay when the program drops them."""
        ...


def hand_over_first(host: str, kubeconfig: pulumi.Output[str], target: TargetType) -> pulumi.ResourceHook:
    """A hook for the federated objects of a type, which hands the replicas over before an object is changed."""

    async def hand_over_replicas(hook: pulumi.ResourceHookArgs) -> None:
        old, new = (entries(each and each.get("spec")) for each in (hook.old_inputs, hook.new_inputs))
        if bool(old.get("retainReplicas")) == bool(new.get("retainReplicas")):
            return
        metadata: Mapping[str, str] = (hook.new_inputs or {})["metadata"]
        known = await kubeconfig.future() or ""
        live = _OnHost(host, known, target, metadata["namespace"], metadata["name"])
        about = f"{target.kind} {metadata['namespace']}/{metadata['name']}"
        try:
            await asyncio.to_thread(hand_over, about, live, new)
        except NoAnswer as error:
            raise pulumi.RunError(f"{about}: {error}; run pulumi up again when it does") from None

    return pulumi.ResourceHook(f"hand-over-{target.plural}", hand_over_replicas)


def hand_over(about: str, live: Live, new: Mapping[str, Any], seconds: float = _SECONDS) -> None:
    """Changes a live object so that it can become `new`, a spec, without a copy being scaled or deleted in between.

    Raises NoAnswer, and pulumi.RunError where copies of 0 replicas are not scaled up within so many seconds.
    """
    if new.get("retainReplicas"):
        _change(live, lambda spec: to_autoscaler(spec, new))
        _await_raised(about, live, new, seconds)
        # KubeFed may be about to write shares that it has decided before.
        while _change(live, lambda spec: without_shares(spec, new)):
            time.sleep(_PAUSE)
    elif (body := live.read()) is not None:
        live.own(until_decided(body, new))


def to_autoscaler(spec: Mapping[str, Any], new: Mapping[str, Any]) -> Body:
    """A spec whose preference does nothing any more, and whose copies have at least the replicas that new ones get.

    From 0 replicas, a HorizontalPodAutoscaler scales nothing.
    """
    changed: Body = {**copy.deepcopy(dict(spec)), "retainReplicas": True}
    changed.get("placement", {}).pop("clusterSelector", None)
    start = _start(new)
    for each in _shares(changed):
        each["value"] = max(each["value"], start)
    return changed


def without_shares(spec: Mapping[str, Any], new: Mapping[str, Any]) -> Body:
    """A spec whose replicas nothing overrides, in no other clusters than the new one's."""
    changed: Body = copy.deepcopy(dict(spec))
    for each in elements(changed.get("overrides")):
        patches = elements(each.get("clusterOverrides"))
        each["clusterOverrides"] = [patch for patch in patches if patch["path"] != _REPLICAS]
    if "overrides" in changed:
        changed["overrides"] = [each for each in elements(changed["overrides"]) if each["clusterOverrides"]]
    clusters = at(changed, "placement", "clusters")
    if clusters:
        changed["placement"]["clusters"] = [each for each in clusters if each["name"] in _names(new)]
    return changed


def until_decided(live: Object, new: Mapping[str, Any]) -> Body:
    """What an object keeps until its new preference has decided: its clusters, and the replicas in them.

    A share that KubeFed writes takes precedence over what it retains.
    """
    staying = _names(live["spec"]) & {*selected(at(new, "placement", "clusterSelector"))}
    return {"placement": {"clusters": [{"name": name} for name in sorted(staying)]}, "retainReplicas": True}


def not_raised(live: Object) -> dict[str, str]:
    """The clusters whose copies may still be without the shares in the object, each with KubeFed's word for it."""
    status: Object = live.get("status") or {}
    found: Sequence[Object] = status.get("clusters") or []
    if status.get("observedGeneration", 0) < live["metadata"]["generation"]:
        return dict.fromkeys(_names(live["spec"]), "not yet propagated")
    return {each["name"]: each["status"] for each in found if each.get("status")}


def _await_raised(about: str, live: Live, new: Mapping[str, Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (body := live.read()) is not None and _shares(body["spec"]):
        left = {name: why for name, why in not_raised(body).items() if name in _names(new)}
        if all(why == _AWAY for why in left.values()):
            for name in left:
                pulumi.log.warn(
                    f"{about}: {name} does not answer; if it has 0 replicas there, scale it up once: from 0, no "
                    "HorizontalPodAutoscaler starts"
                )
            return
        if time.monotonic() > deadline:
            reasons = ", ".join(f"{name} ({why})" for name, why in sorted(left.items()))
            raise pulumi.RunError(
                f"{about}: not ready for an autoscaler, which starts from {_start(new)} replicas or more: {reasons}; "
                "see why in the cluster, and run pulumi up again"
            )
        time.sleep(_PAUSE)


def _change(live: Live, change: Callable[[Mapping[str, Any]], Body]) -> bool:
    """Changes the spec of a live object; whether there was something to change."""
    while (body := live.read()) is not None:
        spec = change(body["spec"])
        if spec == body["spec"]:
            return False
        if live.write({**body, "spec": spec}):
            return True
    return False


def _shares(spec: Mapping[str, Any]) -> list[Body]:
    """The patches of an object's replicas, one for each cluster that has one."""
    return [
        patch
        for each in elements(spec.get("overrides"))
        for patch in elements(each.get("clusterOverrides"))
        if patch["path"] == _REPLICAS
    ]


def _names(spec: Mapping[str, Any]) -> set[str]:
    return {each["name"] for each in elements(at(spec, "placement", "clusters"))}


def _start(spec: Mapping[str, Any]) -> int:
    """How many replicas a new copy starts with."""
    return int(spec["template"]["spec"]["replicas"])


class _OnHost:
    """A federated object, by requests to the host's API server. All raise NoAnswer."""

    def __init__(self, host: str, kubeconfig: str, target: TargetType, namespace: str, name: str) -> None:
        self._host, self._kubeconfig, self._target, self._name = host, kubeconfig, target, name
        self._path = f"/apis/types.kubefed.io/v1beta1/namespaces/{namespace}/{target.federated_plural}/{name}"

    def read(self) -> Body | None:
        status, body = self._ask("GET", None, "application/json")
        return None if status == 404 else answered(body)

    def write(self, body: Body) -> bool:
        status, _ = self._ask("PUT", body, "application/json")
        return status not in (404, 409)

    def own(self, spec: Body) -> None:
        body = {
            "apiVersion": "types.kubefed.io/v1beta1",
            "kind": self._target.federated_kind,
            "metadata": {"name": self._name},
            "spec": spec,
        }
        self._ask("PATCH", body, "application/apply-patch+yaml")

    def _ask(self, method: str, body: Body | None, content: str) -> tuple[int, bytes]:
        """The status and the body of an answer."""
        parameters = [] if body is None else [("fieldManager", _MANAGER)]
        parameters += [("force", "true")] if method == "PATCH" else []
        with asking(self._host, self._kubeconfig) as (_, api):
            request = api.param_serialize(
                method,
                self._path,
                query_params=parameters,
                header_params={"Accept": "application/json", "Content-Type": content},
                body=body,
                auth_settings=["BearerToken"],
            )
            response = api.call_api(*request, _request_timeout=_REQUEST_SECONDS)
            found: bytes = response.read()
            if response.status >= 400 and response.status not in (404, 409):
                raise NoAnswer(f"{response.status} {response.reason}")
            return response.status, found
