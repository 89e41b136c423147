"""Zones in the settings: whether they are the region's, and how nodes that must be in one are spread."""

from collections.abc import Iterable, Iterator, Sequence

from clusters.facts.regions import is_zone_of
from problems import Problem


def check_zones(setting: str, zones: Iterable[str], region: str) -> Iterator[Problem]:
    """Yields which zones are not of a region; `setting` is that of the zones."""
    for zone in zones:
        if not is_zone_of(zone, region):
            yield Problem(setting, zone, f"not a zone of {region}; write one of its own, such as {region}-b")


def spread_over(zones: Sequence[str]) -> str:
    """Where nodes are that are not in one zone, as text; without zones, Google chooses them."""
    return f"these nodes are in {', '.join(zones)}" if zones else "Google chooses several"
