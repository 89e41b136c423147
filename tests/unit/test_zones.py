"""Zones that are not listed for a pool's accelerator, and AI zones for nodes that have none, are warnings."""

from typing import Any

import pytest

from clusters.facts.machines import BUILT_IN
from clusters.facts.regions import is_zone_of, regions
from clusters.facts.table import rows
from clusters.facts.zones import is_ai_zone, parent_zone, zones_with
from clusters.pools.spec import NodePool
from clusters.pools.zone_rules import misused_ai_zones, unlisted_places
from clusters.spec import Cluster, check_clusters, warnings
from local.gcp.places import region_of, zones

L4, A100 = {"machine_type": "g2-standard-8"}, {"machine_type": "a2-highgpu-1g"}
V6E, IRONWOOD = {"machine_type": "ct6e-standard-4t"}, {"machine_type": "tpu7x-standard-4t"}
CPU = {"machine_type": "n2-standard-8"}


def told(pool: dict[str, Any], region: str, *cluster_zones: str) -> list[str]:
    """The warnings for a cluster with one pool."""
    pools = {"own": NodePool.model_validate(pool)}
    return [
        *unlisted_places("clusters.a", pools, region, cluster_zones),
        *misused_ai_zones("clusters.a", pools, cluster_zones),
    ]


@pytest.mark.parametrize(
    ("pool", "region", "cluster_zones", "start", "words"),
    [
        (
            A100 | {"zones": ["us-west1-a"]},
            "us-west1",
            [],
            "clusters.a.node_pools.own.zones: us-west1-a: nvidia-tesla-a100 is not listed for it in "
            "clusters/facts/zones.csv",
            "write zones: [us-west1-b], or some",
        ),
        (
            A100,
            "us-west1",
            ["us-west1-c"],
            "clusters.a.node_pools.own.zones: us-west1-c, of the cluster: ",
            "us-west1-b",
        ),
        (
            {"machine_type": "a3-highgpu-8g", "zones": ["europe-west3-a"]},
            "europe-west3",
            [],
            "clusters.a.node_pools.own.zones: europe-west3-a: nvidia-h100-80gb is not listed",
            "write zones: [europe-west3-c], or",
        ),
        (
            {"machine_type": "a4x-highgpu-4g", "zones": ["us-central1-f"]},
            "us-central1",
            [],
            "clusters.a.node_pools.own.zones: us-central1-f: nvidia-gb200 is not listed",
            "zones.csv, which is not sure; if",
        ),
        (
            V6E | {"zones": ["us-east5-d"]},
            "us-east5",
            [],
            "clusters.a.node_pools.own.zones: us-east5-d: tpu-v6e-slice is not listed",
            "[us-east5-a, us-east5-b, us-east5-c]",
        ),
        (
            IRONWOOD | {"zones": ["us-central1-ai1b"]},
            "us-central1",
            [],
            "clusters.a.node_pools.own.zones: us-central1-ai1b: tpu7x is not listed",
            "[us-central1-ai1a, us-central1-c]",
        ),
        (
            V6E,
            "europe-west6",
            [],
            "clusters.a.node_pools.own.machine_type: ct6e-standard-4t: tpu-v6e-slice is not listed for europe-west6 in "
            "clusters/facts/zones.csv",
            "write another region",
        ),
        (
            L4,
            "europe-west8",
            [],
            "clusters.a.node_pools.own.accelerator.type: nvidia-l4 is not listed for europe-west8 in "
            "clusters/facts/regions.csv",
            "write another region",
        ),
        (
            CPU | {"zones": ["us-central1-ai1a"]},
            "us-central1",
            [],
            "clusters.a.node_pools.own.zones: us-central1-ai1a: an AI zone",
            "n2-standard-8 has none; write us-central1-a or another",
        ),
        (
            L4,
            "us-south1",
            ["us-south1-ai1b"],
            "clusters.a.zones: us-south1-ai1b: an AI zone",
            "the nodes of system would be there; write us-south1-b or another, and the AI zone in zones of the pools",
        ),
        (
            CPU,
            "us-south1",
            ["us-south1-ai1b"],
            "clusters.a.zones: us-south1-ai1b: an AI zone",
            "of system, own would be",
        ),
    ],
)
def test_each_kind_of_place_that_may_be_wrong_is_a_warning(
    pool: dict[str, Any], region: str, cluster_zones: list[str], start: str, words: str
) -> None:
    (text,) = (each for each in told(pool, region, *cluster_zones) if each.startswith(start))
    assert words in text


