"""What is known, for one pod, of the nodes that GKE makes by auto-provisioning: they have what the pod selects, or may.

Whether the pod fits on them is judged in judge.py, as for the nodes of any pool.
"""

from dataclasses import replace

from clusters.nodes.nodes import Nodes
from placement.fit.classes import COMPUTE_CLASS
from placement.fit.needs import Needs
from placement.fit.node_labels import ACCELERATORS, TOPOLOGY


def made_for(pod: Needs, nodes: Nodes) -> Nodes:
    """The nodes as GKE would make them for a pod: perhaps with labels that it selects and also tolerates.

    GKE's guides select the accelerator, and the topology of TPUs; what it makes without these is not known. Sources:
    GKE's "About node pool auto-creation" and the guides for GPUs and TPUs, read in November 2026.
    """
    # Tolerations that GKE adds are named as resources.
    tolerated = {each.key for each in pod.tolerations} - {COMPUTE_CLASS, *nodes.labels, *dict(pod.requests)}
    missing = [key for key in (*ACCELERATORS, TOPOLOGY) if key in nodes.labels and not _selects(pod, key)]
    doubts = tuple(f"which nodes GKE makes for pods that select no {key}" for key in missing)
    return replace(nodes, unsure=nodes.unsure.union(tolerated), doubts=nodes.doubts + doubts)


def _selects(pod: Needs, key: str) -> bool:
    return all(any(each.key == key for each in term) for term in pod.terms)
