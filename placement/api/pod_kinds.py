"""What each kind runs: where its pod templates are, how many pods run together, and how it is placed by default.

A table, and what a line of it says. It does not read the pods themselves (pod_templates.py does).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Run = Literal["divided", "whole", "duplicated"]
"""How an object is placed: a share in each cluster, all of it in one, or all of it in each."""

Pointer = str
"""A path in an object, as /spec/replicatedJobs/*/replicas: * is each item of a list, or each value of a map."""


@dataclass(frozen=True)
class Count:
    """A number that an object says: the least of those at the paths that are there, the first being `default`."""

    paths: tuple[Pointer, ...]
    default: int = 1


@dataclass(frozen=True)
class PodsAt:
    """Where an object has a pod template, and the numbers whose product is how many pods of it run side by side.

    A * in a count is the same item as in the template.
    """

    template: Pointer
    counts: tuple[Count, ...] = ()


@dataclass(frozen=True)
class PodKind:
    """What objects of one kind run.

    `counted` are the fields of its spec by which it can be divided: how many units there are, such as replicas; the
    first is what a placement splits. `pods` are those of one unit, or of the whole object where nothing is counted.
    `ends` is None for what has no end of its own; otherwise the fields by which its controller deletes an object after
    it has ended. A change of `suspend` alone replaces nothing, where KubeFed can write it into an existing copy.
    Where `label` is set, its controller gives all the pods that label, with the object's name for a value.
    `decided_by` says what decides about the pods besides the manifest.
    """

    run: Run = "duplicated"
    pods: tuple[PodsAt, ...] = ()
    counted: tuple[str, ...] = ()
    ends: tuple[Pointer, ...] | None = None
    suspend: Pointer = ""
    label: str = ""
    decided_by: str = ""


def _job(prefix: Pointer) -> Count:
    return Count((f"{prefix}/parallelism", f"{prefix}/completions"))


def _replica_specs(field: str) -> PodKind:
    """A job of Kubeflow's training operator, whose spec has templates by role, such as Master and Worker."""
    pods = PodsAt(f"/spec/{field}/*/template", (Count((f"/spec/{field}/*/replicas",)),))
    return PodKind(
        "whole",
        (pods,),
        ends=("/spec/runPolicy/ttlSecondsAfterFinished",),
        suspend="/spec/runPolicy/suspend",
        label="training.kubeflow.org/job-name",
    )


def _ray(prefix: Pointer) -> tuple[PodsAt, ...]:
    """The head and the workers of a Ray cluster; how many workers there are is in pod_templates.py."""
    return PodsAt(f"{prefix}/headGroupSpec/template"), PodsAt(f"{prefix}/workerGroupSpecs/*/template")


_TEMPLATE = PodsAt("/spec/template")
_JOB_SET_NAME = "jobset.sigs.k8s.io/jobset-name"

# By config name: other groups have the same kinds, such as Volcano's Job.
# Sources, read in August 2026: the API of Kubernetes 1.35; the CRDs of JobSet 0.10, LeaderWorkerSet 0.7, KubeRay 1.5,
# Kubeflow's MPI operator 0.6, training operator 1.9 and Trainer 2.0, KServe 0.15 and Spark operator 2.3.
# Of the labels: labelAndAnnotateObject of JobSet 0.10.1, whose JobSet has the name of Trainer's TrainJob;
# SetNameLabelKey in the leaders' and the workers' StatefulSets of LeaderWorkerSet 0.7.0; labelPod of KubeRay 1.5.0;
# GenLabels of the training operator 1.9.3 and defaultLabels of the MPI operator 0.6.0; LabelSparkAppName of Spark
# operator 2.3.0, for the driver and the executors; InferenceServicePodLabelKey of KServe 0.15.2, for each component.
POD_KINDS: Mapping[str, PodKind] = {
    # A Pod is its own template.
    "pods": PodKind("whole", (PodsAt(""),), ends=()),
    "deployments.apps": PodKind("divided", (_TEMPLATE,), ("replicas",)),
    "replicasets.apps": PodKind("divided", (_TEMPLATE,), ("replicas",)),
    "statefulsets.apps": PodKind("whole", (_TEMPLATE,), ("replicas",)),
    # One on each node that its pods select.
    "daemonsets.apps": PodKind("duplicated", (_TEMPLATE,)),
    # An Indexed one is whole.
    "jobs.batch": PodKind(
        "divided",
        (_TEMPLATE,),
        ("parallelism", "completions"),
        ends=("/spec/ttlSecondsAfterFinished",),
        suspend="/spec/suspend",
        label="batch.kubernetes.io/job-name",
    ),
    # The Jobs that end are its own, and no federated objects.
    "cronjobs.batch": PodKind("whole", (PodsAt("/spec/jobTemplate/spec/template", (_job("/spec/jobTemplate/spec"),)),)),
    "jobsets.jobset.x-k8s.io": PodKind(
        "whole",
        (
            PodsAt(
                "/spec/replicatedJobs/*/template/spec/template",
                (Count(("/spec/replicatedJobs/*/replicas",)), _job("/spec/replicatedJobs/*/template/spec")),
            ),
        ),
        ends=("/spec/ttlSecondsAfterFinished",),
        suspend="/spec/suspend",
        label=_JOB_SET_NAME,
    ),
    # The leader is one of its size; how many workers there are is in pod_templates.py.
    "leaderworkersets.leaderworkerset.x-k8s.io": PodKind(
        "divided",
        (
            PodsAt("/spec/leaderWorkerTemplate/leaderTemplate"),
            PodsAt("/spec/leaderWorkerTemplate/workerTemplate", (Count(("/spec/leaderWorkerTemplate/size",)),)),
        ),
        ("replicas",),
        label="leaderworkerset.sigs.k8s.io/name",
    ),
    "rayclusters.ray.io": PodKind("whole", _ray("/spec"), label="ray.io/cluster"),
    # Its ttlSecondsAfterFinished deletes its Ray cluster; a deletionStrategy of DeleteSelf is refused (ends.py).
    "rayjobs.ray.io": PodKind(
        "whole",
        (*_ray("/spec/rayClusterSpec"), PodsAt("/spec/submitterPodTemplate")),
        ends=(),
        suspend="/spec/suspend",
    ),
    "rayservices.ray.io": PodKind("duplicated", _ray("/spec/rayClusterConfig")),
    "mpijobs.kubeflow.org": _replica_specs("mpiReplicaSpecs"),
    "pytorchjobs.kubeflow.org": _replica_specs("pytorchReplicaSpecs"),
    "tfjobs.kubeflow.org": _replica_specs("tfReplicaSpecs"),
    "xgboostjobs.kubeflow.org": _replica_specs("xgbReplicaSpecs"),
    "paddlejobs.kubeflow.org": _replica_specs("paddleReplicaSpecs"),
    "trainjobs.trainer.kubeflow.org": PodKind(
        "whole", ends=(), suspend="/spec/suspend", label=_JOB_SET_NAME, decided_by="the runtime that it names"
    ),
    "inferenceservices.serving.kserve.io": PodKind(
        label="serving.kserve.io/inferenceservice", decided_by="its ServingRuntime"
    ),
    "sparkapplications.sparkoperator.k8s.io": PodKind(
        "whole",
        ends=("/spec/timeToLiveSeconds",),
        suspend="/spec/suspend",
        label="sparkoperator.k8s.io/app-name",
        decided_by="the Spark operator and sparkConf",
    ),
}

NO_PODS = PodKind()
