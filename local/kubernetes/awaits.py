"""When an object counts as ready: by its kind, or by what its annotations say."""

import json
import re
from collections.abc import Callable
from typing import Any, cast

from local.plugin import Properties, Refused

Check = Callable[[Properties], str]
"""Says what an object still lacks; empty when it is ready."""

WAIT_FOR = "pulumi.com/waitFor"
SKIP = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"


def check_of(body: Properties) -> Check:
    """How to see that an object is ready. Raises Refused for an annotation that cannot be understood."""
    annotations: dict[str, str] = body.get("metadata", {}).get("annotations") or {}
    if annotations.get(SKIP) == "true":
        return _ready
    if WAIT_FOR in annotations:
        return _all_of([_parse(text) for text in _several(annotations[WAIT_FOR])])
    group = body["apiVersion"].rpartition("/")[0]
    return _BY_KIND.get((group, body["kind"]), _ready)


def timeout_of(body: Properties, default: float) -> float:
    """How many seconds an object may take."""
    annotations: dict[str, str] = body.get("metadata", {}).get("annotations") or {}
    return float(annotations.get(TIMEOUT) or default)


def _several(text: str) -> list[str]:
    return json.loads(text) if text.lstrip().startswith("[") else [text]


def _parse(text: str) -> Check:
    if match := re.fullmatch(r"condition=([^=]+)(?:=(.+))?", text):
        return _condition(match[1], match[2] or "True")
    if match := re.fullmatch(r"jsonpath=\{?\.?([^}=]+)\}?(?:=(.+))?", text):
        return _field(match[1], match[2])
    raise Refused(f"{WAIT_FOR}: {text!r} is neither condition=NAME[=STATUS] nor jsonpath={{.PATH}}[=VALUE]")


def _all_of(checks: list[Check]) -> Check:
    return lambda body: "; ".join(filter(None, (check(body) for check in checks)))


def _condition(name: str, status: str) -> Check:
    def check(body: Properties) -> str:
        conditions: list[Properties] = body.get("status", {}).get("conditions") or []
        for each in conditions:
            if str(each.get("type")).lower() == name.lower():
                why = each.get("message") or each.get("reason")
                found = f"condition {name} is {each['status']}" + (f" ({why})" if why else "")
                return "" if str(each["status"]).lower() == status.lower() else found
        return f"condition {name} is not set"

    return check


def _field(path: str, wanted: str | None) -> Check:
    def check(body: Properties) -> str:
        value: Any = body
        for part in re.findall(r"[^.\[\]]+", path):
            value = _child(value, part)
        if value is None:
            return f"{path} is not set"
        return "" if wanted is None or str(value) == wanted else f"{path} is {value}, not {wanted}"

    return check


def _child(value: Any, part: str) -> Any:
    if isinstance(value, list) and part.isdigit():
        return next(iter(cast(list[Any], value)[int(part) :]), None)
    return cast(Properties, value).get(part) if isinstance(value, dict) else None


def _ready(body: Properties) -> str:
    return ""


def _rolled_out(body: Properties) -> str:
    wanted = body["spec"].get("replicas", 1)
    status: Properties = body.get("status", {})
    if status.get("observedGeneration", 0) < body["metadata"]["generation"]:
        return "its controller has not seen it"
    # A StatefulSet counts no updated ones while it rolls nothing out.
    rollout = [] if body["kind"] == "StatefulSet" else ["updatedReplicas", "availableReplicas"]
    for field in [*rollout, "readyReplicas", "replicas"]:
        if status.get(field, 0) != wanted:
            return f"{field} is {status.get(field, 0)} of {wanted}{_failure(status)}"
    return ""


def _failure(status: Properties) -> str:
    bad = ("ReplicaFailure", "True"), ("Progressing", "False")
    texts = [each.get("message", "") for each in status.get("conditions", []) if (each["type"], each["status"]) in bad]
    return f" ({'; '.join(texts)})" if texts else ""


def _has_token(body: Properties) -> str:
    if body.get("type") != "kubernetes.io/service-account-token":
        return ""
    data: dict[str, str] = body.get("data") or {}
    return "" if data.get("token") else "it has no token yet; does its ServiceAccount exist?"


def _has_address(body: Properties) -> str:
    if body["spec"].get("type") != "LoadBalancer":
        return ""
    return "" if body.get("status", {}).get("loadBalancer", {}).get("ingress") else "it has no address yet"


_BY_KIND: dict[tuple[str, str], Check] = {
    ("apps", "Deployment"): _rolled_out,
    ("apps", "StatefulSet"): _rolled_out,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _condition("Established", "True"),
    ("batch", "Job"): _condition("Complete", "True"),
    ("", "Pod"): _condition("Ready", "True"),
    ("", "Secret"): _has_token,
    ("", "Service"): _has_address,
}
