"""The health of one copy in a member, by what its status says and by its pods: pure functions.

It does not know how many replicas a placement desires there: health.py does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from federation.queries import Object, has_ended
from placement.api.lookup import at
from placement.manifests.manifest import Manifest
from placement.pods.pod_selectors import pod_labels
from placement.pods.pods import pod_groups


@dataclass(frozen=True)
class CopyHealth:
    """How many replicas of a counted copy are ready, and whether any other runs as it should; `note` says more."""

    ready_replicas: int = 0
    well: bool = False
    note: str = ""


def conditions(each: Object) -> Sequence[Mapping[str, Any]]:
    return at(each, "status", "conditions") or []


def copy_health(manifest: Manifest, copy: Object, pods: Sequence[Object]) -> CopyHealth:
    """The health of a copy of an object, in a member with these pods in the object's namespace."""
    true = {each.get("type"): each for each in conditions(copy) if each.get("status") == "True"}
    if manifest.type.counted:
        return _counted(manifest, copy, true)
    read = _BY_KIND.get(manifest.type.config_name)
    if read is not None:
        return read(copy)
    if not manifest.type.runs_pods:
        return CopyHealth(well=True)
    return _ended(true) or _by_readiness(copy) or _by_pods(replace(manifest, body=copy), manifest, pods)


def _counted(manifest: Manifest, copy: Object, true: Mapping[Any, Any]) -> CopyHealth:
    if manifest.type.config_name == "jobs.batch":
        ready, note = _job(copy["spec"], copy.get("status", {}), true)
        return CopyHealth(ready, note=note)
    return CopyHealth(at(copy, "status", "readyReplicas") or 0)


def _job(spec: Mapping[str, Any], status: Mapping[str, Any], true: Mapping[Any, Any]) -> tuple[int, str]:
    """A Job's share is ready as long as as many pods are as it still needs, and once it is complete."""
    parallelism, succeeded = spec.get("parallelism", 1), status.get("succeeded", 0)
    if "Complete" in true:
        return parallelism, "complete"
    if "Failed" in true:
        return 0, "failed"
    if "Suspended" in true:
        return 0, "suspended"
    completions = spec.get("completions")
    if completions is None:
        return status.get("ready", 0), ""
    needless = parallelism - min(parallelism, max(0, completions - succeeded))
    return status.get("ready", 0) + needless, f"{succeeded} of {completions} done" if succeeded else ""


def _ended(true: Mapping[Any, Mapping[str, Any]]) -> CopyHealth | None:
    """What has ended or is suspended, by the conditions of JobSets, TrainJobs and Kubeflow's other jobs."""
    for kind in ("Completed", "Complete", "Succeeded"):
        if kind in true:
            return CopyHealth(well=True, note="complete")
    if "Failed" in true:
        return CopyHealth(note=_with("failed", true["Failed"].get("message")))
    return CopyHealth(note="suspended") if {"Suspended", "RayClusterSuspended"} & true.keys() else None


def _by_readiness(copy: Object) -> CopyHealth | None:
    """What its controller calls Ready, such as a RayService or an InferenceService."""
    found = next((each for each in conditions(copy) if each.get("type") == "Ready"), None)
    if found is None:
        return None
    if found.get("status") == "True":
        return CopyHealth(well=True)
    return CopyHealth(note=_with("not Ready", found.get("message") or found.get("reason")))


def _by_pods(copy: Manifest, manifest: Manifest, pods: Sequence[Object]) -> CopyHealth:
    """What runs all its pods. Where the manifest does not say how many, there must be one, and each that is there."""
    selected = [each for each in pods if any(_has(each, labels) for labels in pod_labels(manifest))]
    ready = sum(_is_ready(each) for each in selected)
    total = max(sum(group.count for group in pod_groups(copy)) or 1, sum(not has_ended(each) for each in selected))
    return CopyHealth(well=ready >= total, note="" if ready >= total else f"{ready} of {total} pods ready")


def _has(pod: Object, labels: Mapping[str, str]) -> bool:
    found: Mapping[str, str] = at(pod, "metadata", "labels") or {}
    return labels.items() <= found.items()


def _is_ready(pod: Object) -> bool:
    """Whether a pod does its work, or has done it."""
    ready = any(each.get("type") == "Ready" and each.get("status") == "True" for each in conditions(pod))
    return ready or at(pod, "status", "phase") == "Succeeded"


def _pod(copy: Object) -> CopyHealth:
    phase = at(copy, "status", "phase") or "Pending"
    if _is_ready(copy):
        return CopyHealth(well=True, note="complete" if phase == "Succeeded" else "")
    return CopyHealth(note=_with("not ready" if phase == "Running" else phase.lower(), at(copy, "status", "message")))


def _daemon_set(copy: Object) -> CopyHealth:
    ready, total = at(copy, "status", "numberReady") or 0, at(copy, "status", "desiredNumberScheduled") or 0
    return CopyHealth(well=ready >= total, note="" if ready >= total else f"{ready} of {total} pods ready")


def _cron_job(copy: Object) -> CopyHealth:
    return CopyHealth(well=True, note="suspended" if at(copy, "spec", "suspend") is True else "")


def _ray_job(copy: Object) -> CopyHealth:
    return _by_state(at(copy, "status", "jobDeploymentStatus"), at(copy, "status", "message"))


def _spark_application(copy: Object) -> CopyHealth:
    state = at(copy, "status", "applicationState")
    return _by_state(at(state, "state"), at(state, "errorMessage"))


def _by_state(state: Any, message: Any) -> CopyHealth:
    """What its operator calls by one word. Source: JobDeploymentStatus of KubeRay 1.5, states of Spark operator 2.3."""
    word = str(state or "not started").replace("_", " ").lower()
    if word in ("running", "succeeding"):
        return CopyHealth(well=True)
    if word in ("complete", "completed"):
        return CopyHealth(well=True, note="complete")
    return CopyHealth(note=_with(word, message))


def _with(word: str, message: Any) -> str:
    return f"{word}: {' '.join(str(message).split())}" if message else word


_BY_KIND = {
    "pods": _pod,
    "daemonsets.apps": _daemon_set,
    "cronjobs.batch": _cron_job,
    "rayjobs.ray.io": _ray_job,
    "sparkapplications.sparkoperator.k8s.io": _spark_application,
}
