"""Placement: a pure function, of which some things always hold."""

from dataclasses import replace
from itertools import permutations
from math import acos, cos, radians, sin
from random import Random
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from clusters.facts.regions import regions
from placement.facts import NO_SPACE
from placement.fit.space import Space, measured
from placement.policies.decision import NO_PODS
from placement.policies.place import Facts, NothingFits, candidates, place, undecided, unmet_limits
from placement.policies.shares import split
from placement.policies.ties import in_order
from placement.spec import Nearest, Placement, SpareCapacity, Spread, Weighted
from tests.rooms import gang_of, gpus, live, pool, requests, space, unit

REGIONS = {
    "us-west1": "North-America",
    "us-east1": "North-America",
    "europe-west1": "Europe",
    "asia-southeast1": "Asia",
}
ACCELERATORS = ["nvidia-l4", "nvidia-tesla-a100", "nvidia-h100-80gb"]
NAMES = ["a", "b", "c", "d", "e", "f"]
ROLES = ["training", "serving"]
CHECKED: TypeAdapter[Placement] = TypeAdapter(Placement)


@st.composite
def member(draw: st.DrawFn) -> dict[str, str]:
    """A member's labels."""
    region = draw(st.sampled_from(sorted(REGIONS)))
    labels = {"role": draw(st.sampled_from(ROLES)), "region": region, "continent": REGIONS[region]}
    for accelerator in draw(st.lists(st.sampled_from(ACCELERATORS), unique=True)):
        labels[f"accelerator/{accelerator}"] = "true"
    return labels


SELECT: st.SearchStrategy[dict[str, str]] = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(ROLES),
        "continent": st.sampled_from(sorted(set(REGIONS.values()))),
        "accelerator": st.sampled_from(ACCELERATORS),
        "tier": st.just("gold"),
    },
)
PLACEMENTS = st.one_of(
    st.fixed_dictionaries({"policy": st.just("spread"), "select": SELECT}),
    st.fixed_dictionaries({"policy": st.just("region"), "region": st.sampled_from(sorted(REGIONS)), "select": SELECT}),
    st.fixed_dictionaries(
        {
            "policy": st.just("clusters"),
            "clusters": st.lists(st.sampled_from(NAMES), min_size=1, unique=True),
            "select": SELECT,
        }
    ),
).map(CHECKED.validate_python)


def limit(low: int, more: int | None) -> dict[str, int]:
    return {"min": low} if more is None else {"min": low, "max": low + more}


LIMITS = st.dictionaries(
    st.sampled_from(NAMES), st.builds(limit, st.integers(0, 9), st.none() | st.integers(0, 30)), max_size=4
)
SPREAD = st.fixed_dictionaries({"policy": st.just("spread"), "limits": LIMITS}).map(CHECKED.validate_python)
WEIGHTED = (
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, 5), min_size=1)
    .filter(lambda weights: any(weights.values()))
    .flatmap(
        lambda weights: st.fixed_dictionaries(
            {"policy": st.just("weighted"), "weights": st.just(weights), "select": SELECT, "limits": LIMITS}
        )
    )
    .map(CHECKED.validate_python)
)
NEAREST = st.fixed_dictionaries(
    {
        "policy": st.just("nearest"),
        "to": st.sampled_from([*sorted(regions()), "gs://data"]),
        "count": st.integers(1, 4),
        "select": SELECT,
    }
).map(CHECKED.validate_python)
SPARE: Placement = CHECKED.validate_python({"policy": "spare-capacity"})
EVERY = st.one_of(PLACEMENTS, SPREAD, WEIGHTED, NEAREST, st.just(SPARE))
SCARCE = st.sampled_from([unit(0), unit(1), unit(2), unit(1, "nvidia-tesla-a100"), unit(1, count=2)])


@st.composite
def room_of_member(draw: st.DrawFn) -> Space:
    """A member with up to two pools of GPUs and one without, which is measured or not."""
    numbers = st.integers(0, 40)
    kinds = draw(st.lists(st.sampled_from(ACCELERATORS[:2]), unique=True))
    pools = [pool(draw(numbers), draw(st.sampled_from([1, 2, 4])), kind) for kind in kinds] + [pool(draw(numbers), 0)]
    own = space(*pools)
    if draw(st.booleans()):
        return own
    nodes = [(each, draw(st.integers(0, each.most))) for each in pools]
    return measured(own, [live(each, number) for each, there in nodes for number in range(there)])


