"""Families of machine types, as machine_families.csv has them: n2 of n2-standard-8."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from clusters.facts.table import rows

_LOCAL_SSD = 375  # GiB


@dataclass(frozen=True)
class Family:
    """What all machine types of a family have in common.

    `compact` is None where it is not known, and `local_ssds`, the most that can be requested, also where it depends on
    the machine type. `custom_vcpus` is the largest custom type, 0 for none.
    """

    gpus: Literal["none", "own", "attached"]
    arch: str
    compact: bool | None
    local_ssds: int | None
    custom_vcpus: int
    ssd_gib: int
    """How large each of its local SSDs is."""


def local_ssd_gib(machine_type: str) -> int:
    """How many GiB each local SSD of a machine type has."""
    family = family_of(machine_type)
    return family.ssd_gib if family else _LOCAL_SSD


@functools.cache
def families() -> Mapping[str, Family]:
    """Every family by its name."""
    return {
        row["family"]: Family(
            cast(Literal["none", "own", "attached"], row["gpus"]),
            row["arch"],
            row["compact"] == "yes" if row["compact"] else None,
            int(row["local_ssds"]) if row["local_ssds"] else None,
            int(row["custom_vcpus"] or 0),
            int(row["ssd_gib"] or _LOCAL_SSD),
        )
        for row in rows("machine_families.csv")
    }


def family_name(machine_type: str) -> str:
    """The family of a machine type: a3 of a3-highgpu-8g, and n1 of custom-8-32768."""
    name = machine_type.partition("-")[0]
    return "n1" if name == "custom" else name


def family_of(machine_type: str) -> Family | None:
    """The family of a machine type, or None for one that is not known."""
    return families().get(family_name(machine_type))
