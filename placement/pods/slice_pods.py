"""Says how many pods with TPUs run together as one, and must have a slice of as many nodes.

It does not know which slices there are; whether the pods fit on one is judged in fit/slices.py.
"""

from collections.abc import Sequence

from clusters.nodes.nodes import TPU
from placement.api.lookup import at
from placement.api.pod_requests import requested
from placement.api.pod_templates import PodGroup, number, units_of, value_in
from placement.manifests.manifest import Manifest

_JOB_SETS = "jobsets.jobset.x-k8s.io"


def together(manifest: Manifest, groups: Sequence[PodGroup]) -> list[int]:
    """For each group of pods of a unit, how many pods use a slice together; 0 for those without TPUs.

    Each Job of a JobSet has slices of its own, and so has each replica of a Ray group with several hosts. Of anything
    else, all the pods with TPUs of a unit are together: of a LeaderWorkerSet the leader and the workers of a group.
    """
    with_tpus = [requested(group.spec).get(TPU, 0) > 0 for group in groups]
    whole = sum(group.count for group, has in zip(groups, with_tpus, strict=True) if has)
    return [_of_group(manifest, group, whole) if has else 0 for group, has in zip(groups, with_tpus, strict=True)]


def _of_group(manifest: Manifest, group: PodGroup, whole: int) -> int:
    if manifest.type.config_name == _JOB_SETS and group.path[-2:] == ("spec", "template"):
        return units_of(value_in(manifest.body, group.path[:-2]), ("parallelism", "completions"))
    if "workerGroupSpecs" in group.path:
        return number(at(value_in(manifest.body, group.path[:-1]), "numOfHosts"), 1)
    return whole
