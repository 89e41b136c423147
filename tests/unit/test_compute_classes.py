"""Compute classes: what is refused of their settings, and the objects, the pools and the clusters that follow."""

from collections.abc import Mapping
from typing import Any

import pytest

from clusters import filled_in
from clusters.auto_provisioning import auto_provisioning
from clusters.classes.spec import LABEL, ComputeClass
from clusters.compute_classes import class_spec
from clusters.node_config import node_config
from clusters.pools.spec import NodePool
from clusters.spec import Cluster, check_clusters, member_labels, warnings
from problems import check_models
from tests.unit import test_accelerators as accelerators
from tests.unit.program import ROOT, Run, run_program

L4: dict[str, Any] = {"machine_type": "g2-standard-8"}
V6E = {"type": "tpu-v6e-slice", "count": 4, "topology": "2x4"}
OWN = L4 | {"max_nodes": 2, "compute_class": "fast"}
LIMITS = {"cpu": {"max": 400}, "memory": {"max": 4000}, "nvidia-l4": {"max": 8}, "tpu-v6e-slice": {"max": 8}}


def cluster(*priorities: Any, **settings: Any) -> dict[str, Any]:
    """The plain settings of a cluster with a class named fast, which creates pools, and a pool of it."""
    spec = {"priorities": [{"pools": ["own"]}, *priorities], "create_pools": bool(priorities)}
    plain: dict[str, Any] = {
        "region": "us-west1",
        "slot": 0,
        "role": "test",
        "zones": ["us-west1-b"],
        "node_pools": {"own": OWN},
        "compute_classes": {"fast": spec | settings.pop("fast", {})},
        "auto_provisioning": {"limits": LIMITS},
    }
    return plain | settings


def reported(plain: Mapping[str, Any]) -> list[str]:
    found: list[Any] = []
    clusters = check_models("clusters", {"a": plain}, Cluster, "a", found)
    return [str(each) for each in [*found, *check_clusters(clusters)]]


@pytest.mark.parametrize(
    "plain",
    [
        cluster(),
        cluster(auto_provisioning=None),
        cluster(L4 | {"reservation": "mine"}, L4 | {"spot": True}, L4 | {"flex_start": True}, L4),
        cluster(L4 | {"reservation": "any"}, {"machine_family": "n2", "min_cores": 8, "min_memory_gb": 32}),
        cluster({"gpu": {"type": "nvidia-l4", "count": 4}}, {"spot": True}),
        cluster({"machine_family": "g2", "gpu": {"type": "nvidia-l4"}}),
        cluster({"tpu": V6E, "reservation": "projects/p/reservations/r/reservationBlocks/b"}),
        cluster({"tpu": V6E, "machine_type": "ct6e-standard-4t", "flex_start": True}),
        cluster(fast={"when_unsatisfiable": "ScaleUpAnyway", "create_pools": True}),
        cluster({"machine_type": "x9-standard-8"}),
    ],
)
def test_what_gke_takes_is_taken(plain: Mapping[str, Any]) -> None:
    assert reported(plain) == []


