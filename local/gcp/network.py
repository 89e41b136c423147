"""Networks and subnets, which are checked and recorded."""

import re
from collections import Counter
from collections.abc import Iterator
from ipaddress import IPv4Network
from typing import ClassVar

from clusters.facts.regions import regions
from local.gcp.places import region_of
from local.gcp.ranges import overlaps, why_no_subnet
from local.gcp.resource import (
    DASHED,
    Choices,
    Cloud,
    Kind,
    Wrong,
    find,
    full,
    invalid,
    is_name,
    project_of,
    value,
    values,
)
from local.plugin import Refused
from local.wire import Properties

NETWORKS, SUBNETS, CLUSTERS, POOLS = "network", "subnetwork", "cluster", "nodepool"  # in the registry
GET_SUBNET = "gcp:compute/getSubnetwork:getSubnetwork"
_PROFILE = re.compile(r"projects/[^/]+/global/networkProfiles/(.+)-vpc-roce")


class Network(Kind):
    """A VPC network."""

    token = "gcp:compute/network:Network"
    fixed = frozenset({"name", "autoCreateSubnetworks", "description", "networkProfile", "project"})
    choices: ClassVar[Choices] = {"routingMode": ("REGIONAL", "GLOBAL")}

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{project_of(cloud, inputs)}/global/networks/{inputs['name']}"

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        size = value(inputs, "mtu", 1460)
        if not 1300 <= size <= 8896:
            yield Wrong("mtu", invalid("mtu", size, "It must be from 1300 to 8896"))
        profile = value(inputs, "networkProfile")
        zone = _PROFILE.fullmatch(full(profile)) if profile else None
        if profile and (zone is None or region_of(zone[1]) in (None, zone[1])):
            yield Wrong("networkProfile", f"Error 404: The resource '{full(profile)}' was not found")
        if profile and value(inputs, "autoCreateSubnetworks", True):
            why = "networks with a network profile have no automatic subnetworks"
            yield Wrong("autoCreateSubnetworks", f"Error 400: {why}")

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        link = f"https://www.googleapis.com/compute/v1/{identifier}"
        return {"project": project_of(cloud, inputs), "selfLink": link}

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        for kind in (SUBNETS, "firewall", "router", CLUSTERS):
            for user, properties in cloud.registry.all(kind).items():
                if refers_to(properties.get("network", ""), identifier):
                    raise Refused(in_use("network", identifier, user))


class Subnetwork(Kind):
    """A subnet of a network, with the secondary ranges of pods and services."""

    token = "gcp:compute/subnetwork:Subnetwork"
    fixed = frozenset({"name", "network", "region", "project"})
    needed = ("network", "ipCidrRange")

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{project_of(cloud, inputs)}/regions/{region_in(cloud, inputs)}/subnetworks/{inputs['name']}"

    def replaces(self, path: str, old: Properties, new: Properties) -> bool:
        if path != "ipCidrRange":
            return super().replaces(path, old, new)
        # A subnet can grow in place.
        ranges = old.get(path, ""), new.get(path, "")
        return any(map(why_no_subnet, ranges)) or not IPv4Network(ranges[0]).subnet_of(IPv4Network(ranges[1]))

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from wrong_region(cloud, inputs)
        names = values(inputs, "secondaryIpRanges[].rangeName")
        for name, times in Counter(names).items():
            if not is_name(name, DASHED, 63):
                yield Wrong("secondaryIpRanges", invalid("rangeName", name, f"Must be a match of regex '{DASHED}'"))
            if times > 1:
                yield Wrong("secondaryIpRanges", f"Secondary range name {name} is used {times} times")
        mine: list[str] = []
        for path in ("ipCidrRange", "secondaryIpRanges[].ipCidrRange"):
            for text in values(inputs, path):
                field = path.partition("[")[0]
                if why := why_no_subnet(text):
                    yield Wrong(field, invalid(path, text, why))
                    continue
                for one, other in overlaps([text], mine):
                    yield Wrong(field, f"Invalid IPCidrRange: {one} overlaps with {other} of the same subnetwork")
                mine.append(text)
        yield from self._taken(cloud, identifier, inputs, mine)

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from missing_network(cloud, inputs)
        named = values(inputs, "secondaryIpRanges[].rangeName")
        for user, cluster in _clusters_in(cloud, identifier):
            for each in values(cluster, "ipAllocationPolicy.clusterSecondaryRangeName") + values(
                cluster, "ipAllocationPolicy.servicesSecondaryRangeName"
            ):
                if each not in named:
                    yield Wrong("secondaryIpRanges", in_use("secondary range", each, user))

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        gateway = str(IPv4Network(inputs["ipCidrRange"]).network_address + 1)
        link = f"https://www.googleapis.com/compute/v1/{identifier}"
        where = {"project": project_of(cloud, inputs), "region": region_in(cloud, inputs)}
        return {**where, "selfLink": link, "gatewayAddress": gateway}

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        for user in (*(each for each, _ in _clusters_in(cloud, identifier)), *_pools_in(cloud, identifier)):
            raise Refused(in_use("subnetwork", identifier, user))

    def _taken(self, cloud: Cloud, identifier: str, inputs: Properties, mine: list[str]) -> Iterator[Wrong]:
        network = value(inputs, "network")
        for other, properties in cloud.registry.all(self.slug).items() if network else ():
            if other == identifier or not refers_to(properties["network"], full(network)):
                continue
            for one, taken in overlaps(mine, ranges(properties)):
                field = "ipCidrRange" if one == inputs["ipCidrRange"] else "secondaryIpRanges"
                where = f"subnetwork '{properties['name']}' in region '{properties['region']}'"
                yield Wrong(field, f"Invalid IPCidrRange: {one} conflicts with {taken} of existing {where}")


