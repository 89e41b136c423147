"""What the stand-in for Google Cloud refuses because of other existing resources, and what it returns."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clusters.facts.machines import BUILT_IN
from local.gcp import services
from local.gcp.places import chosen_zones, region_of, zones
from local.gcp.pools.machines import machine
from local.plugin import Refused, Resource
from local.wire import UNKNOWN, Properties
from tests.unit.local.google import (
    ACCOUNT,
    ACCOUNT_MEMBER,
    BUCKET_MEMBER,
    CLUSTER,
    CLUSTER_ID,
    FEATURE,
    FEATURE_MEMBER,
    FIREWALL,
    GOOD,
    IDENTITY,
    KEY,
    KEY_MEMBER,
    NAT,
    NETWORK,
    PLAN,
    POOL,
    PROJECT_MEMBER,
    RING,
    ROUTER,
    SERVICE,
    SUBNET,
    Google,
    Nodes,
    changed,
    stand_in,
)

_PODS, _MASTER = "ipAllocationPolicy.clusterSecondaryRangeName", "privateClusterConfig.masterIpv4CidrBlock"
_MOST = "autoscaling.totalMaxNodeCount"
_POOL = f"{CLUSTER_ID}/nodePools/a100"


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Google, Nodes]]:
    """A project in which nothing is made yet."""
    yield stand_in(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    """A project with one resource of every kind, for tests that leave it as it is."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        google, _ = stand_in(tmp_path_factory.mktemp("google"), monkeypatch)
        google.build()
        yield google


@pytest.mark.parametrize(
    ("kind", "lacks", "words"),
    [
        (SUBNET, NETWORK, "network: Error 404"),
        (ROUTER, NETWORK, "network: Error 404"),
        (FIREWALL, NETWORK, "network: Error 404"),
        (NAT, ROUTER, "router: Error 404"),
        (PROJECT_MEMBER, ACCOUNT, "Service account nodes-training@toys.iam.gserviceaccount.com does not exist"),
        (ACCOUNT_MEMBER, ACCOUNT, "Unknown service account"),
        (ACCOUNT_MEMBER, CLUSTER, "Identity Pool does not exist (toys.svc.id.goog)"),
        (KEY, RING, "KeyRing"),
        (KEY_MEMBER, KEY, "CryptoKey"),
        (CLUSTER, SUBNET, "subnetwork: Error 404"),
        (CLUSTER, ACCOUNT, "does not exist"),
        (CLUSTER, KEY, "CryptoKey"),
        (CLUSTER, KEY_MEMBER, "useToEncrypt is denied to service-"),
        (POOL, CLUSTER, "Error 404: Not found"),
        (FEATURE_MEMBER, FEATURE, "was not found"),
        (PLAN, CLUSTER, "Cluster projects/toys/locations/us-west1/clusters/training not found"),
    ],
)
def test_what_it_needs_must_stand(made: tuple[Google, Nodes], kind: str, lacks: str, words: str) -> None:
    google, _ = made
    needed = [NETWORK, SUBNET, ROUTER, ACCOUNT, IDENTITY, RING, KEY, KEY_MEMBER, CLUSTER, FEATURE]
    after = {
        NETWORK: {SUBNET, ROUTER, CLUSTER},
        SUBNET: {CLUSTER},
        ACCOUNT: {CLUSTER},
        RING: {KEY, KEY_MEMBER, CLUSTER},
    }
    without = {lacks, kind, *after.get(lacks, set()), *({KEY_MEMBER, CLUSTER} if lacks == KEY else set[str]())}
    without |= {CLUSTER} if lacks == KEY_MEMBER else set[str]()
    google.build(*(each for each in needed if each not in without))
    inputs = GOOD[kind] | ({"member": "user:ada@example.com"} if kind == KEY_MEMBER else {})
    with pytest.raises(Refused) as refused:
        google.create(kind, inputs)
    assert words in str(refused.value)


@pytest.mark.parametrize("kind", [ACCOUNT, NETWORK, SUBNET, ROUTER, NAT, FIREWALL, CLUSTER, POOL, KEY, FEATURE, PLAN])
def test_nothing_is_made_twice(google: Google, kind: str) -> None:
    with pytest.raises(Refused, match="Error 409: Already exists"):
        google.plugin.create(_again(kind), GOOD[kind])


def test_a_role_or_an_api_may_be_asked_for_twice(google: Google) -> None:
    for kind in (PROJECT_MEMBER, SERVICE, BUCKET_MEMBER):
        google.create(kind)