FACTS = st.builds(
    Facts,
    workload=st.sampled_from(["x", "y", "z"]),
    origins=st.lists(st.sampled_from(sorted(regions())), max_size=3, unique=True).map(tuple),
    units=st.tuples(SCARCE, SCARCE, SCARCE),
    pods=st.sampled_from([NO_PODS, gang_of(requests(1)), gang_of(requests(1, "nvidia-l4", "nvidia-h100-80gb"))]),
    space=st.just(NO_SPACE) | st.fixed_dictionaries({name: room_of_member() for name in NAMES}),
    doubts=st.sampled_from([(), ("schedulingGates",)]),
)
MEMBERS = st.dictionaries(st.sampled_from(NAMES), member(), min_size=1)
COUNTS = st.lists(st.integers(0, 100), max_size=3)
WEIGHTS = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 1000), min_size=1)


@given(PLACEMENTS, MEMBERS, COUNTS)
def test_shares_add_up_to_what_was_asked_for(
    placement: Placement, members: dict[str, dict[str, str]], counts: list[int]
) -> None:
    decisions = place(placement, members, counts)
    taken = candidates(placement, members)
    for position, count in enumerate(counts):
        assert sum(each.shares[position] for each in decisions) == (count if taken else 0)
    for each in decisions:
        assert len(each.shares) == len(counts)
        if counts:
            assert each.share == sum(each.shares)
        else:
            assert each.share == int(each.cluster in taken)


@given(PLACEMENTS, MEMBERS, COUNTS)
def test_every_member_gets_one_decision_with_a_reason(
    placement: Placement, members: dict[str, dict[str, str]], counts: list[int]
) -> None:
    decisions = place(placement, members, counts)
    assert [each.cluster for each in decisions] == sorted(members)
    for each in decisions:
        assert each.reason.strip()
        assert "\n" not in each.reason
        assert each.share >= 0


@given(PLACEMENTS, MEMBERS, COUNTS, st.randoms(use_true_random=False))
def test_the_same_settings_give_the_same_answer_in_any_order(
    placement: Placement, members: dict[str, dict[str, str]], counts: list[int], random: Any
) -> None:
    names = list(members)
    random.shuffle(names)
    assert place(placement, {name: members[name] for name in names}, counts) == place(placement, members, counts)


@given(PLACEMENTS, MEMBERS, COUNTS)
def test_nothing_goes_where_the_placement_does_not_allow_it(
    placement: Placement, members: dict[str, dict[str, str]], counts: list[int]
) -> None:
    for each in place(placement, members, counts):
        if not each.share:
            continue
        labels = members[each.cluster]
        for key, wanted in placement.select.items():
            assert f"accelerator/{wanted}" in labels if key == "accelerator" else labels.get(key) == wanted
        match placement.policy:
            case "region":
                assert labels["region"] == placement.region
            case "clusters":
                assert each.cluster in placement.clusters
            case _:
                pass


@given(PLACEMENTS, MEMBERS, st.integers(0, 100))
def test_equal_shares_differ_by_one_at_the_most(
    placement: Placement, members: dict[str, dict[str, str]], count: int
) -> None:
    taken = candidates(placement, members)
    parts = [each.share for each in place(placement, members, [count]) if each.cluster in taken]
    assert not parts or max(parts) - min(parts) <= 1


@given(PLACEMENTS, MEMBERS, COUNTS)
def test_a_member_that_cannot_be_taken_changes_nothing_for_the_others(
    placement: Placement, members: dict[str, dict[str, str]], counts: list[int]
) -> None:
    taken = candidates(placement, members)
    fewer = place(placement, {name: members[name] for name in taken}, counts)
    assert fewer == [each for each in place(placement, members, counts) if each.cluster in taken]


@given(st.integers(0, 10_000), WEIGHTS)
def test_a_split_by_weights_is_whole_and_as_near_to_them_as_can_be(count: int, weights: dict[str, int]) -> None:
    parts = split(count, weights)
    total = sum(weights.values())
    assert set(parts) == set(weights)
    assert sum(parts.values()) == (count if total else 0)
    # No pod could go from one to another and leave the two nearer to their weights.
    for more, less in permutations([name for name in weights if weights[name]], 2):
        assert (2 * parts[more] - 1) * weights[less] <= (2 * parts[less] + 1) * weights[more]


