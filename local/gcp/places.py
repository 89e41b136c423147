"""Where a resource can be: regions, and the zones that each of them has."""

from clusters.facts.regions import regions

# Most regions have the zones a, b and c.
_OTHERS = {"europe-west1": "bcd", "us-east1": "bcd", "us-central1": "abcf"}
# Source: Google's page of TPU regions and zones.
_AI_ZONES = {"us-central1": ("us-central1-ai1a",), "us-south1": ("us-south1-ai1b",)}
_CHOSEN = 3


def zones(region: str) -> tuple[str, ...]:
    """The zones of a region; none where there is no such region."""
    ordinary = tuple(f"{region}-{letter}" for letter in _OTHERS.get(region, "abc")) if region in regions() else ()
    return ordinary + _AI_ZONES.get(region, ())


def chosen_zones(region: str) -> tuple[str, ...]:
    """The zones in which GKE puts the nodes of a regional cluster that names none."""
    return zones(region)[:_CHOSEN]


def region_of(location: str) -> str | None:
    """The region of that name, or of the zone of that name; None where Google Cloud has neither."""
    region = location if location in regions() else location.rpartition("-")[0]
    return region if location in (region, *zones(region)) and region in regions() else None
