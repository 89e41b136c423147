"""What the factory asks Google Cloud for, with the real settings and with each of those that they leave out."""

from collections.abc import Mapping
from ipaddress import IPv4Network
from itertools import pairwise
from typing import Any

import pytest
import yaml

from clusters.addresses import addresses
from clusters.apis import needed_apis
from clusters.control_plane import access, addons, upkeep
from clusters.node_config import node_config
from clusters.spec import Cluster
from federation.bucket_access import ANNOTATION
from tests.unit.program import Asked, Run, address, run_of, run_program, stack_settings

GPU_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
SERVICE, POOL = "gcp:projects/service:Service", "gcp:container/nodePool:NodePool"
L4: dict[str, Any] = {"machine_type": "g2-standard-8"}


pytestmark = pytest.mark.usefixtures("project_folder")


KEY = "projects/p/locations/us-west1/keyRings/r/cryptoKeys/k"


@pytest.fixture(scope="module")
def other(project_folder: None) -> Run:
    """A stack whose settings are all unlike those of the others; its clusters are in one region."""
    settings = stack_settings("dev")
    settings["clusters"]["training"] |= {
        "encryption_key": KEY,
        "node_pools": {
            "queued": L4 | {"queued": True, "flex_start": True},
            "near": L4 | {"compact": True, "spot": False, "max_pods_per_node": 32, "zones": ["us-west1-a"]},
        },
    }
    settings["federation"] |= {
        "multi_cluster_services": True,
        "default_deny": True,
    }
    settings["workloads"]["finetune"]["buckets"] = {"gs://my-data": "read", "gs://my-checkpoints": "write"}
    settings["workloads"]["inference"] |= {
        "export": ["inference"],
        "openings": [{"direction": "ingress", "peer": "members", "ports": [8000]}],
    }
    settings["clusters"]["serving"] |= {
        "region": "us-west1",
        "zones": ["us-west1-b"],
        "dns_endpoint": False,
        "authorized_networks": {"office": "203.0.113.0/24"},
    }
    return run_program("dev", settings)


@pytest.fixture(scope="module")
def prod(project_folder: None) -> Run:
    return run_of("prod")


def spec(**settings: Any) -> Cluster:
    return Cluster.model_validate({"region": "us-west1", "slot": 0, "role": "test"} | settings)


HOST = spec(slot=7)


# APIs.


def made_before_its_apis(run: Run) -> list[str]:
    services = {each.urn for each in run.of_type(SERVICE)}
    assert len(services) > 8
    others = [each for each in run.asked if each.type.startswith("gcp:") and each.type != SERVICE]
    return [each.name for each in others if not services <= run.needs(each)]


def test_everything_of_google_comes_after_every_api(run: Run, other: Run) -> None:
    # GKE's agent is requested with its own API.
    assert {*made_before_its_apis(run), *made_before_its_apis(other)} <= {"apis-gke-agent"}


def test_no_api_is_turned_off(run: Run) -> None:
    assert {each.inputs["disableOnDestroy"] for each in run.of_type(SERVICE)} == {False}


def test_apis_are_those_that_the_settings_need() -> None:
    plain = {"a": spec()}
    assert {"container", "compute", "iam"} <= set(needed_apis(plain, fleet=False))
    needing: list[tuple[dict[str, Any], str]] = [
        ({"encryption_key": "own"}, "cloudkms"),
        ({"backup": {}}, "gkebackup"),
        ({"node_pools": {"l4": L4 | {"image_streaming": True}}}, "containerfilesystem"),
    ]
    for extra, api in needing:
        assert api not in needed_apis(plain, fleet=False)
        assert api in needed_apis({"a": spec(**extra)}, fleet=False)
    more = set(needed_apis(plain, fleet=True)) - set(needed_apis(plain, fleet=False))
    assert more == {"dns", "gkehub", "multiclusterservicediscovery", "trafficdirector"}


# Network.


def test_each_region_has_one_way_out(run: Run) -> None:
    regions = {each["region"] for each in run.clusters.values()}
    for type_ in ("gcp:compute/router:Router", "gcp:compute/routerNat:RouterNat"):
        assert sorted(each.inputs["region"] for each in run.of_type(type_)) == sorted(regions)
    for each in run.of_type("gcp:compute/routerNat:RouterNat"):
        # Google Cloud refuses the two together.
        assert each.inputs["enableDynamicPortAllocation"] is True
        assert each.inputs["enableEndpointIndependentMapping"] is False


