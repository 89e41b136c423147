"""Whatever workloads a stack has, they fit together where they are placed, or are refused with the numbers."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from placement.fit.space import Space, measured
from placement.manifests.manifest import Manifest
from placement.stack import Placed, empty, place_more
from placement.workload import Workload
from tests.rooms import live, pool, space
from tests.unit.test_where_it_fits import MEMBERS, server, training

NAMES = sorted(MEMBERS)
# A pool is as many nodes of so many GPUs each, and of them so many exist.
POOLS = st.lists(st.tuples(st.integers(0, 4), st.sampled_from([1, 2, 4, 8]), st.integers(0, 4)), max_size=3)
CLUSTERS = st.dictionaries(st.sampled_from(NAMES), POOLS, min_size=1)
PLACEMENTS = st.sampled_from(
    [
        {"policy": "spread"},
        {"policy": "nearest", "to": "europe-west4"},
        {"policy": "nearest", "to": "us-west1", "count": 2},
        {"policy": "clusters", "clusters": ["europe", "asia"]},
        {"policy": "region", "region": "europe-west1"},
        {"policy": "weighted", "weights": {"asia": 3, "europe": 1, "west": 2}},
        {"policy": "spare-capacity"},
    ]
)
# Pods, GPUs of each, and whether they run divided, whole or duplicated.
JOBS = st.tuples(st.integers(0, 9), st.sampled_from([1, 2, 4, 8]), st.sampled_from(["divided", "whole", "duplicated"]))
MORE = st.tuples(st.just(1), st.sampled_from([1, 4, 8]), st.integers(0, 1))
WORKLOADS = st.dictionaries(st.sampled_from("abcdef"), st.tuples(PLACEMENTS, JOBS), min_size=1)
Asked = Mapping[str, tuple[Mapping[str, Any], tuple[int, int, Any]]]
Pools = Mapping[str, list[tuple[int, int, int]]]


def place(clusters: Pools, asked: Asked) -> Placed:
    manifests: dict[str, list[Manifest]] = {}
    workloads: dict[str, Workload] = {}
    for name, (placement, (pods, gpus, run)) in asked.items():
        settings = {"manifests": "x.yaml", "namespace": "ai", "placement": placement, "run": run}
        workloads[name] = Workload.model_validate(settings)
        manifests[name] = [training(pods, gpus) if run == "whole" else server(pods, gpus)]
    members = {name: MEMBERS[name] for name in clusters}
    spaces = {name: _space(own) for name, own in clusters.items()}
    return place_more(empty(spaces), workloads, workloads, manifests, members)


def _space(pools: list[tuple[int, int, int]]) -> Space:
    nodes = [pool(most, each, f"nvidia-{at}") for at, (most, each, _) in enumerate(pools)]
    exist = [
        live(one, number) for one, (most, _, now) in zip(nodes, pools, strict=True) for number in range(min(now, most))
    ]
    return measured(space(pool(9, 0), *nodes), exist)


def _fit(pods: list[int], nodes: list[int]) -> bool:
    """Whether pods of so many GPUs fit on such nodes: as all are powers of 2, largest first on any finds out."""
    free = sorted(nodes)
    for gpus in sorted(pods, reverse=True):
        at = next((at for at, each in enumerate(free) if each >= gpus), None)
        if at is None:
            return False
        free[at] -= gpus
        free.sort()
    return True


@given(CLUSTERS, WORKLOADS)
def test_all_that_is_placed_fits_together_and_what_is_not_is_refused(clusters: Pools, asked: Asked) -> None:
    placed = place(clusters, asked)
    assert {*placed.workloads} | {*placed.problems} == {*asked}
    assert not {*placed.workloads} & {*placed.problems}
    pods: dict[str, list[int]] = {name: [] for name in clusters}
    for name, made in placed.workloads.items():
        _, (count, gpus, run) = asked[name]
        taken = Counter({each.cluster: each.share for each in made.decisions if each.taken})
        able = any(each.taken for each in made.decisions)
        if run == "duplicated":
            assert all(share == count for share in taken.values())
        else:
            assert sum(taken.values()) == (count if able else 0)
        if run == "whole":
            assert len(taken) == able
        for cluster, share in taken.items():
            pods[cluster] += [gpus] * share
    for cluster, own in pods.items():
        assert _fit(own, [each for most, each, _ in clusters[cluster] for _ in range(most)]), (cluster, own)
    for text in placed.problems.values():
        assert "write" in text or "raise max_nodes" in text
    reverse = {name: clusters[name] for name in reversed([*clusters])}
    again = place(reverse, {name: asked[name] for name in reversed([*asked])})
    assert (again.workloads, again.problems) == (placed.workloads, placed.problems)


@given(CLUSTERS, st.tuples(PLACEMENTS, JOBS), st.sampled_from(NAMES), MORE)
def test_another_node_or_cluster_makes_no_placement_impossible(
    clusters: Pools, asked: tuple[Mapping[str, Any], tuple[int, int, Any]], where: str, more: tuple[int, int, int]
) -> None:
    before = place(clusters, {"x": asked})
    if "x" not in before.workloads or not any(each.taken for each in before.workloads["x"].decisions):
        return
    after = place({**clusters, where: [*clusters.get(where, []), more]}, {"x": asked})
    contradiction = "runs whole, in one cluster" in after.problems.get("x", "")
    assert "x" in after.workloads or contradiction, after.problems
