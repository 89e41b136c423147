"""Pods of many shapes, as specs in which only what decides about their nodes is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from placement.api.kinds import KNOWN
from placement.api.pod_templates import PodGroup
from placement.manifests.manifest import Manifest
from placement.pods.pods import pod_groups

Spec = Mapping[str, Any]

GKE, GPU, TPU = "cloud.google.com", "nvidia.com/gpu", "google.com/tpu"
POOL, ACCELERATOR = f"{GKE}/gke-nodepool", f"{GKE}/gke-accelerator"
ARCH, ZONE, HOST = "kubernetes.io/arch", "topology.kubernetes.io/zone", "kubernetes.io/hostname"
CPUS = f"{GKE}/gke-cpu-scaling-level"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def pod(*containers: Spec, **spec: Any) -> dict[str, Any]:
    """A pod of containers with these requests, or of one that requests nothing."""
    return {"containers": [container(**each) for each in containers or ({},)], **spec}


def container(limits: Spec | None = None, sidecar: bool = False, **amounts: Any) -> dict[str, Any]:
    """A container; its limits of extended resources are those that it requests."""
    extended = {key: amount for key, amount in amounts.items() if "/" in key}
    resources = {"requests": amounts, "limits": {**extended, **(limits or {})}}
    return {"resources": resources} | ({"restartPolicy": "Always"} if sidecar else {})


def gpus(amount: int, **more: Any) -> dict[str, Any]:
    """A pod that requests so many GPUs."""
    return pod({GPU: amount}, **more)


def on(*terms: Sequence[tuple[Any, ...]], **spec: Any) -> dict[str, Any]:
    """A pod whose node must meet one of the terms, each of (key, operator, values ...)."""
    written = [
        {"matchExpressions": [{"key": key, "operator": operator, "values": values} for key, operator, *values in term]}
        for term in terms
    ]
    return pod(affinity={"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": written}}}, **spec)


def _tolerating(toleration: Spec) -> dict[str, Any]:
    return pod(tolerations=[toleration])


def apart(app: str, *containers: Spec, **spec: Any) -> dict[str, Any]:
    """A pod that is on no node with pods of this app."""
    term = {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": app}}}
    return pod(*containers, affinity={"podAntiAffinity": {_REQUIRED: [term]}}, **spec)


def listening(port: int, protocol: str = "TCP", **spec: Any) -> dict[str, Any]:
    """A pod that takes a port of its node."""
    own = pod(**spec)
    number = {"containerPort": port} | ({} if spec.get("hostNetwork") else {"hostPort": port})
    own["containers"][0]["ports"] = [{**number, "protocol": protocol}]
    return own


_ALL = {"operator": "Exists"}
_OF_GPU = {"key": GPU, "operator": "Exists"}
_SMALL = {"cpu": "100m", "memory": "128Mi"}

SHAPES: dict[str, dict[str, Any]] = {
    "nothing": pod(),
    "cpu": pod({"cpu": 4}),
    "much memory for its cpu": pod({"cpu": 1, "memory": "60Gi"}),
    "fractions": pod({"cpu": "0.5"}, {"cpu": "1430.5m", "memory": "1e9"}),
    "ephemeral storage": pod({"ephemeral-storage": "60Gi"}),
    "ephemeral storage of local SSDs": pod({"ephemeral-storage": "200Gi"}),
    "limits in place of requests": pod({"limits": {"cpu": 4, "memory": "4Gi"}}),
    "two containers": pod({"cpu": 2}, {"cpu": 2}),
    "a large init container": pod(_SMALL, initContainers=[container(cpu=6)]),
    "init containers one after another": pod(_SMALL, initContainers=[container(cpu=3), container(cpu=3)]),
    "a sidecar": pod({"cpu": 2}, initContainers=[container(cpu=2, sidecar=True)]),
    "an init container beside a sidecar": pod(
        _SMALL, initContainers=[container(cpu=2, sidecar=True), container(cpu=2)]
    ),
    "a sidecar after an init container": pod(_SMALL, initContainers=[container(cpu=2), container(cpu=2, sidecar=True)]),
    "overhead": pod({"cpu": "1.5"}, overhead={"cpu": "500m", "memory": "128Mi"}),
    "resources of the pod": pod({"cpu": 1}, resources={"requests": {"cpu": 6, "memory": "1Gi"}}),
    "limits of the pod alone": pod(resources={"limits": {"cpu": 6, "memory": "1Gi"}}),
    "a GPU": gpus(1),
    "a GPU and much memory": pod({GPU: 1, "memory": "100Gi"}),
    "two GPUs": pod({GPU: 1}, {GPU: 1}),
    "eight GPUs": gpus(8),
    "a GPU for an init container": pod(initContainers=gpus(1)["containers"]),
    "0 GPUs": gpus(0),
    "an accelerator": gpus(1, nodeSelector={ACCELERATOR: "nvidia-l4"}),
    "a shared GPU": gpus(1, nodeSelector={f"{GKE}/gke-max-shared-clients-per-gpu": "4"}),
    "a role": pod(nodeSelector={"role": "testing"}),
    "a label of a pool": pod(nodeSelector={"tier": "gold"}),
    "spot": pod(nodeSelector={f"{GKE}/gke-spot": "true"}),
    "a machine family": pod(nodeSelector={f"{GKE}/machine-family": "n2"}),
    "a machine type": pod(nodeSelector={"node.kubernetes.io/instance-type": "e2-standard-8"}),
    "a zone": pod(nodeSelector={ZONE: "us-west1-b"}),
    "not a zone": on([(ZONE, "NotIn", "us-west1-b")]),
    "In": on([("tier", "In", "silver", "gold")]),
    "NotIn": on([("tier", "NotIn", "gold")]),
    "Exists": on([("tier", "Exists")]),
    "DoesNotExist": on([("tier", "DoesNotExist")]),
    "Gt": on([(CPUS, "Gt", "7")], tolerations=[_ALL]),
    "Lt": on([(CPUS, "Lt", "8")], tolerations=[_ALL]),
    "between": on([("generation", "Gt", "6"), ("generation", "Lt", "8")]),
    "several terms": on([("tier", "In", "gold")], [(f"{GKE}/gke-spot", "Exists"), ("tier", "DoesNotExist")]),
    "several terms and a selector": on(
        [("tier", "In", "gold")], [(ZONE, "In", "us-west1-a")], nodeSelector={f"{GKE}/machine-family": "n2"}
    ),
    "an empty term beside another": on([], [("tier", "Exists")]),
    "spot or a GPU": on([(f"{GKE}/gke-spot", "In", "true")], [(f"{GKE}/gke-gpu", "In", "true")], tolerations=[_OF_GPU]),
    "everything tolerated": pod({"cpu": 4}, tolerations=[_ALL]),
    "the GPUs' taint tolerated": _tolerating(_OF_GPU),
    "its value tolerated": _tolerating({"key": GPU, "operator": "Equal", "value": "present", "effect": "NoSchedule"}),
    "another value tolerated": _tolerating({"key": GPU, "value": "absent"}),
    "another effect tolerated": _tolerating({**_OF_GPU, "effect": "NoExecute"}),
    "the taint of Arm tolerated": _tolerating({"key": ARCH, "value": "arm64"}),
    "Arm selected": pod(nodeSelector={ARCH: "arm64"}),
    "Arm in each term": on([(ARCH, "In", "arm64"), ("tier", "DoesNotExist")], [(ARCH, "In", "arm64")]),
    "Arm or Intel": on([(ARCH, "In", "arm64", "amd64")]),
    "Arm refused": on([(ARCH, "NotIn", "arm64")], tolerations=[_ALL]),
    "a GPU of a queued pool": gpus(1, tolerations=[{"key": f"{GKE}/gke-queued", "operator": "Exists"}]),
}
"""Pods that fit on some of the pools, each of them alone on its node."""

NOWHERE: dict[str, dict[str, Any]] = {
    "more than any node has": pod({"cpu": 300}),
    "nine GPUs": gpus(9),
    "an accelerator that nobody has": gpus(1, nodeSelector={ACCELERATOR: "nvidia-b200"}),
    "an accelerator without a request": pod(nodeSelector={ACCELERATOR: "nvidia-l4"}),
    "TPU chips, which no pool has": pod({TPU: 4}, nodeSelector={f"{GKE}/gke-tpu-accelerator": "tpu-v6e-slice"}),
    "GPUs and TPU chips": pod({GPU: 1, TPU: 1}),
    "another role": pod(nodeSelector={"role": "serving"}),
    "a zone in which no pool is": pod(nodeSelector={ZONE: "us-west1-c"}),
    "a region": pod(nodeSelector={"topology.kubernetes.io/region": "us-east1"}),
    "Gt of what is no number": on([("tier", "Gt", "1")]),
    "outside": on([("generation", "Gt", "8")]),
    "no term that can hold": on([]),
}
"""Pods that fit on none."""


@dataclass(frozen=True)
class Case:
    """How many gangs of these pods fit, and not one more."""

    gangs: int
    groups: Sequence[PodGroup]


def some(count: int, spec: Spec, **labels: str) -> PodGroup:
    return PodGroup(spec, labels, count, ())


def of_kind(kind: str, spec: Mapping[str, Any]) -> list[PodGroup]:
    """The pods of one unit of an object."""
    return pod_groups(Manifest(KNOWN[kind], "gang", {"metadata": {"name": "gang"}, "spec": spec}))


def _replicated(name: str, count: int, template: Spec) -> dict[str, Any]:
    return {"name": name, "template": {"spec": {"parallelism": count, "template": {"spec": template}}}}


SPOT = {f"{GKE}/gke-spot": "true"}
GANGS: dict[str, Case] = {
    "one pod on many pools": Case(11, [some(1, gpus(1, nodeSelector={f"{GKE}/gke-accelerator": "nvidia-l4"}))]),
    "two pods on many pools": Case(5, [some(2, gpus(1, nodeSelector={f"{GKE}/gke-accelerator": "nvidia-l4"}))]),
    "all GPUs of two nodes": Case(1, [some(2, gpus(8))]),
    "more than all nodes together": Case(0, [some(3, gpus(8))]),
    "pods that share a GPU": Case(4, [some(1, gpus(1, nodeSelector={f"{GKE}/gke-max-shared-clients-per-gpu": "4"}))]),
    "as many pods as a node takes": Case(8, [some(1, pod(nodeSelector={"use": "few"}))]),
    "pods of memory": Case(4, [some(3, pod({"memory": "4Gi"}, nodeSelector={POOL: "memory"}))]),
    "sidecars": Case(
        2, [some(2, pod({"cpu": 1}, initContainers=[container(cpu="2.5", sidecar=True)], nodeSelector=SPOT))]
    ),
    "Arm": Case(4, [some(1, pod({"cpu": 3}, nodeSelector={ARCH: "arm64"}))]),
    "a port of each node": Case(2, [some(1, listening(80, nodeSelector=SPOT))]),
    "a port of each node's network": Case(2, [some(1, listening(80, nodeSelector=SPOT, hostNetwork=True))]),
    "two pods with the same port": Case(1, [some(2, listening(80, nodeSelector=SPOT))]),
    "the same port of two protocols": Case(
        2, [some(1, listening(53, nodeSelector=SPOT)), some(1, listening(53, "UDP", nodeSelector=SPOT))]
    ),
    "pods apart from each other": Case(1, [some(2, apart("a", nodeSelector=SPOT), app="a")]),
    "more pods apart than nodes": Case(0, [some(3, apart("a", nodeSelector=SPOT), app="a")]),
    "pods apart from those of another template": Case(
        2,
        [
            some(1, apart("b", {"cpu": 3}, nodeSelector=SPOT), app="a"),
            some(1, pod({"cpu": 3}, nodeSelector=SPOT), app="b"),
        ],
    ),
    "large and small ones": Case(
        2, [some(1, pod({"cpu": 5}, nodeSelector=SPOT)), some(1, pod({"cpu": 2}, nodeSelector=SPOT))]
    ),
    "a node for each large one, and none for the small ones": Case(
        1, [some(2, pod({"cpu": 7}, nodeSelector=SPOT)), some(1, pod({"cpu": "0.9"}, nodeSelector=SPOT))]
    ),
    "a driver beside GPUs": Case(2, [some(1, gpus(8)), some(1, pod({"cpu": 1}))]),
    "a JobSet": Case(
        3,
        of_kind(
            "jobsets.jobset.x-k8s.io",
            {
                "replicatedJobs": [
                    _replicated("workers", 1, pod({GPU: 1, "cpu": 6}, nodeSelector={POOL: "l4"})),
                    _replicated("driver", 1, pod({"cpu": 2}, nodeSelector={POOL: "spot"})),
                ]
            },
        ),
    ),
    "a LeaderWorkerSet": Case(
        1,
        of_kind(
            "leaderworkersets.leaderworkerset.x-k8s.io",
            {"leaderWorkerTemplate": {"size": 2, "workerTemplate": {"spec": gpus(8)}}},
        ),
    ),
    "one of several terms": Case(
        9, [some(1, {**on([("use", "In", "few")], [(POOL, "In", "spot")]), "containers": [container(cpu="1.9")]})]
    ),
}
_MOST = 20
"""Pods that run together, on all pools but the queued one."""