@pytest.mark.parametrize(
    ("pool", "region", "cluster_zones"),
    [
        (L4, "us-west1", ["us-west1-a", "us-west1-b", "us-west1-c"]),
        # Of the same GPU, other machines are in other zones.
        ({"machine_type": "a3-edgegpu-8g"}, "europe-west3", ["europe-west3-a"]),
        # Google chooses.
        (A100, "us-west1", []),
        # Which zones of a region have it is not known.
        ({"machine_type": "g4-standard-48"}, "us-east4", ["us-east4-a"]),
        (IRONWOOD, "europe-west2", ["europe-west2-a"]),
        # It was not seen which AI zones have it.
        (L4 | {"zones": ["us-central1-ai1a"]}, "us-central1", []),
        (V6E | {"zones": ["us-central1-ai1a"]}, "us-central1", []),
        (IRONWOOD | {"zones": ["us-central1-ai1a"]}, "us-central1", ["us-central1-c"]),
        (CPU, "us-west1", ["us-west1-a"]),
        # An accelerator that no table has.
        ({"machine_type": "g9-standard-8", "accelerator": None}, "us-west1", ["us-west1-a"]),
    ],
)
def test_what_is_listed_or_not_known_is_no_warning(pool: dict[str, Any], region: str, cluster_zones: list[str]) -> None:
    assert told(pool, region, *cluster_zones) == []


def test_a_stack_is_warned_of_them() -> None:
    raw: dict[str, Any] = {"region": "us-central1", "slot": 0, "role": "test", "zones": ["us-central1-ai1a"]}
    spec = Cluster.model_validate(
        raw | {"node_pools": {"h200": {"machine_type": "a3-ultragpu-8g", "spot": True, "zones": ["us-central1-a"]}}}
    )
    assert list(check_clusters({"a": spec})) == []
    texts = list(warnings({"a": spec}))
    assert [each.partition(": ")[0] for each in texts] == ["clusters.a.node_pools.h200.zones", "clusters.a.zones"]


@pytest.mark.parametrize("row", rows("zones.csv"), ids=lambda row: row["of"])
def test_every_zone_of_the_table_is_one_of_its_region(row: dict[str, str]) -> None:
    assert row["sure"] in ("yes", "no")
    assert all(row[key] for key in ("source", "date"))
    places = row["zones"].split("|")
    assert places == sorted({*places})
    for place in places:
        region = place if place in regions() else place.rpartition("-")[0]
        # The one region with TPU v4 has nothing else, and is not open to all.
        assert region in regions() or region == "us-central2"
        assert place == region or is_zone_of(place, region)


def test_the_table_has_no_gpu_in_a_region_that_is_not_listed_for_it() -> None:
    for row in rows("zones.csv"):
        if row["of"].startswith("nvidia-"):
            for zone in row["zones"].split("|"):
                assert row["of"] in regions()[zone.rpartition("-")[0]].accelerators, (row["of"], zone)


def test_nearly_every_machine_is_in_the_table() -> None:
    unknown = {
        accelerator for machine, (accelerator, _) in BUILT_IN.items() if zones_with(machine, accelerator) is None
    }
    assert unknown == {"nvidia-gb300"}


@pytest.mark.parametrize("zone", ["us-central1-ai1a", "us-south1-ai1b"])
def test_ai_zones_are_zones_everywhere(zone: str) -> None:
    region = zone.rpartition("-")[0]
    assert is_ai_zone(zone)
    assert parent_zone(zone) == f"{region}-{zone[-1]}"
    assert not is_ai_zone(parent_zone(zone))
    assert is_zone_of(zone, region)
    # The stand-in for Google Cloud.
    assert zone in zones(region)
    assert region_of(zone) == region
    raw = {"region": region, "slot": 0, "role": "test", "zones": [zone], "node_pools": {"l4": L4 | {"zones": [zone]}}}
    assert list(check_clusters({"a": Cluster.model_validate(raw)})) == []