@given(st.integers(0, 10_000), WEIGHTS)
def test_a_heavier_weight_never_gets_less(count: int, weights: dict[str, int]) -> None:
    parts = split(count, weights)
    for (one, heavy), (other, light) in permutations(weights.items(), 2):
        if heavy > light:
            assert parts[one] >= parts[other]


@given(st.integers(0, 1000), WEIGHTS, st.integers(1, 10))
def test_only_the_proportion_of_weights_counts(count: int, weights: dict[str, int], factor: int) -> None:
    assert split(count, weights) == split(count, {name: weight * factor for name, weight in weights.items()})


def test_a_split_in_figures() -> None:
    assert split(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert split(10, {"a": 1, "b": 2}) == {"a": 3, "b": 7}
    assert split(1, {"a": 1, "b": 5}) == {"a": 0, "b": 1}
    assert split(5, {"a": 0, "b": 0}) == {"a": 0, "b": 0}


@given(EVERY, MEMBERS, COUNTS, FACTS, st.randoms(use_true_random=False))
def test_whatever_the_policy_shares_add_up_in_any_order_and_each_has_a_reason(
    placement: Placement, members: dict[str, dict[str, str]], counts: list[int], facts: Facts, random: Any
) -> None:
    names = list(members)
    random.shuffle(names)
    shuffled = {name: members[name] for name in names}
    facts = replace(facts, units=facts.units[: len(counts)])
    try:
        decisions = place(placement, members, counts, facts)
    except NothingFits as error:
        with pytest.raises(NothingFits) as again:
            place(placement, shuffled, counts, facts)
        assert str(again.value) == str(error)
        return
    assert place(placement, shuffled, counts, facts) == decisions
    assert [each.cluster for each in decisions] == sorted(members)
    able = candidates(placement, members, facts)
    waiting = undecided(placement, able, facts)
    for position, count in enumerate(counts):
        assert sum(each.shares[position] for each in decisions) == (count if able and not waiting else 0)
    for each in decisions:
        assert each.reason.strip()
        assert "\n" not in each.reason
        assert each.share >= 0
        assert not each.share or each.cluster in able
        assert each.share == sum(each.shares) or not counts
        if waiting and each.cluster in able:
            assert each.reason == waiting


ALIKE = {name: {"role": "training", "region": "asia-southeast1", "continent": "Asia"} for name in NAMES[:4]}
TWO_NEAREST: Placement = CHECKED.validate_python({"policy": "nearest", "to": "asia-southeast1", "count": 2})


@example(TWO_NEAREST, ALIKE, [5], Facts(units=(unit(),), space={name: gpus(0 if name == "a" else 9) for name in ALIKE}))
@given(EVERY, MEMBERS, COUNTS, FACTS)
def test_a_member_that_is_not_taken_changes_no_share(
    placement: Placement, members: dict[str, dict[str, str]], counts: list[int], facts: Facts
) -> None:
    facts = replace(facts, units=facts.units[: len(counts)])
    try:
        decisions = place(placement, members, counts, facts)
    except NothingFits:
        assume(False)
        return
    able = candidates(placement, members, facts)
    # Of several objects, which share the room, the nearest clusters are not tried in every combination.
    one = isinstance(placement, Nearest) and len(counts) == 1 and any(counts)
    for gone in decisions:
        if gone.cluster not in able or (one and not gone.share):
            fewer = place(placement, {name: members[name] for name in members if name != gone.cluster}, counts, facts)
            assert {each.cluster: each.shares for each in fewer} == {
                each.cluster: each.shares for each in decisions if each is not gone
            }


@given(EVERY, MEMBERS)
def test_a_member_without_the_accelerator_is_passed_over(
    placement: Placement, members: dict[str, dict[str, str]]
) -> None:
    own = {
        name: space(pool(9, 0), *(pool(9, 1, each) for each in ACCELERATORS if f"accelerator/{each}" in labels))
        for name, labels in members.items()
    }
    facts = Facts(origins=("us-west1",), pods=gang_of(requests(1, "nvidia-l4")), space=own)
    able = candidates(placement, members)
    for each in place(placement, members, [0], facts) if not list(unmet_limits(placement, members, [0], facts)) else ():
        if "accelerator/nvidia-l4" not in members[each.cluster] and each.cluster in able:
            assert not each.share
            assert each.reason.startswith("no pool has nvidia-l4")
        else:
            assert "no pool has" not in each.reason


@given(st.one_of(SPREAD, WEIGHTED), MEMBERS, st.integers(0, 60))
def test_limits_hold_or_are_told_with_their_numbers(
    placement: Spread | Weighted, members: dict[str, dict[str, str]], count: int
) -> None:
    unmet = list(unmet_limits(placement, members, [count]))
    able = candidates(placement, members)
    lows = {name: placement.limits[name].min for name in members if name in placement.limits}
    highs = [placement.limits[name].max if name in placement.limits else None for name in able]
    room = sum(count if high is None else high for high in highs)
    possible = sum(lows.values()) <= count <= room and not any(lows[name] for name in lows if name not in able)
    assert bool(unmet) == (bool(able) and not possible)
    if unmet:
        assert all("write" in text for text in unmet)
        with pytest.raises(NothingFits, match=r"min|max"):
            place(placement, members, [count])
        return
    shares = {each.cluster: each.share for each in place(placement, members, [count])}
    for name in able:
        if name in placement.limits:
            assert placement.limits[name].min <= shares[name]
            assert shares[name] <= (placement.limits[name].max or 0) or placement.limits[name].max is None
    if isinstance(placement, Spread):
        for more, less in permutations(able, 2):
            # One could give to the other, were it not for their limits.
            limits = placement.limits
            gives = more not in limits or shares[more] > limits[more].min
            takes = less not in limits or limits[less].max is None or shares[less] < (limits[less].max or 0)
            assert shares[more] - shares[less] <= 1 or not gives or not takes


@given(st.one_of(SPREAD, WEIGHTED, NEAREST), MEMBERS, member(), st.integers(0, 60))
def test_a_further_cluster_takes_from_others_and_gives_to_none(
    placement: Spread | Weighted | Nearest, members: dict[str, dict[str, str]], further: dict[str, str], count: int
) -> None:
    facts = Facts(origins=("us-east1",))
    for name in NAMES:
        more = members | {name: further}
        if name in members or any(
            [*unmet_limits(placement, members, [count]), *unmet_limits(placement, more, [count])]
        ):
            continue
        before = {each.cluster: each.share for each in place(placement, members, [count], facts)}
        after = {each.cluster: each.share for each in place(placement, more, [count], facts)}
        assert all(after[each] <= before[each] for each in before), (before, after)


def angle(one: str, other: str) -> float:
    """The distance on a sphere in another way: by the law of cosines, and in radians."""
    (a, b), (c, d) = ((radians(regions()[each].latitude), radians(regions()[each].longitude)) for each in (one, other))
    return acos(max(-1.0, min(1.0, sin(a) * sin(c) + cos(a) * cos(c) * cos(b - d))))


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(regions())), min_size=1),
    st.lists(st.sampled_from(sorted(regions())), min_size=1, max_size=3, unique=True),
    st.integers(1, 4),
)
def test_the_nearest_are_taken(places: dict[str, str], origins: list[str], count: int) -> None:
    placement: Placement = CHECKED.validate_python({"policy": "nearest", "to": "gs://data", "count": count})
    members = {name: {"region": region} for name, region in places.items()}
    far = {name: min(angle(region, origin) for origin in origins) for name, region in places.items()}
    decisions = place(placement, members, [], Facts(origins=tuple(origins)))
    taken = {each.cluster for each in decisions if each.share}
    assert len(taken) == min(count, len(members))
    for one in taken:
        for other in set(members) - taken:
            assert far[one] < far[other] + 1e-6
            assert in_order("", [one, other])[0] == one or places[one] != places[other]
    for each in decisions:
        assert f"{far[each.cluster] * 6371.0088:,.0f} km" in each.reason or far[each.cluster] < 1e-6


