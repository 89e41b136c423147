"""What a machine type has, by its name."""

from collections.abc import Mapping
from dataclasses import dataclass

from clusters.facts.machine_sizes import attachable, size_of, tpus
from clusters.facts.machines import BUILT_IN, always_has_ssds, can_be_compact, most_local_ssds


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
    local_ssds: int = 0
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


def machine(name: str) -> Machine | None:
    """The machine of a type, or None when Google Cloud has none of that name."""
    size = size_of(name)
    if size is None:
        return None
    gpu, gpus = BUILT_IN.get(name, ("", 0))
    tpu = tpus().get(name)
    return Machine(
        size.vcpus,
        size.memory_gib,
        gpu=gpu,
        gpus=gpus,
        tpu=tpu.accelerator if tpu else "",
        tpus=tpu.chips if tpu else 0,
        attachable=attachable(name),
        local_ssds=size.local_ssds or most_local_ssds(name),
        always_ssds=always_has_ssds(name),
        # Where no table knows it, the settings do not refuse it, and neither does this.
        compact=can_be_compact(name),
    )
