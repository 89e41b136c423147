"""Whatever pools and quotas there are: a project that is granted what the warnings say is warned of nothing."""

import re
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clusters.quota_needs import Limit, needs_of, too_small
from clusters.spec import Cluster

REGIONS = ("us-east4", "europe-west4")
MACHINES = ("g2-standard-8", "g2-standard-96", "a3-highgpu-8g", "a3-megagpu-8g", "ct6e-standard-4t", "n2-standard-8")
WAYS: list[dict[str, Any]] = [{}, {"spot": True}, {"flex_start": True}, {"queued": True}, {"reservation": "mine"}]


@st.composite
def pools(draw: st.DrawFn) -> dict[str, Any]:
    """The settings of a node pool."""
    machine, most = draw(st.sampled_from(MACHINES)), draw(st.integers(1, 9))
    return {"machine_type": machine, "max_nodes": most, **draw(st.sampled_from(WAYS))}


CLUSTER = st.tuples(st.sampled_from(REGIONS), st.dictionaries(st.sampled_from("abc"), pools(), max_size=3))
CLUSTERS = st.dictionaries(st.sampled_from("xyz"), CLUSTER, max_size=3)
GRANTED = re.compile(r"the quota (?P<id>\S+)(?: \((?P<name>\w+)=(?P<value>\w+)\))?(?: of (?P<region>[a-z0-9-]+))? is ")


def _granted(text: str) -> tuple[str, Limit]:
    match, count = GRANTED.search(text), re.search(r"request (\d+) of it", text)
    assert match
    assert count
    dimensions = {match["name"]: match["value"]} if match["name"] else {}
    dimensions |= {"region": match["region"]} if match["region"] else {}
    return match["id"], Limit(dimensions, [match["region"] or "global"], int(count[1]))


@given(CLUSTERS, st.integers(0, 80))
def test_what_is_asked_for_is_enough(raw: dict[str, tuple[str, dict[str, Any]]], everywhere: int) -> None:
    clusters = {
        name: Cluster.model_validate({"region": region, "slot": 0, "role": "test", "node_pools": pools})
        for name, (region, pools) in raw.items()
    }
    needs = needs_of(clusters)
    ids = {quota.id for need in needs for quota in need.quotas.values()}
    limits = {each: [Limit({}, [], everywhere)] for each in ids}
    found = list(too_small(needs, limits))
    for text in found:
        quota, limit = _granted(text)
        limits[quota] = [limit, *limits[quota]]
    assert list(too_small(needs, limits)) == []
    # Each pool is named where it counts, and none that cannot need the quota.
    named = Counter(path for text in found for path in text.partition(": ")[0].split(", "))
    for path in named:
        _, name, _, pool, _ = path.split(".")
        spec = clusters[name].node_pools[pool]
        assert not spec.reservation
        assert spec.machine_type != "n2-standard-8"
    if everywhere:
        # Without any quota, spot machines count against the standard one.
        assert bool(found) == any(count > everywhere for need in needs for count in need.counts.values())
