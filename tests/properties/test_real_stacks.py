"""Placing generated stacks: everything in its place or refused, and nothing where a scheduler finds no room.

That another cluster or node never makes a placement impossible holds for one workload, of which nothing is divided or
one object alone needs room. It cannot hold for stacks: workloads are placed one after the other, and one that moves to
the new cluster can make another move to where a third one was. Nor for two divided objects by spare capacity, where the
one that requests nothing scarce goes along with the one that does.
"""

from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from clusters.classes.auto_provisioning import AutoProvisioning, Limit, amounts
from clusters.nodes.nodes import nodes_of
from clusters.pools.spec import NodePool
from clusters.spec import Cluster
from placement.policies.candidates import candidates
from placement.spec import Spread, Weighted
from tests.properties.brute_force import schedulable
from tests.properties.real_stacks import CLUSTER, SIMPLE, STACKS, TOO_SMALL, Own, Stack


@given(STACKS)
def test_each_workload_is_placed_as_it_runs_or_refused(stack: Stack) -> None:
    placed = stack.placed()
    assert placed.workloads.keys() | placed.problems.keys() == stack.workloads.keys()
    assert not placed.workloads.keys() & placed.problems.keys()
    for name, made in placed.workloads.items():
        own = stack.workloads[name]
        taken = [each for each in made.decisions if each.taken]
        possible = candidates(own.workload.placement, stack.members, placed.facts[name])
        assert bool(taken) == bool(possible)
        assert {each.cluster for each in taken} <= {*possible}
        assert sorted(each.cluster for each in made.decisions) == sorted(stack.clusters)
        if own.run == "whole" and taken:
            assert len(taken) == 1
            assert made.clusters == [taken[0].cluster]
        if own.run == "divided" and taken:
            assert [sum(part) for part in zip(*(each.shares for each in made.decisions), strict=True)] == own.counts
        for each in made.decisions:
            assert each.reason
            if own.run != "divided":
                assert [*each.shares] == ([*own.counts] if each.taken else [0] * len(own.counts))
    for text in placed.problems.values():
        assert text


@given(STACKS)
def test_nothing_is_placed_where_a_scheduler_finds_no_room(stack: Stack) -> None:
    placed = stack.placed().workloads
    for name, cluster in stack.clusters.items():
        decided = [(own, placed[key]) for key, own in stack.workloads.items() if key in placed]
        pods = [
            pod
            for own, made in decided
            for each in made.decisions
            if each.cluster == name
            for pod in own.pods(each, name in made.clusters)
        ]
        assert schedulable(pods, nodes_of(cluster))


@given(SIMPLE)
def test_in_one_cluster_a_workload_is_placed_wherever_a_scheduler_finds_room(stack: Stack) -> None:
    (own,) = stack.workloads.values()
    name, cluster = next(iter(stack.clusters.items()))
    whole = Own(_to(own, {"policy": "clusters", "clusters": [name]}), own.objects)
    placed = Stack({name: cluster}, {"w": whole}, stack.live).placed().workloads
    pods = [pod for each in own.objects for pod in each.times(each.count)]
    # A DaemonSet needs a node that it could run on, and no room.
    daemons = [pod for each in own.objects if not each.count for pod in each.times(1)]
    expected = schedulable(pods, nodes_of(cluster)) and all(schedulable([pod], nodes_of(cluster)) for pod in daemons)
    assert any(each.taken for made in placed.values() for each in made.decisions) == expected


@given(STACKS, st.randoms(use_true_random=False))
def test_the_same_stack_gives_the_same_answer_in_any_order(stack: Stack, random: Any) -> None:
    def shuffled(items: Any) -> Any:
        keys = list(items)
        random.shuffle(keys)
        return {key: items[key] for key in keys}

    clusters = {
        name: each.model_copy(update={"node_pools": shuffled(each.node_pools)})
        for name, each in shuffled(stack.clusters).items()
    }
    other = Stack(clusters, shuffled(stack.workloads), stack.live)
    assert _answer(other) == _answer(stack) == _answer(stack)


@example(*TOO_SMALL[0], "added")
@example(*TOO_SMALL[1], "added")
@given(SIMPLE, CLUSTER, st.sampled_from(["added", "five"]))
def test_another_cluster_never_makes_a_placement_impossible(stack: Stack, more: Cluster, name: str) -> None:
    (own,) = stack.workloads.values()
    assume(_is_placed(stack))
    # What runs whole is not spread over two clusters, whatever room there is.
    assume(own.run != "whole" or not isinstance(own.workload.placement, Spread | Weighted))
    # A label that no other pool has is then known, so that those without it surely lack it.
    assert _is_placed(stack.with_cluster(name, more))


@given(SIMPLE, st.data())
def test_another_node_never_makes_a_placement_impossible(stack: Stack, data: st.DataObject) -> None:
    assume(_is_placed(stack))
    name = data.draw(st.sampled_from(sorted(stack.clusters)))
    cluster = stack.clusters[name]
    pool = data.draw(st.sampled_from(sorted(cluster.node_pools)))
    larger = cluster.node_pools[pool].model_copy(update={"max_nodes": cluster.node_pools[pool].max_nodes + 1})
    more = {"node_pools": {**cluster.node_pools, pool: larger}, "auto_provisioning": _with_amounts(cluster, larger)}
    assert _is_placed(stack.with_cluster(name, cluster.model_copy(update=more)))


def _with_amounts(cluster: Cluster, pool: NodePool) -> AutoProvisioning | None:
    """The limits of a cluster, which count its own pools, with one more node of a pool."""
    auto = cluster.auto_provisioning
    if auto is None:
        return None
    more = amounts(pool)
    return auto.model_copy(
        update={"limits": {name: Limit(max=each.max + more.get(name, 0)) for name, each in auto.limits.items()}}
    )


def _is_placed(stack: Stack) -> bool:
    return any(each.taken for made in stack.placed().workloads.values() for each in made.decisions)


def _to(own: Own, placement: dict[str, Any]) -> Any:
    return own.workload.model_validate({**own.workload.model_dump(), "placement": placement})


def _answer(stack: Stack) -> Any:
    placed = stack.placed()
    decided = {name: (made.decisions, made.clusters) for name, made in placed.workloads.items()}
    return decided, placed.problems
