"""The settings of placements: each policy and its parameters, and what must hold inside one.

What a policy decides is in policies.py; whether a named cluster exists is checked in workload.py.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from clusters.facts.regions import CONTINENT_CODES, regions
from clusters.pools.spec import Labels
from clusters.spec import RegionName
from problems import Model, one_of


def _continent_name(labels: dict[str, str]) -> dict[str, str]:
    code = labels.get("continent", "")
    if code in CONTINENT_CODES:
        raise ValueError(f"no member has continent: {code}; write continent: {CONTINENT_CODES[code]}")
    return labels


BUCKET = "gs://"
"""The start of a bucket's address, which tells it from a region."""


def _origin(value: Any) -> Any:
    if not isinstance(value, str) or value in regions():
        return value
    if not value.startswith(BUCKET):
        raise ValueError(
            f"neither a region of Google Cloud nor a bucket; write {one_of(value, regions())}, or gs:// and a bucket"
        )
    if not is_bucket_name(value.removeprefix(BUCKET)):
        raise ValueError(
            "not the name of a bucket; write gs:// and a name in lower case without a path, as gs://my-data"
        )
    return value


def is_bucket_name(name: str) -> bool:
    """Whether Cloud Storage accepts a name for a bucket."""
    # Source: Cloud Storage's rules of bucket names.
    if not re.fullmatch(r"[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]", name) or re.fullmatch(r"[0-9]+(\.[0-9]+){3}", name):
        return False
    return all(0 < len(part) <= 63 for part in name.split("."))


def _has_weight(weights: dict[str, int]) -> dict[str, int]:
    if not any(weights.values()):
        raise ValueError("no cluster has a weight above 0; write one for each that is to be taken")
    return weights


Select = Annotated[Labels, AfterValidator(_continent_name)]
"""Labels by which members are selected."""


class Limit(Model):
    """The minimum and maximum that one cluster gets of each counted object; without max, any number."""

    min: int = Field(default=0, ge=0)
    """the fewest that the cluster gets, from 0 up

    In replicas, a Job's parallelism, or groups of a LeaderWorkerSet. What is autoscaled never has fewer there, and
    never more than max.
    """
    max: int | None = Field(default=None, ge=0)
    """the most that the cluster gets, from 0 up

    Left out, any number.
    """

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}; write a larger max")
        return self


class _Policy(Model):
    select: Select = Field(default_factory=dict[str, str])
    """a map of labels that a candidate must have

    They are role, region, continent, accelerator (any that the cluster's pools have) and the cluster's own labels.
    Continents are Africa, Asia, Europe, North-America, Oceania and South-America; they are not legal borders.
    """


class _Limited(_Policy):
    limits: dict[str, Limit] = Field(default_factory=dict[str, Limit])
    """a map of this stack's clusters to {min, max}

    The minimum and maximum that a cluster gets, whatever its share would be.
    """


class ByClusters(_Policy):
    """The named clusters, in equal shares; what runs whole is in the first of them in which it fits."""

    policy: Literal["clusters"]
    clusters: list[str] = Field(min_length=1)
    """a list of this stack's clusters

    These are taken.
    """


class InRegion(_Policy):
    """Every candidate in one region, in equal shares; what runs whole is in the one with the most room."""

    policy: Literal["region"]
    region: RegionName
    """a Google Cloud region in which the stack has a cluster

    Its clusters are taken, and no others.
    """


class Nearest(_Policy):
    """The candidates that are nearest to a region or to a bucket's data, in equal shares.

    What runs whole is in the nearest in which it fits.
    """

    policy: Literal["nearest"]
    to: Annotated[str, BeforeValidator(_origin)] = Field(
        json_schema_extra={"anyOf": [{"enum": [*regions()]}, {"pattern": f"^{BUCKET}[a-z0-9]"}]}
    )
    """a Google Cloud region, or gs:// and a bucket

    Distances are measured from it, along the surface of the Earth. For a bucket in several regions, the nearest of them
    counts.
    """
    count: int = Field(default=1, ge=1)
    """how many clusters to take, from 1 up

    Where there are fewer candidates, all are taken. What runs whole is in one.
    """


class SpareCapacity(_Policy):
    """The candidates in which the pods fit now, the one with the most room first, and then those that can add nodes.

    What runs whole is in the one with the most room now, or else after a scale-up. Pods that request no accelerators
    are in every candidate, in equal shares.
    """

    policy: Literal["spare-capacity"]


class Spread(_Limited):
    """Every candidate, in equal shares; for what runs whole, there must be only one."""

    policy: Literal["spread"]


class Weighted(_Limited):
    """The candidates that have a weight, in shares by weight; for what runs whole, there must be only one."""

    policy: Literal["weighted"]
    weights: Annotated[
        dict[str, Annotated[int, Field(ge=0, le=1_000_000, description="a whole number from 0 up")]],
        AfterValidator(_has_weight),
    ] = Field(min_length=1)
    """a map of this stack's clusters to whole numbers from 0 up

    A cluster's share is its weight out of the sum of all. One with 0, or left out, is passed over.
    """


Placement = ByClusters | InRegion | Nearest | SpareCapacity | Spread | Weighted


def named_clusters(placement: Placement) -> Iterator[tuple[str, str]]:
    """Yields the setting and the name of every cluster that a placement names."""
    if isinstance(placement, ByClusters):
        yield from (("placement.clusters", name) for name in placement.clusters)
    if isinstance(placement, Weighted):
        yield from (("placement.weights", name) for name in placement.weights)
    if isinstance(placement, Spread | Weighted):
        yield from (("placement.limits", name) for name in placement.limits)


def bucket_of(placement: Placement) -> str:
    """The address of the bucket whose data a placement is near, such as gs://data; empty for any other."""
    return placement.to if isinstance(placement, Nearest) and placement.to.startswith(BUCKET) else ""


def is_by_settings(placement: Placement) -> bool:
    """Whether a placement needs no measurement, not even a bucket's location."""
    return not isinstance(placement, SpareCapacity) and not bucket_of(placement)
