"""Partitions of GPUs: into how many parts of a size each GPU of a type is cut, as partitions.csv has it."""

import functools
from collections.abc import Mapping

from clusters.facts.table import rows
from problems import one_of

_TABLE = "clusters/facts/partitions.csv"


def parts_of(accelerator: str, partition: str) -> int | None:
    """How many parts each GPU of a type has when it is cut to a size; None where that is not known, 1 for no size."""
    return _partitions().get(accelerator, {}).get(partition) if partition else 1


def wrong_partition(accelerator: str, partition: str) -> str:
    """What to write for a size to which GPUs of a type surely cannot be cut; empty where they may be."""
    return "" if accelerator in _unsure() else _advice(accelerator, partition)


def unsure_partition(accelerator: str, partition: str) -> str:
    """Why it is not sure that GPUs of a type can be cut to a size; empty where it is, or where no size is given."""
    if not partition:
        return ""
    if accelerator not in _partitions():
        return f"{_TABLE} does not know the partitions of {accelerator}"
    return f"{_TABLE} is not sure of the partitions of {accelerator}" if accelerator in _unsure() else ""


def _advice(accelerator: str, partition: str) -> str:
    known = _partitions().get(accelerator)
    if known is None or not partition or partition in known:
        return ""
    if not known:
        return f"{accelerator} cannot be cut into parts; remove it, or write sharing for several pods on each GPU"
    return f"{accelerator} has no such partition; write {one_of(partition, known)}"


@functools.cache
def _partitions() -> Mapping[str, Mapping[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in rows("partitions.csv"):
        sizes = found.setdefault(row["accelerator"], {})
        if row["partition"]:
            sizes[row["partition"]] = int(row["parts"])
    return found


@functools.cache
def _unsure() -> frozenset[str]:
    return frozenset(row["accelerator"] for row in rows("partitions.csv") if row["sure"] != "yes")
