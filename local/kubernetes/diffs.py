"""What differs between two versions of an object's inputs, and which differences need a new object."""

import re
from collections.abc import Iterator
from typing import Any, cast

from local.plugin import Properties

# Fields that the API server never changes in place, by kind; a pattern matches the beginning of a path.
_FIXED: dict[str, tuple[str, ...]] = {
    "": (r"apiVersion$", r"kind$", r"metadata\.name$", r"metadata\.namespace$"),
    "ConfigMap": (r"data\b", r"binaryData\b", r"immutable$"),
    "Secret": (r"type$", r"data\b", r"stringData\b", r"immutable$"),
    "Job": (r"spec\.(selector|template|completions|completionMode|manualSelector)\b",),
    "Deployment": (r"spec\.selector\b",),
    "ReplicaSet": (r"spec\.selector\b",),
    "DaemonSet": (r"spec\.selector\b",),
    "StatefulSet": (r"spec\.(selector|serviceName|podManagementPolicy|volumeClaimTemplates)\b",),
    "Service": (r"spec\.clusterIP$",),
    "RoleBinding": (r"roleRef\b",),
    "ClusterRoleBinding": (r"roleRef\b",),
    "StorageClass": (r"(parameters|provisioner|reclaimPolicy|volumeBindingMode)\b",),
    "PersistentVolumeClaim": (r"spec\.(accessModes|selector|storageClassName|volumeName|volumeMode|dataSource)\b",),
}
_MUTABLE_ON_REQUEST = ("ConfigMap", "Secret")


def differences(old: Properties, new: Properties) -> list[str]:
    """The paths at which two versions of inputs differ, in Pulumi's notation."""
    return list(_compare(old, new, ""))


def needs_replacement(path: str, kind: str, mutable: frozenset[str] = frozenset()) -> bool:
    """Whether a difference at a path needs a new object; `mutable` are the kinds whose data the user made mutable."""
    patterns = _FIXED[""] + (() if kind in mutable & {*_MUTABLE_ON_REQUEST} else _FIXED.get(kind, ()))
    return any(re.match(pattern, path) for pattern in patterns)


def drifted(inputs: Properties, live: Properties) -> Properties:
    """The inputs with the live object's values in their places; what is gone from the object is left out."""
    return {key: _project(value, live[key]) for key, value in inputs.items() if key in live}


def same_object(one: Properties, other: Properties) -> bool:
    """Whether two answers of the API server show one object, but for what every write changes."""
    return _essence(one) == _essence(other)


def _essence(body: Properties) -> Properties:
    counted = ("managedFields", "resourceVersion", "generation")
    metadata = {key: value for key, value in body.get("metadata", {}).items() if key not in counted}
    return {key: value for key, value in body.items() if key not in ("metadata", "status")} | {"metadata": metadata}


def _compare(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        before, after = cast(Properties, old), cast(Properties, new)
        for key in sorted({*before, *after}):
            yield from _compare(before.get(key), after.get(key), _join(path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(cast(list[Any], old)) == len(cast(list[Any], new)):
        for index, (before, after) in enumerate(zip(cast(list[Any], old), cast(list[Any], new), strict=True)):
            yield from _compare(before, after, f"{path}[{index}]")
    elif old != new:
        yield path


def _join(path: str, key: str) -> str:
    if not re.fullmatch(r"[A-Za-z_$][\w$]*", key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def _project(value: Any, live: Any) -> Any:
    if isinstance(value, dict) and isinstance(live, dict):
        return drifted(cast(Properties, value), cast(Properties, live))
    pairs = (
        (cast(list[Any], value), cast(list[Any], live)) if isinstance(value, list) and isinstance(live, list) else None
    )
    if pairs and len(pairs[0]) == len(pairs[1]):
        return [_project(one, other) for one, other in zip(*pairs, strict=True)]
    return cast(Any, live)
