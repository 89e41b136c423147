"""Kueue's queues for a member, from its node pools: a ResourceFlavor for each, and one ClusterQueue.

The pools that GKE may create have one flavor for each compute class, named as class.fast, and for the pods of no class
one for each accelerator, named as auto.nvidia-l4, since only these labels are known of them.

LocalQueues are objects of workloads, like the Jobs that name them. Source: the v1beta2 API of Kueue 0.17.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from clusters.classes.spec import LABEL
from clusters.nodes.class_nodes import is_created
from clusters.nodes.nodes import GPU, TPU, Nodes, nodes_of
from clusters.pools.system_pool import SYSTEM_POOL
from clusters.spec import Cluster
from placement.fit.node_labels import ACCELERATORS, POOL

API_VERSION = "kueue.x-k8s.io/v1beta2"
CLUSTER_QUEUE = "default"
"""The name of each member's ClusterQueue, which LocalQueues name."""
# What pods request, and Kueue admits nothing of which a queue does not cover.
_COVERED = ("cpu", "memory", "ephemeral-storage", GPU, TPU)
# What is not known of a machine refuses nothing.
_UNKNOWN = "1P"
_UNITS = ("m", "", "k", "M", "G", "T", "P", "E")


def flavors(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """The spec of each ResourceFlavor of a cluster by its name, which is its pool's, in the order of the queue."""
    return {nodes.pool: _flavor(nodes) for nodes in _in_order(cluster)}


def cluster_queue(cluster: Cluster) -> dict[str, Any]:
    """The spec of a cluster's ClusterQueue: for every namespace, with what its pools have at their largest."""
    pools = _in_order(cluster)
    covered = [each for each in _COVERED if any(_has(nodes, each) for nodes in pools)]
    quotas = [{"name": nodes.pool, "resources": _quotas(nodes, covered)} for nodes in pools]
    return {"namespaceSelector": {}, "resourceGroups": [{"coveredResources": covered, "flavors": quotas}]}


def _in_order(cluster: Cluster) -> list[Nodes]:
    """The pools in the order in which Kueue tries them: those without accelerators first, the system's after others."""
    pools = nodes_of(cluster)
    own = [each for each in pools if not is_created(each.pool)]
    order = sorted(own, key=lambda each: (_has_accelerators(each), each.pool == SYSTEM_POOL, each.pool))
    return [*order, *_merged([each for each in pools if is_created(each.pool)])]


def _merged(created: Sequence[Nodes]) -> list[Nodes]:
    """The nodes that GKE may create for each class or with each accelerator as one pool, with the most of any of them.

    Their labels are those that its pods get.
    """
    found: list[Nodes] = []
    alike: dict[tuple[str, tuple[tuple[str, str], ...]], list[Nodes]] = {}
    for each in created:
        alike.setdefault(_flavor_of(each), []).append(each)
    for (name, labels), own in alike.items():
        unsure = frozenset[str]().union(*(each.unsure for each in own)) & {*_COVERED}
        totals = {
            resource: max(each.total.get(resource, each.allocatable.get(resource, 0) * each.most) for each in own)
            for resource in _COVERED
            if any(resource in each.allocatable for each in own) and resource not in unsure
        }
        taints = tuple(dict.fromkeys(taint for each in own for taint in each.taints))
        found.append(Nodes(name, dict(labels), totals, 1, taints, unsure=unsure))
    return found


def _flavor_of(nodes: Nodes) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The name of the flavor of nodes that GKE may create, and the label that its pods get."""
    key = next((each for each in (LABEL, *ACCELERATORS) if each in nodes.labels), "")
    if not key:
        return "auto.cpu", ()
    kind = "class" if key == LABEL else "auto"
    return f"{kind}.{nodes.labels[key]}", ((key, nodes.labels[key]),)


def _flavor(nodes: Nodes) -> dict[str, Any]:
    """A flavor gives its pods the label of the pool, and tolerations of what keeps others from its accelerators.

    GKE adds these to pods that request accelerators, but Kueue reads a Job before it has pods. Other taints are for
    Kueue to compare with the tolerations that are written.
    """
    taints = [{"key": each.key, "value": each.value, "effect": each.effect} for each in nodes.taints]
    # By the class's label, a pod that selects the class gets no other flavor, and by its taint, no other pod gets it.
    named = {LABEL: nodes.labels[LABEL]} if LABEL in nodes.labels else {}
    # No name of a pool has a dot.
    labels = dict(nodes.labels) if "." in nodes.pool else {POOL: nodes.pool} | named
    spec: dict[str, Any] = {"nodeLabels": labels} if labels else {}
    if taints:
        spec["nodeTaints"] = taints
    if tolerated := [each["key"] for each in taints if each["key"] in (GPU, TPU)]:
        spec["tolerations"] = [{"key": key, "operator": "Exists", "effect": "NoSchedule"} for key in tolerated]
    return spec


def _quotas(nodes: Nodes, covered: Sequence[str]) -> list[dict[str, str]]:
    return [{"name": resource, "nominalQuota": quota(nodes, resource)} for resource in covered]


def quota(nodes: Nodes, resource: str) -> str:
    """How much of a resource a pool has at its largest."""
    amounts: Mapping[str, int] = nodes.allocatable
    if resource not in amounts:
        return _UNKNOWN if resource in nodes.unsure else "0"
    # CPU is counted in thousandths.
    return _canonical(amounts[resource] * nodes.most, "m" if resource == "cpu" else "")


def _canonical(amount: int, unit: str) -> str:
    """An amount as Kueue's webhook writes it back, in the largest unit, so that a preview finds it unchanged.

    Source: the canonical form of Quantity in k8s.io/apimachinery/pkg/api/resource.
    """
    position = _UNITS.index(unit)
    while amount and amount % 1000 == 0 and position + 1 < len(_UNITS):
        amount, position = amount // 1000, position + 1
    return f"{amount}{_UNITS[position] if amount else ''}"


def _has(nodes: Nodes, resource: str) -> bool:
    return resource in nodes.allocatable or resource in nodes.unsure


def _has_accelerators(nodes: Nodes) -> bool:
    # By their taint: GPUs that are allocated by DRA are no resource of their nodes.
    return any(each.key in (GPU, TPU) for each in nodes.taints)