NUMBERS = st.tuples(st.integers(0, 60), st.integers(0, 60))


@given(MEMBERS, COUNTS, st.dictionaries(st.sampled_from(NAMES), NUMBERS))
def test_spare_capacity_never_gives_more_than_fits(
    members: dict[str, dict[str, str]], counts: list[int], free: dict[str, tuple[int, int]]
) -> None:
    assume(counts)
    # So many GPUs now, and so many more after a scale-up; of the other members nothing is known.
    own = {name: gpus(sum(free[name]), now=free[name][0]) if name in free else gpus(60) for name in members}
    facts = Facts(units=(unit(),) * len(counts), space=own)
    now = {name: free[name][0] if name in free else 0 for name in members}
    ever = {name: sum(free[name]) if name in free else 0 for name in members}
    if not any(name in free for name in members):
        assert all(
            each.reason == undecided(SPARE, list(members), facts) for each in place(SPARE, members, counts, facts)
        )
        return
    try:
        decisions = place(SPARE, members, counts, facts)
    except NothingFits as error:
        assert "request 1 nvidia.com/gpu" in str(error)
        assert all(name in str(error) for name in members)
        assert sum(counts) > sum(ever.values())
        return
    assert sum(counts) <= sum(ever.values())
    assert [sum(parts) for parts in zip(*(each.shares for each in decisions), strict=True)] == counts
    assert all(each.share <= ever[each.cluster] for each in decisions)
    if any(each.share > now[each.cluster] for each in decisions):
        # Nodes are added only where what is free now is full everywhere.
        assert all(each.share >= now[each.cluster] for each in decisions)
    elif len(counts) == 1:
        # Whoever has the most room is full before another is touched.
        partly = [each for each in decisions if 0 < each.share < now[each.cluster]]
        assert len(partly) <= 1
        least = min((now[each.cluster] for each in decisions if each.share), default=0)
        assert all(now[each.cluster] <= least for each in decisions if not each.share) or not least


