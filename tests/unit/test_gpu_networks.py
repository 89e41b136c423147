"""Networks between GPUs: which machines have them, what contradicts them is refused, and what is made for them."""

from typing import Any

import pytest

from clusters import filled_in
from clusters.addresses import gpu_ranges
from clusters.facts.gpu_networks import AUTO_LABEL, DRANET_LABEL, gpu_networks
from clusters.facts.machine_sizes import tpus
from clusters.facts.machines import BUILT_IN
from clusters.node_config import node_config
from clusters.nodes.labels import node_labels, unsure_labels
from clusters.pools.spec import NodePool
from clusters.spec import Cluster, check_clusters, warnings
from problems import Problem, check_models
from tests.unit.program import Run
from tests.unit.test_accelerators import run as accelerators
from tests.unit.test_accelerators import settings

pytestmark = pytest.mark.usefixtures("project_folder")

POOL, SUBNET = "gcp:container/nodePool:NodePool", "gcp:compute/subnetwork:Subnetwork"
NETWORK, FIREWALL = "gcp:compute/network:Network", "gcp:compute/firewall:Firewall"
MEGA: dict[str, Any] = {"machine_type": "a3-megagpu-8g", "gpu_networks": "own"}
HIGH: dict[str, Any] = {"machine_type": "a3-highgpu-8g", "gpu_networks": "own"}
ULTRA: dict[str, Any] = {"machine_type": "a3-ultragpu-8g", "gpu_networks": "own", "disk_type": "hyperdisk-balanced"}
B200: dict[str, Any] = {"machine_type": "a4-highgpu-8g", "gpu_networks": "auto", "disk_type": "hyperdisk-balanced"}


def cluster(zones: str = "b", **pools: dict[str, Any]) -> dict[str, Any]:
    own = {name.replace("_", "-"): {"spot": True, **pool} for name, pool in pools.items()}
    named = [f"us-east4-{letter}" for letter in zones]
    return {"region": "us-east4", "slot": 3, "role": "test", "zones": named, "node_pools": own}


