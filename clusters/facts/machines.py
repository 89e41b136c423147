"""What Google Cloud's machine types have: the GPUs that go with them, and their local disks.

machines.csv has those that come with GPUs, and names its sources. Facts that it marks as unsure cause a warning, and
never refuse a setting.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from clusters.facts.machine_families import family_name, family_of
from clusters.facts.machine_sizes import attachable, tpus
from clusters.facts.table import rows
from problems import one_of

TABLE = "clusters/facts/machines.csv"


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
    fraction: str
    """The part of one GPU that it has, such as 1/8; empty where it has whole ones."""


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
            row["fraction"],
        )
        for row in rows("machines.csv")
    }


BUILT_IN = {name: (each.accelerator, each.count) for name, each in _machines().items()}
"""The machine types that come with GPUs: the accelerator, and how many of it."""

_ATTACHING = "n1-standard-8"
"""An example of the machine types to which GPUs can be attached."""
_TPU_MACHINES = re.compile(r"(ct[0-9]|tpu)")


def wrong_size(machine_type: str) -> str:
    """What to write for a machine type that its family does not have, or whose TPUs are not known; empty for others."""
    if _TPU_MACHINES.match(machine_type) and machine_type not in tpus():
        return f"not a machine type that clusters/facts/tpus.csv has; write {one_of(machine_type, tpus())}"
    known = [name for name, each in _machines().items() if each.sure and _series(name) == _series(machine_type)]
    if not known or machine_type in BUILT_IN:
        return ""
    return f"not a machine type of {_series(machine_type)}; write {one_of(machine_type, known)}"


def is_known(machine_type: str) -> bool:
    """Whether it is known which GPUs a machine type comes with, or that it has none."""
    return machine_type in BUILT_IN or machine_type in tpus() or _gpus(machine_type) in ("none", "attached")


def always_has_ssds(machine_type: str) -> bool:
    """Whether a machine type has local SSDs that were not requested: GKE then writes them into the pool."""
    own = _machines().get(machine_type)
    if own:
        return len(own.local_ssds) == 1 and own.local_ssds[0] > 0
    return family_name(machine_type) == "z3" or re.search(r"-\w*(?<!no)lssd\b", machine_type) is not None


def most_local_ssds(machine_type: str) -> int:
    """The most local SSDs that can be requested of a machine type, 0 where that is not known."""
    own, family = _machines().get(machine_type), family_of(machine_type)
    return max(own.local_ssds) if own else (family.local_ssds if family else None) or 0


def wrong_accelerator(machine_type: str, accelerator: str) -> str:
    """What to write for an accelerator that does not go with a machine type; empty where it may."""
    own = _machines().get(machine_type)
    if own:
        advice = f"{machine_type} has {own.accelerator}; write that, or {_machines_with(accelerator)}"
        return advice if own.sure and own.accelerator != accelerator else ""
    family, gpus = family_name(machine_type), attachable(machine_type)
    if machine_type in tpus():
        return f"{machine_type} has TPUs and takes no GPUs; remove it, or write {_machines_with(accelerator)}"
    if _gpus(machine_type) == "none":
        return f"machines of {family} take no accelerator; remove it, or write {_machines_with(accelerator)}"
    if gpus and accelerator not in gpus:
        return (
            f"machines of {family} do not take it; write {one_of(accelerator, gpus)}, or {_machines_with(accelerator)}"
        )
    return ""


def wrong_count(machine_type: str, accelerator: str, count: int) -> str:
    """What to write for a count of an accelerator that goes with a machine type; empty where it is right."""
    own = _machines().get(machine_type)
    if own:
        advice = f"{machine_type} has {own.count}; write that, or another machine type"
        return advice if own.sure and own.count != count else ""
    counts = attachable(machine_type).get(accelerator, ())
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
        return f"{TABLE} is not sure of its {_gpus_of(own)}{f' ({own.note})' if own.note else ''}"
    if own and local_ssds and not own.sure_disks and (advice := _ssd_advice(machine_type, local_ssds)):
        return f"{TABLE} is not sure, but says that {advice.partition(';')[0]}"
    return ""


def fraction_of(machine_type: str) -> str:
    """The part of one GPU that a machine type has, such as 1/8; empty where it has whole ones, or none."""
    own = _machines().get(machine_type)
    return own.fraction if own else ""


def _gpus_of(own: Machine) -> str:
    return f"{own.fraction} of a GPU, {own.accelerator}" if own.fraction else f"{own.count} of {own.accelerator}"


def _ssd_advice(machine_type: str, count: int) -> str:
    own = _machines().get(machine_type)
    counts = tuple(each for each in own.local_ssds if each) if own else ()
    family = family_of(machine_type)
    if (family and family.local_ssds == 0) or (own and not counts):
        return f"{machine_type} takes no local SSD; remove local_ssds, or write another machine type"
    return f"{machine_type} takes {_numbers(counts)}; write that" if counts and count not in counts else ""


def can_be_compact(machine_type: str) -> bool:
    """Whether Google Cloud puts machines of a type close to each other."""
    family = family_of(machine_type)
    return family is None or family.compact is not False


def is_sure(machine_type: str) -> bool:
    """Whether the accelerators that a machine type comes with are sure; true for one that comes with none."""
    own = _machines().get(machine_type)
    return own is None or own.sure


def _gpus(machine_type: str) -> str:
    family = family_of(machine_type)
    return family.gpus if family else ""


def _series(machine_type: str) -> str:
    """The series of a machine type: a3-highgpu of a3-highgpu-8g-nolssd."""
    return "-".join(machine_type.split("-")[:2])


def _machines_with(accelerator: str) -> str:
    """Machine types that have an accelerator."""
    found = [name for name, (own, _) in BUILT_IN.items() if own == accelerator]
    if accelerator in attachable(_ATTACHING):
        found = [_ATTACHING]
    return f"a machine type such as {found[0]}" if found else "a machine type that has it"


def _numbers(counts: tuple[int, ...]) -> str:
    return " or ".join(map(str, counts))
