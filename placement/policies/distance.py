"""Computes how far regions are apart, and in which regions a bucket of a location has its data.

It decides no placement (by_distance.py does), and does not query Cloud Storage for a bucket's location.
"""

from collections.abc import Collection
from math import asin, cos, radians, sin, sqrt

from clusters.facts.regions import regions

_EARTH_KM = 6371.0088
"""The Earth's mean radius."""

# Source: Cloud Storage's predefined dual-regions.
_DUAL_REGIONS = {
    "asia1": ("asia-northeast1", "asia-northeast2"),
    "eur4": ("europe-north1", "europe-west4"),
    "eur5": ("europe-west1", "europe-west2"),
    "eur7": ("europe-west2", "europe-west3"),
    "eur8": ("europe-west3", "europe-west6"),
    "nam4": ("us-central1", "us-east1"),
}
_MULTI_REGIONS = {"asia": "asia-", "eu": "europe-", "us": "us-"}
# London and Zurich: no data of the multi-region EU is outside the European Union.
_NOT_IN_EU = ("europe-west2", "europe-west6")


def distance(one: str, other: str) -> float:
    """The great-circle distance between two regions, in km."""
    here, there = regions()[one], regions()[other]
    latitude, longitude = radians(here.latitude), radians(here.longitude)
    north, east = radians(there.latitude) - latitude, radians(there.longitude) - longitude
    haversine = sin(north / 2) ** 2 + cos(latitude) * cos(latitude + north) * sin(east / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, haversine)))


def nearest_distance(origins: Collection[str], region: str) -> float:
    """The distance in km of a region from the nearest of the origins, of which there is at least one."""
    return min(distance(origin, region) for origin in origins)


def origin_regions(location: str) -> tuple[str, ...]:
    """The regions in which a bucket of a location can have its data, by name.

    A location is a region, a dual-region or a multi-region, in upper or lower case. Raises ValueError.
    """
    name = location.lower()
    if name in regions():
        return (name,)
    if name in _DUAL_REGIONS:
        return _DUAL_REGIONS[name]
    if name in _MULTI_REGIONS:
        outside = _NOT_IN_EU if name == "eu" else ()
        return tuple(
            sorted(each for each in regions() if each.startswith(_MULTI_REGIONS[name]) and each not in outside)
        )
    known = ", ".join(each.upper() for each in sorted({*_DUAL_REGIONS, *_MULTI_REGIONS}))
    raise ValueError(f"{location!r} is not a location of a bucket; known are {known} and every Google Cloud region")