def problems(plain: dict[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    clusters = check_models("clusters", {"a": plain}, Cluster, "a", found)
    return [*found, *check_clusters(clusters)]


GOOD: dict[str, dict[str, Any]] = {
    "GPUDirect-TCPXO": cluster(mega=MEGA),
    "GPUDirect-TCPX": cluster(high=HIGH),
    "GPUDirect over TCP is in several zones": cluster("abc", mega=MEGA),
    "two pools share the networks": cluster(mega=MEGA, high=HIGH, mega_2=MEGA | {"max_nodes": 32}),
    "RDMA": cluster(ultra=ULTRA),
    "RDMA in the pool's one zone": cluster("ab", ultra=ULTRA | {"zones": ["us-east4-b"]}),
    "by GKE": cluster(b200=B200, ultra=ULTRA | {"gpu_networks": "auto"}),
    "by GKE for a machine that is not known": cluster(
        new={"machine_type": "a9-highgpu-8g", "gpu_networks": "auto", "accelerator": {"type": "nvidia-x", "count": 8}}
    ),
    "as many nodes as addresses": cluster(mega=MEGA | {"max_nodes": 1000, "max_pods_per_node": 8}),
    "none for a machine that may have some": cluster(mega=MEGA | {"gpu_networks": "none", "fast_socket": True}),
}
_ADDITIONAL = "additionalNodeNetworkConfigs"
_OF = "clusters.a.node_pools."
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "a machine without such networks": (
        cluster(l4={"machine_type": "g2-standard-8", "gpu_networks": "own"}),
        f"{_OF}l4.gpu_networks: 'own'",
        "has no networks of g2-standard-8; write none, or a machine type such as a3-megagpu-8g",
    ),
    "a part of a machine": (
        cluster(part={"machine_type": "a3-highgpu-1g", "gpu_networks": "auto"}),
        f"{_OF}part.gpu_networks: 'auto'",
        "has no networks of a3-highgpu-1g; write none",
    ),
    "own ones for a machine that is not known": (
        cluster(new={"machine_type": "a9-highgpu-8g", "gpu_networks": "own", "accelerator": {"type": "x1"}}),
        f"{_OF}new.gpu_networks: 'own'",
        "write none, or a machine type",
    ),
    "own ones that only Google makes": (
        cluster(max={"machine_type": "a4x-maxgpu-4g-metal", "gpu_networks": "own"}),
        f"{_OF}max.gpu_networks: 'own'",
        "only GKE makes the networks of a4x-maxgpu-4g-metal; write auto",
    ),
    "RDMA in several zones": (
        cluster("ab", ultra=ULTRA),
        f"{_OF}ultra.gpu_networks: 'own'",
        "these networks are in one zone, and these nodes are in us-east4-a, us-east4-b; write zones with one zone",
    ),
    "by GKE where it chooses zones": (
        cluster("", b200=B200),
        f"{_OF}b200.gpu_networks: 'auto'",
        "and Google chooses several; write zones with one zone",
    ),
    "Fast Socket beside GPUDirect": (
        cluster(mega=MEGA | {"fast_socket": True}),
        f"{_OF}mega.fast_socket: True",
        "either Fast Socket or GPUDirect; write false, or gpu_networks: none",
    ),
    "own and automatic ones in one cluster": (
        cluster(b200=B200, ultra=ULTRA),
        f"{_OF}ultra.gpu_networks: 'own'",
        "pool b200 has auto; write auto for both, or another cluster for one of them",
    ),
    "TCP and RDMA in one cluster": (
        cluster(mega=MEGA, ultra=ULTRA),
        f"{_OF}ultra.gpu_networks: 'own'",
        "RDMA, and pool mega has GPUDirect over TCP, whose drivers exclude each other; make another cluster",
    ),
    "RDMA pools in two zones": (
        cluster(one=ULTRA | {"zones": ["us-east4-a"]}, two=ULTRA),
        f"{_OF}two.zones: 'us-east4-b'",
        "the RoCE networks of a cluster are in one zone, and pool one is in us-east4-a; write that",
    ),
    "more nodes in all pools than a network has addresses for": (
        cluster(
            mega=MEGA | {"max_nodes": 600, "max_pods_per_node": 8},
            other=MEGA | {"max_nodes": 500, "max_pods_per_node": 8},
        ),
        f"{_OF}mega.max_nodes: 600",
        "up to 1100 nodes, and each network has addresses for 1020; write a smaller number",
    ),
    "a misspelt word": (
        cluster(mega=MEGA | {"gpu_networks": "yes"}),
        f"{_OF}mega.gpu_networks: 'yes'",
        "write 'none', 'auto' or 'own'",
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_goes_together_is_taken(case: str) -> None:
    assert problems(GOOD[case]) == []


@pytest.mark.parametrize("case", BAD)
def test_what_contradicts_itself_is_refused_with_what_to_write(case: str) -> None:
    plain, where, advice = BAD[case]
    (problem,) = problems(plain)
    assert str(problem).startswith(where), problem
    assert advice in problem.advice


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        (cluster(mega=MEGA | {"gpu_networks": "auto"}), "not sure of it (Google's list of the profile has it"),
        (cluster(ultra=ULTRA | {"machine_type": "a3-ultragpu-8g-nolssd"}), "by likeness); if no node comes up, write"),
        (GOOD["by GKE for a machine that is not known"], "does not know a9-highgpu-8g; if no node comes up"),
        (
            cluster(high=HIGH | {"accelerator": {"type": "nvidia-h100-80gb", "sharing": {"clients": 2}}}),
            "remove accelerator.sharing",
        ),
        (cluster(b200=B200) | {"kubernetes": "1.33.4"}, "clusters.a.kubernetes: 1.33.4: pods claim the networks"),
    ],
)
def test_what_is_not_sure_is_a_warning(plain: dict[str, Any], words: str) -> None:
    assert problems(plain) == []
    found = [text for text in warnings({"a": Cluster.model_validate(plain)}) if words in text]
    assert len(found) == 1


def test_what_is_sure_is_none() -> None:
    for plain in (cluster(mega=MEGA), cluster(ultra=ULTRA), cluster(b200=B200) | {"kubernetes": "1.34"}):
        assert not [text for text in warnings({"a": Cluster.model_validate(plain)}) if "networks" in text]


def test_the_table_has_machines_that_exist_with_all_their_gpus() -> None:
    for machine, facts in gpu_networks().items():
        assert machine in BUILT_IN or machine in tpus()
        assert facts.count in (0, BUILT_IN[machine][1] if machine in BUILT_IN else 0, 4)
        assert facts.kind in ("tcpx", "tcpxo", "rdma", "netdev")
        assert 1300 <= facts.mtu <= 8896


# What is made.


def of(run: Run, type_: str, name: str) -> dict[str, dict[str, Any]]:
    """The inputs of a cluster's resources of a type, by their own names."""
    start = f"{name}-gpu-"
    return {
        each.name.removeprefix(start): dict(each.inputs) for each in run.of_type(type_) if each.name.startswith(start)
    }


def test_gpudirect_over_tcp_has_a_vpc_for_each_interface() -> None:
    run = accelerators()
    vpcs, subnets, walls = (of(run, type_, "networks") for type_ in (NETWORK, SUBNET, FIREWALL))
    assert set(vpcs) == {f"vpc{n}" for n in range(1, 9)}
    assert {each["mtu"] for each in vpcs.values()} == {8244}
    assert not any("networkProfile" in each for each in vpcs.values())
    slot = settings()["clusters"]["networks"]["slot"]
    found = [subnets[f"vpc{n}-subnet"]["ipCidrRange"] for n in range(1, 9)]
    assert found == [str(each) for each in gpu_ranges(slot)[:8]]
    for name, wall in walls.items():
        own = subnets[name.replace("-internal", "-subnet")]
        assert (wall["sourceRanges"], wall["network"]) == ([own["ipCidrRange"]], own["network"])
        assert {each["protocol"] for each in wall["allows"]} == {"tcp", "udp", "icmp"}
    assert len(walls) == 8
    pools = {each.name: each.inputs for each in run.of_type(POOL)}
    attached = {
        name: [
            each["subnetwork"] for each in pools[f"networks-{name}"]["networkConfig"]["additionalNodeNetworkConfigs"]
        ]
        for name in ("mega", "high")
    }
    assert attached["mega"] == [f"networks-gpu-vpc{n}-subnet-1234567" for n in range(1, 9)]
    assert attached["high"] == attached["mega"][:4]
    assert "networkConfig" not in pools["networks-system"]


def test_rdma_has_one_vpc_of_its_zone_and_one_of_the_second_interface() -> None:
    run = accelerators()
    vpcs, subnets, walls = (of(run, type_, "networks-rdma") for type_ in (NETWORK, SUBNET, FIREWALL))
    assert set(vpcs) == {"gvnic-1", "rdma"}
    assert vpcs["rdma"]["networkProfile"] == "projects/local/global/networkProfiles/us-east5-a-vpc-roce"
    assert {each["mtu"] for each in vpcs.values()} == {8896}
    assert set(walls) == {"gvnic-1-internal"}
    names = ["gvnic-1", *(f"rdma-{n}" for n in range(8))]
    assert set(subnets) == {f"{each}-subnet" for each in names}
    (pool,) = (each.inputs for each in run.of_type(POOL) if each.name == "networks-rdma-ultra")
    attached = pool["networkConfig"]["additionalNodeNetworkConfigs"]
    assert [each["subnetwork"] for each in attached] == [f"networks-rdma-gpu-{each}-subnet-1234567" for each in names]
    assert [each["network"] for each in attached[1:]] == ["networks-rdma-gpu-rdma-1234567"] * 8


def test_pods_request_own_networks_by_objects_that_exist_before_the_nodes() -> None:
    run = accelerators()
    for name, modes in (("networks", ["NetDevice"] * 8), ("networks-rdma", ["NetDevice", *["RDMA"] * 8])):
        mine = [each for each in run.kubernetes if each.provider.split("::")[-2] == f"{name}-provider"]
        parameters = {each.object_name: each for each in mine if each.kind == "GKENetworkParamSet"}
        networks = {each.object_name: each for each in mine if each.kind == "Network"}
        assert sorted(parameters) == sorted(networks)
        assert [parameters[key].inputs["spec"]["deviceMode"] for key in sorted(parameters)] == modes
        for key, each in networks.items():
            assert each.inputs["spec"]["parametersRef"]["name"] == key
            assert parameters[key].urn in run.needs(each)
            assert len(key) <= 41
        assert run.cluster(name).inputs["enableMultiNetworking"] is True
        for pool in run.of_type(POOL):
            if pool.inputs["cluster"] == f"{name}_id":
                assert {each.urn for each in networks.values()} <= run.needs(pool)
        made = {each.urn for type_ in (SUBNET, NETWORK) for each in run.of_type(type_) if f"{name}-gpu-" in each.name}
        # So that they are deleted after it, with whose nodes they are in use.
        assert made <= {*run.needs(run.cluster(name))} | {
            each.urn for each in run.asked if each.parent in run.needs(run.cluster(name))
        }


def test_networks_that_gke_makes_are_a_profile_and_a_label() -> None:
    run = accelerators()
    (pool,) = (each.inputs for each in run.of_type(POOL) if each.name == "networks-auto-b200")
    assert pool["networkConfig"] == {"acceleratorNetworkProfile": "auto"}
    assert pool["nodeConfig"]["labels"][DRANET_LABEL] == "true"
    assert "enableMultiNetworking" not in run.cluster("networks-auto").inputs
    assert run.cluster("networks-auto").inputs["datapathProvider"] == "ADVANCED_DATAPATH"
    assert not of(run, NETWORK, "networks-auto")


def test_the_scheduler_sees_the_label_of_networks_that_pods_claim() -> None:
    def labels(pool: dict[str, Any]) -> tuple[dict[str, str], frozenset[str]]:
        spec = Cluster.model_validate(cluster(pool=pool))
        one = spec.node_pools["pool"]
        assert node_config(one, "x", {}, {}).get("labels") == one.labels | {
            key: text for key, text in node_labels("pool", one, spec).items() if key == DRANET_LABEL
        }
        return node_labels("pool", one, spec), unsure_labels(one, spec)

    found, unsure = labels(B200)
    assert found[DRANET_LABEL] == "true"
    assert AUTO_LABEL in unsure
    for pool in (MEGA, MEGA | {"gpu_networks": "auto"}, B200 | {"gpu_networks": "none"}):
        assert DRANET_LABEL not in labels(pool)[0]


@pytest.mark.parametrize(
    ("pool", "sent"),
    [
        (B200, "acceleratorNetworkProfile"),
        (MEGA, "additionalNodeNetworkConfigs"),
        (ULTRA | {"gpu_networks": "none"}, ""),
    ],
)
def test_only_the_networks_of_the_setting_replace_a_pool(pool: dict[str, Any], sent: str) -> None:
    ignored = filled_in.of_pool(NodePool.model_validate(pool))
    fields = ("acceleratorNetworkProfile", "additionalNodeNetworkConfigs", "createPodRange", "podRange")
    open_ = {each for each in fields if not {"networkConfig", f"networkConfig.{each}"} & set(ignored)}
    assert open_ == ({sent} if sent else set())


def test_a_cluster_that_needs_several_networks_is_made_with_them() -> None:
    with_own, without = (Cluster.model_validate(cluster(pool=each)) for each in (MEGA, B200))
    assert "enableMultiNetworking" not in filled_in.of_cluster(with_own)
    assert "enableMultiNetworking" in filled_in.of_cluster(without)
