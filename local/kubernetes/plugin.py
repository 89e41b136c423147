"""The plugin: what Pulumi's engine asks of Kubernetes, answered by server-side apply."""

import json
import os
import threading
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from local.api import Api, ApiError, Unreachable
from local.kubernetes.awaits import check_of, timeout_of
from local.kubernetes.diffs import differences, drifted, needs_replacement, same_object
from local.kubernetes.objects import Objects, Place, UnknownKind
from local.plugin import UNKNOWN, Difference, NotReady, Plugin, Properties, Refused, Resource, known

_MANAGER = "pulumi-kubernetes"
_AWAIT_SECONDS = 600.0
_DELETE_SECONDS = 300.0
_AUTONAMED = "pulumi.com/autonamed"
_FORCE = "pulumi.com/patchForce"


class KubernetesPlugin(Plugin):
    """One provider: one cluster, as its kubeconfig leads there."""

    version = "4.34.2"

    def __init__(self) -> None:
        self._settings: Properties = {}
        self._lock = threading.Lock()
        self._connected: Objects | None = None

    def diff_config(self, old: Properties, new: Properties) -> Difference:
        changed = differences(old, new)
        decides = "clusterIdentifier" if "clusterIdentifier" in new else "kubeconfig"
        replaces = [path for path in changed if path.startswith(decides)]
        return Difference(updates=[path for path in changed if path not in replaces], replaces=replaces)

    def configure(self, inputs: Properties) -> None:
        self._settings = inputs

    def check(
        self, resource: Resource, old: Properties, new: Properties, seed: bytes
    ) -> tuple[Properties, dict[str, str]]:
        if not isinstance(new.get("apiVersion"), str) or not isinstance(new.get("kind"), str):
            return new, {"": "apiVersion and kind are needed"}
        if new["kind"].endswith("Patch"):
            return new, {"": f"{new['kind']} is not among what the local stand-in for the kubernetes plugin knows"}
        metadata: Properties = dict(new.get("metadata") or {})
        if not metadata.get("name"):
            before: Properties = old.get("metadata") or {}
            kept = before.get("name") if _AUTONAMED in before.get("annotations", {}) else None
            metadata["name"] = kept or f"{resource.name}-{seed.hex()[:8]}"
            metadata["annotations"] = {**metadata.get("annotations", {}), _AUTONAMED: "true"}
        return new | {"metadata": metadata}, {}

    def diff(self, resource: Resource, old_inputs: Properties, old: Properties, new: Properties) -> Difference:
        changed = differences(old_inputs, new)
        mutable = frozenset(kind for kind in ("ConfigMap", "Secret") if self._flag(f"enable{kind}Mutable"))
        replaces = [path for path in changed if needs_replacement(path, new["kind"], mutable)]
        updates = [path for path in changed if path not in replaces]
        # Two objects cannot have one name, unless Pulumi chose it.
        autonamed = _AUTONAMED in new["metadata"].get("annotations", {})
        return Difference(updates, replaces, delete_before_replace=bool(replaces) and not autonamed)

    def create(self, resource: Resource, inputs: Properties) -> tuple[str, Properties]:
        if resource.preview:
            return "", self._foresee(inputs)
        objects = self._objects()
        if not self._flag("upsertExistingObjects") and objects.find(inputs) is not None:
            raise Refused(f"{_label(inputs)} exists already")
        return _identifier(inputs), self._apply(resource, inputs)

    def read(self, resource: Resource, inputs: Properties, state: Properties) -> tuple[Properties, Properties] | None:
        if not inputs:
            raise Refused("the local stand-in for the kubernetes plugin cannot import")
        try:
            objects = self._objects()
            live = objects.find(inputs)
            if live is None:
                return None
            applied = objects.api.apply(
                objects.place(inputs).path, inputs, fieldManager=_MANAGER, dryRun="All", force="true"
            )
        except (ApiError, Unreachable) as error:
            raise Refused(f"{_label(inputs)}: {error}") from None
        return (inputs if same_object(applied, live) else drifted(inputs, live)), _outputs(inputs, live)

    def update(self, resource: Resource, old: Properties, new: Properties) -> Properties:
        return self._foresee(new) if resource.preview else self._apply(resource, new)

    def delete(self, resource: Resource, state: Properties) -> None:
        try:
            objects = self._objects()
            place = objects.place(state)
            policy = state["metadata"].get("annotations", {}).get("pulumi.com/deletionPropagationPolicy", "foreground")
            objects.settled(partial(objects.api.delete, place.path, propagationPolicy=policy.capitalize()))
            self._await_gone(objects, place, resource.timeout or timeout_of(state, _DELETE_SECONDS), _label(state))
        except UnknownKind:
            return
        except Unreachable as error:
            if not self._flag("deleteUnreachable"):
                raise Refused(f"{_label(state)} cannot be deleted: {error}") from None
        except ApiError as error:
            raise Refused(f"{_label(state)} cannot be deleted: {error}") from None

    def secrets(self, resource: Resource) -> set[str]:
        return {"data", "stringData"} if resource.type == "kubernetes:core/v1:Secret" else set()

    def _foresee(self, inputs: Properties) -> Properties:
        """What the API server says that it would make; the inputs where that cannot be known yet."""
        if not known(inputs):
            return inputs
        try:
            objects = self._objects()
            path = objects.place(inputs).path
            made = objects.api.apply(
                path, inputs, fieldManager=_MANAGER, dryRun="All", force=_force(inputs, self._flag)
            )
            return inputs | {
                key: value for key, value in _outputs(inputs, made).items() if key not in ("metadata", "status", "data")
            }
        except (UnknownKind, Unreachable):
            return inputs
        except ApiError as error:
            # A namespace or a kind that this very run makes is not there yet.
            if error.status == 404:
                return inputs
            raise Refused(f"{_label(inputs)}: {error}") from None

    def _apply(self, resource: Resource, inputs: Properties) -> Properties:
        check = check_of(inputs)
        try:
            objects = self._objects()

            def apply() -> tuple[Place, Properties]:
                place = objects.place(inputs)
                force = _force(inputs, self._flag)
                return place, objects.api.apply(place.path, inputs, fieldManager=_MANAGER, force=force)

            place, made = objects.settled(apply)
        except (ApiError, Unreachable) as error:
            raise Refused(f"{_label(inputs)}: {error}") from None
        lacking = check(made)
        if lacking:
            for body in objects.follow(place, resource.timeout or timeout_of(inputs, _AWAIT_SECONDS)):
                made, lacking = (made, "it was deleted meanwhile") if body is None else (body, check(body))
                if not lacking:
                    break
        if lacking:
            raise NotReady(_identifier(inputs), _outputs(inputs, made), [f"{_label(inputs)} is not ready: {lacking}"])
        return _outputs(inputs, made)

    def _await_gone(self, objects: Objects, place: Place, seconds: float, label: str) -> None:
        left: list[str] = []
        for body in objects.follow(place, seconds):
            if body is None:
                return
            left = body["metadata"].get("finalizers", [])
        holds = f"; what holds it are the finalizers {', '.join(left)}" if left else ""
        raise Refused(f"{label} is not gone after {seconds:.0f} s{holds}")

    def _objects(self) -> Objects:
        with self._lock:
            if self._connected is None:
                kubeconfig = _read_kubeconfig(self._settings.get("kubeconfig"))
                self._connected = Objects(Api(kubeconfig), str(self._settings.get("namespace") or "default"))
            return self._connected

    def _flag(self, name: str) -> bool:
        # The engine hands over a provider's inputs as text.
        return self._settings.get(name) in (True, "true")


def _read_kubeconfig(value: Any) -> Properties:
    if value == UNKNOWN:
        raise Unreachable("the kubeconfig is not known yet")
    text = str(value or os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    if "\n" not in text and not text.lstrip().startswith("{"):
        try:
            text = Path(text).read_text()
        except OSError as error:
            raise Refused(f"kubeconfig {text} cannot be read: {error.strerror}") from None
    loaded = yaml.safe_load(text)
    if not isinstance(loaded, dict):
        raise Refused("the provider's kubeconfig is not one")
    return json.loads(json.dumps(loaded))


def _outputs(inputs: Properties, live: Properties) -> Properties:
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    written = {"stringData": inputs["stringData"]} if "stringData" in inputs else {}
    return live | {"metadata": metadata} | written


def _identifier(inputs: Properties) -> str:
    metadata = inputs["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else metadata["name"]


def _label(body: Properties) -> str:
    return f"{body['kind']} {_identifier(body)}"


def _force(inputs: Properties, flag: Any) -> str:
    annotations: dict[str, str] = inputs["metadata"].get("annotations") or {}
    return "true" if annotations.get(_FORCE) == "true" or flag("enablePatchForce") else "false"