def test_two_clusters_of_a_region_share_its_way_out(other: Run) -> None:
    assert len(other.of_type("gcp:compute/router:Router")) == 1
    assert len(other.of_type("gcp:compute/subnetwork:Subnetwork")) == 2


def test_nodes_come_after_their_way_out_and_their_openings(run: Run) -> None:
    for each in run.of_type(POOL):
        cluster = each.inputs["cluster"].removesuffix("_id")
        needed = {urn.rpartition("::")[2] for urn in run.needs(each)}
        assert f"{run.clusters[cluster]['region']}-nat" in needed
        assert f"{cluster}-to-members" in needed


def test_members_reach_each_others_nodes_and_pods_and_nobody_else_does(run: Run) -> None:
    walls = {each.name: each.inputs for each in run.of_type("gcp:compute/firewall:Firewall")}
    assert set(walls) == {f"{name}-to-members" for name in run.clusters}
    for name, cluster in run.clusters.items():
        wall, plan = walls[f"{name}-to-members"], addresses(cluster["slot"])
        assert wall["direction"] == "INGRESS"
        assert set(wall["sourceRanges"]) == {str(plan.nodes), str(plan.pods)}
        assert {each["protocol"] for each in wall["allows"]} == {"tcp", "udp", "icmp"}
        tags = {tag for pool in run.of_type(POOL) for tag in pool.inputs["nodeConfig"]["tags"]}
        assert set(wall["targetTags"]) == tags


# Control planes.


def blocks(cluster: Mapping[str, Any]) -> set[str]:
    return {each["cidrBlock"] for each in cluster["masterAuthorizedNetworksConfig"]["cidrBlocks"]}


def test_nodes_are_private_and_the_host_reaches_every_control_plane(run: Run) -> None:
    host = addresses(run.clusters[run.host]["slot"])
    for name in run.clusters:
        cluster = run.cluster(name).inputs
        private = cluster["privateClusterConfig"]
        assert private["enablePrivateNodes"] is True
        assert private["masterGlobalAccessConfig"] == {"enabled": True}
        assert blocks(cluster) == {str(host.nodes), str(host.pods)}
        assert cluster["masterAuthorizedNetworksConfig"]["privateEndpointEnforcementEnabled"] is True
        assert cluster["masterAuthorizedNetworksConfig"]["gcpPublicCidrsAccessEnabled"] is False


@pytest.mark.parametrize(
    ("networks", "public"),
    [({}, False), ({"vpn": "192.168.0.0/16"}, False), ({"office": "203.0.113.0/24"}, True)],
)
def test_a_control_plane_has_a_public_address_only_for_public_callers(networks: dict[str, str], public: bool) -> None:
    asked: Any = access(spec(authorized_networks=networks), HOST)
    assert asked["private_cluster_config"]["enable_private_endpoint"] is not public
    ranges = {each["cidr_block"] for each in asked["master_authorized_networks_config"]["cidr_blocks"]}
    host = addresses(7)
    assert ranges == {str(host.nodes), str(host.pods), *networks.values()}


@pytest.mark.parametrize("named", [True, False])
def test_a_control_planes_name_is_on_unless_the_settings_turn_it_off(named: bool) -> None:
    asked: Any = access(spec(dns_endpoint=named), HOST)
    assert asked["control_plane_endpoints_config"]["dns_endpoint_config"]["allow_external_traffic"] is named


def test_a_cluster_without_a_name_is_reached_at_its_address(other: Run) -> None:
    config = yaml.safe_load(other.outputs["serving_kubeconfig"])["clusters"][0]["cluster"]
    assert config["server"] == f"https://{address('serving')}"
    assert config["certificate-authority-data"]
    assert other.outputs["serving_cluster_endpoint"] == address("serving")


def test_clusters_are_hardened(run: Run) -> None:
    for name in run.clusters:
        cluster = run.cluster(name).inputs
        assert cluster["enableShieldedNodes"] is True
        assert cluster["masterAuth"]["clientCertificateConfig"]["issueClientCertificate"] is False
        assert cluster["anonymousAuthenticationConfig"]["mode"] == "LIMITED"
        assert set(cluster["rbacBindingConfig"].values()) == {False}
        assert cluster["costManagementConfig"]["enabled"] is True
        assert cluster["monitoringConfig"]["managedPrometheus"]["enabled"] is True
        assert {"SYSTEM_COMPONENTS", "DCGM"} <= set(cluster["monitoringConfig"]["enableComponents"])
        # Dataplane V2 has its own, and GKE refuses both.
        assert "networkPolicy" not in cluster


