"""The stand-in for Pulumi's kubernetes plugin, by server-side apply."""

import threading
import time
import uuid
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from local.api import Api, ApiError, Unreachable
from local.kubernetes import awaits, settings
from local.kubernetes import inputs as own_inputs
from local.kubernetes.awaits import Lack
from local.kubernetes.diffs import differences, drifted, needs_replacement
from local.kubernetes.inputs import annotations_of, identifier_of, is_autonamed, label_of, to_program
from local.kubernetes.objects import Objects, UnknownKind
from local.kubernetes.ownership import FORCE, MANAGER, conflict_hint, manager_of, without_ignored
from local.kubernetes.settings import Settings
from local.kubernetes.values import rows, table
from local.plugin import Difference, NotReady, Plugin, Properties, Refused, Resource, known

_DELETE_SECONDS = 300.0
_POLICY = "pulumi.com/deletionPropagationPolicy"
_POLICIES = {"orphan": "Orphan", "background": "Background"}
_NOT_INPUTS = ("status",)
_TRIES = 5


class KubernetesPlugin(Plugin):
    """One provider: one cluster, as its kubeconfig leads there."""

    version = "4.34.2"

    def __init__(self) -> None:
        self._settings = Settings({})
        self._lock = threading.Lock()
        self._connected: Objects | None = None
        self._answers: bool | None = None
        self._cancelled = False

    def check_config(self, inputs: Properties) -> dict[str, str]:
        return settings.wrong(inputs)

    def diff_config(self, old: Properties, new: Properties) -> Difference:
        return settings.difference(old, new)

    def configure(self, inputs: Properties) -> None:
        self._settings = Settings(inputs)

    def check(
        self, resource: Resource, old: Properties, new: Properties, seed: bytes
    ) -> tuple[Properties, dict[str, str]]:
        if old and self._settings.flag("skipUpdateUnreachable") and not self._reachable():
            return old, {}
        wrong = own_inputs.wrong(resource, new)
        return (new if wrong else own_inputs.complete(resource, old, new, seed)), wrong

    def diff(self, resource: Resource, old_inputs: Properties, old: Properties, new: Properties) -> Difference:
        # An object that names no namespace is in the provider's, so that naming it changes nothing.
        there = table(old, "metadata").get("namespace")
        default = there and (self._settings.namespace or there)
        changed = differences(_in_namespace(old_inputs, there), _in_namespace(new, default))
        mutable = self._settings.mutable(new["kind"])
        replaces = [path for path in changed if needs_replacement(path, new, mutable)]
        # Two objects cannot have one name; one whose name Pulumi chose gets another.
        same_name = not any(path.startswith(("metadata.name", "apiVersion", "kind")) for path in replaces)
        return Difference(
            [path for path in changed if path not in replaces],
            replaces,
            delete_before_replace=bool(replaces) and same_name and not is_autonamed(new),
        )

    def create(self, resource: Resource, inputs: Properties) -> tuple[str, Properties]:
        manager = manager_of(resource.urn, inputs, {})
        if resource.preview:
            return "", self._foresee(inputs, manager, creates=True)
        with _labelled_errors(label_of(inputs)):
            objects = self._objects()
            if not self._settings.flag("upsertExistingObjects") and objects.find(inputs) is not None:
                raise Refused(_exists(objects, inputs))
            live = self._apply(objects, resource, inputs, manager)
        return identifier_of(live), live

    def read(self, resource: Resource, inputs: Properties, state: Properties) -> tuple[Properties, Properties] | None:
        wanted = inputs if "metadata" in inputs else _named_by(resource)
        manager = manager_of(resource.urn, wanted, state)
        with _labelled_errors(label_of(wanted)):
            try:
                objects = self._objects()
                live = objects.find(wanted)
            except Unreachable:
                if self._settings.flag("deleteUnreachable"):
                    return None
                if self._settings.flag("skipUpdateUnreachable"):
                    return inputs, state
                raise
            if live is None:
                return None
            if wanted is not inputs:
                return _as_inputs(live), _outputs(wanted, live, manager)
            live, found = self._drift(objects, inputs, live, manager)
        outputs = _outputs(inputs, live, manager)
        readiness = awaits.readiness_of(inputs)
        lack = readiness.check(live) if readiness.lasting else None
        if lack:
            reasons = [f"{label_of(live)} is not ready: {lack.text}", *self._pod_problems(objects, live)]
            raise NotReady(resource.id, outputs, reasons, found)
        return found, outputs

    def update(self, resource: Resource, old: Properties, new: Properties) -> Properties:
        manager = manager_of(resource.urn, new, old)
        if resource.preview and not known(new):
            return new
        with _labelled_errors(label_of(new)):
            try:
                objects = self._objects()
                live = objects.find(new) if resource.ignore_changes else None
            except Unreachable:
                if resource.preview:
                    return new
                raise
            wanted = without_ignored(new, resource.ignore_changes, live, manager) if live else new
            if resource.preview:
                return self._foresee(wanted, manager, creates=False)
            return self._apply(objects, resource, wanted, manager)

    def delete(self, resource: Resource, state: Properties) -> None:
        with _labelled_errors(f"{label_of(state)} cannot be deleted"):
            try:
                objects = self._objects()
                place = objects.place(state)
                policy = _POLICIES.get(annotations_of(state).get(_POLICY, "").lower(), "Foreground")
                objects.delete(place, policy)
            except UnknownKind:
                return
            except Unreachable:
                if self._settings.flag("deleteUnreachable"):
                    return
                raise
            if awaits.awaits_deletion(state):
                seconds = awaits.seconds_of(state, resource.timeout, _DELETE_SECONDS)
                self._await_gone(state, objects.follow(place, seconds))

    def cancel(self) -> None:
        with self._lock:
            self._cancelled = True
            if self._connected:
                self._connected.stop()

    def secrets(self, resource: Resource) -> set[str]:
        return {"data", "stringData"} if resource.type == "kubernetes:core/v1:Secret" else set()

    def _foresee(self, inputs: Properties, manager: str, *, creates: bool) -> Properties:
        """What the API server says that it would make; the inputs where that cannot be known yet."""
        if not known(inputs):
            return inputs
        with _labelled_errors(label_of(inputs)):
            try:
                objects = self._objects()
                try:
                    made = objects.apply(inputs, manager, force=creates or self._forces(inputs), dry_run=True)
                except ApiError as error:
                    if not creates or error.status != 422 or "immutable" not in str(error):
                        raise
                    # The existing object is deleted first, unless the new one has another name.
                    name = inputs["metadata"]["name"]
                    other = inputs | {"metadata": inputs["metadata"] | {"name": f"{name[:50]}-{uuid.uuid4().hex[:8]}"}}
                    made = objects.apply(other, manager, force=True, dry_run=True)
                    made["metadata"]["name"] = name
            except (UnknownKind, Unreachable):
                return inputs
            except ApiError as error:
                # A namespace, a kind or a right that this run creates does not exist yet.
                if error.status in (403, 404):
                    return inputs
                raise
        return {key: value for key, value in _outputs(inputs, made, manager).items() if key != "status"}

    def _apply(self, objects: Objects, resource: Resource, inputs: Properties, manager: str) -> Properties:
        readiness, force = awaits.readiness_of(inputs), self._forces(inputs)
        made = objects.settled(lambda: objects.apply(inputs, manager, force=force))
        lack = readiness.check(made)
        if lack or awaits.needs_endpoints(made):
            made, lack = _await(objects, made, lack, awaits.seconds_of(inputs, resource.timeout, readiness.seconds))
        outputs = _outputs(inputs, made, manager)
        if lack:
            reasons = [f"{label_of(made)} is not ready: {lack.text}", *self._pod_problems(objects, made)]
            raise NotReady(identifier_of(made), outputs, reasons)
        return outputs

    def _drift(
        self, objects: Objects, inputs: Properties, live: Properties, manager: str
    ) -> tuple[Properties, Properties]:
        """An object as it is, and as inputs in which is seen what others have changed of it."""
        applied = self._reapplied(objects, inputs, live, manager)
        for _ in range(_TRIES):
            if _version(applied) in (_version(live), ""):
                break
            # It was changed in between, by a controller that has fields of its own in it.
            live = objects.find(inputs) or live
            applied = self._reapplied(objects, inputs, live, manager)
        return live, drifted(inputs, live, applied)

    def _reapplied(self, objects: Objects, inputs: Properties, live: Properties, manager: str) -> Properties:
        """What the object would be if the inputs were applied again; the inputs where that is refused."""
        try:
            return objects.apply(inputs, manager, force=True, dry_run=True)
        except ApiError:
            return inputs

    def _pod_problems(self, objects: Objects, body: Properties) -> list[str]:
        """Why the pods of an object do not run; empty where that cannot be read."""
        labels = table(body, "spec", "selector", "matchLabels")
        if not labels:
            return []
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        try:
            collection = f"/api/v1/namespaces/{body['metadata']['namespace']}/pods"
            return awaits.pod_problems(objects.list(collection, labelSelector=selector))[:5]
        except (ApiError, Unreachable):
            return []

    def _await_gone(self, state: Properties, changes: Iterator[Properties | None]) -> None:
        last: Properties = {}
        started = time.monotonic()
        for body in changes:
            # One of the same name that came after it is another object.
            if body is None or body["metadata"]["uid"] != state["metadata"].get("uid", body["metadata"]["uid"]):
                return
            last = body
        finalizers = ", ".join(rows(last, "metadata", "finalizers"))
        conditions = [each for each in rows(last, "status", "conditions") if each.get("status") == "True"]
        held = [each["message"] for each in conditions if each.get("message")]
        parts = [
            f"it is not gone after {time.monotonic() - started:.0f} s",
            f"its finalizers are {finalizers}" if finalizers else "",
        ]
        raise Refused("; ".join(filter(None, [*parts, *(held if last.get("kind") == "Namespace" else [])])))

    def _forces(self, inputs: Properties) -> bool:
        return annotations_of(inputs).get(FORCE) == "true" or self._settings.flag("enablePatchForce")

    def _reachable(self) -> bool:
        if self._answers is None:
            try:
                self._answers = self._objects().reachable()
            except Unreachable:
                self._answers = False
        return self._answers

    def _objects(self) -> Objects:
        """The cluster's objects. Raises Unreachable or Refused."""
        with self._lock:
            if self._connected is None:
                kubeconfig = self._settings.kubeconfig
                if kubeconfig is None:
                    raise Unreachable("the kubeconfig is not known yet")
                if self._cancelled:
                    raise Refused("the run is cancelled")
                self._connected = Objects(lambda: _sign_in(kubeconfig), self._settings.namespace or "default")
            return self._connected


