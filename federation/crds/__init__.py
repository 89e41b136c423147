"""KubeFed's custom resources: the core ones from the files beside this one, the federated ones from one shape.

The schemas hold what KubeFed v0.10.0's types serialise; their rules are what its admission webhook would check
(docs/decisions/validation-in-the-api-server.md).
"""

from pathlib import Path
from typing import Any

import yaml

from placement.api.kinds import TargetType

_FOLDER = Path(__file__).parent


def core_crds() -> list[dict[str, Any]]:
    """The definitions of the core and scheduling types, by name."""
    return [yaml.safe_load(file.read_text()) for file in sorted(_FOLDER.glob("*.yaml"))]


def federated_crd(target: TargetType) -> dict[str, Any]:
    """The definition of the type that federates `target`.

    Source: the schema that KubeFed v0.10.0's kubefedctl makes for a type (pkg/kubefedctl/enable/validation.go).
    """
    kind, plural, group = target.federated_kind, target.federated_plural, "types.kubefed.io"
    # A federated ConfigMap or Secret without a spec is most likely a plain one whose kind was changed.
    schema = {**_object(spec=_spec(target), status=_STATUS), "required": ["spec"]}
    if target.movable:
        schema["x-kubernetes-validations"] = [_PLACED_AFTERWARDS]
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    version: dict[str, Any] = {
        "name": "v1beta1",
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {"openAPIV3Schema": schema},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": target.federated_scope, "names": names, "versions": [version]},
    }


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(item: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "array", "items": {**item, "required": list(required)} if required else item}


def _map(key: str, item: dict[str, Any]) -> dict[str, Any]:
    """A list with one entry for each value of a key, as KubeFed expects, so that each entry has an owner of its own."""
    return {**_list(item, key), "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


_TEXT = {"type": "string"}
_TIME = {"type": "string", "format": "date-time"}
_ANY = {"x-kubernetes-preserve-unknown-fields": True}
_ANY_OBJECT = {"type": "object", **_ANY}

_SELECTOR = _object(
    matchLabels={"type": "object", "additionalProperties": _TEXT},
    matchExpressions=_list(_object(key=_TEXT, operator=_TEXT, values=_list(_TEXT)), "key", "operator"),
)
_PLACEMENT = _object(clusters=_map("name", _object(name=_TEXT)), clusterSelector=_SELECTOR)
# An empty op is a replace.
_PATCH = _object(op={"type": "string", "enum": ["add", "remove", "replace", ""]}, path=_TEXT, value=_ANY)
_OVERRIDES = _map("clusterName", _object(clusterName=_TEXT, clusterOverrides=_map("path", _PATCH)))
_CONDITION = _object(type=_TEXT, status=_TEXT, reason=_TEXT, lastUpdateTime=_TIME, lastTransitionTime=_TIME)
_STATUS = _object(
    conditions=_list(_CONDITION, "type", "status"),
    clusters=_list(_object(name=_TEXT, status=_TEXT, remoteStatus=_ANY_OBJECT), "name"),
    observedGeneration={"type": "integer", "format": "int64"},
)
# A preference that places an object before KubeFed has set its status makes the two writes collide, and KubeFed then
# waits for a second. If it is refused, it tries again as soon as there is a status.
_PLACED_AFTERWARDS = {
    "rule": "has(oldSelf.status) || !has(self.spec.placement) || !has(oldSelf.spec.placement)"
    " || size(self.spec.placement.?clusters.orValue([])) == size(oldSelf.spec.placement.?clusters.orValue([]))",
    "message": "the object is not taken in yet; place it once it has a status",
}


def _spec(target: TargetType) -> dict[str, Any]:
    spec = _object(template=_ANY_OBJECT, placement=_PLACEMENT, overrides=_OVERRIDES)
    if "replicas" in target.counted:
        # Keeps the number of replicas that something else has set in the member.
        spec["properties"]["retainReplicas"] = {"type": "boolean"}
    return spec
