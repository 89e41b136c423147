"""What Google Cloud's machine types have: the GPUs that go with them, and their local disks.

machines.csv has those that come with GPUs, and names its sources. Facts that it marks as unsure cause a warning, and
never refuse a setting.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from clusters.table import rows
from problems import one_of

TABLE = "clusters/machines.csv"


@dataclass(frozen=True)
class Machine:
    """A machine type that comes with GPUs."""

    accelerator: str
    count: int
    local_ssds: tuple[int, ...]
    """The numbers of local SSDs that can be requested; a single number is always present."""
    sure: bool
    sure_disks: bool
    note: str


@functools.cache
def _machines() -> Mapping[str, Machine]:
    return {
        row["machine_type"]: Machine(
            row["accelerator"],
            int(row["count"]),
            tuple(map(int, row["local_ssds"].split("|"))),
            row["sure"] == "yes",
            row["sure_disks"] == "yes",
            row["note"],
        )
        for row in rows("machines.csv")
    }


BUILT_IN = {name: (each.accelerator, each.count) for name, each in _machines().items()}
"""The machine types that come with GPUs: the accelerator, and how many of it."""

# What can be attached to an N1 machine, and how many.
_N1 = {
    "nvidia-tesla-p100": (1, 2, 4),
    "nvidia-tesla-p4": (1, 2, 4),
    "nvidia-tesla-t4": (1, 2, 4),
    "nvidia-tesla-v100": (1, 2, 4, 8),
}
_WITHOUT_GPUS = frozenset(
    {
        "c2",
        "c2d",
        "c3",
        "c3d",
        "c4",
        "c4a",
        "c4d",
        "e2",
        "f1",
        "g1",
        "h3",
        "h4d",
        "m1",
        "m2",
        "m3",
        "m4",
        "n2",
        "n2d",
        "n4",
        "n4a",
        "n4d",
        "t2a",
        "t2d",
        "x4",
        "z3",
    }
)
# Families to which GPUs can be attached; custom-8-32768 is N1, too.
_ATTACHING = frozenset({"n1", "custom"})
_TPU_MACHINES = re.compile(r"(ct[0-9]|tpu)")
_WITHOUT_COMPACT = frozenset({"e2", "n1"})
_WITHOUT_SSDS = frozenset({"e2", "t2a", "t2d"})


def wrong_size(machine_type: str) -> str:
    """What to write for a machine type that its family does not have, or that cannot be used yet; empty for others."""
    if _TPU_MACHINES.match(machine_type):
        return "TPU pools cannot be made yet; write a machine type with GPUs, such as g2-standard-8, or with neither"
    known = [name for name, each in _machines().items() if each.sure and _series(name) == _series(machine_type)]
    if not known or machine_type in BUILT_IN:
        return ""
    return f"not a machine type of {_series(machine_type)}; write {one_of(machine_type, known)}"


def is_known(machine_type: str) -> bool:
    """Whether it is known which GPUs a machine type comes with, or that it has none."""
    return machine_type in BUILT_IN or _family(machine_type) in _WITHOUT_GPUS | _ATTACHING


def always_has_ssds(machine_type: str) -> bool:
    """Whether a machine type has local SSDs that were not requested: GKE then writes them into the pool."""
    own = _machines().get(machine_type)
    if own:
        return len(own.local_ssds) == 1 and own.local_ssds[0] > 0
    return _family(machine_type) == "z3" or re.search(r"-\w*(?<!no)lssd\b", machine_type) is not None


def wrong_accelerator(machine_type: str, accelerator: str) -> str:
    """What to write for an accelerator that does not go with a machine type; empty where it may."""
    own = _machines().get(machine_type)
    if own:
        advice = f"{machine_type} has {own.accelerator}; write that, or {_machines_with(accelerator)}"
        return advice if own.sure and own.accelerator != accelerator else ""
    family = _family(machine_type)
    if family in _WITHOUT_GPUS:
        return f"machines of {family} take no accelerator; remove it, or write {_machines_with(accelerator)}"
    if family in _ATTACHING and accelerator not in _N1:
        return f"machines of n1 do not take it; write {one_of(accelerator, _N1)}, or {_machines_with(accelerator)}"
    return ""


def wrong_count(machine_type: str, accelerator: str, count: int) -> str:
    """What to write for a count of an accelerator that goes with a machine type; empty where it is right."""
    own = _machines().get(machine_type)
    if own:
        advice = f"{machine_type} has {own.count}; write that, or another machine type"
        return advice if own.sure and own.count != count else ""
    counts = _N1.get(accelerator, ()) if _family(machine_type) in _ATTACHING else ()
    return (
        f"{machine_type} takes {_numbers(counts)} of it; write one of these" if counts and count not in counts else ""
    )


def wrong_local_ssds(machine_type: str, count: int) -> str:
    """What to write for a count of local SSDs that a machine type does not take; empty where it may."""
    own = _machines().get(machine_type)
    return _ssd_advice(machine_type, count) if own is None or own.sure_disks else ""


def unsure(machine_type: str, local_ssds: int) -> str:
    """Which facts that the settings depend on are unsure; empty where all are sure."""
    own = _machines().get(machine_type)
    if own and not own.sure:
        return f"{TABLE} is not sure of its {own.count} of {own.accelerator} ({own.note})"
    if own and local_ssds and not own.sure_disks and (advice := _ssd_advice(machine_type, local_ssds)):
        return f"{TABLE} is not sure, but says that {advice.partition(';')[0]}"
    return ""


def _ssd_advice(machine_type: str, count: int) -> str:
    own = _machines().get(machine_type)
    counts = tuple(each for each in own.local_ssds if each) if own else ()
    if _family(machine_type) in _WITHOUT_SSDS or (own and not counts):
        return f"{machine_type} takes no local SSD; remove local_ssds, or write another machine type"
    return f"{machine_type} takes {_numbers(counts)}; write that" if counts and count not in counts else ""


def can_be_compact(machine_type: str) -> bool:
    """Whether Google Cloud puts machines of a type close to each other."""
    return _family(machine_type) not in _WITHOUT_COMPACT


def _family(machine_type: str) -> str:
    """The family of a machine type: a3 of a3-highgpu-8g."""
    return machine_type.partition("-")[0]


def _series(machine_type: str) -> str:
    """The series of a machine type: a3-highgpu of a3-highgpu-8g-nolssd."""
    return "-".join(machine_type.split("-")[:2])


def _machines_with(accelerator: str) -> str:
    """Machine types that have an accelerator."""
    found = [name for name, (own, _) in BUILT_IN.items() if own == accelerator]
    if accelerator in _N1:
        found = ["n1-standard-8"]
    return f"a machine type such as {found[0]}" if found else "a machine type that has it"


def _numbers(counts: tuple[int, ...]) -> str:
    return " or ".join(map(str, counts))
