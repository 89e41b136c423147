"""Rows of tables that are about several machine types: a family such as a3, or a series of it such as a3-ultragpu."""

from collections.abc import Mapping
from typing import TypeVar

from clusters.facts.machine_families import family_name

T = TypeVar("T")


def of_series(machine_type: str, table: Mapping[str, T]) -> T | None:
    """The value of the longest name that a machine type begins with, by whole parts; None where there is none."""
    parts = machine_type.split("-")
    names = ["-".join(parts[:length]) for length in range(len(parts), 0, -1)]
    # N1's custom types have no family in their names.
    return next((table[name] for name in (*names, family_name(machine_type)) if name in table), None)
