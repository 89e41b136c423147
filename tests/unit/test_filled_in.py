"""What Google fills in replaces neither a cluster nor a pool, and pools start with the nodes of their minimum."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from clusters import filled_in
from clusters.node_config import node_config
from clusters.pools.first_nodes import first_nodes
from clusters.pools.spec import NodePool
from clusters.spec import Cluster, warnings
from local.gcp.plugin import KINDS
from local.gcp.resource import lacking
from local.plugin import Resource
from local.wire import Properties
from tests.unit.local.google import CLUSTER, POOL, Google
from tests.unit.program import Asked, Run

# Fields of Google's Terraform provider 8.0 that are Optional, ForceNew and not Computed, by Pulumi's names.
_CLUSTER_FIELDS = """
    dataplaneOptimizationMode description enableAutopilot enableFqdnNetworkPolicy enableK8sBetaApis
    enableKubernetesAlpha enableL4IlbSubsetting initialNodeCount network
    privateClusterConfig.privateEndpointSubnetwork
    userManagedKeysConfig.aggregationCa userManagedKeysConfig.clusterCa userManagedKeysConfig.etcdApiCa
    userManagedKeysConfig.etcdPeerCa
"""
_NODE_FIELDS = """
    advancedMachineFeatures bootDiskKmsKey confidentialNodes.confidentialInstanceType enableConfidentialStorage
    ephemeralStorageConfig ephemeralStorageLocalSsdConfig ephemeralStorageLocalSsdConfig.dataCacheCount flexStart
    hostMaintenancePolicy localNvmeSsdBlockConfig localSsdEncryptionMode maxRunDuration nodeGroup preemptible
    reservationAffinity sandboxConfig secondaryBootDisks soleTenantConfig spot
"""
_POOL_FIELDS = [
    "bestEffortProvisioning",
    "initialNodeCount",
    "networkConfig.acceleratorNetworkProfile",
    "networkConfig.additionalPodNetworkConfigs",
    "networkConfig.createPodRange",
    "placementPolicy",
    "placementPolicy.policyName",
    "queuedProvisioning",
    *(f"nodeConfig.{each}" for each in _NODE_FIELDS.split()),
]
# Settings set these: one that is removed must make another pool. The provider's own tests make pools without them,
# and find nothing that GKE has filled in.
_BY_SETTINGS = {
    "placementPolicy": "compact",
    "queuedProvisioning": "queued",
    "nodeConfig.ephemeralStorageLocalSsdConfig": "local_ssds",
    "nodeConfig.localNvmeSsdBlockConfig": "local_ssds",
    "nodeConfig.maxRunDuration": "max_run_hours",
    "nodeConfig.reservationAffinity": "reservation",
}


def is_ignored(path: str, ignored: tuple[str, ...] | list[str]) -> bool:
    return any(path == each or path.startswith(f"{each}.") for each in ignored)


def test_every_field_that_google_may_fill_in_is_sent_or_ignored(run: Run) -> None:
    for kind, fields in ((CLUSTER, _CLUSTER_FIELDS.split()), (POOL, _POOL_FIELDS)):
        for each in run.of_type(kind):
            open_ = {path for path in fields if lacking(dict(each.inputs), path) and not is_ignored(path, each.ignored)}
            assert open_ <= _BY_SETTINGS.keys(), each.name


@pytest.mark.parametrize(
    ("settings", "ignored"),
    [
        ({"machine_type": "g2-standard-8"}, set[str]()),
        ({"machine_type": "g2-standard-8", "flex_start": True}, {"nodeConfig.maxRunDuration"}),
        ({"machine_type": "g2-standard-8", "queued": True}, {"nodeConfig.maxRunDuration"}),
        ({"machine_type": "g2-standard-8", "flex_start": True, "max_run_hours": 24}, set[str]()),
        (
            {"machine_type": "a3-highgpu-8g"},
            {"nodeConfig.ephemeralStorageLocalSsdConfig", "nodeConfig.localNvmeSsdBlockConfig"},
        ),
        ({"machine_type": "a3-highgpu-8g", "local_ssds": {"count": 16}}, set[str]()),
        ({"machine_type": "a4-highgpu-8g-nolssd"}, set[str]()),
    ],
)
def test_what_follows_from_a_setting_is_ignored_where_gke_fills_it_in(settings: Any, ignored: set[str]) -> None:
    found = filled_in.of_pool(NodePool.model_validate(settings))
    assert {path for path in _BY_SETTINGS if is_ignored(path, found)} == ignored


def in_engine(old: Properties, new: Properties, ignored: tuple[str, ...]) -> Properties:
    """The new inputs as Pulumi's engine gives them to the provider: as the old ones where changes are ignored."""
    found = deepcopy(new)
    for path in ignored:
        *way, last = path.split(".")
        before: Any = old
        after: Any = found
        for step in way:
            before, after = (each.get(step) if isinstance(each, dict) else None for each in (before, after))  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        if isinstance(after, dict):
            after.pop(last, None)  # pyright: ignore[reportUnknownMemberType]
            if isinstance(before, dict) and last in before:
                after[last] = before[last]
    return found


