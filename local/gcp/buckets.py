"""Buckets: on this machine a bucket's name says where its data is, as gs://models-europe-west1 and gs://data-eu do."""

from clusters.regions import regions
from local.plugin import Properties, Refused

GET = "gcp:storage/getBucket:getBucket"
_LARGER = ("asia", "asia1", "eu", "eur4", "eur5", "eur7", "eur8", "nam4", "us")


def get_bucket(arguments: Properties) -> Properties:
    """What Google Cloud says about a bucket. Raises Refused for one that does not exist."""
    name = str(arguments["name"])
    for location in sorted((*regions(), *_LARGER), key=len, reverse=True):
        if name.endswith(f"-{location}"):
            return {"name": name, "location": location.upper(), "id": name, "url": f"gs://{name}"}
    raise Refused(f"bucket {name} does not exist: on this machine its name must end with its location, as data-eu does")
