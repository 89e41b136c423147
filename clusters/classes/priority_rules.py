"""What must hold between the settings of one priority of a compute class."""

from collections.abc import Iterator

from clusters.classes.machines import machines_of, tpu_machine
from clusters.classes.spec import ANY, Priority
from clusters.facts.machine_families import families
from clusters.facts.machine_sizes import tpus
from clusters.facts.machines import wrong_accelerator, wrong_count, wrong_size
from clusters.pools.zones import check_zones
from problems import Problem, one_of

_EXCLUSIVE = (
    ("machine_type", "machine_family"),
    ("machine_type", "min_cores"),
    ("machine_type", "min_memory_gb"),
    ("gpu", "tpu"),
    ("tpu", "machine_family"),
    ("tpu", "min_cores"),
    ("tpu", "min_memory_gb"),
    ("spot", "flex_start"),
    ("spot", "reservation"),
    ("flex_start", "reservation"),
)


def check_priority(path: str, priority: Priority, region: str) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed priority of a cluster in a region; `path` is its own setting."""
    written = priority.written
    if priority.pools:
        for field in written:
            advice = "machines of pools are said by the pools; remove it, or write it in a priority of its own"
            yield Problem(f"{path}.{field}", _shown(priority, field), advice)
        return
    if not written:
        yield Problem(path, None, "says nothing; write pools, machine_type, machine_family, gpu or tpu")
    for one, other in _EXCLUSIVE:
        # What the machine type brings by itself is no contradiction; its own check says more.
        if one in written and other in written:
            advice = f"a priority cannot have both {one} and {other}; write one of the two, or two priorities"
            yield Problem(f"{path}.{one}", _shown(priority, one), advice)
    yield from _check_gpu(path, priority)
    yield from _check_tpu(path, priority)
    yield from check_zones(f"{path}.zones", priority.zones, region)


def _shown(priority: Priority, field: str) -> object:
    value: object = getattr(priority, field)
    return value if isinstance(value, str | int) else None


def _check_gpu(path: str, priority: Priority) -> Iterator[Problem]:
    machine, gpu, family = priority.machine_type, priority.gpu, priority.machine_family
    if machine and machine not in tpus() and (advice := wrong_size(machine)):
        yield Problem(f"{path}.machine_type", machine, advice)
    elif machine and gpu and (advice := wrong_accelerator(machine, gpu.type)):
        yield Problem(f"{path}.gpu.type", gpu.type, advice)
    elif machine and gpu and (advice := wrong_count(machine, gpu.type, gpu.count)):
        yield Problem(f"{path}.gpu.count", gpu.count, advice)
    elif gpu and family in families() and families()[family].gpus == "none":
        yield Problem(f"{path}.gpu.type", gpu.type, f"machines of {family} take no GPU; remove it, or the family")


def _check_tpu(path: str, priority: Priority) -> Iterator[Problem]:
    machine, tpu = priority.machine_type, priority.tpu
    if machine in tpus() and tpu is None:
        own = tpus()[machine]
        advice = f"write tpu with type {own.accelerator}, count {own.chips} and a topology"
        yield Problem(f"{path}.tpu", None, f"{machine} has TPUs, and a slice needs a topology; {advice}")
    if tpu is None:
        return
    known = machines_of(tpu.type)
    if not known:
        kinds = {each.accelerator for each in tpus().values()}
        yield Problem(f"{path}.tpu.type", tpu.type, f"not a TPU of GKE; write {one_of(tpu.type, kinds)}")
    elif machine and machine not in known:
        advice = f"it has no {tpu.type}; write {one_of(machine, known)}, or remove it"
        yield Problem(f"{path}.machine_type", machine, advice)
    elif not any(each.chips == tpu.count for each in known.values()):
        counts = sorted({each.chips for each in known.values()})
        advice = f"machines of {tpu.type} have {' or '.join(map(str, counts))} chips; write one of these"
        yield Problem(f"{path}.tpu.count", tpu.count, advice)
    elif not tpu_machine(priority):
        listed = [each.topologies for each in known.values() if each.chips == tpu.count]
        names = [topology for each in listed for topology in each]
        # The largest slices of a TPU are not all in the table.
        if all(known[each].sure for each in known if known[each].chips == tpu.count) and tpu.topology.count("x") == 1:
            advice = f"machines of {tpu.count} chips make no such slice; write {one_of(tpu.topology, names)}"
            yield Problem(f"{path}.tpu.topology", tpu.topology, advice)
    if priority.reservation == ANY:
        advice = "TPUs come from a reservation by its name only; write the name, or remove it"
        yield Problem(f"{path}.reservation", ANY, advice)
