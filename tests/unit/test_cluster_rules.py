"""What GKE would refuse of a cluster or a pool is reported before anything is created, and what is right is taken."""

from typing import Any

import pytest

from clusters.facts.machines import BUILT_IN, always_has_ssds
from clusters.facts.regions import CONTINENT_CODES, regions
from clusters.node_config import node_config
from clusters.pools.address_room import POD_ADDRESSES, addresses_per_node
from clusters.profiles import PROFILES
from clusters.spec import Cluster, check_clusters, member_labels, warnings
from problems import Problem, check_models
from tests.unit.test_gke import GPU_TAINT

L4: dict[str, Any] = {"machine_type": "g2-standard-8"}
H100: dict[str, Any] = {"machine_type": "a3-highgpu-8g"}
KEY = "projects/p/locations/{}/keyRings/r/cryptoKeys/k"


def cluster(pool: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """The plain settings of a cluster, with a pool named gpu."""
    plain: dict[str, Any] = {"region": "us-west1", "slot": 0, "role": "test"} | settings
    return plain | ({"node_pools": {"gpu": pool}} if pool else {})


def problems(plain: dict[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    clusters = check_models("clusters", {"a": plain}, Cluster, "a", found)
    return [*found, *check_clusters(clusters)]


def spec(plain: dict[str, Any]) -> Cluster:
    assert problems(plain) == []
    return Cluster.model_validate(plain)


GOOD: dict[str, dict[str, Any]] = {
    "the machine's own GPUs": cluster(L4 | {"accelerator": {"type": "nvidia-l4", "count": 1}}),
    "GPUs that are attached": cluster(
        {"machine_type": "n1-standard-8", "accelerator": {"type": "nvidia-tesla-t4", "count": 4}}
    ),
    "a machine of a family that is not known": cluster(
        {"machine_type": "g9-standard-8", "accelerator": {"type": "nvidia-rtx"}}
    ),
    "a machine of a family that is not known, without GPUs": cluster(
        {"machine_type": "g9-standard-8", "accelerator": None}
    ),
    "a custom machine of N1 without GPUs": cluster({"machine_type": "custom-8-32768"}),
    "GPUs of a machine that is not sure": cluster(
        {"machine_type": "a4x-maxgpu-4g-metal", "accelerator": {"type": "nvidia-gb300-nvl", "count": 8}}
    ),
    "local SSDs that are not sure": cluster(L4 | {"local_ssds": {"count": 2}}),
    "a pool without GPUs": cluster({"machine_type": "n2-standard-8", "max_nodes": 10}),
    "spot": cluster(L4 | {"spot": True}),
    "flex-start, queued": cluster(H100 | {"flex_start": True, "queued": True, "max_run_hours": 168}),
    "a reservation": cluster(H100 | {"reservation": "mine", "min_nodes": 1}),
    "a reservation of another project": cluster(H100 | {"reservation": "projects/other-1/reservations/mine"}),
    "compact in the cluster's one zone": cluster(H100 | {"compact": True}, zones=["us-west1-a"]),
    "Google's AI zones": cluster(
        L4 | {"zones": ["us-central1-ai1a"], "compact": True}, region="us-central1", zones=["us-central1-ai1a"]
    ),
    "compact in its own one zone": cluster(H100 | {"compact": True, "zones": ["us-west1-a"]}),
    "local SSDs": cluster(H100 | {"local_ssds": {"count": 16, "use": "block"}}),
    "local SSDs of a machine that may have any": cluster({"machine_type": "n2-standard-8", "local_ssds": {"count": 3}}),
    "a shared GPU": cluster(L4 | {"accelerator": {"type": "nvidia-l4", "sharing": {"strategy": "MPS"}}}),
    "as many nodes as addresses": cluster(L4 | {"max_nodes": 253}),
    "more nodes with fewer pods": cluster(L4 | {"max_nodes": 1000, "max_pods_per_node": 16}),
    "labels": cluster(L4 | {"labels": {"team": "a", "example.com/tier": "gold"}}),
    "a key in the region": cluster(encryption_key=KEY.format("us-west1")),
    "a key of its own": cluster(encryption_key="own"),
    "reached by address alone": cluster(dns_endpoint=False, authorized_networks={"office": "203.0.113.0/24"}),
    "a long window": cluster(maintenance={"days": ["SU"], "start": "23:30", "hours": 12}),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_gke_takes_is_taken(case: str) -> None:
    assert problems(GOOD[case]) == []


POOL = "clusters.a.node_pools.gpu"
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "another machine's GPUs": (
        cluster(L4 | {"accelerator": {"type": "nvidia-tesla-a100"}}),
        f"{POOL}.accelerator.type: 'nvidia-tesla-a100'",
        "g2-standard-8 has nvidia-l4; write that, or a machine type such as a2-highgpu-1g",
    ),
    "GPUs that are in no machine": (
        cluster(L4 | {"accelerator": {"type": "nvidia-l5"}}),
        f"{POOL}.accelerator.type: 'nvidia-l5'",
        "a machine type that has it",
    ),
    "GPUs of a machine that takes none": (
        cluster({"machine_type": "e2-standard-4", "accelerator": {"type": "nvidia-tesla-t4"}}),
        f"{POOL}.accelerator.type",
        "machines of e2 take no accelerator; remove it, or write a machine type such as n1-standard-8",
    ),
    "GPUs that N1 does not take": (
        cluster({"machine_type": "n1-standard-8", "accelerator": {"type": "nvidia-l4"}}),
        f"{POOL}.accelerator.type",
        "nvidia-tesla-t4",
    ),
    "another number of GPUs": (
        cluster(H100 | {"accelerator": {"type": "nvidia-h100-80gb", "count": 4}}),
        f"{POOL}.accelerator.count: 4",
        "a3-highgpu-8g has 8",
    ),
    "a number that N1 does not take": (
        cluster({"machine_type": "n1-standard-8", "accelerator": {"type": "nvidia-tesla-t4", "count": 3}}),
        f"{POOL}.accelerator.count: 3",
        "1 or 2 or 4",
    ),
    "a size that the family does not have": (
        cluster({"machine_type": "a2-highgpu-3g"}),
        f"{POOL}.machine_type: 'a2-highgpu-3g'",
        "not a machine type of a2-highgpu; write one of a2-highgpu-8g",
    ),
    "a machine of a family that is not known": (
        cluster({"machine_type": "g9-standard-8"}),
        f"{POOL}.accelerator:",
        "clusters/facts/machines.csv does not know g9-standard-8; write its type and count, or null where it has none",
    ),
    "a custom machine of a family with GPUs": (cluster({"machine_type": "g2-custom-8-32768"}), POOL, "write its type"),
    "a size of G4 that it does not have": (cluster({"machine_type": "g4-standard-64"}), POOL, "not a machine type of"),
    "local SSDs of a machine that is there without": (
        cluster({"machine_type": "a3-ultragpu-8g-nolssd", "spot": True, "local_ssds": {"count": 32}}),
        f"{POOL}.local_ssds.count: 32",
        "takes no local SSD",
    ),
    "spot and flex-start": (cluster(L4 | {"spot": True, "flex_start": True}), f"{POOL}.spot: True", "flex_start"),
    "spot and queued": (cluster(L4 | {"spot": True, "queued": True}), f"{POOL}.spot: True", "queued"),
    "spot and a reservation": (cluster(L4 | {"spot": True, "reservation": "r"}), f"{POOL}.spot: True", "reservation"),
    "flex-start and a reservation": (
        cluster(L4 | {"flex_start": True, "reservation": "r"}),
        f"{POOL}.flex_start: True",
        "reservation",
    ),
    "queued and a reservation": (
        cluster(L4 | {"queued": True, "reservation": "r"}),
        f"{POOL}.queued: True",
        "reservation",
    ),
    "queued and compact": (
        cluster(L4 | {"queued": True, "compact": True}, zones=["us-west1-b"]),
        f"{POOL}.compact: True",
        "queued",
    ),
    "queued with nodes": (cluster(L4 | {"queued": True, "min_nodes": 1}), f"{POOL}.min_nodes: 1", "write 0"),
    "queued and balanced": (
        cluster(L4 | {"queued": True, "location_policy": "BALANCED"}),
        f"{POOL}.location_policy: 'BALANCED'",
        "write ANY",
    ),
    "a reservation that is no name": (cluster(L4 | {"reservation": "My/R"}), f"{POOL}.reservation: 'My/R'", "write"),
    "compact in two zones": (
        cluster(H100 | {"compact": True}, zones=["us-west1-a", "us-west1-b"]),
        f"{POOL}.compact: True",
        "these nodes are in us-west1-a, us-west1-b; write zones: [us-west1-b]",
    ),
    "compact in zones that Google chooses": (cluster(H100 | {"compact": True}), f"{POOL}.compact", "Google chooses"),
    "compact of machines that cannot be": (
        cluster({"machine_type": "e2-standard-4", "compact": True}, zones=["us-west1-b"]),
        f"{POOL}.compact",
        "e2-standard-4 cannot be",
    ),
    "an AI zone elsewhere": (
        cluster(L4 | {"zones": ["us-south1-ai1b"]}),
        f"{POOL}.zones: 'us-south1-ai1b'",
        "us-west1-b",
    ),
    "a pool's zone elsewhere": (cluster(L4 | {"zones": ["us-east1-b"]}), f"{POOL}.zones: 'us-east1-b'", "us-west1-b"),
    "too few local SSDs": (
        cluster(H100 | {"local_ssds": {"count": 8}}),
        f"{POOL}.local_ssds.count: 8",
        "a3-highgpu-8g takes 16",
    ),
    "local SSDs that the machine takes none of": (
        cluster({"machine_type": "e2-standard-4", "local_ssds": {"count": 1}}),
        f"{POOL}.local_ssds.count: 1",
        "takes no local SSD",
    ),
    "a GPU shared by one": (
        cluster(L4 | {"accelerator": {"type": "nvidia-l4", "sharing": {"clients": 1}}}),
        f"{POOL}.accelerator.sharing.clients: 1",
        "from 2 to 48",
    ),
    "fast sockets without GPUs": (
        cluster({"machine_type": "n2-standard-8", "fast_socket": True}),
        f"{POOL}.fast_socket",
        "write false",
    ),
    "a label of GKE's": (
        cluster(L4 | {"labels": {"cloud.google.com/gke-spot": "x"}}),
        f"{POOL}.labels: 'cloud.google.com/gke-spot'",
        "another key",
    ),
    "a label of Kubernetes'": (
        cluster(L4 | {"labels": {"node.kubernetes.io/x": "x"}}),
        f"{POOL}.labels",
        "another key",
    ),
    "the label role": (cluster(L4 | {"labels": {"role": "x"}}), f"{POOL}.labels: 'role'", "another key"),
    "more pods than addresses": (
        cluster(L4 | {"max_nodes": 254}),
        f"{POOL}.max_pods_per_node: 110",
        "the pods of up to 257 nodes take 65792 addresses, and the slot has 65536; write at most 64",
    ),
    "more nodes than any pods' addresses": (
        cluster(L4 | {"max_nodes": 1000, "max_pods_per_node": 8})
        | {"node_pools": {f"p{number}": L4 | {"max_nodes": 1000, "max_pods_per_node": 8} for number in range(5)}},
        "clusters.a.node_pools.p0.max_nodes: 1000",
        "the pools have up to 5003 nodes, and the slot has addresses for 4091",
    ),
    "a key elsewhere": (
        cluster(encryption_key=KEY.format("us-east1")),
        "clusters.a.encryption_key",
        "not a key of us-west1",
    ),
    "a key that is no name": (cluster(encryption_key="mine"), "clusters.a.encryption_key: 'mine'", "write own"),
    "out of reach": (cluster(dns_endpoint=False), "clusters.a.dns_endpoint: False", "authorized_networks"),
    "the whole Internet": (
        cluster(authorized_networks={"all": "0.0.0.0/0"}),
        "clusters.a.authorized_networks.all: '0.0.0.0/0'",
        "203.0.113.0/24",
    ),
    "an address with a host's part": (
        cluster(authorized_networks={"office": "203.0.113.7/24"}),
        "clusters.a.authorized_networks.office",
        "not a range of IPv4 addresses",
    ),
    "too short a window": (
        cluster(maintenance={"days": ["SU"], "hours": 8}),
        "clusters.a.maintenance.hours: 8",
        "32 hours in four weeks, and GKE needs 48",
    ),
    "the same day twice": (
        cluster(maintenance={"days": ["SU", "SU"], "hours": 8}),
        "clusters.a.maintenance.hours: 8",
        "32 hours",
    ),
    "a time that is none": (cluster(maintenance={"start": "25:00"}), "clusters.a.maintenance.start", "such as 02:00"),
    "a release channel that is none": (cluster(release_channel="BETA"), "clusters.a.release_channel", "'RAPID'"),
    "metrics that are none": (cluster(metrics=["GPU"]), "clusters.a.metrics.0: 'GPU'", "'DCGM'"),
    "a backup that is never made": (cluster(backup={"schedule": "daily"}), "clusters.a.backup.schedule", "cron"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_gke_refuses_is_told_with_what_to_write(case: str) -> None:
    plain, where, advice = BAD[case]
    (problem,) = problems(plain)
    assert str(problem).startswith(where), problem
    assert advice in problem.advice


def test_all_mistakes_of_a_pool_are_told_at_once() -> None:
    pool = L4 | {"spot": True, "queued": True, "min_nodes": 1, "zones": ["us-east1-b"], "fast_socket": True}
    assert {each.setting.rpartition(".")[2] for each in problems(cluster(pool | {"labels": {"role": "x"}}))} == {
        "spot",
        "min_nodes",
        "zones",
        "labels",
    }


# GPUs that come with a machine.


@pytest.mark.parametrize("machine", BUILT_IN)
def test_a_machine_with_gpus_brings_them_with_it(machine: str) -> None:
    own = spec(cluster({"machine_type": machine, "spot": True})).node_pools["gpu"].accelerator
    assert own
    assert (own.type, own.count) == BUILT_IN[machine]
    named = {"machine_type": machine, "spot": True, "accelerator": {"type": own.type}}
    assert spec(cluster(named)).node_pools["gpu"].accelerator == own


@pytest.mark.parametrize(
    ("machine", "accelerator", "count"),
    [
        ("g4-standard-48", "nvidia-rtx-pro-6000", 1),
        ("g4-standard-384", "nvidia-rtx-pro-6000", 8),
        ("a3-edgegpu-8g", "nvidia-h100-80gb", 8),
        ("a4x-highgpu-4g", "nvidia-gb200", 4),
        ("a3-ultragpu-8g-nolssd", "nvidia-h200-141gb", 8),
    ],
)
def test_gpus_of_new_machines_are_known(machine: str, accelerator: str, count: int) -> None:
    assert BUILT_IN[machine] == (accelerator, count)


def test_pools_of_every_machine_with_gpus_have_them_with_the_taint() -> None:
    for machine, (accelerator, count) in BUILT_IN.items():
        pool = spec(cluster({"machine_type": machine, "spot": True})).node_pools["gpu"]
        config: Any = node_config(pool, "nodes@example", {}, {})
        (gpu,) = config["guest_accelerators"]
        assert (gpu["type"], gpu["count"]) == (accelerator, count)
        assert config["taints"] == [GPU_TAINT]


@pytest.mark.parametrize(
    ("pool", "words"),
    [
        ({"machine_type": "a4x-maxgpu-4g-metal", "spot": True}, "not sure of its 4 of nvidia-gb300"),
        ({"machine_type": "g4-standard-6"}, "1/8 of a GPU"),
        (L4 | {"local_ssds": {"count": 2}}, "is not sure, but says that g2-standard-8 takes 1;"),
    ],
)
def test_what_is_not_sure_of_a_machine_is_a_warning(pool: dict[str, Any], words: str) -> None:
    (text,) = (each for each in warnings({"a": spec(cluster(pool))}) if "machine_type" in each)
    assert text.startswith(f"{POOL}.machine_type: clusters/facts/machines.csv")
    assert words in text
    assert [each for each in warnings({"a": spec(cluster(L4))}) if "machine_type" in each] == []


@pytest.mark.parametrize(
    ("machine", "always"),
    [
        ("a3-highgpu-8g", True),
        ("a4x-highgpu-4g", True),
        ("a3-ultragpu-8g-nolssd", False),
        ("g2-standard-8", False),
        ("c4-standard-8-lssd", True),
        ("c4-standard-8", False),
        ("z3-highmem-88-highlssd", True),
        ("b9-highgpu-8g-nolssd", False),
        ("e2-standard-4", False),
    ],
)
def test_machines_that_always_have_local_ssds_are_known(machine: str, always: bool) -> None:
    assert always_has_ssds(machine) is always


def test_other_machines_bring_none() -> None:
    assert spec(cluster({"machine_type": "n1-standard-8"})).node_pools["gpu"].accelerator is None


def test_an_accelerator_that_is_not_listed_for_a_region_is_a_warning() -> None:
    (text,) = warnings({"a": spec(cluster(L4, region="europe-west8"))})
    assert text.startswith(f"{POOL}.accelerator.type: nvidia-l4 is not listed for europe-west8")
    assert list(warnings({"a": spec(cluster(L4))})) == []


@pytest.mark.parametrize(
    ("region", "accelerator"),
    [
        ("asia-northeast3", "nvidia-h100-80gb"),
        ("europe-west2", "nvidia-h100-80gb"),
        ("us-south1", "nvidia-b200"),
        ("us-west3", "nvidia-b200"),
        ("europe-west8", "nvidia-rtx-pro-6000"),
        ("us-central1", "nvidia-gb200"),
        ("us-west1", "nvidia-h100-mega-80gb"),
    ],
)
def test_what_google_sells_in_a_region_is_listed(region: str, accelerator: str) -> None:
    assert accelerator in regions()[region].accelerators


def test_continents_are_words_that_nobody_takes_for_a_border_of_law() -> None:
    words = {"Africa", "Asia", "Europe", "North-America", "Oceania", "South-America"}
    assert {each.continent for each in regions().values()} == words
    assert {each.partition(",")[0] for each in CONTINENT_CODES.values()} == words
    europe = {name for name, each in regions().items() if each.continent == "Europe"}
    assert europe == {name for name in regions() if name.startswith("europe-")}
    assert member_labels(spec(cluster(region="europe-west2")))["continent"] == "Europe"


# Profiles.


def test_a_role_brings_its_defaults() -> None:
    training, serving = (spec(cluster(L4, role=role)) for role in ("training", "serving"))
    assert training.node_pools["gpu"].spot
    assert training.node_pools["gpu"].min_nodes == 0
    assert "JOBSET" in training.metrics
    assert not serving.node_pools["gpu"].spot
    assert serving.node_pools["gpu"].min_nodes == 1
    assert serving.node_pools["gpu"].image_streaming
    other = spec(cluster(L4))
    assert (other.metrics, other.node_pools["gpu"].spot, other.node_pools["gpu"].min_nodes) == (["DCGM"], False, 0)


@pytest.mark.parametrize("role", PROFILES)
def test_a_setting_overrides_the_default_of_the_role(role: str) -> None:
    opposite: dict[str, Any] = {
        "spot": False,
        "min_nodes": 0,
        "image_streaming": False,
        "location_policy": "ANY",
        "metrics": [],
    }
    profile = PROFILES[role]
    assert {*profile.cluster, *profile.gpu_pool} <= opposite.keys()
    pool = {name: opposite[name] for name in profile.gpu_pool}
    own = {name: opposite[name] for name in profile.cluster}
    found = spec(cluster(L4 | pool, role=role, **own))
    assert {name: getattr(found.node_pools["gpu"], name) for name in pool} == pool
    assert {name: getattr(found, name) for name in own} == own
    for name, each in profile.gpu_pool.items():
        assert getattr(spec(cluster(L4, role=role)).node_pools["gpu"], name) == each.value != opposite[name]


@pytest.mark.parametrize("other", [{"flex_start": True}, {"queued": True}, {"reservation": "mine"}])
@pytest.mark.parametrize("role", PROFILES)
def test_what_a_role_brings_gives_way_to_what_excludes_it(role: str, other: dict[str, Any]) -> None:
    assert not spec(cluster(L4 | other, role=role)).node_pools["gpu"].spot


def test_a_role_brings_nothing_to_pools_without_gpus() -> None:
    assert not spec(cluster({"machine_type": "n2-standard-8"}, role="training")).node_pools["gpu"].spot


# Capacity.


@pytest.mark.parametrize(("pods", "expected"), [(110, 256), (128, 256), (64, 128), (32, 64), (8, 16), (9, 32)])
def test_a_node_has_twice_as_many_addresses_as_pods(pods: int, expected: int) -> None:
    assert addresses_per_node(pods) == expected
    assert POD_ADDRESSES % expected == 0
