"""Reads from manifests what the pods of a workload request of extended resources, as text, and the number of pods.

What they need of their nodes is read in needs.py, and compared with nodes in fit.py.
"""

from collections import Counter
from collections.abc import Iterable

from placement.api.pod_requests import requested
from placement.api.pod_templates import units_of
from placement.manifests.manifest import Manifest
from placement.pods.pods import PodGroup, pod_groups


def demands(manifests: Iterable[Manifest]) -> list[str]:
    """What each unit of every counted object requests, in the order of the objects; empty for one that does not."""
    return [_of_unit(pod_groups(manifest, "divided")) for manifest in manifests if manifest.type.counted]


def whole_demand(manifests: Iterable[Manifest]) -> str:
    """What all pods of a workload request together; empty where they request nothing."""
    return _of_unit(group for manifest in manifests for group in pod_groups(manifest, "whole"))


def pods(manifest: Manifest) -> int:
    """How many units a counted object runs side by side; Kubernetes' own default is 1."""
    return units_of(manifest.body, manifest.type.counted)


def _of_unit(groups: Iterable[PodGroup]) -> str:
    """What pods that run together request, such as 4 pods of 8 nvidia.com/gpu; what requests most comes first."""
    counts = Counter[tuple[tuple[str, int], ...]]()
    for group in groups:
        counts[tuple(sorted(requested(group.spec).items()))] += group.count
    found = sorted(((resources, count) for resources, count in counts.items() if resources and count), reverse=True)
    texts = [" and ".join(f"{amount} {resource}" for resource, amount in resources) for resources, _ in found]
    if [count for _, count in found] == [1]:
        return texts[0]
    pairs = zip(texts, (count for _, count in found), strict=True)
    return " and ".join(f"{count} pod{'s' if count > 1 else ''} of {text}" for text, count in pairs)
