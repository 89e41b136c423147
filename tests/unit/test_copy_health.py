"""What is shown of one copy of each kind: by its status, or by the pods that carry its labels."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from federation.copy_health import CopyHealth, copy_health
from federation.health import Placed, Share, WorkloadHealth, list_of, observed, workload_health
from federation.queries import Answer
from placement.api.kinds import KNOWN
from placement.api.pod_kinds import POD_KINDS
from placement.manifests.manifest import Manifest
from tests import objects

POD: dict[str, Any] = {"spec": {"containers": [{"name": "a", "image": "b"}]}}
JOB_SET = {"replicatedJobs": [{"name": "a", "replicas": 2, "template": {"spec": {"parallelism": 2, "template": POD}}}]}
KUBEFLOW = {"Master": {"template": POD}, "Worker": {"replicas": 2, "template": POD}}
RAY = {"headGroupSpec": {"template": POD}, "workerGroupSpecs": [{"replicas": 2, "template": POD}]}


def condition(kind: str, status: str = "True", **more: str) -> dict[str, str]:
    return {"type": kind, "status": status, **more}


def pods(label: str, ready: int, pending: int = 0, ended: str = "") -> list[dict[str, Any]]:
    """Pods with a label that has the object's name for a value."""
    metadata = {"namespace": "ai", "labels": {label: "it", "other": "x"}}
    states: list[dict[str, Any]] = [{"phase": "Running", "conditions": [condition("Ready")]}] * ready
    states += [{"phase": "Pending", "conditions": [condition("Ready", "False")]}] * pending
    states += [{"phase": ended}] if ended else []
    return [{"metadata": metadata, "spec": {}, "status": each} for each in states]


def manifest_of(name: str, spec: Mapping[str, Any]) -> Manifest:
    kind = KNOWN[name]
    body = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": "it"}, "spec": spec}
    return Manifest(kind, "it", body)


