"""Kubernetes objects as plain values, valid but small, in which a test sets what it is about."""

from collections.abc import Iterable, Mapping
from typing import Any, cast


def deployment(
    name: str = "api", pod: Mapping[str, Any] | None = None, kind: str = "Deployment", **spec: Any
) -> dict[str, Any]:
    """A Deployment, or a ReplicaSet, StatefulSet or DaemonSet."""
    template = {"metadata": {"labels": {"app": name}}, "spec": _pod(pod)}
    whole = {"selector": {"matchLabels": {"app": name}}, "template": template, **spec}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": whole}


def job(name: str = "train", pod: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    """A Job."""
    template = {"spec": {"restartPolicy": "Never", **_pod(pod)}}
    metadata = {"name": name}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": {"template": template, **spec}}


def _pod(changed: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"containers": [{"name": "a", "image": "b"}], **(changed or {})}


def paths(value: Any) -> list[tuple[Any, ...]]:
    """The way to every value inside a value."""
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = cast(dict[Any, Any], value).items()
    elif isinstance(value, list):
        items = enumerate(cast(list[Any], value))
    return [way for key, each in items for way in [(key,), *((key, *rest) for rest in paths(each))]]


def definition(kind: str, plural: str) -> dict[str, Any]:
    """The CRD of a kind of example.com whose objects may hold anything."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": schema}],
        },
    }
