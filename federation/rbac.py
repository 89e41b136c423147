"""Who may do what: rules derived from the enabled types, and nothing beside them."""

from collections.abc import Iterable

from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict as Rule

from federation.kinds import NAMESPACES, TargetType

_READ = ["get", "list", "watch"]
_RBAC = "rbac.authorization.k8s.io"
_PROPAGATE = [*_READ, "create", "update", "patch", "delete"]


def member_rules(types: Iterable[TargetType]) -> list[Rule]:
    """What KubeFed may do in a member: keep objects of the enabled types, and see nodes, pods and health.

    A role that hands out roles may grant no more than it holds, so `escalate` and `bind` come with those types alone.
    """
    targets = _distinct([NAMESPACES, *types])
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
    # Pods tell which replicas found no node.
    rules.append({"api_groups": [""], "resources": ["pods", "nodes"], "verbs": _READ})
    rules.append({"non_resource_urls": ["/healthz"], "verbs": ["get"]})
    return rules


def controller_rules(types: Iterable[TargetType]) -> list[Rule]:
    """What the controller may do on the host, in every namespace.

    Source: the roles of KubeFed v0.10.0's chart, with the enabled types named in place of wildcards.
    """
    federated = [target.federated_plural for target in _distinct([NAMESPACES, *types])]
    versions = ["propagatedversions", "clusterpropagatedversions"]
    return [
        {
            "api_groups": ["types.kubefed.io"],
            "resources": _with_status(federated),
            "verbs": [*_READ, "update", "patch"],
        },
        {
            "api_groups": ["scheduling.kubefed.io"],
            "resources": _with_status(["replicaschedulingpreferences"]),
            "verbs": [*_READ, "update", "patch"],
        },
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


def _with_status(resources: Iterable[str]) -> list[str]:
    return [name for resource in resources for name in (resource, f"{resource}/status")]


def _distinct(types: Iterable[TargetType]) -> list[TargetType]:
    return list(dict.fromkeys(types))
