"""RBAC rules, derived from the enabled types and no wider than they need.

What depends on the types is in roles of its own, whose names have a digest of their rules (`name_with_digest`). Where a
type is removed together with its objects, the role is so replaced, and the old one is deleted after the objects: one
that was changed in place would lack the rights to remove them.
"""

from collections.abc import Iterable, Sequence

from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict as Rule

from federation.digest import digest
from placement.api.kinds import NAMESPACES, TargetType

_READ = ["get", "list", "watch"]
_RBAC = "rbac.authorization.k8s.io"
_PROPAGATE = [*_READ, "create", "update", "patch", "delete"]


def member_rules() -> list[Rule]:
    """What KubeFed may do in a member, whatever its types are: keep namespaces, and see nodes, pods and health."""
    return [
        {"api_groups": [""], "resources": [NAMESPACES.plural], "verbs": _PROPAGATE},
        # Pods show which replicas could not be scheduled.
        {"api_groups": [""], "resources": ["pods", "nodes"], "verbs": _READ},
        {"non_resource_urls": ["/healthz"], "verbs": ["get"]},
    ]


def member_type_rules(types: Iterable[TargetType]) -> list[Rule]:
    """What KubeFed may do in a member for the enabled types: keep their objects.

    A role that hands out roles may grant no more than it holds, so `escalate` and `bind` come with those types alone.
    """
    targets = _distinct(types)
    rules: list[Rule] = []
    for group in dict.fromkeys(target.group for target in targets):
        plurals = [target.plural for target in targets if target.group == group]
        rules.append({"api_groups": [group], "resources": plurals, "verbs": _PROPAGATE})
    for target in targets:
        if target.group == _RBAC and target.kind in ("Role", "ClusterRole"):
            rules.append({"api_groups": [target.group], "resources": [target.plural], "verbs": ["escalate"]})
        if target.group == _RBAC and target.kind in ("RoleBinding", "ClusterRoleBinding"):
            roles = ["roles", "clusterroles"]
            rules.append({"api_groups": [target.group], "resources": roles, "verbs": ["bind"]})
    return rules


def controller_type_rules(types: Iterable[TargetType]) -> list[Rule]:
    """What the controller may do on the host for the enabled types: read federated objects and write their status."""
    federated = [target.federated_plural for target in _distinct(types)]
    return [_reconciles("types.kubefed.io", federated)] if federated else []


def controller_rules() -> list[Rule]:
    """What the controller may do on the host, in every namespace, whatever its types are.

    Source: the roles of KubeFed v0.10.0's chart, with the enabled types named in place of wildcards.
    """
    versions = ["propagatedversions", "clusterpropagatedversions"]
    return [
        _reconciles("types.kubefed.io", [NAMESPACES.federated_plural]),
        _reconciles("scheduling.kubefed.io", ["replicaschedulingpreferences"]),
        {
            "api_groups": ["core.kubefed.io"],
            "resources": _with_status([*versions, "federatedservicestatuses"]),
            "verbs": [*_READ, "create", "update", "patch", "delete"],
        },
        {"api_groups": [""], "resources": ["namespaces"], "verbs": _READ},
        {"api_groups": [""], "resources": ["events"], "verbs": ["get", "create", "update", "patch"]},
    ]


def controller_namespace_rules() -> list[Rule]:
    """What the controller may do in its own namespace: its configuration, the members, their tokens and its lease."""
    own = ["kubefedclusters", "kubefedconfigs", "federatedtypeconfigs"]
    return [
        {"api_groups": ["core.kubefed.io"], "resources": _with_status(own), "verbs": [*_READ, "update", "patch"]},
        {"api_groups": [""], "resources": ["secrets"], "verbs": ["get"]},
        {"api_groups": [""], "resources": ["configmaps"], "verbs": ["get", "create", "update", "patch"]},
    ]


def name_with_digest(name: str, rules: Sequence[Rule]) -> str:
    """A name that is another one for other rules."""
    return f"{name}-types-{digest(rules)[:8]}"


def _reconciles(group: str, resources: Iterable[str]) -> Rule:
    return {"api_groups": [group], "resources": _with_status(resources), "verbs": [*_READ, "update", "patch"]}


def _with_status(resources: Iterable[str]) -> list[str]:
    return [name for resource in resources for name in (resource, f"{resource}/status")]


def _distinct(types: Iterable[TargetType]) -> list[TargetType]:
    return list(dict.fromkeys(types))