FAR = {
    "asia": {"region": "asia-southeast1", "accelerator/nvidia-l4": "true"},
    "europe": {"region": "europe-west1", "accelerator/nvidia-l4": "true"},
    "west": {"region": "us-west1"},
}


def reasons(raw: dict[str, Any], counts: list[int], facts: Facts) -> dict[str, str]:
    return {
        each.cluster: f"{each.share}: {each.reason}" for each in place(CHECKED.validate_python(raw), FAR, counts, facts)
    }


def test_reasons_have_the_numbers() -> None:
    assert reasons({"policy": "nearest", "to": "europe-west4"}, [3], Facts()) == {
        "asia": "0: 10,469 km from europe-west4; europe (190 km) is nearer",
        "europe": "3: 190 km from europe-west4; us-west1 is 8,153 km away",
        "west": "0: 8,153 km from europe-west4; europe (190 km) is nearer",
    }
    l4 = gang_of(requests(1, "nvidia-l4"))
    pools = {"asia": gpus(9), "europe": gpus(9), "west": gpus(9, accelerator="nvidia-tesla-a100")}
    of_data = Facts(origins=("us-west1", "us-east1"), pods=l4, space=pools)
    assert reasons({"policy": "nearest", "to": "gs://data", "count": 2}, [3], of_data) == {
        "asia": "1: 13,339 km from the data, gets 1 of 3",
        "europe": "2: 6,891 km from the data, gets 2 of 3",
        "west": "0: no pool has nvidia-l4 (tesla-a100 has nvidia-tesla-a100)",
    }
    assert reasons({"policy": "weighted", "weights": {"asia": 1, "europe": 2, "west": 0}}, [6], Facts()) == {
        "asia": "2: weight 1 of 3, gets 2 of 6",
        "europe": "4: weight 2 of 3, gets 4 of 6",
        "west": "0: weight 0",
    }
    assert reasons({"policy": "spread", "limits": {"asia": {"max": 1}, "west": {"min": 4}}}, [6], Facts()) == {
        "asia": "1: one of 3 candidates, gets 1 of 6, its maximum of 1",
        "europe": "1: one of 3 candidates, gets 1 of 6",
        "west": "4: one of 3 candidates, gets 4 of 6, its minimum of 4",
    }
    free = {"asia": gpus(4, now=4), "europe": gpus(2, now=2), "west": gpus(9)}
    assert reasons({"policy": "spare-capacity"}, [5], Facts(units=(unit(),), space=free)) == {
        "asia": "4: room for 4 now, gets 4 of 5",
        "europe": "1: room for 2 now, gets 1 of 5",
        "west": "0: not measured",
    }
    free |= {"asia": gpus(6, now=4), "west": pools["west"]}
    assert reasons({"policy": "spare-capacity"}, [4], Facts(units=(unit(),), pods=l4, space=free)) == {
        "asia": "4: room for 4 now, 2 more after scale-up of l4, gets 4 of 4",
        "europe": "0: room for 2 now, but all of it is placed in asia (4)",
        "west": "0: no pool has nvidia-l4 (tesla-a100 has nvidia-tesla-a100)",
    }
    undecided_yet = reasons({"policy": "spare-capacity"}, [4], Facts(units=(unit(),), pods=l4, space=pools))
    assert undecided_yet["asia"] == "0: decided by free accelerators when it is applied"
    assert undecided_yet["west"] == "0: no pool has nvidia-l4 (tesla-a100 has nvidia-tesla-a100)"