def replaced(google: Google, each: Asked, old: Properties, state: Properties) -> list[str]:
    """The fields of an existing resource, with these inputs and outputs, that would replace it."""
    new = in_engine(old, dict(each.inputs), each.ignored)
    return google.plugin.diff(Resource("", each.type, each.name, "id", False, each.ignored), old, state, new).replaces


def test_whatever_google_fills_in_replaces_nothing(run: Run, tmp_path: Path) -> None:
    google = Google(tmp_path)
    for kind in (CLUSTER, POOL):
        fields = sorted(KINDS[kind].fixed - KINDS[kind].computed - _BY_SETTINGS.keys())
        assert len(fields) > 7
        for each in run.of_type(kind):
            for path in fields:
                state: Properties = deepcopy(dict(each.inputs))
                *way, last = path.split(".")
                outer: Any = state
                for step in way:
                    outer = outer.setdefault(step, {})
                outer.setdefault(last, "filled in")
                assert replaced(google, each, dict(each.inputs), state) == [], (each.name, path)


def test_what_the_last_release_made_is_not_replaced(run: Run, tmp_path: Path) -> None:
    google = Google(tmp_path)
    for each in run.of_type(POOL):
        old = {key: value for key, value in each.inputs.items() if key != "initialNodeCount"}
        for returned in (0, 3):
            assert replaced(google, each, old, old | {"initialNodeCount": returned}) == []


# How long machines run.


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"flex_start": True}, "604800s"),
        ({"flex_start": True, "queued": True}, "604800s"),
        ({"flex_start": True, "max_run_hours": 24}, "86400s"),
        ({"queued": True}, None),
        ({"queued": True, "max_run_hours": 24}, "86400s"),
        ({}, None),
    ],
)
def test_machines_that_come_by_flex_start_run_for_seven_days(settings: Any, expected: str | None) -> None:
    pool = NodePool.model_validate({"machine_type": "g2-standard-8"} | settings)
    assert node_config(pool, "nodes@example", {}, {}).get("max_run_duration") == expected


# With how many nodes a pool starts.


def pool(least: int, most: int, zones: int = 0) -> NodePool:
    names = [f"us-west1-{letter}" for letter in "abc"[:zones]]
    return NodePool(machine_type="g2-standard-8", min_nodes=least, max_nodes=most, zones=names)


@pytest.mark.parametrize(
    ("least", "most", "zones", "of_cluster", "expected"),
    [
        (0, 8, 1, 0, 0),
        (2, 8, 1, 3, 2),
        (2, 8, 2, 0, 1),
        (2, 8, 0, 2, 1),
        (2, 4, 0, 0, 1),
        (4, 8, 0, 0, 2),
        (4, 5, 0, 0, 1),
        (1, 1, 0, 0, 0),
        (1, 3, 0, 0, 1),
        (5, 5, 1, 0, 5),
    ],
)
def test_a_pool_starts_with_its_minimum_and_never_with_more_than_its_maximum(
    least: int, most: int, zones: int, of_cluster: int, expected: int
) -> None:
    cluster_zones = [f"us-west1-{letter}" for letter in "abc"[:of_cluster]]
    found = first_nodes(pool(least, most, zones), cluster_zones)
    assert found == expected
    assert found * (zones or of_cluster or 3) <= most


def test_every_pool_asks_for_its_first_nodes(run: Run) -> None:
    for each in run.of_type(POOL):
        zones = each.inputs.get("nodeLocations") or run.clusters[each.inputs["cluster"][:-3]].get("zones") or "abc"
        least = each.inputs["autoscaling"]["totalMinNodeCount"]
        assert each.inputs["initialNodeCount"] * len(zones) >= least
        assert (each.inputs["initialNodeCount"] == 0) == (least == 0)


def test_a_pool_that_starts_with_less_than_its_minimum_is_a_warning() -> None:
    def reported(least: int, most: int, zones: list[str]) -> list[str]:
        settings = {"machine_type": "g2-standard-8", "min_nodes": least, "max_nodes": most}
        plain = {"region": "us-west1", "slot": 0, "role": "test", "zones": zones, "node_pools": {"gpu": settings}}
        return list(warnings({"a": Cluster.model_validate(plain)}))

    (text,) = reported(1, 1, [])
    assert text.startswith("clusters.a.node_pools.gpu.max_nodes: 1: ")
    assert "starts with 0 and not with min_nodes, 1; write 3, or fewer zones" in text
    assert reported(1, 1, ["us-west1-a"]) == reported(1, 3, []) == reported(0, 1, []) == []
    (text,) = reported(4, 5, [])
    assert "starts with 3 and not with min_nodes, 4; write 6" in text
