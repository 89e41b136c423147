"""What a machine type has, by its name."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """A machine type: virtual CPUs, GiB of memory, and the accelerators that are part of it."""

    cpus: int
    memory: float
    gpu: str = ""
    gpus: int = 0
    tpu: str = ""
    tpus: int = 0
    attachable: Mapping[str, tuple[int, ...]] | None = None
    """The GPUs that can be attached, in these numbers."""
    local_ssds: int = 24
    """The most local SSDs that it takes."""
    always_ssds: bool = False
    """Whether it has all of them, whether or not they are requested."""
    compact: bool = True
    """Whether it takes compact placement."""

    def why_not(self, accelerator: str, count: int) -> str | None:
        """Why it cannot have so many of an accelerator, or None where it can."""
        if self.gpu:
            own = f"it has {self.gpus} of {self.gpu}"
            return None if (accelerator, count) == (self.gpu, self.gpus) else f"{own}, and no other accelerator"
        allowed = (self.attachable or {}).get(accelerator, ())
        if count in allowed:
            return None
        if allowed:
            return f"it takes {', '.join(map(str, allowed))} of {accelerator}"
        return "none can be attached to it" if not self.attachable else f"it takes {', '.join(self.attachable)}"


@dataclass(frozen=True)
class _Family:
    """Machine types that differ in size: GiB for each CPU by kind, and the numbers of CPUs."""

    memory: Mapping[str, float]
    cpus: tuple[int, ...]
    compact: bool = False
    local_ssds: int = 0


def _kinds(standard: float, highmem: float, highcpu: float) -> dict[str, float]:
    return {"standard": standard, "highmem": highmem, "highcpu": highcpu}


_UP_TO_16 = (2, 4, 8, 16)
_FAMILIES = {
    "e2": _Family(_kinds(4, 8, 1), (*_UP_TO_16, 32)),
    "n1": _Family(_kinds(3.75, 6.5, 0.9), (1, *_UP_TO_16, 32, 64, 96), local_ssds=24),
    "n2": _Family(_kinds(4, 8, 1), (*_UP_TO_16, 32, 48, 64, 80, 96, 128), True, 24),
    "n2d": _Family(_kinds(4, 8, 1), (*_UP_TO_16, 32, 48, 64, 80, 96, 128, 224), True, 24),
    "n4": _Family(_kinds(4, 8, 2), (*_UP_TO_16, 32, 48, 64, 80)),
    "c2": _Family({"standard": 4}, (4, 8, 16, 30, 60), True, 8),
    "c2d": _Family(_kinds(4, 8, 2), (*_UP_TO_16, 32, 56, 112), True, 8),
    "c3": _Family(_kinds(4, 8, 2), (4, 8, 22, 44, 88, 176), True),
    "c3d": _Family(_kinds(4, 8, 2), (4, 8, 16, 30, 60, 90, 180, 360), True),
    "c4": _Family(_kinds(3.75, 7.75, 2), (*_UP_TO_16, 24, 32, 48, 96, 144, 192, 288), True),
    "c4a": _Family(_kinds(4, 8, 2), (1, *_UP_TO_16, 32, 48, 64, 72)),
    "c4d": _Family(_kinds(3.875, 7.875, 1.875), (*_UP_TO_16, 32, 48, 64, 96, 192, 384)),
    "h3": _Family({"standard": 4}, (88,), True),
    "t2a": _Family({"standard": 4}, (1, *_UP_TO_16, 32, 48)),
    "t2d": _Family({"standard": 4}, (1, *_UP_TO_16, 32, 48, 60)),
}
_SMALL = {"e2-micro": (2, 1), "e2-small": (2, 2), "e2-medium": (2, 4), "f1-micro": (1, 0.6), "g1-small": (1, 1.7)}
# The most virtual CPUs beside so many of a GPU.
_ATTACHED = {
    "nvidia-tesla-t4": {1: 48, 2: 48, 4: 96},
    "nvidia-tesla-v100": {1: 12, 2: 24, 4: 48, 8: 96},
    "nvidia-tesla-p100": {1: 16, 2: 32, 4: 96},
    "nvidia-tesla-p4": {1: 24, 2: 48, 4: 96},
}
# Machine types that are made for accelerators: CPUs, GiB, accelerators, local SSDs.
_ACCELERATED: dict[str, dict[str, tuple[int, int, int, int]]] = {
    "nvidia-tesla-a100": {
        "a2-highgpu-1g": (12, 85, 1, 8),
        "a2-highgpu-2g": (24, 170, 2, 8),
        "a2-highgpu-4g": (48, 340, 4, 8),
        "a2-highgpu-8g": (96, 680, 8, 8),
        "a2-megagpu-16g": (96, 1360, 16, 8),
    },
    "nvidia-a100-80gb": {
        "a2-ultragpu-1g": (12, 170, 1, 1),
        "a2-ultragpu-2g": (24, 340, 2, 2),
        "a2-ultragpu-4g": (48, 680, 4, 4),
        "a2-ultragpu-8g": (96, 1360, 8, 8),
    },
    "nvidia-h100-80gb": {
        "a3-highgpu-1g": (26, 234, 1, 2),
        "a3-highgpu-2g": (52, 468, 2, 4),
        "a3-highgpu-4g": (104, 936, 4, 8),
        "a3-highgpu-8g": (208, 1872, 8, 16),
        "a3-edgegpu-8g": (208, 1872, 8, 16),
        "a3-edgegpu-8g-nolssd": (208, 1872, 8, 0),
    },
    "nvidia-h100-mega-80gb": {"a3-megagpu-8g": (208, 1872, 8, 16)},
    "nvidia-h200-141gb": {"a3-ultragpu-8g": (224, 2952, 8, 32), "a3-ultragpu-8g-nolssd": (224, 2952, 8, 0)},
    "nvidia-b200": {"a4-highgpu-8g": (224, 3968, 8, 32), "a4-highgpu-8g-nolssd": (224, 3968, 8, 0)},
    "nvidia-gb200": {"a4x-highgpu-4g": (140, 884, 4, 4), "a4x-highgpu-4g-nolssd": (140, 884, 4, 0)},
    "nvidia-gb300": {"a4x-maxgpu-4g-metal": (144, 960, 4, 4)},
    "nvidia-l4": {
        "g2-standard-4": (4, 16, 1, 1),
        "g2-standard-8": (8, 32, 1, 1),
        "g2-standard-12": (12, 48, 1, 1),
        "g2-standard-16": (16, 64, 1, 1),
        "g2-standard-24": (24, 96, 2, 2),
        "g2-standard-32": (32, 128, 1, 1),
        "g2-standard-48": (48, 192, 4, 4),
        "g2-standard-96": (96, 384, 8, 8),
    },
    "nvidia-rtx-pro-6000": {
        # A part of a GPU, which counts as one.
        "g4-standard-6": (6, 22, 1, 0),
        "g4-standard-12": (12, 45, 1, 0),
        "g4-standard-24": (24, 90, 1, 1),
        "g4-standard-48": (48, 180, 1, 4),
        "g4-standard-96": (96, 360, 2, 8),
        "g4-standard-192": (192, 720, 4, 16),
        "g4-standard-384": (384, 1440, 8, 32),
    },
}
_WITH_SSDS = ("a2-ultragpu-", "a3-", "a4-", "a4x-")
_TPUS: dict[str, dict[str, tuple[int, int, int]]] = {
    "tpu-v4-podslice": {"ct4p-hightpu-4t": (240, 407, 4)},
    "tpu-v5-lite-podslice": {
        "ct5lp-hightpu-1t": (24, 48, 1),
        "ct5lp-hightpu-4t": (112, 192, 4),
        "ct5lp-hightpu-8t": (224, 384, 8),
    },
    "tpu-v5p-slice": {"ct5p-hightpu-4t": (208, 448, 4)},
    "tpu-v6e-slice": {
        "ct6e-standard-1t": (44, 176, 1),
        "ct6e-standard-4t": (180, 720, 4),
        "ct6e-standard-8t": (180, 1440, 8),
    },
}
_MADE_FOR = {
    name: Machine(cpus, memory, gpu=gpu, gpus=count, local_ssds=ssds, always_ssds=name.startswith(_WITH_SSDS))
    for gpu, types in _ACCELERATED.items()
    for name, (cpus, memory, count, ssds) in types.items()
} | {
    name: Machine(cpus, memory, tpu=tpu, tpus=count, local_ssds=0)
    for tpu, types in _TPUS.items()
    for name, (cpus, memory, count) in types.items()
}


def machine(name: str) -> Machine | None:
    """The machine of a type, or None when Google Cloud has none of that name."""
    if name in _MADE_FOR:
        return _MADE_FOR[name]
    if name in _SMALL:
        cpus, memory = _SMALL[name]
        return Machine(cpus, memory, local_ssds=0, compact=False)
    if match := re.fullmatch(r"(\w+)-(\w+)-(\d+)", name):
        prefix, kind, cpus = match[1], match[2], int(match[3])
        family = _FAMILIES.get(prefix)
        if family and kind in family.memory and cpus in family.cpus:
            return _sized(prefix, family, cpus, cpus * family.memory[kind])
    if match := re.fullmatch(r"(?:(e2|n1|n2|n2d|n4)-)?custom-(\d+)-(\d+)(-ext)?", name):
        prefix, cpus, memory = match[1] or "n1", int(match[2]), int(match[3])
        # CPUs come in pairs, but for one alone, and memory in pieces of 256 MiB.
        if 0 < cpus <= max(_FAMILIES[prefix].cpus) and (cpus == 1 or cpus % 2 == 0) and memory and memory % 256 == 0:
            return _sized(prefix, _FAMILIES[prefix], cpus, memory / 1024)
    return None


def _sized(prefix: str, family: _Family, cpus: int, memory: float) -> Machine:
    # Of all families, n1 alone takes GPUs.
    attachable = {
        gpu: tuple(count for count, most in counts.items() if cpus <= most)
        for gpu, counts in (_ATTACHED if prefix == "n1" else {}).items()
    }
    return Machine(cpus, memory, attachable=attachable, local_ssds=family.local_ssds, compact=family.compact)
