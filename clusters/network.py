"""The private network: one for the whole federation, with a subnet for each cluster."""

import pulumi
from pulumi_gcp import compute

from clusters.addresses import Addresses

PODS_RANGE = "pods"
SERVICES_RANGE = "services"


class Network(pulumi.ComponentResource):
    """One global VPC, in which members reach each other by private addresses."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("geo-federation:clusters:Network", name, None, opts)
        self.vpc = compute.Network(
            f"{name}-vpc",
            auto_create_subnetworks=False,
            routing_mode="GLOBAL",
            description="The clusters of one geo-federation",
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.id = self.vpc.id
        self.register_outputs({"id": self.id})


def create_subnet(
    cluster: str, region: str, ranges: Addresses, network: Network, opts: pulumi.ResourceOptions
) -> compute.Subnetwork:
    """Makes a cluster's subnet: nodes in the primary range, pods and services in secondary ones."""
    return compute.Subnetwork(
        f"{cluster}-subnet",
        network=network.id,
        region=region,
        ip_cidr_range=str(ranges.nodes),
        secondary_ip_ranges=[
            {"range_name": PODS_RANGE, "ip_cidr_range": str(ranges.pods)},
            {"range_name": SERVICES_RANGE, "ip_cidr_range": str(ranges.services)},
        ],
        private_ip_google_access=True,
        opts=opts,
    )