def test_a_maintenance_window_goes_on_into_the_next_day() -> None:
    settings: Any = {"days": ["FR", "SA"], "start": "22:00", "hours": 6}
    window: Any = upkeep(spec(maintenance=settings))["maintenance_policy"]
    assert window["recurring_window"] == {
        "start_time": "2024-01-01T22:00:00Z",
        "end_time": "2024-01-02T04:00:00Z",
        "recurrence": "FREQ=WEEKLY;BYDAY=FR,SA",
    }


def test_secrets_are_encrypted_by_a_key_that_gke_may_use(prod: Run) -> None:
    for name in prod.clusters:
        cluster = prod.cluster(name)
        assert cluster.inputs["databaseEncryption"] == {"state": "ENCRYPTED", "keyName": f"{name}-secrets_id"}
        (grant,) = (
            each
            for each in prod.of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
            if each.inputs["cryptoKeyId"] == f"{name}-secrets_id"
        )
        assert grant.inputs["member"] == "serviceAccount:robot.container.googleapis.com@google.example"
        assert grant.urn in prod.needs(cluster)
        (ring,) = (each for each in prod.of_type("gcp:kms/keyRing:KeyRing") if each.name == f"{name}-secrets")
        assert ring.inputs["location"] == prod.clusters[name]["region"]


def test_a_key_that_is_there_is_used_and_none_is_made(other: Run) -> None:
    assert other.cluster("training").inputs["databaseEncryption"]["keyName"] == KEY
    (grant,) = other.of_type("gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember")
    assert grant.inputs["cryptoKeyId"] == KEY
    assert "databaseEncryption" not in other.cluster("serving").inputs
    assert not other.of_type("gcp:kms/keyRing:KeyRing")


def test_backups_are_made_where_the_settings_ask(prod: Run) -> None:
    plans = {each.inputs["cluster"]: each.inputs for each in prod.of_type("gcp:gkebackup/backupPlan:BackupPlan")}
    assert set(plans) == {f"{name}_id" for name in prod.clusters}
    assert plans["serving_id"]["backupSchedule"] == {"cronSchedule": "0 3 * * *"}
    assert "gke_backup_agent_config" in addons(spec(backup={}))
    assert "gke_backup_agent_config" not in addons(spec())


# Node pools.


def chain(run: Run, cluster: str) -> list[Asked]:
    """A cluster's pools, each after those that it needs."""
    own = [each for each in run.of_type(POOL) if each.inputs["cluster"] == f"{cluster}_id"]
    return sorted(own, key=lambda each: len(run.needs(each)))


def test_pools_of_a_cluster_change_one_at_a_time(other: Run) -> None:
    pools = chain(other, "training")
    assert [each.inputs["name"] for each in pools] == ["system", "queued", "near"]
    for before, after in pairwise(pools):
        assert before.urn in other.needs(after)


def test_upgrades_need_no_spare_machine(run: Run) -> None:
    for each in run.of_type(POOL):
        assert each.inputs["upgradeSettings"] == {"maxSurge": 0, "maxUnavailable": 1}