@pytest.mark.parametrize(
    ("kind", "changes", "field", "words"),
    [
        (SUBNET, {"name": "other"}, "ipCidrRange", "conflicts with 10.0.0.0/20"),
        (SUBNET, {"name": "other", "ipCidrRange": "10.8.0.0/20"}, "secondaryIpRanges", "subnetwork 'nodes'"),
        (CLUSTER, {"name": "b"}, _MASTER, "overlaps with 172.16.0.0/28"),
        (CLUSTER, {"name": "b"}, "ipAllocationPolicy.servicesSecondaryRangeName", "in use by cluster"),
        (CLUSTER, {_PODS: "pod"}, _PODS, "pods, services"),
        (CLUSTER, {_MASTER: "10.0.0.0/28"}, _MASTER, "10.0.0.0/20"),
        (CLUSTER, {"location": "us-west2", "nodeLocations": []}, "subnetwork", "is in us-west1, not in us-west2"),
        (CLUSTER, {"network": "projects/toys/global/networks/b"}, "subnetwork", "is not in network"),
        (POOL, {"nodeLocations": ["us-west2-b"]}, "nodeLocations", "not a zone of us-west1"),
        (POOL, {"location": "us-west2"}, "location", "is not in us-west2"),
        (POOL, {"management.autoUpgrade": False}, "management", "release_channel REGULAR"),
        (POOL, {"placementPolicy.type": "COMPACT", "nodeLocations": []}, "nodeLocations", "us-west1-a, us-west1-b"),
        (POOL, {_MOST: 257}, "autoscaling", "room for 256 nodes of 110 pods"),
        (POOL, {_MOST: 1024, "maxPodsPerNode": 32, "networkConfig.podRange": "services"}, "autoscaling", "room for 64"),
        (POOL, {"networkConfig.podRange": "more"}, "networkConfig", "does not exist"),
    ],
)  # fmt: skip
def test_what_stands_already_is_in_the_way(
    google: Google, kind: str, changes: Properties, field: str, words: str
) -> None:
    assert google.check(kind, GOOD[kind]) == {}
    assert words in google.check(kind, changed(kind, changes))[field]


def test_smaller_nodes_leave_room_for_more_of_them(google: Google) -> None:
    most = {_MOST: 1024, "maxPodsPerNode": 32}
    assert google.check(POOL, changed(POOL, most)) == {}


