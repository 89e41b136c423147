"""The federated types: KubeFed starts to propagate a type once its FederatedTypeConfig exists."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.gke import GkeCluster
from federation.base_plan import Base
from federation.control_plane import ControlPlane
from federation.outputs_by_name import outputs_by_name
from federation.waits import waits
from placement.api.kinds import BUILT_IN, NAMESPACE, NAMESPACES, TargetType
from problems import one_of

Definition = kubernetes.apiextensions.v1.CustomResourceDefinition

# Otherwise the controller adds it, sees the change and starts the type a second time; what waits in the first start
# makes the whole controller exit after cacheSyncTimeout.
FINALIZER = "core.kubefed.io/federated-type-config"
# An object that the controller of its type meets as it starts is held for 10 s, until the caches are filled.
_STARTED = "jsonpath={.status.propagationController}=Running"
_STARTED_SECONDS = 300


class FederatedTypes(pulumi.ComponentResource):
    """A FederatedTypeConfig for namespaces, and for every enabled type after it."""

    def __init__(
        self,
        name: str,
        host: GkeCluster,
        clusters: Mapping[str, GkeCluster],
        control_plane: ControlPlane,
        types: Sequence[TargetType],
        base: Base,
        based: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Enables the types once the members' base is applied, which is when all of `based` is ready."""
        super().__init__("geo-federation:federation:FederatedTypes", name, None, opts)
        of_base = base.types([*clusters])
        # What a chart brings is not known before it is applied.
        unread = base.has_charts and pulumi.runtime.is_dry_run()

        def enable(target: TargetType, after: Sequence[pulumi.Resource]) -> kubernetes.apiextensions.CustomResource:
            found = find(target)
            specs = outputs_by_name({member: each.spec for member, each in found.items()})
            own = of_base.get(target.config_name)
            own_spec = config_once_served(target, {"federation.base": own}) if own else type_config(target)
            if target.config_name not in BUILT_IN:
                # Not only by way of namespaces, so that it is removed before what serves it.
                after = [*after, *based]
            spec = pulumi.Output.from_input(
                specs.apply(lambda each: config_once_served(target, each)) if found else own_spec
            )
            return kubernetes.apiextensions.CustomResource(
                f"{name}-{target.config_name}",
                api_version="core.kubefed.io/v1beta1",
                kind="FederatedTypeConfig",
                metadata={
                    "name": target.config_name,
                    "namespace": NAMESPACE,
                    "finalizers": [FINALIZER],
                    "annotations": spec.apply(lambda each: waits(_STARTED, seconds=_STARTED_SECONDS, declared=each)),
                },
                spec=spec,
                opts=pulumi.ResourceOptions(
                    parent=self,
                    provider=host.provider,
                    # The controller has a finalizer on each, so it must be deleted after them.
                    depends_on=[control_plane.controller, control_plane.federated_types[target.config_name], *after],
                    deleted_with=host.cluster,
                ),
            )

        def find(target: TargetType) -> dict[str, Definition]:
            # One member without it would stop the type for all of them, and the controller too.
            return {
                member: Definition.get(
                    f"{name}-{target.config_name}-in-{member}",
                    target.config_name,
                    opts=pulumi.ResourceOptions(parent=self, provider=cluster.provider, depends_on=[*based]),
                )
                for member, cluster in clusters.items()
                if target.config_name not in (BUILT_IN | of_base) and not unread
            }

        namespaces = enable(NAMESPACES, based)
        others = {target.config_name: enable(target, [namespaces]) for target in types if target != NAMESPACES}
        self.configs = [namespaces, *others.values()]
        self.of_base = {name: [each, *based] for name, each in others.items() if name in of_base}
        """What objects of each type that is served by the base depend on, so that they are removed before it."""
        self.register_outputs({"types": [target.config_name for target in types]})


def unserved(target: TargetType, member: str, definition: Mapping[str, Any]) -> str:
    """Why a member does not serve a type, given the spec of its CRD there; empty where it does."""
    served = [version["name"] for version in definition["versions"] if version["served"]]
    kind = definition["names"]["kind"]
    if definition["scope"] != target.scope:
        return f"{member} has it with the scope {definition['scope']}; write that in federation.custom_types"
    if kind != target.kind:
        return f"{member} has it with the kind {kind}; write that in federation.custom_types"
    if not {target.version, *target.also} & {*served}:
        return f"{member} serves no {target.version} of it; write in federation.custom_types {one_of('', served)}"
    return ""


def config_once_served(target: TargetType, definitions: Mapping[str, Mapping[str, Any]]) -> dict[str, object]:
    """The spec of a type's config, given the spec of its CRD in each member that was read. Raises pulumi.RunError.

    Of versions that mean the same, it is the first that every member serves.
    """
    problems = [text for member, each in definitions.items() if (text := unserved(target, member, each))]
    served = [{each["name"] for each in spec["versions"] if each["served"]} for spec in definitions.values()]
    common = [each for each in (target.version, *target.also) if all(each in versions for versions in served)]
    if not problems and not common:
        problems = [f"no version is served by {' and '.join(definitions)}; install the same release in each"]
    if problems:
        raise pulumi.RunError(f"federation.types: {target.config_name}: {'; '.join(problems)}")
    return type_config(replace(target, version=common[0]))


def type_config(target: TargetType) -> dict[str, object]:
    """The spec of a type's FederatedTypeConfig."""
    return {
        "propagation": "Enabled",
        # KubeFed would wait forever for the status of an object that never has one before it counts as propagated.
        "statusCollection": "Enabled" if target.has_status else "Disabled",
        "targetType": {
            "group": target.group,
            "version": target.version,
            "kind": target.kind,
            "pluralName": target.plural,
            "scope": target.scope,
        },
        "federatedType": {
            "group": "types.kubefed.io",
            "version": "v1beta1",
            "kind": target.federated_kind,
            "pluralName": target.federated_plural,
            "scope": target.federated_scope,
        },
    }
