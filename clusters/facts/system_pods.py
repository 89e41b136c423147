"""What GKE's own pods request on each node of a pool, as system_pods.csv has it.

It does not say what they leave, which differs with GKE's version: what fits only without them is a doubt (placement/).
"""

import functools
from collections.abc import Mapping

from clusters.facts.table import rows

_MIB = 2**20


@functools.cache
def system_requests(gpus: bool, tpus: bool) -> Mapping[str, int]:
    """What they request together on each node with or without such accelerators, in the units of Nodes.allocatable."""
    nodes = {"all": True, "gpus": gpus, "tpus": tpus}
    found = [row for row in rows("system_pods.csv") if nodes[row["on"]]]
    cpu, memory = (sum(int(row[column]) for row in found) for column in ("cpu", "memory_mib"))
    return {"cpu": cpu, "memory": memory * _MIB, "pods": len(found)}
