"""What pods can request of a GKE node: what its machine has, less what the kernel, the kubelet and the system take.

Sources, read 2026-11-26: GKE's page "Plan GKE Standard node sizes", and kubernetes/autoscaler
cluster-autoscaler/cloudprovider/gce (reserved.go, gce_reserved.go), by which GKE judges nodes that do not exist yet.
Compared with an n2-standard-4 of GKE 1.36 (2026-10): CPU and reserved memory are equal, and the kernel took 23 MiB
more than the autoscaler expects.

What GKE's own pods request on each node is not subtracted, since it differs with GKE's version: system_pods.py has it.
"""

from collections.abc import Sequence

MANY_PODS = 110
"""Above so many pods on a node, GKE reserves more CPU; how much more is from memory."""
_FOR_MANY_PODS = 400  # thousandths of a CPU

_MIB, _GIB = 2**20, 2**30
# Thousandths of a CPU, and parts of ten thousand that are reserved from there on.
_CPU_STEPS = ((0, 600), (1000, 100), (2000, 50), (4000, 25))
# Both CPUs of these are shared with other machines.
_SHARED, _OF_SHARED = frozenset({"e2-micro", "e2-small", "e2-medium"}), 1060
# MiB, and parts of ten thousand that are reserved from there on. The rule counts 1000 MiB as a GB.
_MEMORY_STEPS = ((0, 2500), (4000, 2000), (8000, 1000), (16_000, 600), (128_000, 200))
_SMALL_MEMORY, _OF_SMALL = 1000, 255
_EVICTION_MEMORY = 100 * _MIB
# 16 MiB, 64 MiB for buffers of devices, 8 MiB for small machines, and 32 MiB so as not to promise what may not be free.
_KERNEL, _KERNEL_PART = 120 * _MIB, 64
_UNEXPLAINED, _MOST_UNEXPLAINED = 0.00175, 248 * _MIB
_OS_DISK, _OS_DISK_PART = 4.212, 0.016635  # GiB, with 64 MiB more for Arm
_FILE_SYSTEM_PART = 0.02
_OF_LOCAL_SSDS = (50, 75, 100)  # GiB, of one, two, and more
_EVICTION_DISK_PART = 0.1


def cpu(machine_type: str, vcpus: int, pods: int) -> int:
    """Thousandths of a CPU for the pods of a node that may have so many of them."""
    reserved = _OF_SHARED if machine_type in _SHARED else _reserved(vcpus * 1000, _CPU_STEPS)
    return vcpus * 1000 - reserved - (_FOR_MANY_PODS if pods > MANY_PODS else 0)


def memory(gib: float) -> int:
    """Bytes of memory for the pods of a node whose machine has so many GiB."""
    mib = int(gib * 1024)
    reserved = _OF_SMALL if mib <= _SMALL_MEMORY else _reserved(mib, _MEMORY_STEPS)
    return (mib - reserved) * _MIB - kernel(mib * _MIB) - _EVICTION_MEMORY


def kernel(physical: int) -> int:
    """Bytes that the kernel and the firmware take of a machine's memory, at the most."""
    return physical // _KERNEL_PART + _KERNEL + int(min(_UNEXPLAINED * physical, _MOST_UNEXPLAINED))


def boot_disk(gb: int) -> int:
    """Bytes of ephemeral storage for the pods of a node with a boot disk of so many GB, by which Google means GiB."""
    reserved = min(0.5 * gb, 6 + 0.35 * gb, 100)
    capacity = gb - _OS_DISK - _OS_DISK_PART * gb
    return int((capacity * (1 - _EVICTION_DISK_PART) - reserved) * _GIB)


def local_ssds(count: int, gib: int = 375) -> int:
    """Bytes of ephemeral storage for the pods of a node that has it on so many local SSDs of so many GiB each."""
    capacity = count * gib * (1 - _FILE_SYSTEM_PART)
    reserved = _OF_LOCAL_SSDS[min(count, len(_OF_LOCAL_SSDS)) - 1]
    return int((capacity * (1 - _EVICTION_DISK_PART) - reserved) * _GIB)


def _reserved(whole: int, steps: Sequence[tuple[int, int]]) -> int:
    ends = [*(start for start, _ in steps[1:]), max(whole, steps[-1][0])]
    parts = (max(min(whole, end) - start, 0) * rate for (start, rate), end in zip(steps, ends, strict=True))
    return sum(parts) // 10_000
