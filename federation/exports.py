"""Exports: Services that every member of the fleet can reach, as NAME.NAMESPACE.svc.clusterset.local."""

from collections.abc import Iterator, Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.gke import GkeCluster
from federation.aliases import with_alias
from federation.spec import Federation
from placement.copies import PlacedWorkload
from placement.manifests.manifest import Manifest
from placement.spec import is_by_settings
from placement.workload import Workload
from problems import Problem, one_of


def check_exports(
    setting: str, workload: Workload, manifests: Sequence[Manifest], federation: Federation
) -> Iterator[Problem]:
    """Yields why the Services that a workload exports could not be exported."""
    if not workload.export:
        return
    if not federation.multi_cluster_services:
        advice = "needs federation.multi_cluster_services: true; write that, or remove this"
        yield Problem(f"{setting}.export", None, advice)
    services = [each.name for each in manifests if each.type.config_name == "services"]
    for name in workload.export:
        if manifests and name not in services:
            yield Problem(f"{setting}.export", name, f"no Service of the manifests; write {one_of(name, services)}")
    placement = workload.placement
    if not is_by_settings(placement):
        advice = "an export needs a placement that the settings decide alone; write another, or remove export"
        yield Problem(f"{setting}.placement.policy", placement.policy, advice)


class ExportedServices(pulumi.ComponentResource):
    """The exports of a workload's Services, beside each of their copies.

    GKE installs the type with the fleet. `after` is what must exist first, such as the Services themselves.
    """

    def __init__(
        self,
        name: str,
        workload: Workload,
        placed: PlacedWorkload,
        clusters: Mapping[str, GkeCluster],
        after: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("geo-federation:federation:ExportedServices", f"{name}-exports", None, opts)
        for each in placed.objects:
            if each.manifest.type.config_name == "services" and each.manifest.name in workload.export:
                for member in each.clusters:
                    kubernetes.apiextensions.CustomResource(
                        f"{name}-{workload.namespace}/{each.manifest.name}-in-{member}",
                        api_version="net.gke.io/v1",
                        kind="ServiceExport",
                        metadata={"name": each.manifest.name, "namespace": workload.namespace},
                        opts=with_alias(
                            f"{name}-{each.manifest.name}-in-{member}",
                            pulumi.ResourceOptions(
                                parent=self,
                                provider=clusters[member].provider,
                                depends_on=list(after),
                                deleted_with=clusters[member].cluster,
                            ),
                        ),
                    )
        self.register_outputs({})


def create_exports(
    workloads: Mapping[str, Workload],
    placed: Mapping[str, PlacedWorkload],
    clusters: Mapping[str, GkeCluster],
    federated: Mapping[str, pulumi.Resource],
    after: Sequence[pulumi.Resource],
) -> None:
    """Creates the exports of every workload that has any, after its federated objects and after `after`."""
    for name, workload in workloads.items():
        if workload.export:
            ExportedServices(name, workload, placed[name], clusters, [federated[name], *after])
