"""Distances between regions, and the regions of a bucket."""

from itertools import combinations

import pytest

from clusters.facts.regions import regions
from placement.policies.distance import distance, nearest_distance, origin_regions


@pytest.mark.parametrize(
    ("one", "other", "km"),
    # Between the cities, as an atlas has them; the regions' coordinates are a little off those.
    [
        ("europe-west2", "europe-west9", 344),
        ("asia-northeast1", "asia-northeast2", 392),
        ("asia-southeast1", "asia-southeast2", 886),
        ("us-west2", "asia-northeast1", 8_815),
        ("europe-west10", "australia-southeast1", 16_090),
        ("southamerica-east1", "africa-south1", 7_430),
    ],
)
def test_distances_are_those_on_a_globe(one: str, other: str, km: float) -> None:
    assert distance(one, other) == pytest.approx(km, rel=0.025)
    assert distance(other, one) == pytest.approx(distance(one, other))


def test_no_two_regions_are_at_one_place_nor_farther_than_half_around_the_earth() -> None:
    for one, other in combinations(regions(), 2):
        assert 50 < distance(one, other) < 20_016
    assert distance("us-west1", "us-west1") == 0


def test_of_several_origins_the_nearest_counts() -> None:
    assert nearest_distance(("us-west1", "europe-west2"), "europe-west9") == distance("europe-west2", "europe-west9")


@pytest.mark.parametrize("location", ["us-west1", "US-WEST1", "Us-West1"])
def test_a_region_is_its_own_origin(location: str) -> None:
    assert origin_regions(location) == ("us-west1",)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("ASIA1", ("asia-northeast1", "asia-northeast2")),
        ("EUR4", ("europe-north1", "europe-west4")),
        ("EUR5", ("europe-west1", "europe-west2")),
        ("EUR7", ("europe-west2", "europe-west3")),
        ("EUR8", ("europe-west3", "europe-west6")),
        ("nam4", ("us-central1", "us-east1")),
    ],
)
def test_a_dual_region_has_two_origins(location: str, expected: tuple[str, ...]) -> None:
    assert origin_regions(location) == expected
    assert set(expected) < set(regions())


def test_a_multi_region_has_the_regions_of_its_continent() -> None:
    assert set(origin_regions("US")) == {each for each in regions() if each.startswith("us-")}
    assert set(origin_regions("asia")) == {each for each in regions() if each.startswith("asia-")}
    european = set(origin_regions("EU"))
    assert {"europe-west1", "europe-central2", "europe-north1", "europe-southwest1", "europe-west12"} < european
    assert not {"europe-west2", "europe-west6"} & european
    assert all(each.startswith("europe-") for each in european)


@pytest.mark.parametrize("location", ["", "NAM5", "europe", "us-west1-a", "MOON"])
def test_an_unknown_location_is_told_with_what_is_known(location: str) -> None:
    with pytest.raises(ValueError, match="NAM4") as raised:
        origin_regions(location)
    assert repr(location) in str(raised.value)
    assert "every Google Cloud region" in str(raised.value)
