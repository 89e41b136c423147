"""Google Cloud's regions: where they are and which accelerators are sold there.

Coordinates are those of Google's public region picker, or of the region's city where it lists none; accelerators come
from public price lists and say what can be ordered, not what has capacity.
"""

import csv
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TABLE = Path(__file__).with_name("regions.csv")


@dataclass(frozen=True)
class Region:
    """A Google Cloud region; latitude and longitude are in degrees, north and east positive."""

    name: str
    latitude: float
    longitude: float
    continent: str
    accelerators: frozenset[str]


@functools.cache
def regions() -> Mapping[str, Region]:
    """Every region by its name."""
    with _TABLE.open(newline="") as table:
        return {row["region"]: _region(row) for row in csv.DictReader(table)}


def is_zone_of(zone: str, region: str) -> bool:
    """Whether a zone's name is one of this region's: the region's name and a letter."""
    return re.fullmatch(re.escape(region) + r"-[a-f]", zone) is not None


def _region(row: Mapping[str, str]) -> Region:
    accelerators = frozenset(filter(None, row["accelerators"].split(";")))
    return Region(row["region"], float(row["latitude"]), float(row["longitude"]), row["continent"], accelerators)
