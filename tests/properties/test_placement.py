"""Placement: a pure function, of which some things always hold."""

from fractions import Fraction
from itertools import permutations
from math import ceil, floor
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from federation.placement import candidates, place, split
from federation.spec import Placement

REGIONS = {"us-west1": "NA", "us-east1": "NA", "europe-west1": "EU", "asia-southeast1": "AS"}
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
def test_a_split_by_weights_is_exact(count: int, weights: dict[str, int]) -> None:
    parts = split(count, weights)
    total = sum(weights.values())
    assert set(parts) == set(weights)
    assert sum(parts.values()) == (count if total else 0)
    for name, weight in weights.items():
        exact = Fraction(count * weight, total) if total else Fraction(0)
        assert floor(exact) <= parts[name] <= ceil(exact)


@given(st.integers(0, 10_000), WEIGHTS)
def test_a_heavier_weight_never_gets_less(count: int, weights: dict[str, int]) -> None:
    parts = split(count, weights)
    for (one, heavy), (other, light) in permutations(weights.items(), 2):
        if heavy > light:
            assert parts[one] >= parts[other]


@given(st.integers(0, 1000), WEIGHTS, st.integers(1, 10))
def test_only_the_proportion_of_weights_counts(count: int, weights: dict[str, int], factor: int) -> None:
    assert split(count, weights) == split(count, {name: weight * factor for name, weight in weights.items()})


def test_a_split_gives_what_is_left_over_to_the_largest_remainders() -> None:
    assert split(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert split(10, {"a": 1, "b": 2}) == {"a": 3, "b": 7}
    assert split(1, {"a": 1, "b": 5}) == {"a": 0, "b": 1}
    assert split(5, {"a": 0, "b": 0}) == {"a": 0, "b": 0}
