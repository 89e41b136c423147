"""The zones that have an accelerator, as zones.csv lists them; it names its sources, and does not know of capacity."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from clusters.facts.machine_families import family_name
from clusters.facts.table import rows

TABLE = "clusters/facts/zones.csv"
_AI_ZONE = re.compile(r"(.+-)ai[0-9]([a-z])")


@dataclass(frozen=True)
class Zones:
    """Where an accelerator is: its zones, and regions in which its zones are not known."""

    places: frozenset[str]
    sure: bool

    def of(self, region: str) -> tuple[str, ...]:
        """The zones of a region that have it; empty where none is listed, or where they are not known."""
        return tuple(sorted(place for place in self.places if _region_of(place) == region and place != region))

    def has(self, region: str) -> bool:
        """Whether the region, or one of its zones, is listed."""
        return region in self.places or bool(self.of(region))

    def may_have(self, zone: str, region: str) -> bool:
        """Whether a zone is listed, or may have it although it is not: nothing is known of such zones."""
        known = self.of(region)
        if zone in known or not known:
            return True
        # Of most accelerators it was not seen which AI zones have them.
        return is_ai_zone(zone) and not any(map(is_ai_zone, self.places))


def is_ai_zone(zone: str) -> bool:
    """Whether a zone is one of Google's AI zones, such as us-central1-ai1a.

    Source: Google's page on AI zones. They are away from the region's other zones, have GPUs and TPUs, must be turned
    on for a project, and lack services that the others have; Google advises to run nothing else there.
    """
    return _AI_ZONE.fullmatch(zone) is not None


def parent_zone(zone: str) -> str:
    """The standard zone whose updates and outages an AI zone shares, as us-central1-a for us-central1-ai1a."""
    return _AI_ZONE.sub(r"\1\2", zone)


def zones_with(machine_type: str, accelerator: str) -> Zones | None:
    """The zones that have machines of a type with an accelerator; None where the table has neither.

    TPUs are listed by the family of their machines, as ct6e, and some GPUs by a series, as a3-edgegpu.
    """
    series = "-".join(machine_type.split("-")[:2])
    keys = (series, accelerator, family_name(machine_type))
    return next((_table()[key] for key in keys if key in _table()), None)


@functools.cache
def _table() -> Mapping[str, Zones]:
    return {row["of"]: Zones(frozenset(row["zones"].split("|")), row["sure"] == "yes") for row in rows("zones.csv")}


def _region_of(place: str) -> str:
    return re.sub(r"-(ai[0-9])?[a-z]$", "", place)
