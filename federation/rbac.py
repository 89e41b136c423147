"""Who may do what: rules derived from the enabled types, and nothing beside them."""

from collections.abc import Iterable
from typing import TypedDict

from federation.kinds import NAMESPACES, TargetType


class Rule(TypedDict, total=False):
    """A PolicyRule of a Kubernetes role, in its own terms."""

    apiGroups: list[str]
    resources: list[str]
    resourceNames: list[str]
    verbs: list[str]
    nonResourceURLs: list[str]


_READ = ["get", "list", "watch"]
_PROPAGATE = [*_READ, "create", "update", "patch", "delete"]


def member_rules(types: Iterable[TargetType]) -> list[Rule]:
    """What KubeFed may do in a member: keep objects of the enabled types, and see nodes, pods and health.

    A role that hands out roles may grant no more than it holds, so `escalate` and `bind` come with those types alone.
    """
    rules: list[Rule] = []
    for target in _distinct([NAMESPACES, *types]):
        verbs = [*_PROPAGATE]
        if target.kind in ("Role", "ClusterRole"):
            verbs.append("escalate")
        rules.append({"apiGroups": [target.group], "resources": [target.plural], "verbs": verbs})
        if target.kind in ("RoleBinding", "ClusterRoleBinding"):
            roles = ["roles", "clusterroles"]
            rules.append({"apiGroups": [target.group], "resources": roles, "verbs": ["bind"]})
    # Pods tell which replicas found no node.
    rules.append({"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": _READ})
    rules.append({"nonResourceURLs": ["/healthz"], "verbs": ["get"]})
    return rules


def controller_rules(types: Iterable[TargetType]) -> list[Rule]:
    """What the controller may do on the host, in every namespace.

    Source: the roles of KubeFed v0.10.0's chart, with the enabled types named in place of wildcards.
    """
    federated = [target.federated_plural for target in _distinct([NAMESPACES, *types])]
    versions = ["propagatedversions", "clusterpropagatedversions"]
    return [
        {
            "apiGroups": ["types.kubefed.io"],
            "resources": _with_status(federated),
            "verbs": [*_READ, "update", "patch"],
        },
        {
            "apiGroups": ["scheduling.kubefed.io"],
            "resources": _with_status(["replicaschedulingpreferences"]),
            "verbs": [*_READ, "update", "patch"],
        },
        {
            "apiGroups": ["core.kubefed.io"],
            "resources": _with_status([*versions, "federatedservicestatuses"]),
            "verbs": [*_READ, "create", "update", "patch", "delete"],
        },
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": _READ},
        {"apiGroups": [""], "resources": ["events"], "verbs": ["get", "create", "update", "patch"]},
    ]


def controller_namespace_rules() -> list[Rule]:
    """What the controller may do in its own namespace: its configuration, the members, their tokens and its lease."""
    own = ["kubefedclusters", "kubefedconfigs", "federatedtypeconfigs"]
    return [
        {"apiGroups": ["core.kubefed.io"], "resources": _with_status(own), "verbs": [*_READ, "update", "patch"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "update", "patch"]},
    ]


def _with_status(resources: Iterable[str]) -> list[str]:
    return [name for resource in resources for name in (resource, f"{resource}/status")]


def _distinct(types: Iterable[TargetType]) -> list[TargetType]:
    return list(dict.fromkeys(types))
