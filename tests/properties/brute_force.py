"""A scheduler that tries every node for each pod: slow, and so simple that it is surely right."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import reject

from clusters.nodes.nodes import Nodes

GPU, ACCELERATOR = "nvidia.com/gpu", "cloud.google.com/gke-accelerator"
CLASS = "cloud.google.com/compute-class"
# What takes longer is not tried.
_STEPS = 20_000


@dataclass(frozen=True, order=True)
class Pod:
    """What a pod requests, and the labels that it selects."""

    gpus: int = 0
    cpu: int = 0
    accelerator: str = ""
    tier: str = ""
    compute_class: str = ""

    @property
    def template(self) -> dict[str, Any]:
        requests = {"cpu": self.cpu} | ({GPU: self.gpus} if self.gpus else {})
        selector = {key: value for key, value in self._selected.items() if value}
        container = {"name": "a", "image": "b", "resources": {"requests": requests, "limits": requests}}
        return {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container], "nodeSelector": selector}}

    @property
    def _selected(self) -> dict[str, str]:
        return {ACCELERATOR: self.accelerator, "tier": self.tier, CLASS: self.compute_class}

    def can_be_on(self, pool: Nodes) -> bool:
        """Whether the pod may be on nodes of a pool, by labels, and by the taints of nodes with GPUs or of a class."""
        selected = all(pool.labels.get(key) == value for key, value in self._selected.items() if value)
        tolerated = {GPU: self.gpus > 0, CLASS: pool.labels.get(CLASS) == self.compute_class}
        return selected and all(tolerated[taint.key] for taint in pool.taints)


def schedulable(pods: Sequence[Pod], pools: Sequence[Nodes]) -> bool:
    """Whether all pods find room on the pools at their largest, by trying every node for each of them."""
    # Of each node: the number of its pool, and what is free.
    empty_nodes = [
        (number, has.get(GPU, 0), has["cpu"], has["pods"])
        for number, pool in enumerate(pools)
        for has in [pool.total or pool.allocatable]
        for _ in range(pool.most)
    ]
    order = sorted(pods, reverse=True)
    allowed = {pod: {number for number, pool in enumerate(pools) if pod.can_be_on(pool)} for pod in {*order}}
    hopeless: set[tuple[int, tuple[tuple[int, int, int, int], ...]]] = set()
    steps = 0

    def search(position: int, nodes: tuple[tuple[int, int, int, int], ...]) -> bool:
        nonlocal steps
        if position == len(order):
            return True
        if (position, nodes) in hopeless:
            return False
        steps += 1
        if steps > _STEPS:
            reject()
        pod = order[position]
        for at, (number, gpus, cpu, count) in enumerate(nodes):
            alike = at > 0 and nodes[at - 1] == nodes[at]
            left = (number, gpus - pod.gpus, cpu - 1000 * pod.cpu, count - 1)
            fits = number in allowed[pod] and min(left[1:]) >= 0
            if fits and not alike and search(position + 1, tuple(sorted([*nodes[:at], left, *nodes[at + 1 :]]))):
                return True
        hopeless.add((position, nodes))
        return False

    return search(0, tuple(sorted(empty_nodes)))
