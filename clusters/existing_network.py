"""A network that exists already: nothing of it is made, changed or deleted, and its subnets are as the settings say."""

from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path

import pulumi
from pulumi_gcp import compute
from pulumi_gcp import config as gcp_config

from clusters.addresses import file_range
from clusters.existing import ExistingNetwork, ExistingSubnet
from clusters.network import Place
from clusters.spec import Cluster
from problems import Problem, SettingsError
from stack_file import locate

_READ = "roles/compute.networkViewer"


class JoinedNetwork:
    """The places of clusters in an existing network."""

    def __init__(self, network: ExistingNetwork) -> None:
        self._network, self._shared = network, network.project != gcp_config.project

    def place(self, cluster: str, spec: Cluster, opts: pulumi.ResourceOptions) -> Place:
        """The place of a cluster; makes nothing."""
        network, subnet = self._network, _subnet(spec)
        # In a Shared VPC, Filestore takes its addresses by private services access alone.
        files: dict[str, pulumi.Input[str]] = (
            {"network": network.vpc, "connect-mode": "PRIVATE_SERVICE_ACCESS"}
            if self._shared
            else {"network": network.name, "reserved-ipv4-cidr": subnet.files or str(file_range(spec.slot))}
        )
        return Place(network.vpc, subnet.path(network, spec.region), subnet.pods.name, subnet.services.name, files)


def check_existing(network: ExistingNetwork | None, clusters: Mapping[str, Cluster]) -> None:
    """Compares the settings of existing subnets with the subnets, as far as they may be read.

    Raises pulumi.RunError, which ends the run before anything is created, with everything that differs.
    """
    if network is None:
        return
    # Clusters can share a subnet.
    read = cache(partial(compute.get_subnetwork, project=network.project))
    problems: list[Problem] = []
    for name, cluster in clusters.items():
        setting, subnet = f"clusters.{name}.subnet", _subnet(cluster)
        path = subnet.path(network, cluster.region)
        try:
            found = read(name=subnet.name, region=cluster.region)
        except Exception as error:  # The SDK raises no other class for what a provider answers.
            # In the words of Google's Terraform provider; those of the second mistake begin with "Not Found", too.
            if "Error 403" not in str(error) and ("Error 404" in str(error) or " not found" in str(error)):
                advice = f"{path} does not exist; write the name of a subnet of {network.name} in {cluster.region}"
                problems.append(Problem(f"{setting}.name", subnet.name, advice))
            elif "Error 403" in str(error):
                why = f"not compared with {path}, which may not be read; grant {_READ} on it, or make sure of it"
                pulumi.log.warn(f"{setting}: {why}")
            else:
                raise
            continue
        problems.extend(differences(setting, subnet, network, found))
        if not found.private_ip_google_access:
            why = "Private Google Access is off, without which nodes reach Google's APIs through a NAT only"
            pulumi.log.warn(f"{setting}.name: {subnet.name}: {why}; turn it on")
    if problems:
        prefix = f"{pulumi.get_project()}:"
        raise pulumi.RunError(str(SettingsError(locate(problems, Path.cwd(), pulumi.get_stack(), prefix))))


def differences(
    setting: str, subnet: ExistingSubnet, network: ExistingNetwork, found: compute.GetSubnetworkResult
) -> Iterator[Problem]:
    """Yields what a subnet has otherwise than its settings say."""
    vpc = found.network.partition("/projects/")[2]
    if vpc and f"projects/{vpc}" != network.vpc:
        advice = f"a subnet of projects/{vpc}; write the name of a subnet of network.vpc, {network.name}"
        yield Problem(f"{setting}.name", subnet.name, advice)
        return
    if found.ip_cidr_range != subnet.nodes:
        yield Problem(f"{setting}.nodes", subnet.nodes, f"{subnet.name} has {found.ip_cidr_range}; write that")
    ranges = {each.range_name: each.ip_cidr_range for each in found.secondary_ip_ranges}
    for field, own in (("pods", subnet.pods), ("services", subnet.services)):
        if own.name not in ranges:
            known = ", ".join(sorted(ranges)) or "none"
            advice = f"{subnet.name} has no secondary range of this name; write one of its own: {known}"
            yield Problem(f"{setting}.{field}.name", own.name, advice)
        elif ranges[own.name] != own.range:
            advice = f"{own.name} of {subnet.name} is {ranges[own.name]}; write that"
            yield Problem(f"{setting}.{field}.range", own.range, advice)


def _subnet(spec: Cluster) -> ExistingSubnet:
    assert spec.subnet, "check_network requires it with an existing network"
    return spec.subnet