CLASS = "clusters.a.compute_classes.fast"
SECOND = f"{CLASS}.priorities.1"
MISTAKES: list[tuple[dict[str, Any], str]] = [
    (cluster(compute_classes={"gke-fast": {"priorities": [{"pools": ["own"]}]}}), "GKE keeps names that begin with"),
    (
        cluster(compute_classes={"autopilot": {"priorities": [{"pools": ["own"]}]}}),
        "gke or autopilot; write",
    ),
    (cluster(compute_classes={"default": {"priorities": [{"pools": ["own"]}]}}), "for the pods that select no class"),
    (cluster(fast={"priorities": []}), f"{CLASS}.priorities: []: "),
    (cluster({"pools": ["own2"]}), f"{SECOND}.pools: 'own2': not a node pool of this cluster; write own"),
    (cluster({"pools": ["system"]}), f"{SECOND}.pools: 'system': not a node pool of this cluster"),
    (cluster(fast={"priorities": [{"pools": ["own", "own"]}]}), "named twice; remove one"),
    (cluster({"pools": ["own"]}), f"{SECOND}: the same as one before it; remove it"),
    (
        cluster({"pools": ["b"]}, node_pools={"own": OWN, "b": L4}),
        f"{SECOND}.pools: 'b': its compute_class is none; write compute_class: fast there",
    ),
    (cluster(node_pools={"own": OWN | {"compute_class": "slow"}}), "its compute_class is slow; write"),
    (
        cluster(node_pools={"own": OWN, "b": OWN | {"compute_class": "fats"}}),
        "clusters.a.node_pools.b.compute_class: 'fats': not a class of this cluster; write fast",
    ),
    (
        cluster(node_pools={"own": OWN, "b": OWN}),
        "clusters.a.node_pools.b.compute_class: 'fast': no priority of it names this pool",
    ),
    (cluster(L4 | {"pools": ["own"]}), f"{SECOND}.machine_type: 'g2-standard-8': machines of pools are said by"),
    (cluster({"pools": ["own"], "spot": True}), f"{SECOND}.spot: True: machines of pools are said by the pools"),
    (cluster({}), f"{SECOND}: says nothing; write pools, machine_type, machine_family, gpu or tpu"),
    (cluster(L4 | {"machine_family": "g2"}), "cannot have both machine_type and machine_family"),
    (cluster(L4 | {"min_cores": 4}), "cannot have both machine_type and min_cores"),
    (cluster(L4 | {"min_memory_gb": 4}), "cannot have both machine_type and min_memory_gb"),
    (cluster(L4 | {"tpu": V6E}), "cannot have both gpu and tpu"),
    (cluster({"tpu": V6E, "machine_family": "ct6e"}), "cannot have both tpu and machine_family"),
    (cluster(L4 | {"flex_start": True, "spot": True}), f"{SECOND}.spot: True: a priority cannot have both spot and"),
    (cluster(L4 | {"reservation": "r", "spot": True}), "cannot have both spot and reservation"),
    (cluster(L4 | {"reservation": "r", "flex_start": True}), "cannot have both flex_start and reservation"),
    (cluster({"tpu": V6E, "reservation": "any"}), f"{SECOND}.reservation: 'any': TPUs come from a reservation by its"),
    (cluster(L4 | {"zones": ["us-east1-b"]}), f"{SECOND}.zones: 'us-east1-b': not a zone of us-west1"),
    (
        cluster({"machine_type": "a2-highgpu-1g", "gpu": {"type": "nvidia-l4"}}),
        f"{SECOND}.gpu.type: 'nvidia-l4': a2-highgpu-1g has nvidia-tesla-a100",
    ),
    (cluster(L4 | {"gpu": {"type": "nvidia-l4", "count": 2}}), f"{SECOND}.gpu.count: 2: g2-standard-8 has 1; write"),
    (cluster({"machine_type": "g2-standard-9"}), f"{SECOND}.machine_type: 'g2-standard-9': not a machine type of g2"),
    (cluster({"machine_family": "n2", "gpu": {"type": "nvidia-l4"}}), "machines of n2 take no GPU"),
    (cluster({"machine_type": "ct6e-standard-4t"}), f"{SECOND}.tpu: ct6e-standard-4t has TPUs, and a slice needs a"),
    (cluster({"tpu": V6E | {"type": "v6e"}}), f"{SECOND}.tpu.type: 'v6e': not a TPU of GKE; write"),
    (cluster({"tpu": V6E | {"count": 2}}), f"{SECOND}.tpu.count: 2: machines of tpu-v6e-slice have 1 or 4 or 8"),
    (cluster({"tpu": V6E | {"topology": "3x3"}}), f"{SECOND}.tpu.topology: '3x3': machines of 4 chips make no such"),
    (cluster({"tpu": V6E, "machine_type": "ct5lp-hightpu-4t"}), "it has no tpu-v6e-slice; write one of ct6e"),
    (
        cluster(L4, auto_provisioning=None),
        f"{CLASS}.create_pools: True: GKE creates no pools here; write auto_provisioning with limits",
    ),
    (cluster(L4, auto_provisioning={"enabled": False}), "GKE creates no pools here"),
    (cluster(L4, fast={"create_pools": False}), "false, and priorities 1 name no pools, so that no machine is ever"),
    (cluster(fast={"create_pools": True}), f"{CLASS}.create_pools: True: every priority names own pools; write false"),
    (
        cluster({"machine_type": "a2-highgpu-1g"}),
        f"{SECOND}: auto_provisioning.limits has no nvidia-tesla-a100, so that none is ever made",
    ),
    (
        cluster({"gpu": {"type": "nvidia-l4", "count": 8}}),
        f"{SECOND}: needs 8 of nvidia-l4, and auto_provisioning.limits leaves 6 beside the cluster's own pools; write "
        "at least 10 there",
    ),
    (
        cluster({"tpu": V6E | {"topology": "4x4"}}),
        f"{SECOND}: needs 16 of tpu-v6e-slice, and auto_provisioning.limits leaves 8",
    ),
    (
        cluster(auto_provisioning={"limits": LIMITS | {"cpu": {"max": 20}}}),
        "clusters.a.auto_provisioning.limits.cpu.max: 20: the cluster's own pools have up to 28 at their largest",
    ),
    (
        cluster(auto_provisioning={"limits": {"cpu": {"max": 99}}}),
        "clusters.a.auto_provisioning.limits.memory: required; write max",
    ),
    (
        cluster(auto_provisioning={"limits": LIMITS | {"cpu": {"min": 500, "max": 400}}}),
        "min 500 is above max 400; write a larger max",
    ),
    (
        cluster(auto_provisioning={"limits": LIMITS | {"gpus": {"max": 4}}}),
        "clusters.a.auto_provisioning.limits: 'gpus': neither a resource nor an accelerator; write",
    ),
    (cluster(auto_provisioning={"limits": LIMITS, "zones": ["us-east1-b"]}), "auto_provisioning.zones: 'us-east1-b'"),
    (
        cluster(node_pools={"own": OWN | {"preload": ["projects/p/global/images/i"]}}),
        "clusters.a.node_pools.own.image_streaming: False: containers start from preloaded images by image streaming",
    ),
    (
        cluster(node_pools={"own": OWN | {"image_streaming": True, "preload": ["projects/p/global/images/i"] * 2}}),
        "clusters.a.node_pools.own.preload: 'projects/p/global/images/i': written twice; remove one",
    ),
    (
        cluster(node_pools={"own": OWN | {"preload": ["models"]}}),
        "node_pools.own.preload.0: 'models': write",
    ),
]