def pool_of(**settings: Any) -> dict[str, Any]:
    """The configuration of each node of a pool with these settings."""
    pool = spec(node_pools={"gpu": L4 | settings}).node_pools["gpu"]
    return dict(node_config(pool, "nodes@example", {"role": "test"}, {"team": "a"}))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"spot": True}, {"spot": True, "flex_start": False}),
        (
            {"flex_start": True},
            {"flex_start": True, "reservation_affinity": {"consume_reservation_type": "NO_RESERVATION"}},
        ),
        ({"max_run_hours": 24}, {"max_run_duration": "86400s"}),
        (
            {"reservation": "mine"},
            {
                "reservation_affinity": {
                    "consume_reservation_type": "SPECIFIC_RESERVATION",
                    "key": "compute.googleapis.com/reservation-name",
                    "values": ["mine"],
                }
            },
        ),
        ({"local_ssds": {"count": 1}}, {"ephemeral_storage_local_ssd_config": {"local_ssd_count": 1}}),
        ({"local_ssds": {"count": 1, "use": "block"}}, {"local_nvme_ssd_block_config": {"local_ssd_count": 1}}),
        ({"image_streaming": True}, {"gcfs_config": {"enabled": True}}),
        ({"fast_socket": True}, {"fast_socket": {"enabled": True}, "gvnic": {"enabled": True}}),
        ({"labels": {"tier": "gold"}}, {"labels": {"role": "test", "tier": "gold"}, "resource_labels": {"team": "a"}}),
        ({}, {"disk_size_gb": 100, "disk_type": "pd-balanced", "workload_metadata_config": {"mode": "GKE_METADATA"}}),
    ],
)
def test_a_pools_nodes_are_as_its_settings_say(settings: dict[str, Any], expected: dict[str, Any]) -> None:
    assert pool_of(**settings).items() >= expected.items()


def test_what_is_left_out_is_asked_of_no_node() -> None:
    assert not pool_of().keys() & {
        "max_run_duration",
        "reservation_affinity",
        "fast_socket",
        "local_nvme_ssd_block_config",
        "ephemeral_storage_local_ssd_config",
    }
    assert pool_of(secure_boot=False)["shielded_instance_config"]["enable_secure_boot"] is False


def test_a_gpu_always_has_its_driver_and_one_taint() -> None:
    plain = pool_of()
    (gpu,) = plain["guest_accelerators"]
    assert gpu["gpu_driver_installation_config"] == {"gpu_driver_version": "DEFAULT"}
    assert plain["taints"] == [GPU_TAINT]
    sharing = {"strategy": "MPS", "clients": 4}
    (shared,) = pool_of(accelerator={"type": "nvidia-l4", "driver": "LATEST", "sharing": sharing})["guest_accelerators"]
    assert shared["gpu_driver_installation_config"] == {"gpu_driver_version": "LATEST"}
    assert shared["gpu_sharing_config"] == {"gpu_sharing_strategy": "MPS", "max_shared_clients_per_gpu": 4}


def test_pools_that_are_waited_for_and_compact_ones_are_asked_for_as_such(other: Run) -> None:
    _, queued, near = (each.inputs for each in chain(other, "training"))
    assert queued["queuedProvisioning"] == {"enabled": True}
    assert queued["management"] == {"autoRepair": False, "autoUpgrade": True}
    assert "placementPolicy" not in queued
    assert near["placementPolicy"] == {"type": "COMPACT"}
    assert near["management"]["autoRepair"] is True
    assert (near["maxPodsPerNode"], near["nodeLocations"]) == (32, ["us-west1-a"])


# Another life.


def test_a_cluster_made_anew_is_another_one_to_its_provider(run: Run) -> None:
    for name in run.clusters:
        # Pulumi gives it a name with a random part, so that no two clusters ever have the same link.
        assert "name" not in run.cluster(name).inputs
        (provider,) = (each for each in run.of_type("pulumi:providers:kubernetes") if each.name == f"{name}-provider")
        assert provider.inputs["clusterIdentifier"] == f"https://container.example/{name}-1234567"


def test_what_would_replace_what_is_protected_is_refused(prod: Run) -> None:
    kinds = {
        "gcp:container/cluster:Cluster": len(prod.clusters),
        "gcp:container/nodePool:NodePool": 2 * len(prod.clusters),
        "gcp:kms/cryptoKey:CryptoKey": len(prod.clusters),
    }
    for type_, number in kinds.items():
        assert [each.protect for each in prod.of_type(type_)] == [True] * number
    assert not [each.name for each in run_of("local").asked if each.protect]


# Storage.


def test_every_member_has_the_storage_classes(run: Run) -> None:
    for name, cluster in run.clusters.items():
        own = {
            each.object_name: each.inputs
            for each in run.of_kind("StorageClass")
            if each.provider.split("::")[-2] == f"{name}-provider"
        }
        assert set(own) == {"checkpoints", "models"}
        assert {each["reclaimPolicy"] for each in own.values()} == {"Retain"}
        files = IPv4Network(own["models"]["parameters"]["reserved-ipv4-cidr"])
        taken = addresses(cluster["slot"])
        assert not any(files.overlaps(each) for each in (taken.nodes, taken.pods, taken.services))
        drivers = run.cluster(name).inputs["addonsConfig"]
        assert {key for key, value in drivers.items() if value["enabled"]} >= {
            "gcsFuseCsiDriverConfig",
            "gcePersistentDiskCsiDriverConfig",
            "gcpFilestoreCsiDriverConfig",
        }


