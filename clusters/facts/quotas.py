"""The quotas that limit a project's accelerators, as quotas.csv has them with their sources."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from clusters.facts.table import rows

TABLE = "clusters/facts/quotas.csv"
ALL_GPUS = "all"
"""In place of an accelerator: every GPU of the project, in all regions together."""
Kind = Literal["standard", "preemptible"]
"""Preemptible quota is for spot, flex-start and queued machines, and standard quota for all others."""


@dataclass(frozen=True)
class Quota:
    """A quota of Compute Engine: its id in the Cloud Quotas API, and which of its limits counts, beside the region."""

    id: str
    dimensions: Mapping[str, str]
    sure: bool


def quota_of(accelerator: str, kind: Kind) -> Quota | None:
    """The quota that machines with an accelerator count against; None where the table does not know it."""
    return _table().get((accelerator, kind))


@functools.cache
def _table() -> Mapping[tuple[str, Kind], Quota]:
    return {
        (row["accelerator"], cast(Kind, row["kind"])): Quota(row["quota"], _dimensions(row), row["sure"] == "yes")
        for row in rows("quotas.csv")
    }


def _dimensions(row: Mapping[str, str]) -> Mapping[str, str]:
    name, _, value = row["dimension"].partition("=")
    return {name: value} if name else {}