def ranges(subnet: Properties) -> list[str]:
    """All ranges of a subnet."""
    return [*values(subnet, "ipCidrRange"), *values(subnet, "secondaryIpRanges[].ipCidrRange")]


def secondary_range(subnet: Properties, name: str) -> str | None:
    """A subnet's secondary range of a name."""
    named = {each["rangeName"]: each["ipCidrRange"] for each in subnet.get("secondaryIpRanges", [])}
    return named.get(name)


def region_in(cloud: Cloud, inputs: Properties) -> str:
    """The region that a resource names, or else the provider's."""
    return str(inputs.get("region") or cloud.region)


def wrong_region(cloud: Cloud, inputs: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with the region that a resource is in."""
    region = value({"region": region_in(cloud, inputs)}, "region")
    if region == "":
        yield Wrong("region", "Cannot determine region: set in this resource, or set gcp:region")
    elif region and region not in regions():
        yield Wrong("region", f"Unknown region: region {region} does not exist")


def missing_network(cloud: Cloud, inputs: Properties) -> Iterator[Wrong]:
    """Yields the network that a resource names, where it does not exist."""
    if find(cloud, NETWORKS, inputs["network"]) is None:
        yield Wrong("network", f"Error 404: The resource '{full(inputs['network'])}' was not found")


def refers_to(reference: str, identifier: str) -> bool:
    """Whether an id, a link or a bare name means the resource of an id."""
    return full(reference) in (identifier, identifier.rpartition("/")[2])


def in_use(what: str, identifier: str, user: str) -> str:
    """Google Cloud's message for what cannot be deleted while something uses it."""
    used = f"The {what} resource '{identifier}' is already being used by '{user}'"
    return f"Error 400: {used}, resourceInUseByAnotherResource"


def _clusters_in(cloud: Cloud, subnet: str) -> Iterator[tuple[str, Properties]]:
    for user, cluster in cloud.registry.all(CLUSTERS).items():
        if refers_to(cluster.get("subnetwork", ""), subnet):
            yield user, cluster


def _pools_in(cloud: Cloud, subnet: str) -> Iterator[str]:
    """The pools whose nodes have a further interface in a subnet."""
    for user, pool in cloud.registry.all(POOLS).items():
        attached = values(pool, "networkConfig.additionalNodeNetworkConfigs[].subnetwork")
        if any(refers_to(each, subnet) for each in attached):
            yield user


def get_subnet(cloud: Cloud, arguments: Properties) -> Properties:
    """Reads a subnet. Raises Refused for one that does not exist."""
    project, region = arguments.get("project") or cloud.project, arguments.get("region") or cloud.region
    named = f"projects/{project}/regions/{region}/subnetworks/{arguments.get('name')}"
    identifier = full(str(arguments.get("selfLink") or named))
    found = cloud.registry.get(SUBNETS, identifier)
    if found is None:
        raise Refused(f"{identifier} not found")
    link = f"https://www.googleapis.com/compute/v1/{full(found['network'])}"
    empty: Properties = {"secondaryIpRanges": [], "privateIpGoogleAccess": False, "description": ""}
    return {**empty, **found, "id": identifier, "network": link}
