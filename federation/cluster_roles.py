"""Cluster roles and their bindings to KubeFed's accounts."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict as Rule

from federation.aliases import with_alias
from federation.rbac import name_with_digest
from placement.api.kinds import NAMESPACE


def bind_cluster_role(
    prefix: str,
    role_name: str,
    rules: Sequence[Rule],
    account: str,
    opts: pulumi.ResourceOptions,
    after: Sequence[pulumi.Resource] = (),
    old_prefix: str = "",
) -> kubernetes.rbac.v1.ClusterRoleBinding:
    """Gives an account of KubeFed's namespace a cluster role of its own.

    `prefix` begins the resources' names, and `old_prefix` those that an earlier release gave them, where it did.
    """
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(after)))
    role = kubernetes.rbac.v1.ClusterRole(
        f"{prefix}role",
        metadata={"name": role_name},
        rules=rules,
        opts=with_alias(f"{old_prefix}role", opts) if old_prefix else opts,
    )
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[role]))
    return kubernetes.rbac.v1.ClusterRoleBinding(
        f"{prefix}binding",
        metadata={"name": role_name},
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role_name},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
        opts=with_alias(f"{old_prefix}binding", opts) if old_prefix else opts,
    )


def bind_types_role(
    prefix: str, role_name: str, rules: Sequence[Rule], account: str, opts: pulumi.ResourceOptions
) -> kubernetes.rbac.v1.ClusterRoleBinding:
    """The same for rules derived from the federated types: other rules make another role, the old one goes last."""
    return bind_cluster_role(
        f"{name_with_digest(prefix, rules)}-",
        name_with_digest(role_name, rules),
        rules,
        account,
        opts,
        old_prefix=f"{prefix}-types-",
    )
