"""The settings of node pools that GKE creates, and how many machines it may create in them."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from clusters.facts.machine_sizes import size_of, tpus
from clusters.facts.machines import BUILT_IN
from clusters.facts.regions import accelerators
from clusters.pools.spec import NodePool
from clusters.pools.system_pool import SYSTEM, SYSTEM_POOL
from clusters.pools.zones import check_zones
from problems import Model, Problem, one_of

CPU, MEMORY = "cpu", "memory"
_RESOURCE = r"^[a-z][-a-z0-9]*[a-z0-9]$"


class Limit(Model):
    """The least and the most of a resource in a whole cluster."""

    min: int = Field(default=0, ge=0)
    """the least of it, from 0 up

    GKE removes no nodes below it.
    """
    max: int = Field(ge=1)
    """the most of it, from 1 up

    GKE adds no node above it.
    """

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}; write a larger max")
        return self


class AutoProvisioning(Model):
    """Node pools that GKE creates and deletes by itself, for compute classes with create_pools, and for other pods.

    Pods of no class that fit on no pool are placed where the limits leave room for them, and the reason says so: GKE
    chooses the machines.
    """

    enabled: bool = True
    """false to end it, or true

    If auto_provisioning is removed from the settings while it is enabled, it stays enabled: write false first. Existing
    pools are kept.
    """
    limits: dict[Annotated[str, Field(pattern=_RESOURCE)], Limit] = Field(default_factory=dict[str, Limit])
    """a map of cpu, memory (in GB) and accelerators, such as nvidia-l4, to min and max

    They limit all nodes of the cluster together, including those of its own pools. GKE creates no pool with an
    accelerator that is left out. TPUs are named by GKE's label, such as tpu-v6e-slice, and counted in chips.
    """
    zones: list[str] = Field(default_factory=list[str])
    """a list of the region's zones; left out, those of the cluster

    Where GKE may create pools.
    """
    disk_gb: int = Field(default=100, ge=20, le=65536)
    """the size of each node's boot disk, from 20 GB up

    GKE chooses the type that the machine takes.
    """
    profile: Literal["BALANCED", "OPTIMIZE_UTILIZATION"] = "BALANCED"
    """BALANCED or OPTIMIZE_UTILIZATION

    How soon GKE removes nodes that are little used, in all pools of the cluster.
    """


def most_of(limits: Mapping[str, Limit], pools: Mapping[str, NodePool]) -> dict[str, int]:
    """What the limits leave of each resource beside a cluster's own pools at their largest; less than 0 if too small.

    A pool whose machine type no table has counts as nothing.
    """
    left = {name: limit.max for name, limit in limits.items()}
    for pool in {**pools, SYSTEM_POOL: SYSTEM}.values():
        for name, amount in amounts(pool).items():
            if name in left:
                left[name] -= amount * pool.max_nodes
    return left


def amounts(pool: NodePool) -> dict[str, int]:
    """What one machine of a pool counts against the limits, as far as it is known."""
    size = size_of(pool.machine_type)
    found = {CPU: size.vcpus, MEMORY: int(size.memory_gib)} if size else dict[str, int]()
    return found | ({pool.accelerator_name: pool.accelerator_count} if pool.accelerator_name else {})


def check_auto_provisioning(
    setting: str, spec: AutoProvisioning, region: str, pools: Mapping[str, NodePool]
) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed auto_provisioning of a cluster in a region; `setting` is its path."""
    if not spec.enabled:
        return
    for name in (CPU, MEMORY):
        if name not in spec.limits:
            yield Problem(f"{setting}.limits.{name}", None, "required; write max, the most of it in the whole cluster")
    for name in spec.limits:
        if name not in (CPU, MEMORY) and not may_be_accelerator(name):
            advice = f"neither a resource nor an accelerator; write {one_of(name, [CPU, MEMORY, *_accelerators()])}"
            yield Problem(f"{setting}.limits", name, advice)
    for name, left in most_of(spec.limits, pools).items():
        if left < 0:
            most = spec.limits[name].max
            advice = f"the cluster's own pools have up to {most - left} at their largest; write at least that"
            yield Problem(f"{setting}.limits.{name}.max", most, advice)
    yield from check_zones(f"{setting}.zones", spec.zones, region)


def may_be_accelerator(name: str) -> bool:
    """Whether limits can name it as an accelerator; a new one may be in no table yet."""
    return name in _accelerators() or re.match(r"(nvidia-|tpu[-0-9])", name) is not None


def _accelerators() -> frozenset[str]:
    return accelerators() | {kind for kind, _ in BUILT_IN.values()} | {each.accelerator for each in tpus().values()}
