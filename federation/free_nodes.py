"""What is free in a member now: on each node that takes pods, its allocatable less what the pods there request."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clusters.facts.topologies import nodes_of_slice
from clusters.nodes.nodes import TPU, Nodes, Taint
from federation.api_client import asking, listed
from federation.queries import has_ended
from placement.api.lookup import texts
from placement.api.pod_requests import offered, requested, requested_of_node
from placement.fit.node_labels import HOSTNAME, POOL, TOPOLOGY
from placement.starting import Running, scarce_of

_SECONDS = 20


def free_nodes(nodes: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]) -> list[Nodes]:
    """What is free on each node that is ready and takes pods, as the API server's objects say.

    Each is of the pool that its label names, and has a `most` of 1.
    """
    taken = defaultdict[str, Counter[str]](Counter)
    for pod in pods:
        if not has_ended(pod):
            taken[pod["spec"].get("nodeName", "")].update(requested_of_node(pod["spec"]))
    return [_free(node, taken[node["metadata"]["name"]]) for node in nodes if _takes_pods(node)]


@dataclass(frozen=True)
class Measured:
    """What a member has: the nodes that take pods, with what is free on them, and how many exist in each pool.

    `running` is how many pods of a kind are on nodes.
    """

    free: Sequence[Nodes] = ()
    existing: Mapping[str, int] = field(default_factory=dict[str, int])
    running: Mapping[Running, int] = field(default_factory=dict[Running, int])


def measure(member: str, kubeconfig: str) -> Measured:
    """What is free in a member, as its API server says. Raises NoAnswer."""
    with asking(member, kubeconfig) as (client, api):
        core = client.CoreV1Api(api)
        nodes, pods = (
            listed(ask(_preload_content=False, _request_timeout=_SECONDS).data)
            for ask in (core.list_node, core.list_pod_for_all_namespaces)
        )
        existing = Counter(texts(node["metadata"].get("labels")).get(POOL, "") for node in nodes)
        running = Counter(_running(pod) for pod in pods if pod["spec"].get("nodeName") and not has_ended(pod))
        return Measured(free_nodes(nodes, pods), existing, running)


def _running(pod: Mapping[str, Any]) -> Running:
    metadata = pod["metadata"]
    labels = frozenset(texts(metadata.get("labels")).items())
    return Running(metadata.get("namespace") or "", labels, scarce_of(requested(pod["spec"])))


def _free(node: Mapping[str, Any], taken: Mapping[str, int]) -> Nodes:
    name = node["metadata"]["name"]
    labels: Mapping[str, str] = {HOSTNAME: name} | (node["metadata"].get("labels") or {})
    taints: Sequence[Mapping[str, Any]] = node["spec"].get("taints") or []
    amounts = offered(node["status"].get("allocatable"))
    return Nodes(
        labels.get(POOL, ""),
        labels,
        {resource: max(0, amount - taken.get(resource, 0)) for resource, amount in amounts.items()},
        1,
        tuple(Taint(each["key"], str(each.get("value") or ""), each["effect"]) for each in taints),
        slice_nodes=nodes_of_slice(labels.get(TOPOLOGY, ""), amounts.get(TPU, 0)),
    )


def _takes_pods(node: Mapping[str, Any]) -> bool:
    conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not node["spec"].get("unschedulable")
