"""The workloads that the stack with operators has from its first `up` on, and of what others are made."""

from pathlib import Path
from typing import Any

import yaml

from placement.api.queued import QUEUE
from tests.e2e.project import Project

HERE, ELSEWHERE = "serving", ("training", "serving-asia")
NEAR: dict[str, Any] = {"policy": "nearest", "to": "europe-west1", "count": 1}
TPU = "tpu-v5-lite-podslice"
SLICE: dict[str, Any] = {"policy": "spread", "select": {"accelerator": TPU}}
CLASS = "cloud.google.com/compute-class"
OF_FILES = {"groups": "leaderworkersets", "ray": "rayjobs", "train": "trainjobs"}
"""The files of workloads, and the type of the object that runs the pods of each."""

_OBJECTS = Path(__file__).parent / "objects"
_LOCAL_QUEUE: dict[str, Any] = {
    "apiVersion": "kueue.x-k8s.io/v1beta2",
    "kind": "LocalQueue",
    "metadata": {"name": "team"},
    "spec": {"clusterQueue": "all"},
}


def job_set(name: str, **spec: Any) -> dict[str, Any]:
    """A JobSet of two Jobs of one pod."""
    container = {"name": "train", "image": "train:1"}
    job = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": name},
        "spec": {"replicatedJobs": [{"name": "workers", "replicas": 2, "template": {"spec": job}}], **spec},
    }


def queued(name: str) -> dict[str, Any]:
    """A JobSet of two workers, which need more than half of the quota together."""
    found = job_set(name, suspend=True)
    found["metadata"]["labels"] = {QUEUE: "team"}
    _pod(found)["containers"][0]["resources"] = {"requests": {"cpu": "300m"}}
    return found


def on_slice(name: str, topology: str) -> dict[str, Any]:
    """A JobSet of four workers with four chips each, for a slice of a topology."""
    found = job_set(name)
    job = found["spec"]["replicatedJobs"][0]
    job["replicas"] = 1
    job["template"]["spec"] |= {"parallelism": 4, "completions": 4, "completionMode": "Indexed"}
    pod = _pod(found)
    pod["nodeSelector"] = {
        "cloud.google.com/gke-tpu-accelerator": TPU,
        "cloud.google.com/gke-tpu-topology": topology,
    }
    pod["containers"][0]["resources"] = {"limits": {"google.com/tpu": 4}}
    return found


def declare(project: Project) -> None:
    """Writes the workloads into the settings."""
    project.declare_workload("chips", "ai", SLICE, on_slice("chips", "4x4"))
    project.declare_workload("classed", "ai", {"policy": "spread"}, _of_class("classed"))
    project.declare_workload("queue", "ai", {"policy": "clusters", "clusters": [HERE]}, _LOCAL_QUEUE)
    for name in ("first", "second"):
        project.declare_workload(name, "ai", NEAR, queued(name))
    for name in OF_FILES:
        objects: list[dict[str, Any]] = list(yaml.safe_load_all((_OBJECTS / f"{name}.yaml").read_text()))
        project.declare_workload(name, "ai", NEAR, *objects)


def _pod(job_set: dict[str, Any]) -> dict[str, Any]:
    return job_set["spec"]["replicatedJobs"][0]["template"]["spec"]["template"]["spec"]


def _of_class(name: str) -> dict[str, Any]:
    labels = {"app": name}
    pod = {
        "nodeSelector": {CLASS: "fast"},
        # GKE adds it, and no admission plugin here does.
        "tolerations": [{"key": CLASS, "operator": "Exists"}],
        "containers": [{"name": "a", "image": "a:1"}],
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }
