"""Members: the rights that KubeFed gets inside a cluster, and the cluster's registration on the host."""

import base64
import hashlib
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.gke import GkeCluster
from federation.aliases import with_alias
from federation.cluster_roles import bind_cluster_role, bind_types_role
from federation.control_plane import ControlPlane
from federation.rbac import member_rules, member_type_rules
from federation.waits import holds, waits
from placement.api.kinds import NAMESPACE, TargetType
from placement.preferences import MEMBER_LABEL

# A registration is done when the controller has found the member healthy.
_READY_SECONDS = 300


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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("geo-federation:federation:Member", f"{name}-member", None, opts)
        own = control_plane if cluster is host else None
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
        self.registration = kubernetes.apiextensions.CustomResource(
            f"{name}-registration",
            api_version="core.kubefed.io/v1beta1",
            kind="KubeFedCluster",
            metadata={
                "name": name,
                "namespace": NAMESPACE,
                "labels": {**labels, MEMBER_LABEL: name},
                "annotations": {
                    # The controller reads a new token only when the registration changes.
                    "geo-federation/token-digest": pulumi.Output.unsecret(token.apply(_digest)),
                    **waits(holds("Ready"), seconds=_READY_SECONDS),
                },
            },
            spec={
                "apiEndpoint": cluster.private_endpoint.apply(lambda endpoint: f"https://{endpoint}"),
                "caBundle": cluster.certificate_authority,
                "secretRef": {"name": secret.metadata["name"]},
            },
            opts=pulumi.ResourceOptions.merge(on_host, pulumi.ResourceOptions(depends_on=[control_plane.controller])),
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


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()[:16]
