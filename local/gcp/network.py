"""Networks and subnets, which are checked and kept."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from clusters.regions import regions
from local.gcp.resource import Cloud, Kind
from local.plugin import UNKNOWN, Properties, Refused


class Network(Kind):
    """A VPC network."""

    token = "gcp:compute/network:Network"
    fixed = frozenset({"name", "autoCreateSubnetworks", "description"})

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{cloud.project}/global/networks/{inputs['name']}"

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        return {"project": cloud.project, "selfLink": f"https://www.googleapis.com/compute/v1/{identifier}"}

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        for subnet, properties in cloud.registry.all(Subnetwork().slug).items():
            if properties["network"] == identifier:
                raise Refused(f"network {state['name']} is in use by {subnet}")


class Subnetwork(Kind):
    """A subnet of a network, with the secondary ranges of pods and services."""

    token = "gcp:compute/subnetwork:Subnetwork"
    fixed = frozenset({"name", "network", "region", "ipCidrRange"})

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{cloud.project}/regions/{inputs['region']}/subnetworks/{inputs['name']}"

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[str]:
        if inputs["region"] not in regions():
            yield f"region {inputs['region']} does not exist"
        mine: list[IPv4Network] = []
        for text in _ranges(inputs):
            try:
                block = IPv4Network(text)
            except ValueError as error:
                yield f"invalid range: {error}"
                continue
            yield from (f"range {block} overlaps with {other}" for other in mine if block.overlaps(other))
            mine.append(block)
        if inputs["network"] == UNKNOWN:
            return
        for other, properties in cloud.registry.all(self.slug).items():
            if other == identifier or properties["network"] != inputs["network"]:
                continue
            for taken in map(IPv4Network, _ranges(properties)):
                yield from (
                    f"range {block} overlaps with {taken} of {other}" for block in mine if block.overlaps(taken)
                )

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        link = f"https://www.googleapis.com/compute/v1/{identifier}"
        gateway = str(IPv4Network(inputs["ipCidrRange"]).network_address + 1)
        return {"project": cloud.project, "selfLink": link, "gatewayAddress": gateway}


def _ranges(inputs: Properties) -> list[str]:
    return [inputs["ipCidrRange"], *(each["ipCidrRange"] for each in inputs.get("secondaryIpRanges", []))]
