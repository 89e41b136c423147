"""Whatever the settings accept of a pool with TPUs, the stand-in for Google Cloud accepts as well."""

import re
from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.facts.machine_sizes import tpus
from clusters.node_config import node_config
from clusters.pool_placement import autoscaling, placement_policy
from clusters.pools.slices import is_always_there, policy_of
from clusters.spec import Cluster, check_clusters
from problems import check_models
from tests.unit.local.google import CLUSTER as GKE
from tests.unit.local.google import GOOD, POOL, Google

ZONES = ("us-central1-a", "us-central1-b")
SIDES = st.sampled_from([1, 2, 4, 8, 12, 16])
TOPOLOGIES = st.sampled_from(sorted({each for tpu in tpus().values() for each in tpu.topologies})) | st.lists(
    SIDES, min_size=2, max_size=3
).map(lambda sides: "x".join(map(str, sides)))
NONE: dict[str, st.SearchStrategy[Any]] = {}
POOLS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"machine_type": st.sampled_from([*tpus()])},
    optional={
        "tpu": st.fixed_dictionaries(NONE, optional={"topology": TOPOLOGIES}),
        "zones": st.lists(st.sampled_from(ZONES), unique=True, max_size=2),
        "min_nodes": st.sampled_from([0, 0, 1, 2, 4, 8]),
        "max_nodes": st.sampled_from([1, 2, 4, 8, 16]),
        "max_pods_per_node": st.sampled_from([16, 32]),
        "disk_type": st.sampled_from(["pd-balanced", "pd-ssd", "hyperdisk-balanced"]),
        **{name: st.booleans() for name in ("spot", "flex_start", "queued", "compact")},
    },
)


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Google:
    google = Google(tmp_path_factory.mktemp("google"))
    where = {"location": "us-central1", "nodeLocations": [*ZONES], "subnetwork": ""}
    google.registry.put("cluster", "tpus", {**GOOD[GKE], **where})
    return google


@given(own=POOLS)
def test_what_the_settings_accept_the_stand_in_accepts(google: Google, own: dict[str, Any]) -> None:
    plain = {"region": "us-central1", "zones": [*ZONES], "slot": 0, "role": "any", "node_pools": {"tpu": own}}
    problems: list[Any] = []
    clusters = check_models("clusters", {"a": plain}, Cluster, "a", problems)
    problems += check_clusters(clusters)
    if problems:
        assert all("write" in each.advice for each in problems)
        return
    pool = clusters["a"].node_pools["tpu"]
    placement = dict(placement_policy(pool, None) or {})
    inputs: dict[str, Any] = {
        "name": "tpu",
        "cluster": "tpus",
        "node_locations": pool.zones or None,
        "management": {"auto_repair": not pool.flex_start},
        "placement_policy": placement | ({"policy_name": "one"} if policy_of(pool) == "workload" else {}) or None,
        "queued_provisioning": {"enabled": True} if pool.queued else None,
        "max_pods_per_node": pool.max_pods_per_node,
        "node_config": node_config(pool, "nodes@example", {}, {}),
        **({"node_count": pool.max_nodes} if is_always_there(pool) else {"autoscaling": autoscaling(pool)}),
    }
    assert google.check(POOL, _camel(inputs)) == {}


def _camel(value: Any) -> Any:
    """The value with Pulumi's names of its fields, without those that are left out."""
    if isinstance(value, Mapping):
        items = cast(Mapping[str, Any], value).items()
        return {_name(key): _camel(each) for key, each in items if each is not None}
    return [_camel(each) for each in cast(list[Any], value)] if isinstance(value, list) else value


def _name(key: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), key)
