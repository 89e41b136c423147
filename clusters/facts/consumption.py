"""How machine types can be had, as consumption.csv has it: on demand, and close to each other by flex-start."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from clusters.facts.series import of_series
from clusters.facts.table import rows


@dataclass(frozen=True)
class Consumption:
    """Whether machines are sold on demand, whether that is sure, and whether those of flex-start can be compact."""

    on_demand: bool = True
    sure: bool = True
    flex_start_compact: bool = False


def consumption(machine_type: str) -> Consumption:
    """How machines of a type can be had; as most machines are, where the table does not have them."""
    return of_series(machine_type, _table()) or Consumption()


def flex_start_compact_machines() -> list[str]:
    """The families and series of which machines of flex-start can be close to each other."""
    return sorted(name for name, each in _table().items() if each.flex_start_compact)


@functools.cache
def _table() -> Mapping[str, Consumption]:
    columns = ("on_demand", "sure", "flex_start_compact")
    return {row["machines"]: Consumption(*(row[each] == "yes" for each in columns)) for row in rows("consumption.csv")}
