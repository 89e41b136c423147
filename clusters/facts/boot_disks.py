"""The types of boot disks that machine types take, as boot_disks.csv has them.

They are also those of which a pod's volumes can be: the driver of disks attaches no other.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from clusters.facts.machine_sizes import tpus
from clusters.facts.series import of_series
from clusters.facts.table import rows

DEFAULT = "pd-balanced"
"""The type of a boot disk that GKE makes where a pool names none."""
_INSTEAD = "hyperdisk-balanced"


@dataclass(frozen=True)
class BootDisks:
    """The types of boot disks of some machine types."""

    types: tuple[str, ...]
    sure: bool


def boot_disks(machine_type: str) -> BootDisks | None:
    """The types of boot disks of a machine type, or None where they are not known."""
    return of_series(machine_type, _table())


def default_disk(machine_type: str) -> str:
    """The type of boot disk of a pool that names none: pd-balanced, or Hyperdisk for machines that do not take that."""
    known = boot_disks(machine_type)
    return DEFAULT if known is None or DEFAULT in known.types else _INSTEAD


def wrong_disk(machine_type: str, disk_type: str) -> str:
    """What to write for a type of boot disk that a machine type surely does not take; empty where it may."""
    known = boot_disks(machine_type)
    return _advice(machine_type, disk_type, known.types) if known and known.sure else ""


def unsure_disk(machine_type: str, disk_type: str) -> str:
    """Why a type of boot disk may not do for a machine type; empty where it surely does, or surely does not."""
    known = boot_disks(machine_type)
    if known is None or known.sure or not (advice := _advice(machine_type, disk_type, known.types)):
        return ""
    return f"clusters/facts/boot_disks.csv is not sure, but says that {advice.partition(';')[0]}"


def takes(machine_type: str, disk_type: str) -> bool:
    """Whether disks of a type can be attached to machines of a type; true where that is not known."""
    known = boot_disks(machine_type)
    return known is None or disk_type in known.types


def _advice(machine_type: str, disk_type: str, types: tuple[str, ...]) -> str:
    return "" if disk_type in types else f"{machine_type} takes {' or '.join(types)}; write that"


@functools.cache
def _table() -> Mapping[str, BootDisks]:
    found = {
        row["machines"]: BootDisks(tuple(row["boot_disks"].split("|")), row["sure"] == "yes")
        for row in rows("boot_disks.csv")
    }
    # Those of machines with TPUs are in their own table, all from the driver of disks.
    return found | {name: BootDisks(tpu.boot_disks, True) for name, tpu in tpus().items()}