@pytest.mark.parametrize(("plain", "text"), MISTAKES, ids=[str(number) for number in range(len(MISTAKES))])
def test_what_makes_no_machine_is_refused_with_what_to_write(plain: Mapping[str, Any], text: str) -> None:
    found = reported(plain)
    assert any(text in each for each in found), found


def test_machines_that_no_table_has_are_warnings() -> None:
    spec = Cluster.model_validate(cluster({"machine_type": "x9-standard-8"}, {"machine_family": "x9"}))
    first, second = (each for each in warnings({"a": spec}) if "compute_classes" in each)
    assert first.startswith(f"{SECOND}.machine_type: ") and second.startswith(f"{CLASS}.priorities.2.machine_family: ")


# What is made.


def spec_of(*priorities: Any, **settings: Any) -> dict[str, Any]:
    return class_spec(ComputeClass.model_validate({"priorities": [*priorities]} | settings), {"role": "test"})


def test_what_differs_between_versions_of_gke_is_always_written() -> None:
    assert spec_of({"pools": ["own"]}) == {
        "priorities": [{"nodepools": ["own"]}],
        "whenUnsatisfiable": "DoNotScaleUp",
        "nodePoolAutoCreation": {"enabled": False},
    }
    found = spec_of(L4, create_pools=True, when_unsatisfiable="ScaleUpAnyway", migrate=True)
    assert found["nodePoolAutoCreation"] == {"enabled": True} and found["whenUnsatisfiable"] == "ScaleUpAnyway"
    assert found["activeMigration"] == {"optimizeRulePriority": True}
    assert found["nodePoolConfig"] == {"nodeLabels": {"role": "test"}}


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        (L4, {"machineType": "g2-standard-8", "gpu": {"type": "nvidia-l4", "count": 1, "driverVersion": "default"}}),
        ({"machine_family": "n2", "min_cores": 8}, {"machineFamily": "n2", "minCores": 8}),
        ({"spot": True, "min_memory_gb": 4}, {"spot": True, "minMemoryGb": 4}),
        ({"tpu": V6E, "flex_start": True}, {"tpu": V6E, "flexStart": {"enabled": True}}),
        ({"spot": True, "zones": ["us-west1-b"]}, {"spot": True, "location": {"zones": ["us-west1-b"]}}),
        ({"spot": True, "max_run_hours": 2}, {"spot": True, "maxRunDurationSeconds": 7200}),
        ({"min_cores": 1, "reservation": "any"}, {"minCores": 1, "reservations": {"affinity": "AnyBestEffort"}}),
        (
            {"min_cores": 1, "reservation": "r"},
            {"minCores": 1, "reservations": {"affinity": "Specific", "specific": [{"name": "r"}]}},
        ),
        (
            {"min_cores": 1, "reservation": "projects/p/reservations/r/reservationBlocks/b"},
            {
                "minCores": 1,
                "reservations": {
                    "affinity": "Specific",
                    "specific": [{"name": "r", "project": "p", "reservationBlock": {"name": "b"}}],
                },
            },
        ),
    ],
)
def test_a_priority_is_written_as_gke_has_it(priority: Any, expected: Any) -> None:
    (found,) = spec_of(priority)["priorities"]
    assert found == {"spot": False, "maxPodsPerNode": 110} | expected


