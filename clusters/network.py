"""The private network: one for the whole federation, with Cloud NAT in each region and a subnet for each cluster."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import pulumi
from pulumi_gcp import compute

from clusters.addresses import Addresses, file_range
from clusters.apis import Apis
from clusters.spec import Cluster

PODS_RANGE = "pods"
SERVICES_RANGE = "services"
MEMBER_TAG = "federation-member"
"""The network tag of the nodes of every member, besides the tags that GKE sets."""


@dataclass(frozen=True)
class Place:
    """Where in a network a cluster is."""

    network: pulumi.Input[str]
    subnet: pulumi.Input[str]
    pods: str
    """The name of the subnet's secondary range of pods."""
    services: str
    files: Mapping[str, pulumi.Input[str]]
    """The parameters of a storage class of file servers that say where in the network they are."""
    ways: Sequence[pulumi.Resource] = ()
    """What must exist before nodes do: their way out, and their openings to other members."""


class Places(Protocol):
    """A network that has a place for each cluster."""

    def place(self, cluster: str, spec: Cluster, opts: pulumi.ResourceOptions) -> Place:
        """The place of a cluster, of which what does not exist yet is made."""
        ...


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

    def place(self, cluster: str, spec: Cluster, opts: pulumi.ResourceOptions) -> Place:
        """Makes a cluster's subnet and the opening from it to every member."""
        ranges = spec.addresses
        subnet = create_subnet(cluster, spec.region, ranges, self, opts)
        firewall = create_firewall(cluster, ranges, self, opts)
        # By default, Filestore would take a range that another cluster may need later.
        files: dict[str, pulumi.Input[str]] = {
            "network": self.name,
            "reserved-ipv4-cidr": str(file_range(spec.slot)),
        }
        # Nodes need NAT before they can load images from outside Google.
        return Place(self.id, subnet.id, PODS_RANGE, SERVICES_RANGE, files, [self.nats[spec.region], firewall])

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
