"""What GKE refuses of the networks that a pool's nodes have beside that of their cluster."""

import re
from collections.abc import Iterator

from clusters.facts.gpu_networks import gpu_networks
from local.gcp.network import NETWORKS, SUBNETS, refers_to
from local.gcp.pools.sizes import pool_zones
from local.gcp.resource import Cloud, Wrong, find, full, given, lacking, value, values
from local.wire import Properties

_CONFIG = "networkConfig"
_PROFILE, _ADDITIONAL = f"{_CONFIG}.acceleratorNetworkProfile", f"{_CONFIG}.additionalNodeNetworkConfigs"
# An A3 Ultra and an A4 have ten in all, the first of which is the cluster's.
_INTERFACES = 9
_ZONE = re.compile(r"/networkProfiles/(.+)-vpc-roce$")


def wrong_networks(kind: str, inputs: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with a pool's networks by its inputs alone."""
    profile, additional = value(inputs, _PROFILE), values(inputs, f"{_ADDITIONAL}[]")
    if profile:
        facts = gpu_networks().get(kind)
        if facts is None or not facts.auto:
            why = f"machine type {kind} does not support accelerator network profile {profile!r}"
            yield Wrong(_PROFILE, f"Error 400: {why}")
        if additional:
            why = "additional node networks cannot be given with an accelerator network profile"
            yield Wrong(_ADDITIONAL, f"Error 400: {why}")
    if len(additional) > _INTERFACES:
        yield Wrong(_ADDITIONAL, f"Error 400: at most {_INTERFACES} additional node networks, not {len(additional)}")
    seen: set[str] = set()
    for each in additional:
        subnet = value(each, "subnetwork")
        if lacking(each, "network") or lacking(each, "subnetwork"):
            yield Wrong(_ADDITIONAL, "Error 400: an additional node network needs a network and a subnetwork")
        elif subnet in seen:
            yield Wrong(_ADDITIONAL, f"Error 400: subnetwork {subnet} is given twice")
        elif subnet:
            seen.add(subnet)


def wrong_networks_in(inputs: Properties, cluster: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with a pool's networks in its cluster."""
    zones = pool_zones(inputs, cluster)
    if value(inputs, _PROFILE):
        if cluster.get("datapathProvider") != "ADVANCED_DATAPATH":
            yield Wrong(_PROFILE, "Error 400: accelerator network profiles need GKE Dataplane V2")
        if len(zones) != 1:
            why = f"accelerator network profiles are for pools in one zone, not in {', '.join(zones)}"
            yield Wrong(_PROFILE, f"Error 400: {why}")
    if given(inputs, f"{_ADDITIONAL}[]") and not value(cluster, "enableMultiNetworking", False):
        why = "additional node networks need a cluster with multi-networking"
        yield Wrong(_ADDITIONAL, f"Error 400: {why}")


def missing_networks(cloud: Cloud, inputs: Properties, cluster: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with the existing networks that a pool's nodes are to be attached to."""
    region = cluster["location"]
    for each in values(inputs, f"{_ADDITIONAL}[]"):
        network, subnet = find(cloud, NETWORKS, each["network"]), _subnet(cloud, each["subnetwork"], region)
        if network is None:
            yield Wrong(_ADDITIONAL, f"Error 404: The resource '{full(each['network'])}' was not found")
            continue
        if refers_to(cluster.get("network", ""), network[0]):
            why = f"{network[0]} is the cluster's own network, which nodes are attached to already"
            yield Wrong(_ADDITIONAL, f"Error 400: {why}")
        if subnet is None:
            yield Wrong(_ADDITIONAL, f"Error 404: Subnetwork {each['subnetwork']} was not found in {region}")
        elif not refers_to(subnet["network"], network[0]):
            yield Wrong(_ADDITIONAL, f"Error 400: Subnetwork {each['subnetwork']} is not in network {network[0]}")
        roce = _ZONE.search(str(value(network[1], "networkProfile", "")))
        if roce and pool_zones(inputs, cluster) != (roce[1],):
            why = (
                f"network {network[0]} is in {roce[1]} alone, and the pool in {', '.join(pool_zones(inputs, cluster))}"
            )
            yield Wrong(_ADDITIONAL, f"Error 400: {why}")


def _subnet(cloud: Cloud, reference: str, region: str) -> Properties | None:
    known = cloud.registry.all(SUBNETS).items()
    return next((each for key, each in known if refers_to(reference, key) and each["region"] == region), None)
