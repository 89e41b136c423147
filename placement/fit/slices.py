"""Judges whether pods fit on slices of TPUs of several nodes: all together, one on each node, with all of its chips.

Sources: GKE's "Plan TPUs" and "TPUs in GKE", and cluster-toolkit, by November 2026.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from clusters.facts.topologies import chips_of
from clusters.nodes.nodes import TPU, Nodes
from placement.fit.misses import Miss, of_part_of_node, of_slice
from placement.fit.needs import Needs
from placement.fit.node_labels import HOSTNAME, TOPOLOGY


def on_slice(pod: Needs, nodes: Nodes) -> Iterator[Miss | str]:
    """Yields why a pod with TPUs does not fit on a pool's slices, and what cannot be judged of that."""
    requests, chips = dict(pod.requests).get(TPU, 0), _chips(nodes)
    if not requests or not chips or TPU in nodes.unsure:
        return
    if nodes.slice_nodes == 1:
        if requests < chips:
            yield f"whether a pod can have {requests} of the {chips} {TPU} of a node of pool {nodes.pool}"
        return
    if requests < chips:
        yield of_part_of_node(TPU, requests, chips, nodes)
    if pod.together and pod.together != nodes.slice_nodes:
        yield of_slice(pod.together, nodes, nodes.labels.get(TOPOLOGY, ""))
    elif not all(any(each.key == TOPOLOGY for each in term) for term in pod.terms):
        yield f"whether all of the pods are on one slice, such as pool {nodes.pool}: they select no {TOPOLOGY}"


def whole_slices(nodes: Iterable[Nodes]) -> list[Nodes]:
    """The same nodes, without free TPUs where they exist and are of a slice that is used, or not all there."""
    found = list(nodes)
    free, size = defaultdict[str, int](int), dict[str, int]()
    for each in found:
        if _is_part(each):
            free[each.pool] += each.allocatable.get(TPU, 0)
            size[each.pool] = chips_of(each.labels.get(TOPOLOGY, ""))
    used = {pool for pool, chips in size.items() if free[pool] != chips}
    return [
        replace(each, allocatable={**each.allocatable, TPU: 0}) if _is_part(each) and each.pool in used else each
        for each in found
    ]


def _is_part(nodes: Nodes) -> bool:
    return nodes.slice_nodes > 1 and HOSTNAME in nodes.labels


def _chips(nodes: Nodes) -> int:
    """The chips of each node; of nodes that exist, what is free says less."""
    chips = chips_of(nodes.labels.get(TOPOLOGY, ""))
    return chips // nodes.slice_nodes if nodes.slice_nodes > 1 and chips else nodes.allocatable.get(TPU, 0)
