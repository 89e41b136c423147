"""Decides which fields of an object the API server has filled in, which no copy in another cluster may have.

It only finds and removes them: what the other fields may be is decided in manifests.py.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from placement.api.kinds import TargetType
from placement.api.lookup import elements, entries
from problems import one_line

FieldPath = tuple[str | int, ...]

# Source: ObjectMeta of k8s.io/apimachinery v0.35 (what its comments call read-only or populated by the system).
_METADATA = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "managedFields",
    "selfLink",
)
# Written by kubectl apply, by the controllers of Deployments and DaemonSets, and by what binds claims to volumes.
# Source: kubernetes.io/docs/reference/labels-annotations-taints.
_ANNOTATIONS = re.compile(
    r"kubectl\.kubernetes\.io/last-applied-configuration"
    r"|deployment\.kubernetes\.io/(revision|revision-history|desired-replicas|max-replicas)"
    r"|deprecated\.daemonset\.template\.generation"
    r"|pv\.kubernetes\.io/.*"
    r"|volume(\.beta)?\.kubernetes\.io/(storage-provisioner|selected-node|storage-resizer)"
    r"|kubernetes\.io/service-account\.uid"
)
_JOB_UIDS = ("controller-uid", "batch.kubernetes.io/controller-uid")
_JOB_LABELS = (*_JOB_UIDS, "job-name", "batch.kubernetes.io/job-name")


def filled_in(body: Mapping[str, Any], target: TargetType) -> list[FieldPath]:
    """The paths of what the server has filled in.

    Some fields can be written by users too, and are the server's only in an object that was read from a cluster, which
    has a uid, resourceVersion or managedFields: a claim's volume, a Service's port for health checks, the token in a
    Secret. A Service's address is always the server's, since it belongs to one cluster's network.
    """
    metadata, spec = entries(body.get("metadata")), entries(body.get("spec"))
    read = any(metadata.get(field) for field in ("uid", "resourceVersion", "managedFields"))
    paths: list[FieldPath] = [("metadata", field) for field in _METADATA if field in metadata]
    annotations = entries(metadata.get("annotations"))
    paths += [("metadata", "annotations", key) for key in annotations if _ANNOTATIONS.fullmatch(key)]
    if "status" in body and (target.has_status or not body["status"]):
        paths.append(("status",))
    match target.config_name:
        case "services":
            paths += _of_service(spec, read)
        case "jobs.batch":
            paths += _of_job(metadata, spec, read)
        case "persistentvolumeclaims":
            if "volumeName" in spec and (read or "pv.kubernetes.io/bind-completed" in annotations):
                paths.append(("spec", "volumeName"))
        case "serviceaccounts":
            paths += _tokens(body, str(metadata.get("name")))
        case "secrets" if read and body.get("type") == "kubernetes.io/service-account-token":
            paths += [("data", key) for key in ("token", "ca.crt", "namespace") if key in entries(body.get("data"))]
        case _:
            pass
    return [*paths, *_of_templates(spec, ("spec",))]


def _of_service(spec: Mapping[str, Any], read: bool) -> Iterator[FieldPath]:
    if spec.get("clusterIP") not in (None, "", "None"):
        yield "spec", "clusterIP"
    if spec.get("clusterIPs") not in (None, [], ["None"]):
        yield "spec", "clusterIPs"
    if "healthCheckNodePort" in spec and read:
        yield "spec", "healthCheckNodePort"


def _of_job(metadata: Mapping[str, Any], spec: Mapping[str, Any], read: bool) -> Iterator[FieldPath]:
    if spec.get("manualSelector") is True:
        return
    selected = entries(entries(spec.get("selector")).get("matchLabels"))
    labels: dict[FieldPath, Mapping[str, Any]] = {
        ("metadata", "labels"): entries(metadata.get("labels")),
        ("spec", "template", "metadata", "labels"): entries(
            entries(entries(spec.get("template")).get("metadata")).get("labels")
        ),
    }
    if not read and not any(uid in each for uid in _JOB_UIDS for each in (selected, *labels.values())):
        return
    if any(uid in selected for uid in _JOB_UIDS):
        yield "spec", "selector"
    for path, each in labels.items():
        yield from ((*path, key) for key in _JOB_LABELS if key in each)


def _tokens(body: Mapping[str, Any], name: str) -> Iterator[FieldPath]:
    secrets = body.get("secrets")
    for index, each in enumerate(elements(secrets)):
        if re.fullmatch(rf"{re.escape(name)}-token-[a-z0-9]{{5}}", str(entries(each).get("name"))):
            yield "secrets", index


def _of_templates(value: Any, path: FieldPath) -> Iterator[FieldPath]:
    """The creationTimestamp: null in templates of pods and claims, and the status of the latter."""
    if isinstance(value, list):
        for index, each in enumerate(elements(value)):
            yield from _of_templates(each, (*path, index))
    for key, each in entries(value).items():
        inner = entries(each)
        if key == "metadata" and "creationTimestamp" in inner and inner["creationTimestamp"] is None:
            yield *path, key, "creationTimestamp"
        elif key == "status" and path[-2:-1] == ("volumeClaimTemplates",):
            yield *path, key
        else:
            yield from _of_templates(each, (*path, key))


def without(value: Any, paths: Iterable[FieldPath]) -> Any:
    """A copy of the value without the paths. The value is not changed, since aliases share parts of it."""
    below: dict[str | int, list[FieldPath]] = {}
    for first, *rest in paths:
        below.setdefault(first, []).append(tuple(rest))
    if not below:
        return value
    is_list = isinstance(value, list)
    parts = enumerate(elements(value)) if is_list else entries(value).items()
    kept = {
        key: without(each, [path for path in below.get(key, []) if path])
        for key, each in parts
        if () not in below.get(key, [])
    }
    return list(kept.values()) if is_list else kept


def left_out(found: Iterable[tuple[str, Mapping[str, Any], Sequence[FieldPath]]]) -> str:
    """The fields that are left out, and of which objects, by their titles; fields that were empty are not listed."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for title, body, paths in found:
        fields = tuple(dict.fromkeys(_name(path) for path in paths if _at(body, path)))
        if fields:
            alike.setdefault(fields, []).append(title)
    return "; ".join(f"{_listed(fields)} of {_listed(titles, 5)}" for fields, titles in alike.items())


def _at(value: Any, path: FieldPath) -> Any:
    for part in path:
        value = value[part]
    return value


def _name(path: FieldPath) -> str:
    return one_line(".".join(str(part) for part in path if isinstance(part, str)).removeprefix("metadata."))


def _listed(names: Sequence[str], most: int = 20) -> str:
    shown = [*names[:most], f"{len(names) - most} more"] if len(names) > most else list(names)
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
