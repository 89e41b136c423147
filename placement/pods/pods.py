"""The pods of a manifest: those of one unit of it, how many units there are, and what is not known of them.

A unit is what a divided object is counted in: a replica, a pod of a Job, a group of a LeaderWorkerSet. What is whole or
duplicated is one unit, with all its pods. Which clusters get units is decided elsewhere (policies.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from placement.api.claims import GROUP, Claims
from placement.api.lookup import at
from placement.api.owners import is_admitted
from placement.api.pod_kinds import Run
from placement.api.pod_templates import PodGroup, groups_of, units_of
from placement.manifests.manifest import Manifest
from placement.pods.slice_pods import together

__all__ = ["PodGroup", "claims_of", "default_run", "doubts", "pod_groups", "units", "waits_in_a_queue"]


def default_run(manifest: Manifest) -> Run:
    """How an object is placed where the workload does not say it; a Job with indexes is whole, since each has a part.

    Indexes of a Job are its pods' ranks, of which each must exist once.
    """
    if manifest.type.config_name == "jobs.batch" and at(manifest.body, "spec", "completionMode") == "Indexed":
        return "whole"
    return manifest.type.run


def pod_groups(manifest: Manifest, run: Run | None = None) -> list[PodGroup]:
    """The pods of one unit: of a divided object one replica or group, and of any other all that it runs side by side.

    `run` is how the workload is placed, where that is not the object's default.
    """
    counted = manifest.type.counted
    groups = groups_of(manifest.body, manifest.type)
    if counted and (run or default_run(manifest)) != "divided":
        count = units_of(manifest.body, counted)
        groups = [replace(group, count=group.count * count) for group in groups]
    return [
        replace(group, together=pods) if pods else group
        for group, pods in zip(groups, together(manifest, groups), strict=True)
    ]


def units(manifest: Manifest, run: Run | None = None) -> int:
    """How many units there are: of a divided object its replicas, of any other 1."""
    divided = manifest.type.counted and (run or default_run(manifest)) == "divided"
    return units_of(manifest.body, manifest.type.counted) if divided else 1


def claims_of(manifests: Iterable[Manifest]) -> Claims:
    """The claims of devices among a workload's objects, and the templates of such claims."""
    return {(each.type.kind, each.name): each.body for each in manifests if each.type.group == GROUP}


def doubts(manifest: Manifest) -> list[str]:
    """What is not known of its pods without its operator, as text; empty where all is in the manifest."""
    decided_by, about = manifest.type.pod_kind.decided_by, f"{manifest.type.kind} {manifest.name}"
    found = [f"pods of {about} are decided by {decided_by} too"] if decided_by else []
    return [*found, *([f"when Kueue admits {about}"] if is_admitted(manifest.type, manifest.body) else [])]


def waits_in_a_queue(manifests: Sequence[Manifest]) -> bool:
    """Whether all that runs pods does so when Kueue admits it: others may then run in its place until it does."""
    running = [each for each in manifests if each.type.runs_pods]
    return bool(running) and all(is_admitted(each.type, each.body) for each in running)
