"""What differs between two versions of an object's inputs, and which differences need a new object."""

import base64
import json
import re
from collections.abc import Iterator
from typing import Any, cast

from local.plugin import Properties

_IDENTITY = ("apiVersion", "kind", "metadata.name", "metadata.namespace")
_POD = (
    "affinity automountServiceAccountToken containers dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC "
    "hostNetwork hostPID hostname imagePullSecrets initContainers nodeName nodeSelector overhead preemptionPolicy "
    "priority priorityClassName readinessGates restartPolicy runtimeClassName schedulerName securityContext "
    "serviceAccount serviceAccountName shareProcessNamespace subdomain terminationGracePeriodSeconds volumes"
)
_VOLUME = (
    "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs "
    "hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume"
)
_STATEFUL_SET = "podManagementPolicy revisionHistoryLimit selector serviceName volumeClaimTemplates"


def _of_spec(words: str) -> tuple[str, ...]:
    return tuple(f"spec.{word}" for word in words.split())


# Fields whose change is a new object, by group and kind, each with all that is below it.
_FIXED: dict[tuple[str, str], tuple[str, ...]] = {
    ("", "PersistentVolume"): _of_spec(_VOLUME),
    ("", "PersistentVolumeClaim"): _of_spec("accessModes selector storageClassName volumeName"),
    ("", "Pod"): _of_spec(_POD),
    ("", "ResourceQuota"): _of_spec("scopes"),
    ("", "Secret"): ("type",),
    ("", "Service"): _of_spec("clusterIP"),
    ("apps", "DaemonSet"): _of_spec("selector"),
    ("apps", "Deployment"): _of_spec("selector"),
    ("apps", "StatefulSet"): _of_spec(_STATEFUL_SET),
    ("batch", "Job"): _of_spec("completions parallelism selector template"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"): ("roleRef",),
    ("rbac.authorization.k8s.io", "RoleBinding"): ("roleRef",),
    ("storage.k8s.io", "StorageClass"): ("parameters", "provisioner"),
}
_DATA = {"ConfigMap": ("data", "binaryData"), "Secret": ("type", "data", "stringData")}


def differences(old: Properties, new: Properties) -> list[str]:
    """The paths at which two versions of inputs differ, in Pulumi's notation."""
    return list(_compare(old, new, ""))


def needs_replacement(path: str, body: Properties, mutable: bool = False) -> bool:
    """Whether a difference at a path needs a new object; `mutable` lets data be changed in place."""
    group, kind = str(body["apiVersion"]).rpartition("/")[0], body["kind"]
    fixed = _FIXED.get((group, kind), ())
    if not group and kind in _DATA and (not mutable or body.get("immutable") is True):
        fixed = _DATA[kind]
    return any(_below(path, each) for each in (*_IDENTITY, *fixed))


def drifted(inputs: Properties, live: Properties, applied: Properties) -> Properties:
    """The inputs with the live object's values where applying the inputs again would change it.

    What the API server writes in its own way, such as a quantity, so stays as it was; what is gone is left out.
    """
    found = _project(inputs, live, applied)
    if "stringData" in inputs:
        found["stringData"] = dict(_drifted_texts(inputs["stringData"], live.get("data"), applied.get("data")))
    return found


def _drifted_texts(texts: Properties, live: Any, applied: Any) -> Iterator[tuple[str, Any]]:
    now, wanted = cast(Properties, live or {}), cast(Properties, applied or {})
    for key, text in texts.items():
        if now.get(key) == wanted.get(key, base64.b64encode(str(text).encode()).decode()):
            yield key, text
        elif key in now:
            yield key, base64.b64decode(now[key]).decode(errors="replace")


def _below(path: str, field: str) -> bool:
    return path == field or path.startswith((f"{field}.", f"{field}["))


def _compare(old: Any, new: Any, path: str) -> Iterator[str]:
    # A map that comes or goes does so field by field, unless it is an empty one.
    if (isinstance(old, dict) and isinstance(new, dict)) or (
        (old is None or new is None) and isinstance(old or new, dict) and (old or new)
    ):
        before, after = cast(Properties, old or {}), cast(Properties, new or {})
        for key in sorted({*before, *after}):
            yield from _compare(before.get(key), after.get(key), _join(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        before, after = cast(list[Any], old), cast(list[Any], new)
        shared = min(len(before), len(after))
        for index in range(shared):
            yield from _compare(before[index], after[index], f"{path}[{index}]")
        yield from (f"{path}[{index}]" for index in range(shared, max(len(before), len(after))))
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path


def _join(path: str, key: str) -> str:
    if not re.fullmatch(r"[A-Za-z_$][\w$-]*", key):
        quoted = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{quoted}"]'
    return f"{path}.{key}" if path else key


def _project(inputs: Properties, live: Properties, applied: Properties) -> Properties:
    found: Properties = {}
    for key, value in inputs.items():
        now, wanted = live.get(key), applied.get(key)
        if now == wanted or (isinstance(value, dict) and now is None):
            # Of a map that is gone nothing is left but the map.
            found[key] = value if now == wanted else {}
        elif now is not None:
            found[key] = _projected(value, now, wanted)
    return found


def _projected(value: Any, now: Any, wanted: Any) -> Any:
    if now == wanted:
        return value
    if isinstance(value, dict) and isinstance(now, dict) and isinstance(wanted, dict):
        return _project(cast(Properties, value), cast(Properties, now), cast(Properties, wanted))
    if isinstance(value, list) and isinstance(now, list) and isinstance(wanted, list):
        rows = cast(list[Any], value), cast(list[Any], now), cast(list[Any], wanted)
        if _reordered(rows[1], rows[2]):
            return rows[0]
        if len(rows[0]) == len(rows[1]) == len(rows[2]):
            return [_projected(*row) for row in zip(*rows, strict=True)]
    return cast(Any, now)


def _reordered(now: list[Any], wanted: list[Any]) -> bool:
    """Whether two lists hold the same maps, which are found by a key: KubeFed writes overrides in any order."""
    if not all(isinstance(each, dict) for each in [*now, *wanted]):
        return False
    one, other = (sorted(json.dumps(each, sort_keys=True) for each in rows) for rows in (now, wanted))
    return one == other
