"""Cluster roles and their bindings to KubeFed's accounts."""

from collections.abc import Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.rbac.v1 import PolicyRuleArgsDict as Rule

from federation.spec import NAMESPACE


def bind_cluster_role(
    prefix: str,
    role_name: str,
    rules: Sequence[Rule],
    account: str,
    opts: pulumi.ResourceOptions,
    after: Sequence[pulumi.Resource] = (),
) -> kubernetes.rbac.v1.ClusterRoleBinding:
    """Gives an account of KubeFed's namespace a cluster role of its own; `prefix` begins the resources' names."""
    opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=list(after)))
    role = kubernetes.rbac.v1.ClusterRole(f"{prefix}role", metadata={"name": role_name}, rules=rules, opts=opts)
    return kubernetes.rbac.v1.ClusterRoleBinding(
        f"{prefix}binding",
        metadata={"name": role_name},
        role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role_name},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": NAMESPACE}],
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[role])),
    )