def test_what_does_not_fit_is_told_with_the_numbers() -> None:
    own = {"asia": gpus(3, now=2, each=2), "europe": gpus(1, now=0, each=2), "west": gpus(0, now=0, each=2)}
    with pytest.raises(NothingFits) as raised:
        place(SPARE, FAR, [5], Facts(units=(unit(2),), space=own))
    assert str(raised.value) == (
        "5 of Job train that each request 2 nvidia.com/gpu do not fit: "
        "asia has room for 2 now, 1 more after scale-up of l4, europe has room for 1 after scale-up of l4, "
        "west has no room, now or after a scale-up; raise max_nodes, or write fewer"
    )


def test_what_asks_for_no_accelerator_goes_along_with_what_does() -> None:
    both = pool(4, 1), pool(1, 0)
    own = measured(space(*both), [live(both[0], number) for number in range(4)])
    facts = Facts(units=(unit(0), unit(1)), space={"asia": own, "europe": space(*both), "west": space(*both)})
    assert {each.cluster: each.shares for each in place(SPARE, FAR, [3, 2], facts)} == {
        "asia": (3, 2),
        "europe": (0, 0),
        "west": (0, 0),
    }
    assert isinstance(SPARE, SpareCapacity)
    alone = place(SPARE, FAR, [3], Facts(units=(unit(0),), space=facts.space))
    assert [each.share for each in alone] == [1, 1, 1]


def test_what_one_limit_leaves_over_reaches_no_other_limit() -> None:
    placement: Placement = CHECKED.validate_python(
        {"policy": "spread", "limits": {"asia": {"min": 8}, "europe": {"max": 2}}}
    )
    first, second = in_order("", ["europe", "west"])
    shares = {each.cluster: each.share for each in place(placement, FAR, [9])}
    assert shares == {"asia": 8, first: 1, second: 0}
    assert [each.share for each in place(placement, FAR, [30])] == [14, 2, 14]


def test_a_minimum_where_nothing_goes_is_told_once() -> None:
    placement: Placement = CHECKED.validate_python(
        {"policy": "weighted", "weights": {"asia": 1}, "limits": {"europe": {"min": 8}}}
    )
    assert list(unmet_limits(placement, FAR, [3])) == [
        "europe has a minimum of 8, but is passed over (not among the weights (asia)); write no minimum for it"
    ]


def test_what_is_not_measured_is_not_said_to_be_too_small() -> None:
    asia = {"asia": gpus(9), "europe": gpus(1, now=1), "west": gpus(0, now=0)}
    one = Facts(units=(unit(2),), pods=gang_of(requests(1, "nvidia-l4")), space=asia)
    with pytest.raises(NothingFits) as raised:
        place(SPARE, FAR, [5], one)
    assert str(raised.value).endswith(
        "asia is not measured, europe has no room, now or after a scale-up; "
        "give explain --free for asia, raise max_nodes, or write fewer"
    )
    with pytest.raises(NothingFits) as raised:
        place(SPARE, FAR, [], one, "whole")
    assert str(raised.value).endswith(
        "asia is not measured, europe has no room for 2 nvidia.com/gpu at its largest; "
        "give explain --free for asia, or raise max_nodes of a pool that it fits on"
    )
    # Of the only candidate nothing is known, whatever others have.
    alone: Placement = CHECKED.validate_python({"policy": "spare-capacity", "select": {"region": "asia-southeast1"}})
    for run in ("divided", "whole", "duplicated"):
        reasons = {each.cluster: each.reason for each in place(alone, FAR, [5], one, run)}
        assert reasons["asia"] == "decided by free accelerators when it is applied"


def test_two_objects_share_the_room() -> None:
    facts = Facts(units=(unit(1), unit(2)), space={"asia": gpus(1, now=1, each=4)})
    assert place(SPARE, {"asia": FAR["asia"]}, [2, 1], facts)[0].shares == (2, 1)
    with pytest.raises(NothingFits, match="asia has room for 1 now"):
        place(SPARE, {"asia": FAR["asia"]}, [2, 2], facts)


