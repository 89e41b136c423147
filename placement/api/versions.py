"""Finds the type of an object, and what to write in place of one that is not enabled, such as an older apiVersion.

It does not convert objects between versions, and does not know what else in them is wrong.
"""

from collections.abc import Mapping, Sequence

from placement.api.kinds import KNOWN, NAMESPACES, TargetType
from problems import one_of

# What the newer version needs besides another apiVersion, by the older apiVersion and kind.
# Source: kubernetes.io/docs/reference/using-api/deprecation-guide, read for Kubernetes 1.35.
_SELECTOR = "a spec.selector, which it requires"
_BACKEND = "backend.service and a pathType in each path of spec.rules"
_CHANGED: Mapping[tuple[str, str], str] = {
    ("autoscaling/v1", "HorizontalPodAutoscaler"): "spec.metrics in place of targetCPUUtilizationPercentage",
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler"): "a target in each of spec.metrics",
    ("extensions/v1beta1", "DaemonSet"): _SELECTOR,
    ("extensions/v1beta1", "Deployment"): _SELECTOR,
    ("extensions/v1beta1", "ReplicaSet"): _SELECTOR,
    ("apps/v1beta1", "Deployment"): _SELECTOR,
    ("apps/v1beta1", "StatefulSet"): _SELECTOR,
    ("extensions/v1beta1", "Ingress"): _BACKEND,
    ("networking.k8s.io/v1beta1", "Ingress"): _BACKEND,
}


def type_of(api_version: str, kind: str, types: Sequence[TargetType]) -> TargetType | None:
    """The type of an object, enabled or not."""
    every = [*types, *KNOWN.values()]
    return next((each for each in every if each.kind == kind and api_version in each.api_versions), None)


def instead_of(api_version: str, kind: str, namespace: str, types: Sequence[TargetType]) -> str:
    """What to write in place of a type that is not one of the enabled `types`."""
    enabled = [each.config_name for each in types]
    meant = type_of(api_version, kind, types) or _likely_type(api_version, kind, types)
    if meant is None:
        return f"enabled are {one_of('', enabled)}"
    meant = next((each for each in types if each.config_name == meant.config_name), meant)
    if meant == NAMESPACES:
        return f"leave it out: the program makes the namespace {namespace}"
    advice: list[str] = []
    if api_version not in meant.api_versions:
        changed = _CHANGED.get((api_version, kind))
        advice.append(f"apiVersion: {meant.api_version}" + (f", with {changed}" if changed else ""))
    if meant.config_name not in enabled:
        advice.append(f"federation.types: [{', '.join([*enabled, meant.config_name])}]")
    return f"write {', and '.join(advice)}"


def _likely_type(api_version: str, kind: str, types: Sequence[TargetType]) -> TargetType | None:
    """The type of that kind in another version, or in another of Kubernetes' own groups: kinds have moved."""
    group = api_version.rpartition("/")[0]
    alike = [each for each in [*types, *KNOWN.values()] if each.kind == kind]
    same = [each for each in alike if each.group == group]
    # Groups of operators have dots; their kinds are unrelated.
    return next(iter(same or ([] if "." in group else alike)), None)
