"""What a machine type has, by the way in which Google Cloud names them."""

import re
from dataclasses import dataclass

# GiB of memory for each virtual CPU, by family and kind.
_PER_CPU = {"standard": 4.0, "highmem": 8.0, "highcpu": 1.0}
_FAMILIES = {"n1", "n2", "n2d", "n4", "e2", "c2", "c3", "c3d", "c4", "t2d", "g2"}

# Accelerator machines are named after their GPUs: virtual CPUs and GiB for one.
_PER_GPU = {"a2-highgpu": (12, 85.0), "a2-ultragpu": (12, 170.0), "a3-highgpu": (26, 234.0), "a3-megagpu": (26, 234.0)}


@dataclass(frozen=True)
class Machine:
    """The size of a machine: virtual CPUs and GiB of memory."""

    cpus: int
    memory: float


def machine(name: str) -> Machine | None:
    """The machine of a type, or None when Google Cloud has none of that name."""
    if match := re.fullmatch(r"(\w+)-(standard|highmem|highcpu)-(\d+)", name):
        family, kind, cpus = match[1], match[2], int(match[3])
        return Machine(cpus, cpus * _PER_CPU[kind]) if family in _FAMILIES and 0 < cpus <= 416 else None
    if match := re.fullmatch(r"(a[23]-(?:high|ultra|mega)gpu)-(\d+)g", name):
        cpus, memory = _PER_GPU.get(match[1], (0, 0.0))
        count = int(match[2])
        return Machine(cpus * count, memory * count) if cpus and count in (1, 2, 4, 8, 16) else None
    return None