def has_room(placement: Placement, names: list[str], facts: Facts) -> list[str]:
    """Where all of a workload fits; by spare capacity, of those members that were measured."""
    (whole,) = facts.units
    fit = [name for name in names if not facts.space or facts.space[name].room(whole.gang, 1)]
    by_room = isinstance(placement, SpareCapacity) and whole.requested
    return [name for name in fit if facts.measured([name])] if by_room else fit


# One has no pool, and of those that have room it is not known what is free now.
ONE_MEASURED = dict.fromkeys(NAMES, gpus(9)) | {"b": gpus(0, now=0)}
# No candidate is measured, but another member is.
ANOTHER_MEASURED = dict.fromkeys(NAMES, gpus(9)) | {"f": gpus(0, now=0)}


@example(SPARE, ALIKE, [], Facts(units=(unit(),), space=ONE_MEASURED), Random(0))
@example(SPARE, ALIKE, [], Facts(units=(unit(),), space=ANOTHER_MEASURED), Random(0))
@given(EVERY, MEMBERS, COUNTS, FACTS, st.randoms(use_true_random=False))
def test_what_is_whole_is_in_exactly_one_cluster_or_refused(
    placement: Placement, members: dict[str, dict[str, str]], counts: list[int], facts: Facts, random: Any
) -> None:
    facts = replace(facts, units=facts.units[:1])
    able = candidates(placement, members, facts)
    names = list(members)
    random.shuffle(names)
    shuffled = {name: members[name] for name in names}
    try:
        decisions = place(placement, members, counts, facts, "whole")
    except NothingFits as error:
        with pytest.raises(NothingFits) as again:
            place(placement, shuffled, counts, facts, "whole")
        assert str(again.value) == str(error)
        # Over several clusters, under limits that cannot hold, or without room in any.
        assert "write" in str(error) or not has_room(placement, able, facts)
        return
    assert place(placement, shuffled, counts, facts, "whole") == decisions
    assert [each.cluster for each in decisions] == sorted(members)
    taken = [each for each in decisions if each.taken]
    assert len(taken) == int(bool(able) and not undecided(placement, able, facts))
    for each in decisions:
        assert each.shares == (tuple(counts) if each.taken else (0,) * len(counts))
        assert each.share == (sum(counts) if counts else 1) * each.taken
        assert each.reason.strip() and "\n" not in each.reason
        assert each.reason.startswith("runs whole; ") == each.taken
    for each in taken:
        assert each.cluster in able
        if facts.space:
            assert facts.space[each.cluster].room(facts.units[0].gang, 1)


@example(SPARE, ALIKE, [], Facts(units=(unit(),), space=ONE_MEASURED))
@example(SPARE, ALIKE, [], Facts(units=(unit(),), space=ANOTHER_MEASURED))
@given(EVERY, MEMBERS, COUNTS, FACTS)
def test_what_is_duplicated_has_all_of_it_wherever_it_is_taken(
    placement: Placement, members: dict[str, dict[str, str]], counts: list[int], facts: Facts
) -> None:
    facts = replace(facts, units=facts.units[:1])
    able = candidates(placement, members, facts)
    fit = has_room(placement, able, facts)
    try:
        decisions = place(placement, members, counts, facts, "duplicated")
    except NothingFits:
        assert able and not fit
        return
    for each in decisions:
        assert each.shares == (tuple(counts) if each.taken else (0,) * len(counts))
        assert not each.taken or each.cluster in fit
    if able and not undecided(placement, able, facts):
        assert any(each.taken for each in decisions)
        if placement.policy not in ("nearest", "spare-capacity"):
            assert [each.cluster for each in decisions if each.taken] == fit


@given(PLACEMENTS, MEMBERS, COUNTS, member())
def test_a_cluster_that_is_no_candidate_moves_nothing_that_is_whole(
    placement: Placement, members: dict[str, dict[str, str]], counts: list[int], further: dict[str, str]
) -> None:
    assume("z" not in members)
    try:
        before = place(placement, members, counts, run="whole")
    except NothingFits:
        assume(False)
        return
    more = members | {"z": further}
    if "z" not in candidates(placement, more):
        after = place(placement, more, counts, run="whole")
        assert [each for each in after if each.cluster != "z"] == before
