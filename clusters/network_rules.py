"""What must hold between an existing network, the subnets of the clusters in it, and all ranges in the settings."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

from clusters.addresses import file_range, is_private
from clusters.existing import ExistingNetwork, ExistingSubnet
from clusters.pools.address_room import most_nodes, room_for_nodes
from clusters.pools.gpu_networks import own_networks, own_pools
from clusters.spec import Cluster
from problems import Problem

_DOCKER = IPv4Network("172.17.0.0/16")
"""The network of Docker's bridge, which nodes of Container-Optimized OS have."""
_FILES = "file servers"
_FEW_SERVICES = 28
"""A shorter prefix has GKE's least number of services. From memory: it warns."""


@dataclass(frozen=True)
class _Named:
    """A range of addresses, and the setting that it follows from."""

    setting: str
    block: IPv4Network
    value: str | int
    what: str = ""
    """What has the range, where the setting is another than the range itself."""
    subnet: tuple[str, str] | None = None
    """Region and name of the subnet of which it is the primary range; clusters can share it."""

    def __str__(self) -> str:
        return f"{self.block} of {self.setting}" + (f" ({self.what})" if self.what else "")


def check_network(network: ExistingNetwork | None, clusters: Mapping[str, Cluster], project: str) -> Iterator[Problem]:
    """Yields what is wrong with an existing network and the subnets in it; `project` is that of the stack."""
    if network is None:
        for name, cluster in clusters.items():
            if cluster.subnet:
                advice = "write network.vpc, which it is a subnet of, or remove subnet"
                yield Problem(f"clusters.{name}.subnet", cluster.subnet.name, advice)
        return
    shared = network.project != project
    for name, cluster in clusters.items():
        setting = f"clusters.{name}"
        if cluster.subnet is None:
            advice = f"required with network.vpc; write the cluster's subnet of {network.name} in {cluster.region}"
            yield Problem(f"{setting}.subnet", None, advice)
            continue
        yield from _check_subnet(f"{setting}.subnet", cluster.subnet, shared)
        for pool in own_pools(cluster.node_pools) if shared else ():
            advice = f"all networks of a node must be in one project, and network.vpc is in {network.project}"
            yield Problem(f"{setting}.node_pools.{pool}.gpu_networks", "own", f"{advice}; write auto, or none")
    yield from _check_shared_subnets(clusters)
    yield from _check_overlaps(network, _named(clusters, shared))
    yield from _check_callers(clusters)


def doubtful_ranges(network: ExistingNetwork | None, clusters: Mapping[str, Cluster], project: str) -> Iterator[str]:
    """Yields a warning for each range that is accepted, but may be wrong."""
    for name, cluster in clusters.items() if network else ():
        subnet = cluster.subnet
        if subnet is None:
            continue
        for field, text in _ranges(subnet):
            if IPv4Network(text).overlaps(_DOCKER):
                yield (
                    f"clusters.{name}.subnet.{field}: {text} overlaps with {_DOCKER}, which nodes use themselves; if "
                    "addresses there cannot be reached, write another"
                )
        if IPv4Network(subnet.services.range).prefixlen > _FEW_SERVICES:
            yield (
                f"clusters.{name}.subnet.services.range: {subnet.services.range} may be too small for GKE; if it "
                f"refuses the cluster, write a range of /{_FEW_SERVICES} or larger"
            )
    for name, cluster in clusters.items() if network and network.project != project else ():
        for pool, spec in cluster.node_pools.items():
            if spec.gpu_networks == "auto":
                yield (
                    f"clusters.{name}.node_pools.{pool}.gpu_networks: it is not known whether GKE makes these networks "
                    "in a Shared VPC; if no node comes up, write none"
                )


def _ranges(subnet: ExistingSubnet) -> list[tuple[str, str]]:
    named = [("nodes", subnet.nodes), ("pods.range", subnet.pods.range), ("services.range", subnet.services.range)]
    return [*named, *([("files", subnet.files)] if subnet.files else [])]


def _check_subnet(setting: str, subnet: ExistingSubnet, shared: bool) -> Iterator[Problem]:
    for field, text in _ranges(subnet):
        if not is_private(text):
            # The host's nodes and pods reach control planes by their private addresses, for which GKE takes no other.
            advice = "not private; write a range of 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 or 100.64.0.0/10"
            yield Problem(f"{setting}.{field}", text, advice)
        if IPv4Network(text).prefixlen > 29:
            yield Problem(f"{setting}.{field}", text, "Google Cloud has none as small; write a range of /29 or larger")
    if subnet.pods.name == subnet.services.name:
        advice = "pods have this range; write the name of another secondary range"
        yield Problem(f"{setting}.services.name", subnet.services.name, advice)
    if subnet.files and shared:
        advice = "in a Shared VPC, file servers are in the range of private services access; remove it"
        yield Problem(f"{setting}.files", subnet.files, advice)