JOBS, NAME = "jobsets.jobset.x-k8s.io", "jobset.sigs.k8s.io/jobset-name"
KUBEFLOW_NAME = "training.kubeflow.org/job-name"
Status = dict[str, Any]
CASES: list[tuple[str, Mapping[str, Any], Status, Sequence[Any], bool, str]] = [
    (JOBS, JOB_SET, {}, [], False, "0 of 4 pods ready"),
    (JOBS, JOB_SET, {}, pods(NAME, 3, 1), False, "3 of 4 pods ready"),
    (JOBS, JOB_SET, {}, pods(NAME, 4), True, ""),
    # One pod has done its part, and one that failed has another in its place.
    (JOBS, JOB_SET, {}, pods(NAME, 3, ended="Succeeded"), True, ""),
    (JOBS, JOB_SET, {}, pods(NAME, 4, ended="Failed"), True, ""),
    (JOBS, JOB_SET, {}, pods("other-label", 4), False, "0 of 4 pods ready"),
    (JOBS, JOB_SET, {"conditions": [condition("Completed")]}, [], True, "complete"),
    (JOBS, JOB_SET, {"conditions": [condition("Completed", "False")]}, [], False, "0 of 4 pods ready"),
    (JOBS, JOB_SET, {"conditions": [condition("Failed", message="a\n b")]}, [], False, "failed: a b"),
    (JOBS, JOB_SET, {"conditions": [condition("Suspended")]}, [], False, "suspended"),
    *(
        (name, {key: KUBEFLOW}, status, found, well, note)
        for name, key in (
            ("pytorchjobs.kubeflow.org", "pytorchReplicaSpecs"),
            ("tfjobs.kubeflow.org", "tfReplicaSpecs"),
            ("xgboostjobs.kubeflow.org", "xgbReplicaSpecs"),
            ("paddlejobs.kubeflow.org", "paddleReplicaSpecs"),
            ("mpijobs.kubeflow.org", "mpiReplicaSpecs"),
        )
        for status, found, well, note in (
            ({"conditions": [condition("Running")]}, pods(KUBEFLOW_NAME, 3), True, ""),
            ({"conditions": [condition("Created")]}, pods(KUBEFLOW_NAME, 1, 2), False, "1 of 3 pods ready"),
            ({"conditions": [condition("Succeeded")]}, [], True, "complete"),
        )
    ),
    # Its runtime says how many pods it has.
    ("trainjobs.trainer.kubeflow.org", {"runtimeRef": {"name": "x"}}, {}, [], False, "0 of 1 pods ready"),
    ("trainjobs.trainer.kubeflow.org", {"runtimeRef": {"name": "x"}}, {}, pods(NAME, 2, 1), False, "2 of 3 pods ready"),
    ("trainjobs.trainer.kubeflow.org", {"runtimeRef": {"name": "x"}}, {}, pods(NAME, 3), True, ""),
    ("rayclusters.ray.io", RAY, {}, pods("ray.io/cluster", 2, 1), False, "2 of 3 pods ready"),
    ("rayclusters.ray.io", RAY, {}, pods("ray.io/cluster", 3), True, ""),
    ("rayclusters.ray.io", RAY, {"conditions": [condition("RayClusterSuspended")]}, [], False, "suspended"),
    ("rayjobs.ray.io", {"rayClusterSpec": RAY}, {}, [], False, "not started"),
    ("rayjobs.ray.io", {"rayClusterSpec": RAY}, {"jobDeploymentStatus": "Running"}, [], True, ""),
    ("rayjobs.ray.io", {"rayClusterSpec": RAY}, {"jobDeploymentStatus": "Complete"}, [], True, "complete"),
    (
        "rayjobs.ray.io",
        {"rayClusterSpec": RAY},
        {"jobDeploymentStatus": "Failed", "message": "no such file"},
        [],
        False,
        "failed: no such file",
    ),
    ("rayservices.ray.io", {"rayClusterConfig": RAY}, {"conditions": [condition("Ready")]}, [], True, ""),
    (
        "rayservices.ray.io",
        {"rayClusterConfig": RAY},
        {"conditions": [condition("Ready", "False", reason="Initializing")]},
        [],
        False,
        "not Ready: Initializing",
    ),
    (
        "inferenceservices.serving.kserve.io",
        {"predictor": {"model": {}}},
        {"conditions": [condition("PredictorReady", "False"), condition("Ready", "False", message="no image")]},
        [],
        False,
        "not Ready: no image",
    ),
    ("sparkapplications.sparkoperator.k8s.io", {}, {"applicationState": {"state": "RUNNING"}}, [], True, ""),
    ("sparkapplications.sparkoperator.k8s.io", {}, {"applicationState": {"state": "COMPLETED"}}, [], True, "complete"),
    (
        "sparkapplications.sparkoperator.k8s.io",
        {},
        {"applicationState": {"state": "SUBMISSION_FAILED", "errorMessage": "no account"}},
        [],
        False,
        "submission failed: no account",
    ),
    ("pods", POD["spec"], {"phase": "Running", "conditions": [condition("Ready")]}, [], True, ""),
    ("pods", POD["spec"], {"phase": "Running"}, [], False, "not ready"),
    ("pods", POD["spec"], {"phase": "Succeeded"}, [], True, "complete"),
    ("pods", POD["spec"], {"phase": "Failed", "message": "evicted"}, [], False, "failed: evicted"),
    ("pods", POD["spec"], {}, [], False, "pending"),
    (
        "daemonsets.apps",
        {"template": POD},
        {"desiredNumberScheduled": 3, "numberReady": 2},
        [],
        False,
        "2 of 3 pods ready",
    ),
    ("daemonsets.apps", {"template": POD}, {"desiredNumberScheduled": 3, "numberReady": 3}, [], True, ""),
    ("cronjobs.batch", {"jobTemplate": {"spec": {"template": POD}}}, {}, [], True, ""),
    ("cronjobs.batch", {"suspend": True}, {}, [], True, "suspended"),
    ("configmaps", {}, {}, [], True, ""),
]


