"""Google's APIs: those that the federation needs are enabled, and none is ever disabled."""

from collections.abc import Mapping

import pulumi
from pulumi_gcp import projects

from clusters.spec import Cluster

# Every cluster has the drivers of Filestore and Cloud Storage.
_ALWAYS = (
    "artifactregistry",
    "cloudresourcemanager",
    "compute",
    "container",
    "file",
    "iam",
    "iamcredentials",
    "logging",
    "monitoring",
    "storage",
)
_FOR_FLEETS = ("dns", "gkehub", "multiclusterservicediscovery", "trafficdirector")


def needed_apis(clusters: Mapping[str, Cluster], fleet: bool) -> list[str]:
    """The APIs that these settings need, such as container; `fleet` says whether the clusters join one."""
    needed = {*_ALWAYS, *(_FOR_FLEETS if fleet else ())}
    for cluster in clusters.values():
        needed |= {"cloudkms"} if cluster.encryption_key else set()
        needed |= {"gkebackup"} if cluster.backup else set()
        streamed = any(pool.image_streaming for pool in cluster.node_pools.values())
        needed |= {"containerfilesystem"} if streamed else set()
    return sorted(needed)


class Apis(pulumi.ComponentResource):
    """The enabled APIs of the project. Depend on the component to wait for all of them."""

    def __init__(self, name: str, needed: list[str], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("geo-federation:clusters:Apis", name, None, opts)
        services = {
            api: projects.Service(
                f"{name}-{api}",
                service=f"{api}.googleapis.com",
                # Others in the project may use it.
                disable_on_destroy=False,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for api in needed
        }
        self.gke_agent = pulumi.Output.from_input("")
        """The account as which GKE acts in the project; empty where no key must be granted to it."""
        if "cloudkms" in services:
            agent = projects.ServiceIdentity(
                f"{name}-gke-agent",
                service="container.googleapis.com",
                opts=pulumi.ResourceOptions(parent=self, depends_on=[services["container"]]),
            )
            self.gke_agent = agent.email.apply(lambda email: f"serviceAccount:{email}")
        self.register_outputs({"apis": needed})