def test_pools_share_the_room_of_their_cluster(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    google.build()
    google.create(POOL, changed(POOL, {"name": "big", "autoscaling.totalMinNodeCount": 200, _MOST: 200}))
    with pytest.raises(Refused, match="IP_SPACE_EXHAUSTED"):
        google.create(POOL, changed(POOL, {"name": "b", "autoscaling.totalMinNodeCount": 57, _MOST: 57}))


def test_metadata_server_needs_workload_identity(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    google.build(NETWORK, SUBNET, ACCOUNT)
    google.create(CLUSTER, changed(CLUSTER, {"workloadIdentityConfig": None, "databaseEncryption": None}))
    assert "Workload Identity" in google.check(POOL, GOOD[POOL])["nodeConfig.workloadMetadataConfig"]


def test_one_nat_for_all_subnets_of_a_region(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    google.build()
    google.create(ROUTER, changed(ROUTER, {"name": "second"}))
    with pytest.raises(Refused, match="have a NAT already"):
        google.create(NAT, changed(NAT, {"name": "second", "router": "second"}))
    google.create(ROUTER, changed(ROUTER, {"region": "us-west2"}))
    google.create(NAT, changed(NAT, {"region": "us-west2"}))


@pytest.mark.parametrize(
    ("kind", "user"), [(NETWORK, SUBNET), (NETWORK, FIREWALL), (NETWORK, ROUTER), (SUBNET, CLUSTER)]
)
def test_what_is_in_use_stays(made: tuple[Google, Nodes], kind: str, user: str) -> None:
    google, _ = made
    needs = {SUBNET: [NETWORK], FIREWALL: [NETWORK], ROUTER: [NETWORK]}.get(user)
    ids = google.build(*needs, user) if needs else google.build()
    with pytest.raises(Refused, match=f"already being used by '{ids[user]}', resourceInUseByAnotherResource"):
        google.delete(kind, ids[kind])
    if user == CLUSTER:
        google.registry.remove("cluster", ids[user])
    else:
        google.delete(user, ids[user])
    google.delete(kind, ids[kind])
    assert google.registry.get(kind.rpartition(":")[2].lower(), ids[kind]) is None


def test_a_range_that_pods_use_stays(google: Google) -> None:
    identifier = "projects/toys/regions/us-west1/subnetworks/nodes"
    less = changed(SUBNET, {"secondaryIpRanges.0": None})
    with pytest.raises(Refused, match="'pods' is already being used"):
        google.update(SUBNET, identifier, GOOD[SUBNET], less)


def test_a_protected_cluster_is_not_deleted(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    google.build()
    with pytest.raises(Refused, match="deletion_protection is set to true"):
        google.delete(CLUSTER, CLUSTER_ID)
    old = google.registry.get("cluster", CLUSTER_ID)
    assert old
    google.update(CLUSTER, CLUSTER_ID, old, changed(CLUSTER, {"deletionProtection": False}))
    google.delete(CLUSTER, CLUSTER_ID)
    assert google.registry.all("cluster") == google.registry.all("nodepool") == {}


@pytest.mark.parametrize(("policy", "exists"), [("DELETE", False), ("ABANDON", True)])
def test_the_deletion_policy_holds(made: tuple[Google, Nodes], policy: str, exists: bool) -> None:
    google, _ = made
    for each in ("PREVENT", policy):
        name = {"name": f"vpc-{each.lower()}", "deletionPolicy": each}
        identifier = google.create(NETWORK, GOOD[NETWORK] | name)[0]
        if each == "PREVENT":
            with pytest.raises(Refused, match="deletion_policy is set to PREVENT"):
                google.delete(NETWORK, identifier)
        else:
            google.delete(NETWORK, identifier)
            assert (google.registry.get("network", identifier) is not None) is exists


def test_a_keys_name_is_never_free_again(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    google.build()
    for kind, identifier in ((KEY, f"{GOOD[KEY]['keyRing']}/cryptoKeys/secrets"), (RING, GOOD[KEY]["keyRing"])):
        google.delete(kind, identifier)
        with pytest.raises(Refused, match="cannot be used again"):
            google.plugin.create(_again(kind), GOOD[kind])


def test_pools_side_by_side_are_refused(made: tuple[Google, Nodes]) -> None:
    google, nodes = made
    google.build()
    nodes.listed.clear()
    nodes.answer.clear()
    first = threading.Thread(target=google.create, args=(POOL, changed(POOL, {"name": "first"})))
    first.start()
    assert nodes.listed.wait(10)
    cluster = google.registry.get("cluster", CLUSTER_ID)
    assert cluster
    try:
        refused = "Cluster is running incompatible operation: CREATE_NODE_POOL first"
        with pytest.raises(Refused, match=refused):
            google.create(POOL, changed(POOL, {"name": "second"}))
        with pytest.raises(Refused, match=refused):
            google.update(POOL, _POOL, GOOD[POOL], GOOD[POOL])
        with pytest.raises(Refused, match=refused):
            google.delete(POOL, _POOL)
        with pytest.raises(Refused, match=refused):
            google.update(CLUSTER, CLUSTER_ID, cluster, GOOD[CLUSTER])
    finally:
        nodes.answer.set()
        first.join(10)
    google.create(POOL, changed(POOL, {"name": "second"}))
    assert sorted(google.registry.all("nodepool")) == [
        f"{CLUSTER_ID}/nodePools/{each}" for each in ("a100", "first", "second")
    ]


def test_an_api_is_off_until_the_program_has_turned_it_on(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    ring = {"name": "early", "location": "us-west1"}
    google.create(RING, ring)  # someone has turned it on by hand
    assert google.check(SERVICE, {"service": "cloudkms.googleapis.com"}) == {}
    with pytest.raises(Refused, match=r"cloudkms\.googleapis\.com has not been used in project toys"):
        google.create(RING)
    google.create(SERVICE, {"service": "cloudkms.googleapis.com"})
    google.create(RING)


def test_an_api_is_turned_off_where_that_was_asked_for(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    for asked in (False, True):
        google.create(SERVICE, {"service": "cloudkms.googleapis.com", "disableOnDestroy": asked})
        google.delete(SERVICE, "toys/cloudkms.googleapis.com")
        assert bool(services.refusal(google.plugin._cloud, "toys", "cloudkms.googleapis.com")) is asked  # pyright: ignore[reportPrivateUsage]


def test_a_fleet_needs_its_api(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    google.build(NETWORK, SUBNET, ACCOUNT)
    google.check(SERVICE, {"service": "gkehub.googleapis.com"})
    plain = changed(CLUSTER, {"databaseEncryption": None})
    with pytest.raises(Refused, match=r"gkehub\.googleapis\.com has not been used"):
        google.create(CLUSTER, plain)
    del plain["fleet"]
    google.create(CLUSTER, plain)


def test_what_a_cluster_says_of_itself(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    google.build(NETWORK, SUBNET, ACCOUNT, IDENTITY, RING, KEY, KEY_MEMBER, CLUSTER)
    found = google.registry.get("cluster", CLUSTER_ID)
    assert found
    assert found["endpoint"] == found["privateClusterConfig"]["privateEndpoint"] == "127.0.0.1:21000"
    assert found["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"] == "localhost:21000"
    assert found["masterAuth"]["clusterCaCertificate"] == "Q0E="
    assert found["fleet"]["membershipId"] == "training"
    assert found["fleet"]["membershipLocation"] == "us-west1"
    assert found["selfLink"].endswith(CLUSTER_ID)
    # A change of something else leaves them as they are.
    updated = google.update(CLUSTER, CLUSTER_ID, found, changed(CLUSTER, {"resourceLabels": {"a": "b"}}))
    assert updated == {**found, "resourceLabels": {"a": "b"}}


def test_a_cluster_without_addresses_is_reached_by_name(made: tuple[Google, Nodes]) -> None:
    google, _ = made
    google.build(NETWORK, SUBNET, ACCOUNT, IDENTITY, RING, KEY, KEY_MEMBER, CLUSTER)
    found = google.registry.get("cluster", CLUSTER_ID)
    assert found
    by_name = changed(CLUSTER, {"controlPlaneEndpointsConfig.ipEndpointsConfig": {"enabled": False}})
    assert google.update(CLUSTER, CLUSTER_ID, found, by_name)["endpoint"] == "localhost:21000"


def test_a_preview_does_not_know_what_is_not_made_yet(google: Google) -> None:
    found = google.preview(CLUSTER, GOOD[CLUSTER])
    hidden = [
        found["endpoint"],
        found["masterAuth"]["clusterCaCertificate"],
        found["privateClusterConfig"]["privateEndpoint"],
        found["controlPlaneEndpointsConfig"]["dnsEndpointConfig"]["endpoint"],
        found["fleet"]["membershipId"],
    ]
    assert hidden == [UNKNOWN] * 5
    assert "selfLink" not in found


@pytest.mark.parametrize(
    ("kind", "changes", "replaced"),
    [
        (CLUSTER, {"subnetwork": "other"}, True),
        (CLUSTER, {_MASTER: "172.16.0.16/28"}, True),
        (CLUSTER, {"privateClusterConfig.enablePrivateEndpoint": False}, False),
        (CLUSTER, {"resourceLabels.cluster": "other"}, False),
        (POOL, {"nodeConfig.spot": True}, True),
        (POOL, {"nodeConfig.guestAccelerators.0.count": 2}, True),
        (POOL, {"nodeConfig.machineType": "a2-highgpu-2g"}, False),
        (POOL, {_MOST: 9}, False),
        (SUBNET, {"ipCidrRange": "10.0.0.0/19"}, False),
        (SUBNET, {"ipCidrRange": "10.0.0.0/21"}, True),
        (NETWORK, {"routingMode": "REGIONAL"}, False),
    ],
)
def test_what_needs_another_one(google: Google, kind: str, changes: Properties, replaced: bool) -> None:
    updates, replaces = google.diff(kind, changed(kind, changes))
    assert (bool(updates), bool(replaces)) == (not replaced, replaced)


def test_nodes_are_what_the_pool_says(made: tuple[Google, Nodes]) -> None:
    google, nodes = made
    google.build()
    shared = {"gpuSharingStrategy": "TIME_SHARING", "maxSharedClientsPerGpu": 4}
    changes: Properties = {
        "autoscaling.totalMinNodeCount": 2,
        "initialNodeCount": 2,
        "nodeConfig.spot": True,
        "nodeConfig.labels": {"tier": "gold"},
        "nodeConfig.guestAccelerators.0.gpuSharingConfig": shared,
        "maxPodsPerNode": 32,
    }
    pool = changed(POOL, changes)
    google.create(POOL, pool | {"name": "spot"})
    node = nodes.items["gke-training-spot-1"]
    labels = {
        "cloud.google.com/gke-accelerator": "nvidia-tesla-a100",
        "cloud.google.com/gke-gpu-driver-version": "default",
        "cloud.google.com/gke-gpu-sharing-strategy": "time-sharing",
        "cloud.google.com/gke-nodepool": "spot",
        "cloud.google.com/gke-provisioning": "spot",
        "cloud.google.com/gke-spot": "true",
        "iam.gke.io/gke-metadata-server-enabled": "true",
        "tier": "gold",
        "topology.kubernetes.io/region": "us-west1",
        "topology.kubernetes.io/zone": "us-west1-b",
    }
    assert node["metadata"]["labels"].items() >= labels.items()
    assert node["status"]["capacity"] == {
        "cpu": "12",
        "memory": f"{85 * 1024}Mi",
        "pods": "32",
        "ephemeral-storage": "100Gi",
        "nvidia.com/gpu": "4",
    }
    assert node["spec"]["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]


def test_gpus_are_tainted_by_gke_where_the_pool_does_not(made: tuple[Google, Nodes]) -> None:
    google, nodes = made
    google.build()
    one: Properties = {"autoscaling.totalMinNodeCount": 1, "initialNodeCount": 1}
    google.create(POOL, changed(POOL, {"name": "bare", "nodeConfig.taints": [], **one}))
    assert [each["key"] for each in nodes.items["gke-training-bare-0"]["spec"]["taints"]] == ["nvidia.com/gpu"]


def test_a_pool_changes_in_place(made: tuple[Google, Nodes]) -> None:
    google, nodes = made
    google.build()
    google.delete(POOL, _POOL)
    old = changed(POOL, {"autoscaling.totalMinNodeCount": 1, "initialNodeCount": 1})
    google.create(POOL, old)
    (node,) = nodes.items.values()
    node["mark"] = "the same"
    node["spec"]["taints"].append({"key": "node.kubernetes.io/unreachable", "effect": "NoExecute"})
    kept = changed(POOL, {"autoscaling.totalMinNodeCount": 1, "nodeConfig.labels": {"tier": "gold"}})
    kept["nodeConfig"]["taints"].append({"key": "team", "value": "ai", "effect": "PREFER_NO_SCHEDULE"})
    google.update(POOL, _POOL, old, kept)
    (node,) = nodes.items.values()
    assert node["mark"] == "the same"
    assert node["metadata"]["labels"]["tier"] == "gold"
    assert [each["key"] for each in node["spec"]["taints"]] == [
        "nvidia.com/gpu",
        "team",
        "node.kubernetes.io/unreachable",
    ]
    larger = {"nodeConfig.machineType": "a2-highgpu-2g", "nodeConfig.guestAccelerators.0.count": 2}
    google.update(POOL, _POOL, kept, changed(POOL, {**larger, "autoscaling.totalMinNodeCount": 1}))
    (node,) = nodes.items.values()
    assert node["status"]["capacity"]["cpu"] == "24"
    assert "mark" not in node


@pytest.mark.parametrize(
    ("initial", "least", "expected"), [(None, 2, 0), (0, 2, 0), (1, 3, 2), (1, 2, 2), (2, 1, 1), (1, 0, 0)]
)
def test_a_pool_starts_with_its_first_nodes_in_each_zone_and_keeps_its_minimum_of_them(
    made: tuple[Google, Nodes], initial: int | None, least: int, expected: int
) -> None:
    google, nodes = made
    google.build()
    zones = ["us-west1-a", "us-west1-b"]
    first: Properties = {} if initial is None else {"initialNodeCount": initial}
    changes: Properties = {"name": "first", "nodeLocations": zones, "autoscaling.totalMinNodeCount": least, **first}
    _, outputs = google.create(POOL, changed(POOL, changes))
    assert len(nodes.items) == expected
    assert outputs["initialNodeCount"] == (initial or 0)


def test_a_raised_minimum_adds_no_node_and_a_lower_one_lets_some_go(made: tuple[Google, Nodes]) -> None:
    google, nodes = made
    google.build()
    first: Properties = {"name": "first", "initialNodeCount": 2, "autoscaling.totalMinNodeCount": 2}
    old = changed(POOL, first)
    identifier, _ = google.create(POOL, old)
    for least, expected in ((4, 2), (1, 1), (3, 1)):
        new = changed(POOL, {**first, "autoscaling.totalMinNodeCount": least})
        google.update(POOL, identifier, old, new)
        assert len(nodes.items) == expected
        old = new


_FILLED: list[tuple[str, Properties, str]] = [
    (CLUSTER, {_MASTER: None}, "privateClusterConfig.privateEndpointSubnetwork"),
    (POOL, {"nodeConfig.flexStart": True, "management.autoRepair": False}, "nodeConfig.maxRunDuration"),
    (
        POOL,
        {
            "nodeConfig.machineType": "a3-highgpu-8g",
            "nodeConfig.guestAccelerators.0.type": "nvidia-h100-80gb",
            "nodeConfig.guestAccelerators.0.count": 8,
        },
        "nodeConfig.ephemeralStorageLocalSsdConfig",
    ),
]


@pytest.mark.parametrize(("kind", "changes", "path"), _FILLED)
def test_what_google_fills_in_is_taken_out_by_another_one_unless_it_is_ignored(
    made: tuple[Google, Nodes], kind: str, changes: Properties, path: str
) -> None:
    google, _ = made
    google.build(*(each for each in (SERVICE, NETWORK, SUBNET, ACCOUNT, IDENTITY, RING, KEY, KEY_MEMBER)))
    if kind == POOL:
        google.create(CLUSTER)
    inputs = changed(kind, changes)
    identifier, outputs = google.create(kind, inputs)
    for ignored, replaces in (((), [path]), ((path,), []), ((path.rpartition(".")[0],), [])):
        found = google.plugin.diff(Resource("", kind, "it", identifier, False, ignored), inputs, outputs, inputs)
        assert (found.updates, found.replaces) == ([], replaces)


def test_per_zone_counts_are_per_zone(made: tuple[Google, Nodes]) -> None:
    google, nodes = made
    google.build()
    zonal = {"name": "zonal", "nodeLocations": ["us-west1-a", "us-west1-b"], "autoscaling": None, "nodeCount": 2}
    google.create(POOL, changed(POOL, zonal))
    zones = [each["metadata"]["labels"]["topology.kubernetes.io/zone"] for each in nodes.items.values()]
    assert sorted(zones) == ["us-west1-a"] * 2 + ["us-west1-b"] * 2
    google.delete(POOL, f"{CLUSTER_ID}/nodePools/zonal")
    assert nodes.items == {}


@pytest.mark.parametrize(
    ("name", "cpus", "memory", "gpus"),
    [
        ("e2-medium", 2, 4, 0),
        ("e2-standard-4", 4, 16, 0),
        ("n1-highmem-8", 8, 52, 0),
        ("n2-custom-6-24576", 6, 24, 0),
        ("c3-standard-22", 22, 88, 0),
        ("g2-standard-24", 24, 96, 2),
        ("a2-megagpu-16g", 96, 1360, 16),
        ("a3-highgpu-8g", 208, 1872, 8),
        ("a3-ultragpu-8g", 224, 2952, 8),
    ],
)
def test_machine_types(name: str, cpus: int, memory: float, gpus: int) -> None:
    found = machine(name)
    assert found
    assert (found.cpus, found.memory, found.gpus) == (cpus, memory, gpus)


def test_google_has_every_machine_type_of_the_factory_with_the_same_gpus() -> None:
    for name, (accelerator, count) in BUILT_IN.items():
        found = machine(name)
        assert found, name
        assert (found.gpu, found.gpus) == (accelerator, count)


@pytest.mark.parametrize(
    "name", ["e2-standard-64", "n9-standard-4", "a3-highgpu-3g", "g2-highmem-8", "n2-custom-5-1024"]
)
def test_no_machine_types(name: str) -> None:
    assert machine(name) is None


def test_a_tpu_machine_has_its_chips() -> None:
    found = machine("ct5lp-hightpu-4t")
    assert found
    assert (found.tpu, found.tpus) == ("tpu-v5-lite-podslice", 4)


def test_google_has_ai_zones_and_chooses_none_of_them() -> None:
    assert region_of("us-south1-ai1b") == "us-south1"
    assert region_of("us-west1-ai1a") is None
    assert "us-central1-ai1a" in zones("us-central1")
    for region in ("us-central1", "us-south1", "europe-west1"):
        assert len(chosen_zones(region)) == 3
        assert not [each for each in chosen_zones(region) if "-ai" in each]


def test_a_project_says_its_number(google: Google) -> None:
    found = google.plugin.invoke("gcp:organizations/getProject:getProject", {})
    assert found == {"id": "projects/toys", "projectId": "toys", "number": services.number("toys")}
    assert found["number"] in services.agent("toys", "container.googleapis.com")


def _again(kind: str) -> Resource:
    return Resource("", kind, "again")
