"""What Google Cloud's machine types have: the GPUs that go with them, and their local disks."""

from problems import one_of

# Source: Google Cloud's tables of accelerator-optimized machine types; the number in a name is that of its GPUs.
_OF_FAMILY = (
    ("a2-highgpu", "nvidia-tesla-a100", (1, 2, 4, 8)),
    ("a2-megagpu", "nvidia-tesla-a100", (16,)),
    ("a2-ultragpu", "nvidia-a100-80gb", (1, 2, 4, 8)),
    ("a3-highgpu", "nvidia-h100-80gb", (1, 2, 4, 8)),
    ("a3-megagpu", "nvidia-h100-mega-80gb", (8,)),
    ("a3-ultragpu", "nvidia-h200-141gb", (8,)),
    ("a4-highgpu", "nvidia-b200", (8,)),
)
# Of G2 it is the number of virtual CPUs, and decides the number of GPUs.
_G2 = {4: 1, 8: 1, 12: 1, 16: 1, 24: 2, 32: 1, 48: 4, 96: 8}

BUILT_IN = {
    f"{family}-{count}g": (accelerator, count) for family, accelerator, counts in _OF_FAMILY for count in counts
} | {f"g2-standard-{cpus}": ("nvidia-l4", count) for cpus, count in _G2.items()}
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
        "h3",
        "h4d",
        "m1",
        "m2",
        "m3",
        "m4",
        "n2",
        "n2d",
        "n4",
        "t2a",
        "t2d",
        "x4",
        "z3",
    }
)
_WITHOUT_COMPACT = frozenset({"e2", "n1"})
# The counts of local SSDs that a machine type takes, where there is little choice.
_LOCAL_SSDS = (
    {name: (count,) for name, (_, count) in BUILT_IN.items() if name.startswith(("g2-", "a2-ultragpu-"))}
    | {f"a2-highgpu-{count}g": tuple(ssds for ssds in (1, 2, 4, 8) if ssds >= count) for count in (1, 2, 4, 8)}
    | {"a3-highgpu-8g": (16,), "a3-megagpu-8g": (16,)}
)
_WITHOUT_SSDS = frozenset({"e2", "t2a", "t2d"})


def wrong_size(machine_type: str) -> str:
    """What to write for a machine type that its family does not have; empty for one that may exist."""
    families = {name.rpartition("-")[0] for name in BUILT_IN}
    family = machine_type.rpartition("-")[0]
    if family not in families or machine_type in BUILT_IN:
        return ""
    known = [name for name in BUILT_IN if name.rpartition("-")[0] == family]
    return f"not a machine type of {family}; write {one_of(machine_type, known)}"


def wrong_accelerator(machine_type: str, accelerator: str) -> str:
    """What to write for an accelerator that does not go with a machine type; empty where it may."""
    own = BUILT_IN.get(machine_type)
    if own:
        return "" if own[0] == accelerator else f"{machine_type} has {own[0]}; write that, or {_machines(accelerator)}"
    family = machine_type.partition("-")[0]
    if family in _WITHOUT_GPUS:
        return f"machines of {family} take no accelerator; take it out, or write {_machines(accelerator)}"
    if family == "n1" and accelerator not in _N1:
        return f"machines of n1 do not take it; write {one_of(accelerator, _N1)}, or {_machines(accelerator)}"
    return ""


def wrong_count(machine_type: str, accelerator: str, count: int) -> str:
    """What to write for a count of an accelerator that goes with a machine type; empty where it is right."""
    own = BUILT_IN.get(machine_type)
    if own:
        return "" if own[1] == count else f"{machine_type} has {own[1]}; write that, or another machine type"
    counts = _N1.get(accelerator, ()) if machine_type.startswith("n1-") else ()
    return (
        f"{machine_type} takes {_numbers(counts)} of it; write one of these" if counts and count not in counts else ""
    )


def wrong_local_ssds(machine_type: str, count: int) -> str:
    """What to write for a count of local SSDs that a machine type does not take; empty where it may."""
    if machine_type.partition("-")[0] in _WITHOUT_SSDS:
        return f"{machine_type} takes no local SSD; take local_ssds out, or write another machine type"
    counts = _LOCAL_SSDS.get(machine_type, ())
    return f"{machine_type} takes {_numbers(counts)}; write that" if counts and count not in counts else ""


def can_be_compact(machine_type: str) -> bool:
    """Whether Google Cloud puts machines of a type close to each other."""
    return machine_type.partition("-")[0] not in _WITHOUT_COMPACT


def _machines(accelerator: str) -> str:
    """Machine types that have an accelerator."""
    found = [name for name, (own, _) in BUILT_IN.items() if own == accelerator]
    if accelerator in _N1:
        found = ["n1-standard-8"]
    return f"a machine type such as {found[0]}" if found else "a machine type that has it"


def _numbers(counts: tuple[int, ...]) -> str:
    return " or ".join(map(str, counts))