def _sign_in(kubeconfig: Properties) -> Api:
    try:
        return Api(kubeconfig)
    except Exception as error:
        # The client raises various exceptions; no cluster can be reached by such a kubeconfig.
        raise Unreachable(f"the provider's kubeconfig cannot be used: {error}") from None


def _await(objects: Objects, made: Properties, lack: Lack | None, seconds: float) -> tuple[Properties, Lack | None]:
    """Follows an object until it is ready, will never be, or the time is over."""
    check = awaits.readiness_of(made).check
    if lack:
        for body in objects.follow(objects.place(made), seconds):
            made, lack = (made, Lack("it was deleted meanwhile")) if body is None else (body, check(body))
            if lack is None or lack.final:
                break
    if lack is None and awaits.needs_endpoints(made):
        metadata = made["metadata"]
        slices = objects.follow_all(
            f"/apis/discovery.k8s.io/v1/namespaces/{metadata['namespace']}/endpointslices",
            seconds,
            labelSelector=f"kubernetes.io/service-name={metadata['name']}",
        )
        if not any(each is not None and awaits.serves(each) for each in slices):
            lack = Lack("no pod that its selector finds is ready")
    return made, lack


@contextmanager
def _labelled_errors(label: str) -> Generator[None]:
    """Puts an object's label before the API server's error message."""
    try:
        yield
    except Refused as error:
        raise Refused(str(error) if str(error).startswith(label) else f"{label}: {error}") from None
    except (ApiError, Unreachable, UnknownKind) as error:
        raise Refused(f"{label}: {error}{conflict_hint(str(error))}") from None