def _check_shared_subnets(clusters: Mapping[str, Cluster]) -> Iterator[Problem]:
    """Yields why clusters cannot be in one subnet."""
    together: dict[tuple[str, str], list[str]] = {}
    for name, cluster in clusters.items():
        if cluster.subnet:
            together.setdefault((cluster.region, cluster.subnet.name), []).append(name)
    for (_, subnet), names in together.items():
        first = clusters[names[0]].subnet
        assert first
        used = {
            each.name: f"{names[0]}'s {what}" for what, each in (("pods", first.pods), ("services", first.services))
        }
        for name in names[1:]:
            own = clusters[name].subnet
            assert own
            if own.nodes != first.nodes:
                advice = f"{names[0]} says that {subnet} has {first.nodes}; write what the subnet has in both"
                yield Problem(f"clusters.{name}.subnet.nodes", own.nodes, advice)
            for field, each in (("pods", own.pods), ("services", own.services)):
                if other := used.get(each.name):
                    advice = f"{other} have it; write the name of another secondary range"
                    yield Problem(f"clusters.{name}.subnet.{field}.name", each.name, advice)
                used.setdefault(each.name, f"{name}'s {field}")
        nodes = {name: most_nodes(clusters[name].node_pools) for name in names}
        room = room_for_nodes(IPv4Network(first.nodes), len(names))
        if len(names) > 1 and sum(nodes.values()) > room and all(each <= room for each in nodes.values()):
            advice = f"{', '.join(names)} have up to {sum(nodes.values())} nodes, and it has addresses for {room}"
            yield Problem(
                f"clusters.{names[-1]}.subnet.name", subnet, f"{advice}; write another subnet, or smaller max_nodes"
            )


def _named(clusters: Mapping[str, Cluster], shared: bool) -> Iterator[_Named]:
    """All ranges of clusters that must not overlap."""
    for name, cluster in clusters.items():
        setting, subnet = f"clusters.{name}", cluster.subnet
        if subnet is None:
            continue
        for field, text in _ranges(subnet):
            place = (cluster.region, subnet.name) if field == "nodes" else None
            yield _Named(f"{setting}.subnet.{field}", IPv4Network(text), text, subnet=place)
        if not subnet.files and not shared:
            yield _Named(f"{setting}.slot", file_range(cluster.slot), cluster.slot, _FILES)
        own = own_networks(cluster.node_pools, cluster.slot, cluster.zones)
        for each in own.attached if own else ():
            yield _Named(f"{setting}.slot", each.range, cluster.slot, f"GPU network {each.name}")


def _check_overlaps(network: ExistingNetwork, named: Iterator[_Named]) -> Iterator[Problem]:
    # Of peered ranges, one may contain another.
    before = [
        _Named(f"network.peered_ranges.{number}", IPv4Network(text), text)
        for number, text in enumerate(network.peered_ranges)
    ]
    for each in named:
        others = [other for other in before if other.subnet is None or other.subnet != each.subnet]
        if other := next((other for other in others if other.block.overlaps(each.block)), None):
            found = f"its {each.what}: {each.block} overlaps" if each.what else "overlaps"
            change = "write a range that is apart from it"
            if each.what:
                change = (
                    "write subnet.files, a range that nothing uses" if each.what == _FILES else "write another slot"
                )
            yield Problem(each.setting, each.value, f"{found} with {other}; {change}")
        before.append(each)


def _check_callers(clusters: Mapping[str, Cluster]) -> Iterator[Problem]:
    """Yields authorized networks from which nothing calls: services and file servers open no connections."""
    silent = [
        (f"clusters.{name}.subnet.{field}", IPv4Network(text))
        for name, cluster in clusters.items()
        for field, text in (_ranges(cluster.subnet)[2:] if cluster.subnet else ())
    ]
    for name, cluster in clusters.items():
        for key, text in cluster.authorized_networks.items():
            other = next((where for where, block in silent if IPv4Network(text).subnet_of(block)), None)
            if other:
                advice = f"inside {other}, from where nothing calls; write the range of the callers, or remove it"
                yield Problem(f"clusters.{name}.authorized_networks.{key}", text, advice)
