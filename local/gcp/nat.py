"""Cloud Routers and Cloud NAT, which are checked and recorded."""

from collections.abc import Iterator
from typing import ClassVar

from local.gcp.network import missing_network, refers_to, region_in, wrong_region
from local.gcp.resource import Choices, Cloud, Kind, Wrong, given, invalid, lacking, project_of, value
from local.wire import Properties

_ROUTERS = "router"  # in the registry
_LISTED = "LIST_OF_SUBNETWORKS"
_PRIVATE_ASNS = ((64512, 65534), (4200000000, 4294967294))
_PORTS = 64  # of each machine, where nothing else is said


class Router(Kind):
    """A Cloud Router, which a NAT belongs to."""

    token = "gcp:compute/router:Router"
    fixed = frozenset({"name", "network", "region", "project", "encryptedInterconnectRouter"})
    needed = ("network",)
    choices: ClassVar[Choices] = {
        "bgp.advertiseMode": ("DEFAULT", "CUSTOM"),
        "bgp.advertisedGroups[]": ("ALL_SUBNETS",),
    }

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{project_of(cloud, inputs)}/regions/{region_in(cloud, inputs)}/routers/{inputs['name']}"

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from wrong_region(cloud, inputs)
        asn = value(inputs, "bgp.asn")
        if asn is not None and not any(low <= asn <= high for low, high in _PRIVATE_ASNS):
            why = "It must be a private ASN of RFC 6996, such as 64512"
            yield Wrong("bgp.asn", invalid("bgp.asn", asn, why))

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from missing_network(cloud, inputs)

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        link = f"https://www.googleapis.com/compute/v1/{identifier}"
        return {"project": project_of(cloud, inputs), "region": region_in(cloud, inputs), "selfLink": link}


class RouterNat(Kind):
    """Cloud NAT: the way out for machines without an address of their own."""

    token = "gcp:compute/routerNat:RouterNat"
    fixed = frozenset({"name", "router", "region", "project", "type"})
    needed = ("router", "sourceSubnetworkIpRangesToNat")
    choices: ClassVar[Choices] = {
        "natIpAllocateOption": ("MANUAL_ONLY", "AUTO_ONLY"),
        "sourceSubnetworkIpRangesToNat": (
            "ALL_SUBNETWORKS_ALL_IP_RANGES",
            "ALL_SUBNETWORKS_ALL_PRIMARY_IP_RANGES",
            _LISTED,
        ),
        "subnetworks[].sourceIpRangesToNats[]": ("ALL_IP_RANGES", "LIST_OF_SECONDARY_IP_RANGES", "PRIMARY_IP_RANGE"),
        "logConfig.filter": ("ERRORS_ONLY", "TRANSLATIONS_ONLY", "ALL"),
        "type": ("PUBLIC", "PRIVATE"),
        "autoNetworkTier": ("PREMIUM", "STANDARD"),
        "endpointTypes[]": ("ENDPOINT_TYPE_VM", "ENDPOINT_TYPE_SWG", "ENDPOINT_TYPE_MANAGED_PROXY_LB"),
    }

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        router = str(inputs.get("router")).rpartition("/")[2]
        return f"{project_of(cloud, inputs)}/{region_in(cloud, inputs)}/{router}/{inputs['name']}"

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from wrong_region(cloud, inputs)
        yield from _addresses(inputs)
        yield from _ports(inputs)
        listed = value(inputs, "sourceSubnetworkIpRangesToNat")
        if given(inputs, "subnetworks[]") and listed not in (None, _LISTED):
            yield Wrong("subnetworks", f"subnetworks can only be given with sourceSubnetworkIpRangesToNat {_LISTED}")
        if listed == _LISTED and lacking(inputs, "subnetworks[]"):
            yield Wrong("subnetworks", f"sourceSubnetworkIpRangesToNat {_LISTED} needs subnetworks")

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        region = region_in(cloud, inputs)
        routers = {
            key: each["network"] for key, each in cloud.registry.all(_ROUTERS).items() if each["region"] == region
        }
        network = next((each for key, each in routers.items() if refers_to(inputs["router"], key)), None)
        if network is None:
            yield Wrong("router", f"Error 404: The router {inputs['router']} was not found in region {region}")
        if inputs["sourceSubnetworkIpRangesToNat"] == _LISTED:
            return
        for other, nat in cloud.registry.all(self.slug).items():
            theirs = next((each for key, each in routers.items() if refers_to(nat["router"], key)), None)
            same = theirs == network and nat["region"] == region
            if other != identifier and same and nat["sourceSubnetworkIpRangesToNat"] != _LISTED:
                why = f"Error 400: all subnetworks of {region} have a NAT already: {other}"
                yield Wrong("sourceSubnetworkIpRangesToNat", why)

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        return {"project": project_of(cloud, inputs), "region": region_in(cloud, inputs)}


def _addresses(inputs: Properties) -> Iterator[Wrong]:
    option = value(inputs, "natIpAllocateOption")
    if option == "AUTO_ONLY" and given(inputs, "natIps[]"):
        yield Wrong("natIps", "natIps cannot be given when natIpAllocateOption is AUTO_ONLY")
    if option == "MANUAL_ONLY" and lacking(inputs, "natIps[]") and lacking(inputs, "initialNatIps[]"):
        yield Wrong("natIps", "natIps must be given when natIpAllocateOption is MANUAL_ONLY")


def _ports(inputs: Properties) -> Iterator[Wrong]:
    dynamic = value(inputs, "enableDynamicPortAllocation")
    if dynamic and value(inputs, "enableEndpointIndependentMapping"):
        why = "Endpoint-independent mapping and dynamic port allocation exclude each other"
        yield Wrong("enableEndpointIndependentMapping", why)
    least, most = value(inputs, "minPortsPerVm"), value(inputs, "maxPortsPerVm")
    if dynamic:
        for path, ports in (("minPortsPerVm", least), ("maxPortsPerVm", most)):
            if ports is not None and (ports < 32 or ports & (ports - 1)):
                why = "With dynamic port allocation it must be a power of two and at least 32"
                yield Wrong(path, invalid(path, ports, why))
        if most is not None and most <= (least or 32):
            yield Wrong("maxPortsPerVm", invalid("maxPortsPerVm", most, "It must be greater than minPortsPerVm"))
    elif most is not None and (dynamic is False or lacking(inputs, "enableDynamicPortAllocation")):
        yield Wrong("maxPortsPerVm", "maxPortsPerVm can only be given with dynamic port allocation")
    if not 2 <= (_PORTS if least is None else least) <= 65536:
        yield Wrong("minPortsPerVm", invalid("minPortsPerVm", least, "It must be from 2 to 65536"))
