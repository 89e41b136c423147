"""Google Cloud's regions: where they are and which accelerators are sold there.

regions.csv names its sources. Its accelerators are offered in the region; it does not say whether there is capacity.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from clusters.facts.table import rows


@dataclass(frozen=True)
class Region:
    """A Google Cloud region; latitude and longitude are in degrees, north and east positive."""

    name: str
    latitude: float
    longitude: float
    continent: str
    accelerators: frozenset[str]


CONTINENT_CODES: Mapping[str, str] = {
    "AF": "Africa",
    "AS": "Asia",
    "EU": "Europe, which includes London and Zurich",
    "NA": "North-America",
    "OC": "Oceania",
    "SA": "South-America",
}
"""Former values of a member's continent, and what to write now: EU was read as the European Union."""


@functools.cache
def regions() -> Mapping[str, Region]:
    """Every region by its name."""
    return {row["region"]: _region(row) for row in rows("regions.csv")}


def is_zone_of(zone: str, region: str) -> bool:
    """Whether a zone's name is one of this region's: the region's name and a letter, or an AI zone's ai1 and a letter.

    Source of the latter: Google's page of TPU regions and zones, which has us-central1-ai1a and us-south1-ai1b.
    """
    return re.fullmatch(re.escape(region) + r"-(ai[0-9])?[a-f]", zone) is not None


def accelerators() -> frozenset[str]:
    """Every GPU that a region has."""
    return frozenset(each for region in regions().values() for each in region.accelerators)


def _region(row: Mapping[str, str]) -> Region:
    accelerators = frozenset(filter(None, row["accelerators"].split(";")))
    return Region(row["region"], float(row["latitude"]), float(row["longitude"]), row["continent"], accelerators)
