"""Where accelerators are free now: allocatable on the nodes, less what pods have requested."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from federation.api_client import asking, listed
from federation.queries import has_ended
from placement.demand import ACCELERATOR_LABEL, PodDemand, UnitDemand
from placement.pod_requests import extended, requested

_SECONDS = 20


@dataclass(frozen=True)
class Node:
    """A node that takes pods: its accelerator, empty where it has none, and what of each resource is free."""

    accelerator: str
    free: Mapping[str, int]


def free_nodes(nodes: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]) -> list[Node]:
    """What is free on each node that is ready and takes pods, as the API server's objects say.

    Only extended resources are counted, such as nvidia.com/gpu: they are whole numbers.
    """
    taken = Counter[tuple[str, str]]()
    for pod in pods:
        if not has_ended(pod):
            for resource, amount in requested(pod["spec"]).items():
                taken[pod["spec"].get("nodeName", ""), resource] += amount
    return [
        Node(
            node["metadata"].get("labels", {}).get(ACCELERATOR_LABEL, ""),
            {
                resource: max(0, amount - taken[node["metadata"]["name"], resource])
                for resource, amount in extended(node["status"].get("allocatable")).items()
            },
        )
        for node in nodes
        if _takes_pods(node)
    ]


def fitting(nodes: Iterable[Node], unit: UnitDemand) -> int:
    """How many units fit, each with all its pods; of what requests nothing scarce, 0."""
    if not unit.pods:
        return 0
    if len(unit.pods) == 1 and unit.pods[0][1] == 1:
        return sum(_room(node, unit.pods[0][0]) for node in nodes)
    left, fit = _with_unit(list(nodes), unit), 0
    while left is not None:
        left, fit = _with_unit(left, unit), fit + 1
    return fit


def without(nodes: Iterable[Node], unit: UnitDemand, count: int) -> list[Node]:
    """What is left of what is free once so many units have been put where they fit, as far as they do."""
    left = list(nodes)
    for pod, each in unit.pods:
        left, _ = _with_pods(left, pod, each * count)
    return left


def _with_unit(nodes: Sequence[Node], unit: UnitDemand) -> list[Node] | None:
    """What is left beside one more unit; None where it does not fit."""
    left = list(nodes)
    for pod, count in unit.pods:
        left, unplaced = _with_pods(left, pod, count)
        if unplaced:
            return None
    return left


def _with_pods(nodes: Sequence[Node], pod: PodDemand, count: int) -> tuple[list[Node], int]:
    """What is left beside so many pods, and how many of them did not fit."""
    left: list[Node] = []
    for node in nodes:
        here = min(count, _room(node, pod))
        count -= here
        taken = {resource: amount - here * pod.resources.get(resource, 0) for resource, amount in node.free.items()}
        left.append(Node(node.accelerator, taken))
    return left, count


def _room(node: Node, pod: PodDemand) -> int:
    if pod.accelerators and node.accelerator not in pod.accelerators:
        return 0
    return min((node.free.get(resource, 0) // each for resource, each in pod.resources.items()), default=0)


def measure(member: str, kubeconfig: str) -> list[Node]:
    """What is free in a member, as its API server says. Raises NoAnswer."""
    with asking(member, kubeconfig) as (client, api):
        core = client.CoreV1Api(api)
        nodes, pods = (
            listed(ask(_preload_content=False, _request_timeout=_SECONDS).data)
            for ask in (core.list_node, core.list_pod_for_all_namespaces)
        )
        return free_nodes(nodes, pods)


def _takes_pods(node: Mapping[str, Any]) -> bool:
    conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not node["spec"].get("unschedulable")
