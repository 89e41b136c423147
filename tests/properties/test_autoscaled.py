"""What always holds of a minimum and a maximum that are divided over clusters."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from placement.autoscaling.autoscaled import Parts, parts_of
from placement.autoscaling.autoscalers import Autoscaler
from placement.copies import place_workload
from placement.policies.by_weight import unmet_limits
from placement.policies.decision import NothingFits
from placement.spec import Placement, Spread, Weighted
from placement.workload import Workload
from tests.properties.test_placement import MEMBERS, NEAREST, PLACEMENTS, SPREAD, WEIGHTED
from tests.unit.test_autoscaled import hpa, keda, server

POLICIES = st.one_of(PLACEMENTS, SPREAD, WEIGHTED, NEAREST)
NUMBERS = st.tuples(st.integers(0, 30), st.integers(0, 60)).map(lambda pair: (pair[0], max(1, sum(pair))))
Members = dict[str, dict[str, str]]


def decided(placement: Placement, members: Members, least: int, most: int) -> Any:
    """The placed workload, or None where its limits cannot hold."""
    scaler = hpa(least, most) if least else keda(minReplicaCount=0, maxReplicaCount=most)
    own = Workload.model_validate(
        {"manifests": "x", "namespace": "ai", "placement": placement.model_dump(exclude_unset=True)}
    )
    try:
        return place_workload(own, [server(), scaler], members)
    except NothingFits:
        return None


@given(POLICIES, MEMBERS, NUMBERS)
def test_parts_add_up_and_each_cluster_can_run_its_minimum(
    placement: Placement, members: Members, numbers: tuple[int, int]
) -> None:
    least, most = numbers
    made = decided(placement, members, least, most)
    if made is None:
        assert list(unmet_limits(placement, members, numbers))
        return
    there = [each for each in made.decisions if each.most and each.most[0]]
    assert {each.cluster for each in there} == {each.cluster for each in made.decisions if each.taken}
    assert [each.cluster for each in there] == list(made.objects[0].clusters) == list(made.objects[1].clusters)
    if not there:
        return
    minima, maxima = sum(each.shares[0] for each in there), sum(each.most[0] for each in there)
    assert maxima == most
    assert minima == 0 if not least else least <= minima <= max(least, most)
    assert all(each.shares[0] <= each.most[0] for each in there)
    if least:
        assert all(each.shares[0] >= 1 for each in there)
    if minima > least:
        # It is more only where a cluster would have none, or less than its limit, otherwise.
        assert all("at least 1 in each cluster" in each.reason for each in there)
    assert made.objects[0].manifest.body["spec"]["replicas"] == min(each.shares[0] for each in there)
    assert decided(placement, members, least, most) == made


@given(SPREAD | WEIGHTED, MEMBERS, NUMBERS)
def test_limits_hold_for_the_minimum_and_the_maximum(
    placement: Placement, members: Members, numbers: tuple[int, int]
) -> None:
    made = decided(placement, members, *numbers)
    assert isinstance(placement, Spread | Weighted)
    for each in made.decisions if made else ():
        limit = placement.limits.get(each.cluster)
        if limit and each.taken:
            assert limit.min <= each.shares[0]
            assert limit.max is None or each.most[0] <= limit.max


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9), min_size=1), NUMBERS)
def test_more_of_the_maximum_takes_nothing_from_a_cluster(shares: dict[str, int], numbers: tuple[int, int]) -> None:
    least, most = numbers

    def parts(most: int) -> Parts:
        scaler = hpa(least or 1, most)
        return parts_of(
            Autoscaler(scaler, server(), min(least, most), most),
            Spread.model_validate({"policy": "spread"}),
            dict.fromkeys(shares, 1),
        )

    few = len(shares)
    one, more = parts(max(most, few)), parts(max(most, few) + 1)
    assert all(more[1][name] >= part for name, part in one[1].items())
