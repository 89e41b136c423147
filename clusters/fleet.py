"""The project's fleet: it makes a Service that one member exports reachable from all members."""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import config as gcp_config
from pulumi_gcp import gkehub, projects

from clusters.apis import Apis

_FEATURE = "multiclusterservicediscovery"
_IMPORTER = "gke-mcs/gke-mcs-importer"


class Fleet(pulumi.ComponentResource):
    """Multi-cluster Services, enabled once for the project, and the right that their importer needs."""

    def __init__(
        self,
        name: str,
        apis: Apis,
        clusters: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("geo-federation:clusters:Fleet", name, None, opts)
        project = gcp_config.project or ""
        # Clusters register themselves, and the first one creates the workload identity pool.
        child = pulumi.ResourceOptions(parent=self, depends_on=[apis, *clusters])
        gkehub.Feature(f"{name}-services", name=_FEATURE, location="global", opts=child)
        projects.IAMMember(
            f"{name}-importer",
            project=project,
            role="roles/compute.networkViewer",
            member=f"serviceAccount:{project}.svc.id.goog[{_IMPORTER}]",
            opts=child,
        )
        self.register_outputs({})
