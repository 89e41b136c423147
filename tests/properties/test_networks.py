"""Networks: what the settings accept, the stand-in for Google Cloud takes, and accepted ranges never overlap."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from itertools import combinations
from types import SimpleNamespace
from typing import Any, cast

from hypothesis import assume, given
from hypothesis import strategies as st

from clusters.addresses import SLOTS, file_range
from clusters.existing import ExistingNetwork
from clusters.facts.gpu_networks import gpu_networks
from clusters.facts.machines import BUILT_IN
from clusters.gpu_networks import GpuNetwork, network_config
from clusters.network_rules import check_network
from clusters.pools.gpu_network_rules import check_gpu_networks
from clusters.pools.gpu_networks import own_networks
from clusters.spec import Cluster
from local.gcp.pools.network_checks import wrong_networks, wrong_networks_in

ZONES = st.lists(st.sampled_from(["us-east4-a", "us-east4-b"]), unique=True)
MACHINES = st.sampled_from([*(each for each in gpu_networks() if each in BUILT_IN), "g2-standard-8", "a3-highgpu-1g"])
POOLS = st.dictionaries(
    st.sampled_from("xyz"),
    st.fixed_dictionaries(
        {
            "machine_type": MACHINES,
            "gpu_networks": st.sampled_from(["none", "auto", "own"]),
            "zones": ZONES,
            "max_nodes": st.integers(1, 1000),
        }
    ),
    min_size=1,
)


@given(POOLS, ZONES, st.integers(0, SLOTS - 1))
def test_what_the_settings_accept_of_gpu_networks_google_takes(
    pools: Mapping[str, Any], zones: list[str], slot: int
) -> None:
    plain = {"region": "us-east4", "slot": slot, "role": "test", "zones": zones, "node_pools": pools}
    spec = Cluster.model_validate(plain)
    refused = [*check_gpu_networks("a", spec.node_pools, spec.zones)]
    assert all("write" in each.advice or "make another cluster" in each.advice for each in refused)
    assume(not refused)
    own = own_networks(spec.node_pools, spec.slot, spec.zones)
    networks = {each.name: SimpleNamespace(vpc=each.vpc, subnet=each.name) for each in own.attached} if own else {}
    cluster = {
        "location": "us-east4",
        "nodeLocations": zones,
        "datapathProvider": "ADVANCED_DATAPATH",
        "enableMultiNetworking": own is not None,
    }
    for pool in spec.node_pools.values():
        asked = network_config(spec, pool, cast(Mapping[str, GpuNetwork], networks)) or {}
        assert bool(asked) == (pool.gpu_networks != "none")
        config: dict[str, Any] = {}
        if "accelerator_network_profile" in asked:
            config["acceleratorNetworkProfile"] = asked["accelerator_network_profile"]
        if "additional_node_network_configs" in asked:
            config["additionalNodeNetworkConfigs"] = asked["additional_node_network_configs"]
        inputs = {"nodeLocations": pool.zones, "networkConfig": config}
        assert [*wrong_networks(pool.machine_type, inputs), *wrong_networks_in(inputs, cluster)] == []


def _block(prefix: int, number: int) -> str:
    whole = IPv4Network(f"10.{number % 8}.0.0/16")
    if prefix < 16:
        return f"{whole.supernet(new_prefix=prefix)}"
    blocks: list[IPv4Network] = [*whole.subnets(new_prefix=prefix)]
    return f"{blocks[number % len(blocks)]}"


BLOCKS = st.builds(_block, st.integers(14, 20), st.integers(0, 63))
SUBNETS = st.lists(st.tuples(BLOCKS, BLOCKS, BLOCKS, st.none() | BLOCKS), min_size=1, max_size=2)


@given(SUBNETS, st.lists(BLOCKS, max_size=1))
def test_ranges_are_refused_exactly_where_they_overlap(
    subnets: list[tuple[str, str, str, str | None]], peered: list[str]
) -> None:
    network = ExistingNetwork(vpc="projects/project/global/networks/n", peered_ranges=peered)
    clusters = {
        f"c{number}": Cluster.model_validate(
            {
                "region": "us-east4",
                "slot": number,
                "role": "test",
                "subnet": {
                    "name": f"s{number}",
                    "nodes": nodes,
                    "pods": {"name": "pods", "range": pods},
                    "services": {"name": "services", "range": services},
                    **({"files": files} if files else {}),
                },
            }
        )
        for number, (nodes, pods, services, files) in enumerate(subnets)
    }
    blocks = [IPv4Network(text) for each in subnets for text in each if text]
    blocks += [file_range(cluster.slot) for cluster in clusters.values() if cluster.subnet and not cluster.subnet.files]
    blocks += [IPv4Network(text) for text in peered]
    overlap = any(one.overlaps(other) for one, other in combinations(blocks, 2))
    found = [*check_network(network, clusters, "project")]
    assert bool(found) == overlap, [str(each) for each in found]
    assert all("overlaps with" in each.advice and "write" in each.advice for each in found)
