"""The settings of a VPC network and of subnets that exist already, in place of those that the program makes."""

from ipaddress import IPv4Network

from pydantic import Field

from clusters.addresses import Addresses
from clusters.ranges import Block, Range
from problems import Model

_PROJECT = r"[a-z0-9][-.:a-z0-9]{0,61}[a-z0-9]"
_NAME = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"


class ExistingNetwork(Model):
    """A VPC network of yours, in which the program creates, changes and deletes nothing."""

    vpc: str = Field(pattern=rf"^projects/{_PROJECT}/global/networks/{_NAME}$")
    """its id, projects/PROJECT/global/networks/NAME

    In the stack's project, or in the host project of a Shared VPC. It must have the firewall rules and the NAT that the
    program would make in a network of its own (docs/existing-networks.md). With another network, all clusters are
    replaced.
    """
    peered_ranges: list[Range] = Field(default_factory=list[str])
    """a list of ranges that are used elsewhere

    Of peered networks, offices and other subnets: no range of a cluster may overlap with one of them.
    """

    @property
    def project(self) -> str:
        """The project that the network is in."""
        return self.vpc.split("/")[1]

    @property
    def name(self) -> str:
        """Its name in that project."""
        return self.vpc.rpartition("/")[2]


class SecondaryRange(Model):
    """A secondary range of a subnet."""

    name: str = Field(pattern=rf"^{_NAME}$")
    """its name in the subnet

    No other cluster may use it.
    """
    range: Block
    """its addresses, such as 10.64.0.0/16

    They must be those that the subnet has.
    """


class ExistingSubnet(Model):
    """A subnet of `network.vpc` in the cluster's region, with its secondary ranges."""

    name: str = Field(pattern=rf"^{_NAME}$")
    """its name, without its project and region

    Several clusters can be in one subnet, with secondary ranges of their own.
    """
    nodes: Block
    """its primary range, such as 10.0.0.0/20

    Each node has an address there, and the control plane.
    """
    pods: SecondaryRange
    """name and range of the secondary range for pods

    A node with the default of 110 pods takes 256 addresses of it.
    """
    services: SecondaryRange
    """name and range of the secondary range for services

    Each Service has an address there.
    """
    files: Block | None = None
    """the range of the file servers of the storage class models

    A range of at least 8 addresses that no subnet has. Left out, it is that of the cluster's slot. In a Shared VPC it
    must be left out: file servers are in the range of private services access.
    """

    @property
    def addresses(self) -> Addresses:
        """Its ranges."""
        return Addresses(
            nodes=IPv4Network(self.nodes),
            pods=IPv4Network(self.pods.range),
            services=IPv4Network(self.services.range),
        )

    def path(self, network: ExistingNetwork, region: str) -> str:
        """Its id."""
        return f"projects/{network.project}/regions/{region}/subnetworks/{self.name}"
