"""Which machines become close to each other by a workload policy, as workload_policies.csv and tpus.csv have it."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from clusters.facts.machine_families import family_name
from clusters.facts.machine_sizes import tpus
from clusters.facts.table import rows


@dataclass(frozen=True)
class Domain:
    """Machines with GPUs that are connected to each other: the topology of their policy, and how many there can be."""

    topology: str
    most_nodes: int


@functools.cache
def _domains() -> Mapping[str, Domain]:
    return {row["family"]: Domain(row["topology"], int(row["most_nodes"])) for row in rows("workload_policies.csv")}


def domain_of(machine_type: str) -> Domain | None:
    """The domain of a machine type with GPUs that needs a workload policy; None for any other."""
    return _domains().get(family_name(machine_type))


def needs_workload_policy(machine_type: str) -> bool:
    """Whether machines of a type become close to each other by a workload policy alone."""
    tpu = tpus().get(machine_type)
    return tpu.by_workload_policy if tpu else domain_of(machine_type) is not None
