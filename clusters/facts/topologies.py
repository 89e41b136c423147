"""Topologies of TPU slices: how many chips and nodes they have, and which of them a machine type takes.

tpus.csv names its sources. What it marks as unsure causes a warning, and refuses nothing.
"""

from collections.abc import Sequence
from math import prod

from clusters.facts.machine_sizes import Tpu, tpus

TABLE = "clusters/facts/tpus.csv"
TOPOLOGY = r"[1-9][0-9]{0,2}(x[1-9][0-9]{0,2}){1,2}"
"""What a topology looks like: 2x4, or 2x2x4."""
_CUBE = 4


def sides(topology: str) -> tuple[int, ...]:
    """The lengths of a topology's sides in chips; none where it is not one."""
    parts = topology.split("x")
    return tuple(map(int, parts)) if len(parts) > 1 and all(each.isdecimal() for each in parts) else ()


def chips_of(topology: str) -> int:
    """The number of chips of a topology, 0 where it is not one."""
    found = sides(topology)
    return prod(found) if found else 0


def slice_nodes(machine_type: str, topology: str) -> int:
    """How many nodes of a machine type make a slice of this topology: 1 where each node is a slice of its own."""
    tpu = tpus().get(machine_type)
    return nodes_of_slice(topology, tpu.chips) if tpu else 1


def nodes_of_slice(topology: str, chips: int) -> int:
    """How many nodes with so many chips each make a slice of this topology; 1 where that is not known."""
    return max(1, chips_of(topology) // chips) if chips else 1


def only_topology(machine_type: str) -> str:
    """The topology of a machine type's slices where it has exactly one; empty for any other."""
    tpu = tpus().get(machine_type)
    return tpu.topologies[0] if tpu and len(tpu.topologies) == 1 else ""


def single_host(machine_type: str) -> str:
    """The topology of the slices of a machine type that one node is by itself; empty where it is not known."""
    tpu = tpus().get(machine_type)
    return next((each for each in tpu.topologies if chips_of(each) == tpu.chips), "") if tpu else ""


def wrong_topology(machine_type: str, topology: str) -> str:
    """What to write for a topology that a machine type surely does not take, or for none; empty where it may."""
    tpu = tpus()[machine_type]
    return _advice(machine_type, tpu, topology) if tpu.sure and not _only_out_of_order(tpu, topology) else ""


def unsure_topology(machine_type: str, topology: str) -> str:
    """Why a topology that is taken may not be one of a machine type whose topologies are sure; empty where it is."""
    if tpus()[machine_type].sure and _only_out_of_order(tpus()[machine_type], topology):
        return f"sources differ on whether its sides can be in this order; {_in_order(topology)} is sure"
    return ""


def _advice(machine_type: str, tpu: Tpu, topology: str) -> str:
    if not topology:
        return f"{machine_type} has slices of several topologies; write {_any(tpu)}" if len(tpu.topologies) > 1 else ""
    if _takes(tpu, topology):
        return ""
    if len(sides(topology)) != len(sides(tpu.topologies[0])):
        return f"slices of {machine_type} have {len(sides(tpu.topologies[0]))} sides; write {_any(tpu)}"
    if _takes(tpu, _in_order(topology)):
        return f"its sides are in another order; write {_in_order(topology)}"
    cubes = _cubes(topology)
    if tpu.most_cubes and cubes > tpu.most_cubes:
        return (
            f"it has {cubes} cubes of {_CUBE}x{_CUBE}x{_CUBE}, and slices of {machine_type} have at most "
            f"{tpu.most_cubes}; write {tpu.topologies[-1]} or another"
        )
    others = [name for name, each in tpus().items() if _alike(machine_type, name) and _takes(each, topology)]
    instead = f", or machine_type {others[0]}, which has it" if others else ""
    return f"not a topology of {machine_type}; write {_nearest(tpu, topology)}{instead}"


def _takes(tpu: Tpu, topology: str) -> bool:
    found = sides(topology)
    return topology in tpu.topologies or (
        list(found) == sorted(found) and 0 < _cubes(topology) <= tpu.most_cubes and len(found) == 3
    )


def _only_out_of_order(tpu: Tpu, topology: str) -> bool:
    return not tpu.ordered and not _takes(tpu, topology) and _takes(tpu, _in_order(topology))


def _cubes(topology: str) -> int:
    """Of how many cubes of 4x4x4 a topology is made; 0 where it is made of none."""
    found = sides(topology)
    return prod(found) // _CUBE**3 if len(found) == 3 and not any(each % _CUBE for each in found) else 0


def _in_order(topology: str) -> str:
    """The topology with its sides from the smallest to the largest, but for 2x2x1, as it is always written."""
    ordered = "x".join(map(str, sorted(sides(topology))))
    return "2x2x1" if ordered == "1x2x2" else ordered


def _nearest(tpu: Tpu, topology: str) -> str:
    """The topologies with the nearest numbers of chips, the smaller one first."""
    chips = chips_of(topology)
    near = sorted(tpu.topologies, key=lambda each: abs(chips_of(each) - chips))[:2]
    return " or ".join(sorted(near, key=chips_of))


def _any(tpu: Tpu) -> str:
    more = f", or AxBxC of multiples of {_CUBE} with A<=B<=C" if tpu.most_cubes else ""
    return f"{_listed(tpu.topologies)}{more}"


def _listed(topologies: Sequence[str]) -> str:
    *most, last = topologies
    return f"{', '.join(most)} or {last}" if most else last


def _alike(one: str, other: str) -> bool:
    return one != other and one.rpartition("-")[0] == other.rpartition("-")[0]
