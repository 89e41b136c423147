"""Workloads: plain Kubernetes objects, federated and split over the clusters that their placement takes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.gke import GkeCluster
from federation.kinds import NAMESPACES, TargetType
from federation.manifests import Manifest
from federation.placement import Decision, Members, place, split
from federation.spec import Workload

_PROPAGATED_SECONDS = 300


@dataclass(frozen=True)
class PlacedObject:
    """One object of a workload, with the clusters that it goes to and the JSON patches for each."""

    manifest: Manifest
    clusters: Sequence[str]
    overrides: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class PlacedWorkload:
    """A workload whose placement is decided."""

    namespace: str
    decisions: Sequence[Decision]
    objects: Sequence[PlacedObject]

    @property
    def clusters(self) -> list[str]:
        """The clusters that are taken."""
        return [decision.cluster for decision in self.decisions if decision.share]

    @property
    def placements(self) -> list[dict[str, str | int]]:
        """The decisions as plain values, for the stack's output."""
        return [{"cluster": each.cluster, "share": each.share, "reason": each.reason} for each in self.decisions]


def place_workload(workload: Workload, manifests: Sequence[Manifest], members: Members) -> PlacedWorkload:
    """Decides where each object of a workload goes: counted ones are split, others go wherever one of those does."""
    counted = [manifest for manifest in manifests if manifest.type.counted]
    decisions = place(workload.placement, members, [_count(manifest) for manifest in counted])
    objects: list[PlacedObject] = []
    for manifest in manifests:
        if manifest in counted:
            position = counted.index(manifest)
            shares = {each.cluster: each.shares[position] for each in decisions if each.shares[position]}
            patches = _share_patches(manifest, shares)
        else:
            shares = {each.cluster: 1 for each in decisions if each.share}
            patches = {}
        own = {
            name: [patch.model_dump(exclude_unset=True) for patch in workload.overrides.get(name, [])]
            for name in shares
        }
        overrides = {name: [*patches.get(name, []), *own[name]] for name in shares}
        objects.append(PlacedObject(manifest, list(shares), {name: each for name, each in overrides.items() if each}))
    return PlacedWorkload(workload.namespace, decisions, objects)


class FederatedNamespace(pulumi.ComponentResource):
    """A namespace on the host, and its federation to the clusters that have a workload in it."""

    def __init__(
        self,
        namespace: str,
        clusters: Sequence[str],
        host: GkeCluster,
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("geo-federation:federation:FederatedNamespace", f"{namespace}-namespace", None, opts)
        local = kubernetes.core.v1.Namespace(
            f"{namespace}-host-namespace",
            metadata={"name": namespace},
            # Made once the controller knows the members, so that no worker of its own waits with it.
            opts=pulumi.ResourceOptions(parent=self, provider=host.provider, depends_on=after),
        )
        self.federated = _federate(
            f"{namespace}-federated-namespace",
            NAMESPACES,
            {"name": namespace, "namespace": namespace},
            {"template": {}, **_placement(clusters, {})},
            pulumi.ResourceOptions(parent=self, provider=host.provider, depends_on=[local]),
        )
        self.register_outputs({"name": namespace})


class FederatedWorkload(pulumi.ComponentResource):
    """A placed workload's objects, propagated."""

    def __init__(
        self,
        name: str,
        workload: PlacedWorkload,
        host: GkeCluster,
        namespace: FederatedNamespace,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("geo-federation:federation:FederatedWorkload", name, None, opts)
        for placed in workload.objects:
            target = placed.manifest.type
            spec: Any = {"template": _template(placed.manifest), **_placement(placed.clusters, placed.overrides)}
            _federate(
                f"{name}-{target.plural}-{placed.manifest.name}",
                target,
                {"name": placed.manifest.name, "namespace": workload.namespace},
                pulumi.Output.secret(spec) if target.kind == "Secret" else spec,
                pulumi.ResourceOptions(parent=self, provider=host.provider, depends_on=[namespace.federated]),
            )
        self.register_outputs({"clusters": workload.clusters})


def _federate(
    name: str, target: TargetType, metadata: Mapping[str, str], spec: Any, opts: pulumi.ResourceOptions
) -> kubernetes.apiextensions.CustomResource:
    annotations = {"pulumi.com/waitFor": "condition=Propagation", "pulumi.com/timeoutSeconds": str(_PROPAGATED_SECONDS)}
    return kubernetes.apiextensions.CustomResource(
        name,
        api_version="types.kubefed.io/v1beta1",
        kind=target.federated_kind,
        metadata={**metadata, "annotations": annotations},
        spec=spec,
        opts=opts,
    )


def _placement(clusters: Sequence[str], overrides: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    placement: dict[str, Any] = {"placement": {"clusters": [{"name": name} for name in clusters]}}
    if overrides:
        placement["overrides"] = [
            {"clusterName": name, "clusterOverrides": list(patches)} for name, patches in overrides.items()
        ]
    return placement


def _template(manifest: Manifest) -> dict[str, Any]:
    """What KubeFed makes the copies from: the object without what their place and their type say."""
    metadata = {key: value for key, value in manifest.body["metadata"].items() if key not in ("name", "namespace")}
    body = {
        key: value for key, value in manifest.body.items() if key not in ("apiVersion", "kind", "metadata", "status")
    }
    if manifest.type.counted:
        # An override can only replace what is there.
        body["spec"] = {manifest.type.counted[0]: _count(manifest), **body.get("spec", {})}
    return {"metadata": metadata, **body} if metadata else body


def _count(manifest: Manifest) -> int:
    """How many pods a counted object runs side by side; Kubernetes' own default is 1."""
    counts: list[int | None] = [manifest.body.get("spec", {}).get(key) for key in manifest.type.counted]
    first = 1 if counts[0] is None else counts[0]
    return min([first, *(count for count in counts[1:] if count is not None)])


def _share_patches(manifest: Manifest, shares: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """The patches that give each cluster its share of every counted field."""
    patches: dict[str, list[dict[str, Any]]] = {name: [] for name in shares}
    for position, key in enumerate(manifest.type.counted):
        whole = _count(manifest) if position == 0 else manifest.body.get("spec", {}).get(key)
        if whole is not None:
            for name, part in split(whole, shares).items():
                patches[name].append({"path": f"/spec/{key}", "op": "replace", "value": part})
    return patches
