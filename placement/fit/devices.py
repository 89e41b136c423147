"""Judges whether nodes have the networks and the devices that a pod requests by its annotations and claims.

How many pods a node has them for is counted with its other resources (room.py); here is what that leaves open.
"""

from collections.abc import Iterator

from clusters.facts.device_classes import device_classes
from clusters.facts.gpu_networks import AUTO_LABEL, NETWORK_RESOURCE
from clusters.nodes.class_nodes import is_created
from clusters.nodes.nodes import Nodes
from placement.fit.misses import Miss, of_amount, of_networks
from placement.fit.needs import Needs
from placement.fit.node_labels import HOSTNAME


def on_networks(pod: Needs, nodes: Nodes) -> Iterator[Miss | str]:
    """Yields why a pod's networks are not those of a pool, and where that cannot be judged."""
    named = [name.removeprefix(NETWORK_RESOURCE) for name, _ in pod.requests if name.startswith(NETWORK_RESOURCE)]
    missing = [name for name in named if not nodes.allocatable.get(NETWORK_RESOURCE + name)]
    if not missing:
        return
    if AUTO_LABEL in nodes.labels or AUTO_LABEL in nodes.unsure or is_created(nodes.pool):
        # Pods of such pools claim the interfaces, where they can; GKE itself names what networks it makes.
        yield f"networks {', '.join(missing)}: those of pool {nodes.pool} are made by GKE, which names them"
    else:
        yield of_networks(named, missing, nodes)


def on_devices(pod: Needs, nodes: Nodes) -> Iterator[Miss | str]:
    """Yields why a node lacks devices that a pod may share with others, and what is not known of those in use."""
    for alternatives in pod.options:
        if unsure := [name for name, _ in alternatives if name in nodes.unsure]:
            yield f"how much {unsure[0]} pool {nodes.pool} has"
        elif not any(nodes.allocatable.get(name, 0) >= count for name, count in alternatives):
            yield of_amount(*max(alternatives, key=lambda each: nodes.allocatable.get(each[0], 0) / each[1]), nodes)
    if HOSTNAME in nodes.labels:
        for name, _ in pod.requests:
            if name in device_classes() and name in nodes.allocatable:
                yield f"devices of {name} that other pods on pool {nodes.pool} have"