def test_every_kind_that_is_not_counted_is_tried() -> None:
    uncounted = {name for name, kind in POD_KINDS.items() if not kind.counted}
    assert uncounted <= {name for name, *_ in CASES}


@pytest.mark.parametrize(("name", "spec", "status", "found", "well", "note"), CASES)
def test_a_copy_is_judged_by_what_its_controller_and_its_pods_say(
    name: str, spec: Mapping[str, Any], status: Status, found: Sequence[Any], well: bool, note: str
) -> None:
    manifest = manifest_of(name, spec)
    copy = {**manifest.body, "status": status}
    assert copy_health(manifest, copy, found) == CopyHealth(well=well, note=note)


@pytest.mark.parametrize("name", ["leaderworkersets.leaderworkerset.x-k8s.io", "statefulsets.apps", "deployments.apps"])
def test_what_is_counted_says_how_many_are_ready(name: str) -> None:
    manifest = manifest_of(name, {"replicas": 3})
    assert copy_health(manifest, {**manifest.body, "status": {"readyReplicas": 2}}, []) == CopyHealth(2)
    assert copy_health(manifest, {**manifest.body}, []) == CopyHealth(0)


def health(manifests: Sequence[Manifest], shares: Mapping[str, int], **copies: Any) -> WorkloadHealth:
    """Of a workload whose copies, by kind, have these statuses in each member that has a share."""
    placed = Placed("ai", manifests, shares)
    found = {
        list_of(placed, each): [{**each.body, "status": copies[each.type.kind]}]
        for each in observed(placed)
        if each.type.kind in copies
    }
    elsewhere = [{**each, "metadata": {**each["metadata"], "namespace": "other"}} for each in pods(NAME, 4)]
    here = Answer("v1", found=found, pods=[*pods(NAME, 2), *elsewhere])
    return workload_health(placed, {name: here if share else Answer("v1") for name, share in shares.items()})


STORE = Manifest(KNOWN["deployments.apps"], "store", objects.deployment("store"))
TRAINING = manifest_of(JOBS, JOB_SET)
SERVICE = Manifest(KNOWN["services"], "it", {"metadata": {"name": "it"}})


def test_a_job_set_alone_is_ready_once_its_pods_are() -> None:
    found = health([TRAINING, SERVICE], {"a": 1, "b": 0}, JobSet={})
    assert found == WorkloadHealth(False, {"a": Share(1, 0, "JobSet it: 2 of 4 pods ready"), "b": Share(0, 0)})
    done = health([TRAINING, SERVICE], {"a": 1, "b": 0}, JobSet={"conditions": [condition("Completed")]})
    assert done == WorkloadHealth(True, {"a": Share(1, 1, "JobSet it: complete"), "b": Share(0, 0)})


def test_a_job_set_beside_a_deployment_is_seen_too() -> None:
    shares = {"a": 1, "b": 0}
    failed = {"conditions": [condition("Failed")]}
    found = health([TRAINING, STORE], shares, JobSet=failed, Deployment={"readyReplicas": 1})
    assert found == WorkloadHealth(False, {"a": Share(1, 1, "JobSet it: failed"), "b": Share(0, 0)})
    complete = {"conditions": [condition("Completed")]}
    assert health([TRAINING, STORE], shares, JobSet=complete, Deployment={"readyReplicas": 1}).ready
    assert not health([TRAINING, STORE], shares, Deployment={"readyReplicas": 1}).ready


def test_the_whole_of_what_runs_pods_is_read_and_the_names_of_all_else() -> None:
    placed = Placed("ai", [TRAINING, SERVICE], {"a": 1})
    assert observed(placed) == [TRAINING]
    assert not list_of(placed, TRAINING).names_alone
    secret = Manifest(KNOWN["secrets"], "it", {})
    assert list_of(placed, secret).names_alone