def test_a_pool_of_a_class_has_its_label_and_taint() -> None:
    config: Any = node_config(NodePool.model_validate(OWN), "nodes@example", {"role": "test"}, {})
    assert config["labels"] == {"role": "test", LABEL: "fast"}
    own = {"key": LABEL, "value": "fast", "effect": "NO_SCHEDULE"}
    assert config["taints"] == [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}, own]
    cpus: Any = node_config(NodePool(machine_type="n2-standard-8", compute_class="cpus"), "nodes@example", {}, {})
    assert cpus["taints"] == [own | {"value": "cpus"}]


def test_a_cluster_without_the_setting_is_left_as_it_is() -> None:
    plain = Cluster.model_validate(cluster(auto_provisioning=None))
    assert auto_provisioning(plain, "nodes@example") == {}
    ended = Cluster.model_validate(cluster(auto_provisioning={"enabled": False}))
    assert auto_provisioning(ended, "nodes@example") == {"cluster_autoscaling": {"enabled": False}}


def test_a_key_that_google_may_fill_in_replaces_no_cluster() -> None:
    key = "clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey"
    assert key in filled_in.of_cluster(Cluster.model_validate(cluster(L4)))
    assert key not in filled_in.of_cluster(Cluster.model_validate(cluster(auto_provisioning=None)))


