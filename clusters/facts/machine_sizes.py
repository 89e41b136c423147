"""CPUs, memory and accelerators of machine types, as the tables of this folder have them."""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from clusters.facts.machine_families import families, family_of
from clusters.facts.table import rows

_CUSTOM = re.compile(r"(?:([a-z][a-z0-9]*)-)?custom-(\d+)-(\d+)(?:-ext)?")


@dataclass(frozen=True)
class Size:
    """Virtual CPUs, GiB of memory, and the local SSDs that are always present, where their number is known."""

    vcpus: int
    memory_gib: float
    local_ssds: int = 0


@dataclass(frozen=True)
class Tpu:
    """The TPU of a machine type: GKE's label of it, and the chips of each node."""

    accelerator: str
    chips: int
    topologies: tuple[str, ...]
    """Those of its slices, such as 2x4; one with more chips than a node has takes several nodes."""
    most_cubes: int
    """Also any AxBxC of multiples of 4 is one, of so many cubes of 4x4x4 at the most; 0 for none."""
    ordered: bool
    """Whether A<=B<=C is surely needed."""
    by_workload_policy: bool
    """Whether several nodes become a slice by a workload policy, and not by the pool's compact placement."""
    boot_disks: tuple[str, ...]
    gke: str
    """The oldest version of GKE that has it; empty for any."""
    sure: bool
    """Whether the label, the chips and the topologies are certain."""
    sure_size: bool
    note: str


def size_of(machine_type: str) -> Size | None:
    """The size of a machine type, or None for one that neither the tables have nor its name says."""
    return _sizes().get(machine_type) or _custom(machine_type)


@functools.cache
def tpus() -> Mapping[str, Tpu]:
    """The TPU of every machine type that has one."""
    return {
        row["machine_type"]: Tpu(
            row["accelerator"],
            int(row["chips"]),
            tuple(filter(None, row["topologies"].split("|"))),
            int(row["most_cubes"] or 0),
            row["ordered"] == "yes",
            row["policy"] == "workload",
            tuple(row["boot_disks"].split("|")),
            row["gke"],
            row["sure"] == "yes",
            row["sure_size"] == "yes",
            row["note"],
        )
        for row in rows("tpus.csv")
    }


def attachable(machine_type: str) -> Mapping[str, tuple[int, ...]]:
    """The GPUs that can be attached to a machine of a type, and in which numbers; all those of N1 for unknown sizes."""
    family, size = family_of(machine_type), size_of(machine_type)
    if family is None or family.gpus != "attached":
        return {}
    vcpus = size.vcpus if size else 0
    return {
        gpu: tuple(count for count, most in counts.items() if vcpus <= most) for gpu, counts in _attached_gpus().items()
    }


@functools.cache
def _sizes() -> Mapping[str, Size]:
    tables = [row for name in ("machine_types.csv", "machines.csv", "tpus.csv") for row in rows(name)]
    return {
        row["machine_type"]: Size(int(row["vcpus"]), float(row["memory_gib"]), _always_present(row)) for row in tables
    }


def _always_present(row: Mapping[str, str]) -> int:
    counts = row.get("local_ssds", "")
    return int(counts) if counts.isdigit() else 0


@functools.cache
def _attached_gpus() -> Mapping[str, Mapping[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for row in rows("n1_gpus.csv"):
        found.setdefault(row["accelerator"], {})[int(row["count"])] = int(row["most_vcpus"])
    return found


def _custom(machine_type: str) -> Size | None:
    match = _CUSTOM.fullmatch(machine_type)
    family = families().get(match[1] or "n1") if match else None
    if not match or not family:
        return None
    vcpus, memory = int(match[2]), int(match[3])
    # CPUs come in pairs, but for one alone, and memory in pieces of 256 MiB.
    if not 0 < vcpus <= family.custom_vcpus or (vcpus > 1 and vcpus % 2) or not memory or memory % 256:
        return None
    return Size(vcpus, memory / 1024)
