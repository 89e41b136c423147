"""The machines of a priority of a compute class, as the pool that GKE would create for it."""

from collections.abc import Mapping

from clusters.classes.auto_provisioning import AutoProvisioning
from clusters.classes.spec import ANY, Priority
from clusters.facts import topologies
from clusters.facts.machine_sizes import Tpu, tpus
from clusters.pools.spec import NodePool

UNKNOWN_SIZE = "-any"
"""The end of the machine type of a priority that leaves its size to GKE: no table has such a type."""
_DEFAULT_FAMILY = "e2"
"""What GKE uses where neither the class nor the pod says more."""


def as_pool(name: str, priority: Priority, auto: AutoProvisioning) -> NodePool:
    """The pool that GKE would create for a priority of a class of this name; its most nodes are not said."""
    tpu = tpu_machine(priority)
    family = priority.machine_family or ("any" if priority.gpu else _DEFAULT_FAMILY)
    return NodePool.model_validate(
        {
            "machine_type": priority.machine_type or tpu or f"{family}{UNKNOWN_SIZE}",
            "accelerator": {"type": priority.gpu.type, "count": priority.gpu.count} if priority.gpu else None,
            "tpu": {"topology": priority.tpu.topology} if priority.tpu else None,
            "spot": priority.spot,
            "flex_start": priority.flex_start,
            "reservation": "" if priority.reservation == ANY else priority.reservation,
            "zones": priority.zones or auto.zones,
            "max_pods_per_node": priority.max_pods_per_node,
            "disk_gb": auto.disk_gb,
            "compute_class": name,
        }
    )


def tpu_machine(priority: Priority) -> str:
    """The machine type with the chips and the topology of a priority; empty without TPUs, or where none has them."""
    if priority.tpu is None:
        return ""
    fitting = (name for name, each in machines_of(priority.tpu.type).items() if each.chips == priority.tpu.count)
    return next((each for each in fitting if priority.tpu.topology in tpus()[each].topologies), "")


def machines_of(accelerator: str) -> Mapping[str, Tpu]:
    """The machine types that have a TPU, by GKE's label of it."""
    return {name: each for name, each in tpus().items() if each.accelerator == accelerator}


def nodes_of_slice(priority: Priority) -> int:
    """The nodes of the slice that GKE creates all together; 1 without TPUs."""
    return topologies.nodes_of_slice(priority.tpu.topology, priority.tpu.count) if priority.tpu else 1
