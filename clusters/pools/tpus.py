"""The settings of a pool's TPUs, and what is filled in of a pool that has them."""

from collections.abc import Mapping
from typing import Any, cast

from pydantic import Field

from clusters.facts.machine_sizes import tpus
from clusters.facts.topologies import TOPOLOGY, only_topology, sides, slice_nodes
from problems import Model

MOST_NODES = 1000
"""The most nodes of a pool."""


class TpuSlice(Model):
    """The TPUs of a pool: each node is a slice, or all nodes together are one."""

    topology: str = Field(default="", pattern=rf"^({TOPOLOGY})?$", json_schema_extra={"examples": ["2x4", "2x2x4"]})
    """how the chips of a slice are connected, such as 4x4 or 2x2x4

    If it has more chips than a node, the whole pool is one slice: its nodes are in one zone, and are created and
    deleted together. Otherwise each node is a slice. It can be left out for a machine type that has only one topology.
    """


def with_slice(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """The plain settings of a pool with what follows from its TPUs; those without TPUs are returned unchanged.

    Filled in are a topology without alternative, and max_nodes of a slice of several nodes.
    """
    machine = str(raw.get("machine_type"))
    given: Any = raw.get("tpu")
    if machine not in tpus() or not (given is None or isinstance(given, Mapping)):
        return raw
    own = {"topology": only_topology(machine), **cast(Mapping[str, Any], given or {})}
    filled = {**raw, "tpu": own}
    nodes = slice_nodes(machine, own["topology"]) if isinstance(own["topology"], str) and sides(own["topology"]) else 1
    if 1 < nodes <= MOST_NODES:
        least: Any = raw.get("min_nodes")
        # More than there are is refused by its own rule, and not because of a maximum that nobody wrote.
        filled.setdefault("max_nodes", max(nodes, least) if isinstance(least, int) else nodes)
    return filled
