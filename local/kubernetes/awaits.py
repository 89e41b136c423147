"""When an object counts as ready: by its kind, or by what its annotations say."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.kubernetes import jsonpath
from local.kubernetes.inputs import annotations_of
from local.kubernetes.values import rows, table
from local.plugin import Properties, Refused

WAIT_FOR = "pulumi.com/waitFor"
SKIP = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"

# Whose deletion is not waited for either where waiting is skipped.
_SKIPPABLE_DELETES = frozenset(
    {"Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"}
)
_SECONDS = 600.0
_TOKEN_SECONDS = 30.0


@dataclass(frozen=True)
class Lack:
    """What an object still lacks; a final one will never come."""

    text: str
    final: bool = False


Check = Callable[[Properties], Lack | None]
"""Says what an object still lacks; None when it is ready."""


@dataclass(frozen=True)
class Readiness:
    """When an object is ready, how many seconds that may take, and whether a refresh checks it too."""

    check: Check
    seconds: float = _SECONDS
    lasting: bool = False


def readiness_of(body: Properties) -> Readiness:
    """How to see that an object is ready. Raises Refused for an annotation that cannot be understood."""
    annotations = annotations_of(body)
    if annotations.get(SKIP) == "true":
        return Readiness(_ready)
    if annotations.get(WAIT_FOR):
        return Readiness(_all_of([_parse(text) for text in _several(annotations[WAIT_FOR])]))
    return _BY_KIND.get((_group(body), body["kind"]), Readiness(_ready))


def seconds_of(body: Properties, chosen: float, default: float) -> float:
    """How many seconds an object may take: as its options say, or its annotation, or the plugin."""
    annotation = annotations_of(body).get(TIMEOUT, "")
    return chosen or (float(annotation) if re.fullmatch(r"[1-9]\d*", annotation) else default)


def awaits_deletion(body: Properties) -> bool:
    """Whether a deletion is over only when the object is gone."""
    return not (annotations_of(body).get(SKIP) == "true" and body["kind"] in _SKIPPABLE_DELETES)


def needs_endpoints(body: Properties) -> bool:
    """Whether an object is ready only when something serves behind it."""
    spec, annotations = table(body, "spec"), annotations_of(body)
    return (
        (_group(body), body["kind"]) == ("", "Service")
        and bool(spec.get("selector"))
        and spec.get("type") != "ExternalName"
        and spec.get("clusterIP") != "None"
        and annotations.get(SKIP) != "true"
        and not annotations.get(WAIT_FOR)
    )


def serves(slice_: Properties) -> bool:
    """Whether an EndpointSlice has an endpoint that is ready."""
    return any(table(each, "conditions").get("ready", True) for each in rows(slice_, "endpoints"))


def pod_problems(pods: list[Properties]) -> list[str]:
    """Why pods do not run, in the words of the scheduler and the nodes."""
    problems: list[str] = []
    for pod in pods:
        status, name = table(pod, "status"), pod["metadata"]["name"]
        for each in rows(status, "conditions"):
            if (each["type"], each["status"]) == ("PodScheduled", "False"):
                problems.append(f"pod {name} is not scheduled: {each.get('message', '')}")
        for container in [*rows(status, "initContainerStatuses"), *rows(status, "containerStatuses")]:
            why = table(container, "state", "waiting") or table(container, "state", "terminated")
            if why.get("reason") not in (None, "Completed", "ContainerCreating", "PodInitializing"):
                text = ": ".join(filter(None, [why["reason"], why.get("message", "")]))
                problems.append(f"container {container['name']} of pod {name}: {text}")
    return problems


def _group(body: Properties) -> str:
    return str(body["apiVersion"]).rpartition("/")[0]


def _several(text: str) -> list[str]:
    try:
        listed: Any = json.loads(text)
    except ValueError:
        return [text]
    if not rows(listed):
        raise Refused(f"{WAIT_FOR}: {text!r} holds no condition")
    return [str(each) for each in rows(listed)]


def _parse(text: str) -> Check:
    if match := re.fullmatch(r"condition=([^=]+)(?:=(.+))?", text):
        return _condition(match[1], match[2] or "True")
    # A single = parts the value from the path; a filter in the path has two.
    if match := re.fullmatch(r"jsonpath=\{\s*(.*?)\s*\}(?:=([^=].*))?", text):
        try:
            return _field(match[1], jsonpath.parse(match[1]), match[2])
        except ValueError as error:
            raise Refused(f"{WAIT_FOR}: {error}") from None
    raise Refused(f"{WAIT_FOR}: {text!r} is neither condition=NAME[=STATUS] nor jsonpath={{.PATH}}[=VALUE]")


def _all_of(checks: list[Check]) -> Check:
    def check(body: Properties) -> Lack | None:
        lacks = [lack for lack in (each(body) for each in checks) if lack]
        return Lack("; ".join(lack.text for lack in lacks)) if lacks else None

    return check


def _unseen(body: Properties, seen: Mapping[str, Any]) -> bool:
    """Whether a status was written before the object was last changed."""
    generation = int(body["metadata"].get("generation", 0))
    return int(seen.get("observedGeneration", generation)) < generation


def _condition(name: str, status: str) -> Check:
    def check(body: Properties) -> Lack | None:
        live = table(body, "status")
        for each in rows(live, "conditions"):
            if str(each.get("type")).lower() == name.lower():
                if _unseen(body, each if "observedGeneration" in each else live):
                    return Lack(f"condition {name} is that of an older generation")
                why = each.get("message") or each.get("reason")
                found = f"condition {name} is {each.get('status')}" + (f" ({why})" if why else "")
                return None if str(each.get("status")).lower() == status.lower() else Lack(found)
        return Lack(f"condition {name} is not set")

    return check


def _field(path: str, select: jsonpath.Select, wanted: str | None) -> Check:
    def check(body: Properties) -> Lack | None:
        if _unseen(body, table(body, "status")):
            return Lack(f"{path} is that of an older generation")
        found = select(body)
        if not found:
            return Lack(f"{path} is not set")
        if wanted is None:
            return None
        if isinstance(found[0], (dict, list)):
            return Lack(f"{path} is no plain value", final=True)
        text = jsonpath.as_text(found[0])
        return None if text == wanted else Lack(f"{path} is {text}, not {wanted}")

    return check


def _ready(body: Properties) -> Lack | None:
    return None


def _counts(body: Properties, wanted: int, *fields: str) -> Lack | None:
    status = table(body, "status")
    if _unseen(body, {"observedGeneration": 0} | status):
        return Lack("its controller has not seen it")
    for field in fields:
        if status.get(field, 0) != wanted:
            return Lack(f"{field} is {status.get(field, 0)} of {wanted}{_failure(status)}")
    return None


def _failure(status: Properties) -> str:
    bad = ("ReplicaFailure", "True"), ("Progressing", "False")
    texts = [each.get("message", "") for each in rows(status, "conditions") if (each["type"], each["status"]) in bad]
    return f" ({'; '.join(texts)})" if texts else ""


def _deployment(body: Properties) -> Lack | None:
    return _counts(body, body["spec"].get("replicas", 1), "updatedReplicas", "availableReplicas", "replicas")


def _stateful_set(body: Properties) -> Lack | None:
    status = table(body, "status")
    lack = _counts(body, body["spec"].get("replicas", 1), "readyReplicas", "replicas")
    rolling = table(body, "spec", "updateStrategy").get("type", "RollingUpdate") == "RollingUpdate"
    if not lack and rolling and status.get("currentRevision") != status.get("updateRevision"):
        return Lack(f"{status.get('updatedReplicas', 0)} of its pods are of the new revision")
    return lack


def _daemon_set(body: Properties) -> Lack | None:
    wanted = table(body, "status").get("desiredNumberScheduled", 0)
    return _counts(body, wanted, "updatedNumberScheduled", "numberAvailable")


def _replication_controller(body: Properties) -> Lack | None:
    return _counts(body, body["spec"].get("replicas", 1), "availableReplicas")


def _job(body: Properties) -> Lack | None:
    for each in rows(body, "status", "conditions"):
        if (each["type"], each["status"]) == ("Failed", "True"):
            return Lack(f"it failed: {each.get('message') or each.get('reason')}", final=True)
    return _condition("Complete", "True")(body)


def _pod(body: Properties) -> Lack | None:
    phase = table(body, "status").get("phase")
    if phase == "Failed":
        return Lack("it failed: " + "; ".join(pod_problems([body])), final=True)
    return None if phase == "Succeeded" else _condition("Ready", "True")(body)


def _token(body: Properties) -> Lack | None:
    if body.get("type") != "kubernetes.io/service-account-token":
        return None
    return None if table(body, "data").get("token") else Lack("it has no token yet; does its ServiceAccount exist?")


def _address(body: Properties) -> Lack | None:
    if body["kind"] == "Service" and body["spec"].get("type") != "LoadBalancer":
        return None
    return None if rows(body, "status", "loadBalancer", "ingress") else Lack("it has no address yet")


def _quota(body: Properties) -> Lack | None:
    taken = table(body, "status", "hard") == table(body, "spec", "hard")
    return None if taken else Lack("its controller has not taken it in")


def _phase(*phases: str) -> Check:
    def check(body: Properties) -> Lack | None:
        phase = table(body, "status").get("phase")
        return None if phase in phases else Lack(f"its phase is {phase}, not {' or '.join(phases)}")

    return check


_BY_KIND: dict[tuple[str, str], Readiness] = {
    ("apps", "Deployment"): Readiness(_deployment, lasting=True),
    ("apps", "StatefulSet"): Readiness(_stateful_set, lasting=True),
    ("apps", "DaemonSet"): Readiness(_daemon_set, lasting=True),
    ("apiextensions.k8s.io", "CustomResourceDefinition"): Readiness(_condition("Established", "True"), 60.0),
    ("batch", "Job"): Readiness(_job, lasting=True),
    ("networking.k8s.io", "Ingress"): Readiness(_address, lasting=True),
    ("", "Namespace"): Readiness(_phase("Active")),
    ("", "PersistentVolume"): Readiness(_phase("Available", "Bound"), 300.0),
    ("", "Pod"): Readiness(_pod, lasting=True),
    ("", "ReplicationController"): Readiness(_replication_controller),
    ("", "ResourceQuota"): Readiness(_quota, 60.0),
    ("", "Secret"): Readiness(_token, _TOKEN_SECONDS),
    ("", "Service"): Readiness(_address, lasting=True),
}
