"""Buckets: on this machine the end of a bucket's name is its location, as in gs://models-europe-west1 and gs://data-eu."""

import re
from collections.abc import Iterator

from clusters.facts.regions import regions
from local.gcp.iam import Member
from local.gcp.resource import Cloud, Wrong, invalid
from local.plugin import Refused
from local.wire import UNKNOWN, Properties

GET = "gcp:storage/getBucket:getBucket"
_LARGER = ("asia", "asia1", "eu", "eur4", "eur5", "eur7", "eur8", "nam4", "us")
_NAME = r"[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]"


class BucketMember(Member):
    """One role of one member on a bucket."""

    token = "gcp:storage/bucketIAMMember:BucketIAMMember"
    on = "bucket"
    roles_of = frozenset({"storage"})

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return ("storage.googleapis.com",)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from super().wrong(cloud, identifier, inputs)
        bucket = inputs["bucket"]
        if bucket != UNKNOWN and not re.fullmatch(_NAME, bucket):
            yield Wrong("bucket", invalid("bucket", bucket, "It must be a bucket's bare name, without gs://"))

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from super().hindered(cloud, identifier, inputs)
        try:
            get_bucket({"name": inputs["bucket"]})
        except Refused as error:
            yield Wrong("bucket", f"Error 404: {error}")


def get_bucket(arguments: Properties) -> Properties:
    """Reads a bucket. Raises Refused for one that does not exist."""
    name = str(arguments["name"])
    for location in sorted((*regions(), *_LARGER), key=len, reverse=True):
        if name.endswith(f"-{location}"):
            return {"name": name, "location": location.upper(), "id": name, "url": f"gs://{name}"}
    raise Refused(f"bucket {name} does not exist: on this machine its name must end with its location, as data-eu does")
