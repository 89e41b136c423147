"""Which fields of a copy belong to controllers of its member, so that KubeFed leaves them as they are there.

A table. Admission policies are made from it in federation/admission.py; where a cluster's Kubernetes has no such
policies, KubeFed undoes what the controllers write, and a workload that has them is refused.
"""

from collections.abc import Mapping
from typing import Any

from placement.api.kinds import TargetType
from placement.api.lookup import at, entries
from placement.api.pod_kinds import Pointer
from placement.api.queued import QUEUE

REFUSING = ("jobs.batch", "jobsets.jobset.x-k8s.io")
"""Kinds into whose copies KubeFed can write nothing without policies: its write lacks what their API has filled in."""

# What Kueue writes into an object that has no end: it is suspended, and gets the node selectors of its flavors.
# Source: RunWithPodSetsInfo of Kueue 0.17.0 (pkg/controller/jobs/raycluster).
QUEUED_FIELDS: Mapping[str, tuple[Pointer, ...]] = {
    "rayclusters.ray.io": ("/spec/suspend", "/spec/headGroupSpec", "/spec/workerGroupSpecs"),
}

# What an autoscaler in the operator writes: the flag that switches it on, the list of groups, and the fields of each.
# Source: ScaleStrategy of KubeRay 1.5.0's API (ray/v1/raycluster_types.go), which Ray's autoscaler writes.
AUTOSCALED_GROUPS: Mapping[str, tuple[Pointer, Pointer, tuple[str, ...]]] = {
    "rayclusters.ray.io": ("/spec/enableInTreeAutoscaling", "/spec/workerGroupSpecs", ("replicas", "scaleStrategy")),
}


def is_admitted(target: TargetType, body: Mapping[str, Any]) -> bool:
    """Whether Kueue admits an object: decides when it runs, and on which nodes."""
    queues = target.pod_kind.ends is not None or target.config_name in QUEUED_FIELDS
    return queues and bool(entries(at(body, "metadata", "labels")).get(QUEUE))


def written_by(target: TargetType, body: Mapping[str, Any]) -> str:
    """Which controller of a member writes into an object's copies, what KubeFed would undo; empty where none does."""
    if is_admitted(target, body):
        return f"Kueue queues it (label {QUEUE})"
    flag = AUTOSCALED_GROUPS.get(target.config_name, ("",))[0]
    if flag and at(body, *flag.strip("/").split("/")) is True:
        return f"its autoscaler scales it ({flag.strip('/').replace('/', '.')})"
    return ""