def test_gke_creates_nodes_as_those_of_the_clusters_own_pools() -> None:
    found: Any = auto_provisioning(Cluster.model_validate(cluster(L4)), "nodes@example")
    autoscaling = found["cluster_autoscaling"]
    assert autoscaling["enabled"] is True
    assert {"resource_type": "nvidia-l4", "minimum": 0, "maximum": 8} in autoscaling["resource_limits"]
    assert autoscaling["auto_provisioning_defaults"]["service_account"] == "nodes@example"
    assert autoscaling["auto_provisioning_locations"] == ["us-west1-b"]
    assert found["node_pool_auto_config"] == {"network_tags": {"tags": ["federation-member"]}}


def test_members_have_the_accelerators_that_gke_may_create() -> None:
    plain = cluster({"machine_type": "a2-highgpu-1g"}, node_pools={})
    assert member_labels(Cluster.model_validate(plain))["accelerator/nvidia-tesla-a100"] == "true"
    assert "accelerator/nvidia-tesla-a100" not in member_labels(Cluster.model_validate(cluster()))


# Preloaded images.


def test_preloaded_images_are_disks_of_each_node() -> None:
    image = "projects/p/global/images/models"
    pool = NodePool.model_validate(L4 | {"image_streaming": True, "preload": [image]})
    config: Any = node_config(pool, "nodes@example", {}, {})
    assert config["secondary_boot_disks"] == [{"disk_image": image, "mode": "CONTAINER_IMAGE_CACHE"}]
    assert "secondary_boot_disks" not in node_config(NodePool.model_validate(L4), "nodes@example", {}, {})


@pytest.mark.parametrize(
    ("settings", "ignored"),
    [({}, True), ({"preload": []}, False), ({"preload": ["projects/p/global/images/i"]}, False)],
)
def test_images_are_ignored_only_where_nothing_is_written(settings: Any, ignored: bool) -> None:
    found = filled_in.of_pool(NodePool.model_validate(L4 | settings))
    assert ("nodeConfig.secondaryBootDisks" in found) == ignored


# The program.


@pytest.fixture(scope="module")
def program(project_folder: None) -> Run:
    """The stack with every option, and a workload that runs in the clusters with a class."""
    return accelerators.run()


@pytest.mark.usefixtures("project_folder")
def test_each_class_is_made_after_its_pools_and_deleted_with_its_cluster(program: Run) -> None:
    made = program.of_kind("ComputeClass")
    assert sorted(each.object_name for each in made) == ["cpus", "fast", "kept", "slices"]
    clusters = {each.name: each.urn for each in program.of_type("gcp:container/cluster:Cluster")}
    providers = {each.name: each.urn for each in program.of_type("pulumi:providers:kubernetes")}
    for each in made:
        assert each.deleted_with == clusters["classes"]
        assert each.provider.startswith(providers["classes-provider"])
        assert each.inputs["spec"]["whenUnsatisfiable"] and "enabled" in each.inputs["spec"]["nodePoolAutoCreation"]
    own = next(each for each in program.asked if each.name == "classes-own")
    assert own.urn in program.needs(program.one("ComputeClass", "fast"))


def test_pods_that_select_a_class_are_made_after_it(project_folder: None) -> None:
    settings = accelerators.settings() | {
        "workloads": {
            "inference": {
                "manifests": "workloads/inference.yaml",
                "namespace": "ai",
                "placement": {"policy": "clusters", "clusters": ["gpus", "networks"]},
            }
        }
    }
    pools = {"node_pools": {"l4": L4 | {"spot": False, "max_nodes": 3}}}
    settings["clusters"] = settings["clusters"] | {
        name: settings["clusters"][name] | pools for name in ("gpus", "networks")
    }
    found = run_program("accelerators", settings)
    federated = next(each for each in found.kubernetes if each.kind == "FederatedDeployment")
    assert {each.urn for each in found.of_kind("ComputeClass")} <= found.needs(federated)
    assert ROOT.exists()


def test_clusters_without_classes_are_as_before(program: Run) -> None:
    for name in ("gpus", "networks", "tpus"):
        inputs = program.cluster(name).inputs
        assert "clusterAutoscaling" not in inputs and "nodePoolAutoConfig" not in inputs
