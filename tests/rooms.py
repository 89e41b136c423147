"""What members have room for, as plain numbers: pools of GPUs, nodes that exist, and pods that request them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from clusters.nodes.nodes import GPU, GPU_TAINT, Nodes
from placement.fit.node_labels import HOSTNAME, POOL
from placement.fit.room import Gang, gang
from placement.fit.space import Space, measured, spaces
from placement.policies.decision import Unit

ACCELERATOR = "cloud.google.com/gke-accelerator"
GI = 2**30


@dataclass(frozen=True)
class Pods:
    """Pods of one template in each gang."""

    spec: Mapping[str, Any]
    count: int = 1
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    queued: bool = False
    together: int = 0
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


def pool(most: int, each: int = 1, accelerator: str = "nvidia-l4") -> Nodes:
    """A pool of so many nodes at its largest, with so many GPUs on each; of 0 GPUs, it has none."""
    found = {"cpu": 64_000, "memory": 256 * GI, "pods": 110} | ({GPU: each} if each else {})
    name = accelerator.removeprefix("nvidia-") if each else "cpus"
    labels = {POOL: name} | ({ACCELERATOR: accelerator} if each else {})
    return Nodes(name, labels, found, most, (GPU_TAINT,) if each else ())


def live(pool: Nodes, number: int, gpus: int | None = None) -> Nodes:
    """A node of a pool that exists, on which so many GPUs are free; left out, all of them."""
    free = dict(pool.allocatable) | ({} if gpus is None else {GPU: gpus})
    return Nodes(pool.pool, {**pool.labels, HOSTNAME: f"{pool.pool}-{number}"}, free, 1, pool.taints)


def space(*pools: Nodes) -> Space:
    """What a member with these pools has room for."""
    return spaces({"": pools})[""]


def gpus(count: int, now: int | None = None, each: int = 1, accelerator: str = "nvidia-l4") -> Space:
    """Room for so many nodes of GPUs at the largest, of which `now` exist and are free; left out, not measured."""
    one = pool(count, each, accelerator)
    own = space(one)
    return own if now is None else measured(own, [live(one, number) for number in range(now)])


def requests(each: int = 1, *accelerators: str, count: int = 1, **amounts: Any) -> Pods:
    """Pods that each request so many GPUs, of these kinds where some are named."""
    resources = {**({GPU: each} if each else {}), **amounts}
    spec: dict[str, Any] = {"containers": [{"name": "a", "resources": {"limits": resources}}]}
    if accelerators:
        term = {"matchExpressions": [{"key": ACCELERATOR, "operator": "In", "values": list(accelerators)}]}
        required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
        spec["affinity"] = {"nodeAffinity": required}
    return Pods(spec, count)


def gang_of(*pods: Pods) -> Gang:
    """These pods, which run together."""
    return gang(pods)


def unit(each: int = 1, *accelerators: str, title: str = "Job train", count: int = 1) -> Unit:
    """A unit of pods that each request so many GPUs."""
    requested = f"{each} {GPU}" if each else ""
    if each and count > 1:
        requested = f"{count} pods of {requested}"
    return Unit(title, gang_of(requests(each, *accelerators, count=count)), requested)