def _in_namespace(body: Properties, namespace: str | None) -> Properties:
    metadata = table(body, "metadata")
    if not metadata or metadata.get("namespace") or not namespace:
        return body
    return body | {"metadata": {**metadata, "namespace": namespace}}


def _exists(objects: Objects, inputs: Properties) -> str:
    return (
        f'{objects.place(inputs).type} "{inputs["metadata"]["name"]}" already exists. Give the object that the program '
        "declares another name, delete the one in the cluster, or set upsert_existing_objects on the provider to take "
        "it over"
    )


def _named_by(resource: Resource) -> Properties:
    """The object that a resource's type and id name, for a resource that is read and not declared."""
    _, version, kind = resource.type.split(":")
    namespace, _, name = resource.id.rpartition("/")
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": version.removeprefix("core/"), "kind": kind, "metadata": metadata}


def _version(body: Properties) -> str:
    return table(body, "metadata").get("resourceVersion", "")


def _as_inputs(live: Properties) -> Properties:
    kept = ("name", "namespace", "labels", "annotations")
    metadata = {key: value for key, value in live["metadata"].items() if key in kept}
    return {key: value for key, value in live.items() if key not in _NOT_INPUTS} | {"metadata": metadata}


def _outputs(inputs: Properties, live: Properties, manager: str) -> Properties:
    metadata = {key: value for key, value in live["metadata"].items() if key != "managedFields"}
    written = {"stringData": inputs["stringData"]} if "stringData" in inputs else {}
    return to_program(live) | {"metadata": metadata, MANAGER: manager} | written