# Workloads: what they reach of Google Cloud, of each other, and of the world.


def test_pods_act_as_their_namespaces_account_in_the_named_buckets_alone(other: Run) -> None:
    (account,) = (each for each in other.of_type("gcp:serviceaccount/account:Account") if each.name == "ai-workloads")
    email = f"{account.inputs['accountId']}@project.example"
    grants = other.of_type("gcp:storage/bucketIAMMember:BucketIAMMember")
    assert {(each.inputs["bucket"], each.inputs["role"], each.inputs["member"]) for each in grants} == {
        ("my-data", "roles/storage.objectViewer", f"serviceAccount:{email}"),
        ("my-checkpoints", "roles/storage.objectUser", f"serviceAccount:{email}"),
    }
    (binding,) = other.of_type("gcp:serviceaccount/iAMMember:IAMMember")
    assert binding.inputs["role"] == "roles/iam.workloadIdentityUser"
    assert binding.inputs["member"] == "serviceAccount:my-project.svc.id.goog[ai/finetune]"
    # The pool of identities is the first cluster's.
    assert {other.cluster(name).urn for name in other.clusters} <= other.needs(binding)
    federated = other.one("FederatedServiceAccount", "finetune")
    (patches,) = (each["clusterOverrides"] for each in federated.inputs["spec"]["overrides"])
    annotation = {"path": f"/metadata/annotations/{ANNOTATION.replace('/', '~1')}", "op": "add"}
    (patch,) = patches
    assert patch.items() >= annotation.items()
    assert patch["value"] == f"{account.inputs['accountId']}@my-project.iam.gserviceaccount.com"
    assert {each.urn for each in grants} <= other.needs(other.one("FederatedJob", "finetune"))
    assert "overrides" not in other.one("FederatedServiceAccount", "inference").inputs["spec"]


def test_without_buckets_there_is_no_account_for_workloads(prod: Run) -> None:
    assert not [each for each in prod.of_type("gcp:serviceaccount/account:Account") if "workloads" in each.name]


def test_clusters_join_the_fleet_and_export_what_workloads_name(other: Run) -> None:
    (feature,) = other.of_type("gcp:gkehub/feature:Feature")
    assert (feature.inputs["name"], feature.inputs["location"]) == ("multiclusterservicediscovery", "global")
    assert {other.cluster(name).urn for name in other.clusters} <= other.needs(feature)
    for name in other.clusters:
        assert other.cluster(name).inputs["fleet"] == {"project": "my-project"}
    importer = [
        each for each in other.of_type("gcp:projects/iAMMember:IAMMember") if "gke-mcs" in each.inputs["member"]
    ]
    assert [each.inputs["role"] for each in importer] == ["roles/compute.networkViewer"]
    (export,) = other.of_kind("ServiceExport")
    assert export.type == "kubernetes:net.gke.io/v1:ServiceExport"
    assert (export.object_name, export.inputs["metadata"]["namespace"]) == ("inference", "ai")
    assert export.provider.split("::")[-2] == "serving-provider"
    assert {feature.urn, other.one("FederatedService", "inference").urn} <= other.needs(export)


def test_without_the_setting_there_is_no_fleet(prod: Run) -> None:
    assert not prod.of_type("gcp:gkehub/feature:Feature")
    assert not prod.of_kind("ServiceExport")
    assert all("fleet" not in prod.cluster(name).inputs for name in prod.clusters)


def test_namespaces_are_closed_wherever_a_workload_goes(other: Run) -> None:
    for workload, cluster in (("finetune", "training"), ("inference", "serving")):
        policy = other.one("FederatedNetworkPolicy", f"{workload}-default-deny").inputs["spec"]
        assert policy["placement"]["clusters"] == [{"name": cluster}]
        assert policy["template"]["spec"]["podSelector"] == {}
    opened = other.one("FederatedNetworkPolicy", "inference-deployments-inference").inputs["spec"]["template"]["spec"]
    assert opened["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 8000}]
