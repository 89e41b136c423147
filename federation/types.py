"""The federated types: KubeFed starts to propagate a type when its config is there."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.gke import GkeCluster
from federation.control_plane import ControlPlane
from federation.kinds import BUILT_IN, NAMESPACES, TargetType
from federation.spec import NAMESPACE

# The controller would add it, then see the change and start the type a second time; what waits in the first start
# makes the whole controller exit after cacheSyncTimeout.
FINALIZER = "core.kubefed.io/federated-type-config"


class FederatedTypes(pulumi.ComponentResource):
    """A FederatedTypeConfig for namespaces, and for every enabled type after it."""

    def __init__(
        self,
        name: str,
        host: GkeCluster,
        clusters: Mapping[str, GkeCluster],
        control_plane: ControlPlane,
        types: Sequence[TargetType],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("geo-federation:federation:FederatedTypes", name, None, opts)

        def enable(target: TargetType, after: Sequence[pulumi.Resource]) -> kubernetes.apiextensions.CustomResource:
            return kubernetes.apiextensions.CustomResource(
                f"{name}-{target.config_name}",
                api_version="core.kubefed.io/v1beta1",
                kind="FederatedTypeConfig",
                metadata={"name": target.config_name, "namespace": NAMESPACE, "finalizers": [FINALIZER]},
                spec=type_config(target),
                opts=pulumi.ResourceOptions(
                    parent=self,
                    provider=host.provider,
                    # The controller holds a finalizer on each, so it must outlive them.
                    depends_on=[control_plane.controller, control_plane.federated_types[target.config_name], *after],
                    deleted_with=host.cluster,
                ),
            )

        def find(target: TargetType) -> list[pulumi.Resource]:
            # One member without it would stop the type for them all, and the controller with it.
            return [
                kubernetes.apiextensions.v1.CustomResourceDefinition.get(
                    f"{name}-{target.config_name}-in-{member}",
                    target.config_name,
                    opts=pulumi.ResourceOptions(parent=self, provider=cluster.provider),
                )
                for member, cluster in clusters.items()
                if target.config_name not in BUILT_IN
            ]

        namespaces = enable(NAMESPACES, [])
        others = [target for target in types if target != NAMESPACES]
        self.configs = [namespaces, *(enable(target, [namespaces, *find(target)]) for target in others)]
        self.register_outputs({"types": [target.config_name for target in types]})


def type_config(target: TargetType) -> dict[str, object]:
    """The spec of a type's FederatedTypeConfig."""
    scope = "Namespaced" if target.namespaced else "Cluster"
    return {
        "propagation": "Enabled",
        # Of an object that never has a status, KubeFed would for ever wait for one before it calls it propagated.
        "statusCollection": "Enabled" if target.has_status else "Disabled",
        "targetType": {
            "group": target.group,
            "version": target.version,
            "kind": target.kind,
            "pluralName": target.plural,
            "scope": scope,
        },
        "federatedType": {
            "group": "types.kubefed.io",
            "version": "v1beta1",
            "kind": target.federated_kind,
            "pluralName": target.federated_plural,
            # A federated namespace lies in the namespace that it federates.
            "scope": "Namespaced",
        },
    }
