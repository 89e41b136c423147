"""The private network: one for the whole federation, with Cloud NAT in each region and a subnet for each cluster."""

from collections.abc import Iterable

import pulumi
from pulumi_gcp import compute

from clusters.addresses import Addresses
from clusters.apis import Apis

PODS_RANGE = "pods"
SERVICES_RANGE = "services"
MEMBER_TAG = "federation-member"
"""The network tag of the nodes of every member, besides the tags that GKE sets."""


class Network(pulumi.ComponentResource):
    """One global VPC, in which members reach each other by private addresses and the Internet through Cloud NAT."""

    def __init__(
        self, name: str, regions: Iterable[str], apis: Apis, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("geo-federation:clusters:Network", name, None, opts)
        self.vpc = compute.Network(
            f"{name}-vpc",
            auto_create_subnetworks=False,
            routing_mode="GLOBAL",
            description="The clusters of one geo-federation",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[apis]),
        )
        self.id = self.vpc.id
        self.name = self.vpc.name
        self.nats = {region: self._nat(region) for region in sorted(set(regions))}
        self.register_outputs({"id": self.id})

    def _nat(self, region: str) -> compute.RouterNat:
        """A region's NAT, through which private nodes load images from outside Google."""
        child = pulumi.ResourceOptions(parent=self)
        router = compute.Router(f"{region}-router", region=region, network=self.id, opts=child)
        return compute.RouterNat(
            f"{region}-nat",
            region=region,
            router=router.name,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="ALL_SUBNETWORKS_ALL_IP_RANGES",
            # A node that loads a large image needs thousands of ports for a minute, and few after that; Cloud NAT
            # allocates ports dynamically only where mappings are not endpoint-independent.
            enable_dynamic_port_allocation=True,
            enable_endpoint_independent_mapping=False,
            min_ports_per_vm=64,
            max_ports_per_vm=8192,
            log_config={"enable": True, "filter": "ERRORS_ONLY"},
            opts=child,
        )


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


def create_firewall(
    cluster: str, ranges: Addresses, network: Network, opts: pulumi.ResourceOptions
) -> compute.Firewall:
    """Lets a cluster's pods and nodes reach the pods and nodes of every member.

    One rule for each cluster as the source, so that none changes when another cluster is added or removed.
    """
    return compute.Firewall(
        f"{cluster}-to-members",
        network=network.id,
        direction="INGRESS",
        source_ranges=[str(ranges.nodes), str(ranges.pods)],
        target_tags=[MEMBER_TAG],
        allows=[{"protocol": protocol} for protocol in ("tcp", "udp", "icmp")],
        description=f"From {cluster} to every member",
        opts=opts,
    )
