"""Members: the rights that KubeFed gets inside a cluster, and the cluster's registration on the host."""

import base64
import hashlib
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.gke import GkeCluster
from federation import admission
from federation.admission_policies import create_policy
from federation.aliases import with_alias
from federation.cluster_roles import bind_cluster_role, bind_types_role
from federation.control_plane import ControlPlane
from federation.rbac import member_rules, member_type_rules
from federation.waits import holds, waits
from placement.api.kinds import NAMESPACE, TargetType
from placement.api.pod_kinds import Pointer
from placement.preferences import MEMBER_LABEL

# A registration is done when the controller has found the member healthy.
_READY_SECONDS = 300
NOTHING: Mapping[TargetType, Sequence[Pointer]] = {}


class Member(pulumi.ComponentResource):
    """One cluster of the federation, registered on the host and Ready.

    The objects in the cluster have the names that kubefedctl gives them, so that its `unjoin` works on them.
    """

    registration: kubernetes.apiextensions.CustomResource

    def __init__(
        self,
        name: str,
        cluster: GkeCluster,
        host_name: str,
        host: GkeCluster,
        control_plane: ControlPlane,
        labels: Mapping[str, str],
        types: Sequence[TargetType],
        token_number: int = 1,
        left_alone: Mapping[TargetType, Sequence[Pointer]] = NOTHING,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`left_alone` are the types with what the settings retain; empty where the cluster has no such policies."""
        super().__init__("geo-federation:federation:Member", f"{name}-member", None, opts)
        own = control_plane if cluster is host else None
        policies = self._policies(name, f"{name}-{host_name}", cluster, left_alone)
        token = self._access(name, f"{name}-{host_name}", cluster, own, types, token_number)
        on_host = pulumi.ResourceOptions(
            parent=self, provider=host.provider, depends_on=[control_plane.namespace], deleted_with=host.cluster
        )
        secret = kubernetes.core.v1.Secret(
            f"{name}-credentials",
            metadata={"name": f"{name}-credentials", "namespace": NAMESPACE},
            string_data={"token": token},
            opts=on_host,
        )
        token_digest = pulumi.Output.unsecret(token.apply(_digest))
        member_labels = {**labels, MEMBER_LABEL: name}
        self.registration = kubernetes.apiextensions.CustomResource(
            f"{name}-registration",
            api_version="core.kubefed.io/v1beta1",
            kind="KubeFedCluster",
            metadata={
                "name": name,
                "namespace": NAMESPACE,
                "labels": member_labels,
                # The controller reads a new token only when the registration changes.
                "annotations": pulumi.Output.all(token_digest, cluster.private_endpoint).apply(
                    lambda each: {
                        "geo-federation/token-digest": each[0],
                        **waits(holds("Ready"), seconds=_READY_SECONDS, declared=[member_labels, *each]),
                    }
                ),
            },
            spec={
                "apiEndpoint": cluster.private_endpoint.apply(lambda endpoint: f"https://{endpoint}"),
                "caBundle": cluster.certificate_authority,
                "secretRef": {"name": secret.metadata["name"]},
            },
            opts=pulumi.ResourceOptions.merge(
                on_host, pulumi.ResourceOptions(depends_on=[control_plane.controller, *policies])
            ),
        )
        self.register_outputs({"name": name})

    def _access(
        self,
        name: str,
        account_name: str,
        cluster: GkeCluster,
        control_plane: ControlPlane | None,
        types: Sequence[TargetType],
        token_number: int,
    ) -> pulumi.Output[str]:
        """Makes the account that KubeFed uses inside the cluster, and returns its token.

        `control_plane` is given where it runs in this cluster, and has created the namespace. Another `token_number`
        creates another token.
        """
        inside = pulumi.ResourceOptions(parent=self, provider=cluster.provider, deleted_with=cluster.cluster)
        namespace = (
            control_plane.namespace
            if control_plane
            else kubernetes.core.v1.Namespace(f"{name}-namespace", metadata={"name": NAMESPACE}, opts=inside)
        )
        in_namespace = pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[namespace]))
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account",
            metadata={"name": account_name, "namespace": NAMESPACE},
            automount_service_account_token=False,
            opts=in_namespace,
        )
        role_name = f"kubefed-controller-manager:{account_name}"
        for_types = bind_types_role(name, role_name, member_type_rules(types), account_name, inside)
        always = bind_cluster_role(f"{name}-", role_name, member_rules(), account_name, inside, after=[for_types])
        secret = kubernetes.core.v1.Secret(
            f"{name}-token-{token_number}",
            metadata={
                # Another name makes another Secret: it is created first, and the earlier one, with its token, is
                # deleted at the end.
                "name": account_name if token_number == 1 else f"{account_name}-{token_number}",
                "namespace": NAMESPACE,
                "annotations": {"kubernetes.io/service-account.name": account_name},
            },
            type="kubernetes.io/service-account-token",
            opts=with_alias(
                f"{name}-token",
                # The rights exist before the token does.
                pulumi.ResourceOptions.merge(in_namespace, pulumi.ResourceOptions(depends_on=[account, always])),
            ),
        )
        return pulumi.Output.secret(secret.data.apply(lambda data: base64.b64decode(data["token"]).decode()))

    def _policies(
        self, name: str, account: str, cluster: GkeCluster, left_alone: Mapping[TargetType, Sequence[Pointer]]
    ) -> list[pulumi.Resource]:
        """Creates the policies by which KubeFed leaves to controllers in the cluster what is theirs."""
        inside = pulumi.ResourceOptions(parent=self, provider=cluster.provider, deleted_with=cluster.cluster)
        specs = {target.config_name: admission.left_alone(target, account, left_alone[target]) for target in left_alone}
        return [
            create_policy(f"{name}-leaves-{type_name}", f"kubefed-leaves-{type_name}", spec, inside)
            for type_name, spec in specs.items()
            if spec
        ]


def register_members(
    members: Mapping[str, GkeCluster],
    host_name: str,
    control_plane: ControlPlane,
    labels: Mapping[str, Mapping[str, str]],
    types: Sequence[TargetType],
    tokens: Mapping[str, int],
    left_alone: Mapping[str, Mapping[TargetType, Sequence[Pointer]]],
) -> list[pulumi.Resource]:
    """Makes each cluster a member, and returns the registrations."""
    return [
        Member(
            name,
            cluster,
            host_name,
            members[host_name],
            control_plane,
            labels[name],
            types,
            tokens.get(name, 1),
            left_alone[name],
        ).registration
        for name, cluster in members.items()
    ]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:16]
