"""The pods of every kind in the table: how many of which run together, as what labels, and how the kind is placed."""

from typing import Any

import pytest

from placement.api.kinds import KNOWN
from placement.api.pod_kinds import POD_KINDS
from placement.manifests.manifest import Manifest
from placement.pods.demand import whole_demand
from placement.pods.pods import default_run, doubts, pod_groups, units

POD: dict[str, Any] = {"containers": [{"name": "a", "image": "b"}], "serviceAccountName": "runner"}
GPU = "nvidia.com/gpu"


def template(name: str, gpus: int = 0) -> dict[str, Any]:
    """A pod template, labelled with its name."""
    containers = [{"name": "a", "image": "b", "resources": {"limits": {GPU: gpus}} if gpus else {}}]
    return {"metadata": {"labels": {"app": name}}, "spec": {**POD, "containers": containers}}


def manifest(name: str, spec: Any, **metadata: Any) -> Manifest:
    target = KNOWN[name]
    body = {
        "apiVersion": target.api_version,
        "kind": target.kind,
        "metadata": {"name": "train", **metadata},
        "spec": spec,
    }
    return Manifest(target, "train", body)


RAY: dict[str, Any] = {
    "headGroupSpec": {"template": template("head")},
    "workerGroupSpecs": [
        {"groupName": "a", "replicas": 3, "maxReplicas": 2, "numOfHosts": 4, "template": template("a", 1)},
        {"groupName": "b", "minReplicas": 1, "template": template("b")},
        {"groupName": "c", "template": template("c")},
        {"groupName": "d", "replicas": 2, "suspend": True, "template": template("d")},
    ],
}
WORKERS = {"head": 1, "a": 8, "b": 1, "c": 0, "d": 0}
ROLES = {"Master": {"template": template("master")}, "Worker": {"replicas": 3, "template": template("worker", 8)}}
GROUP = {"size": 4, "workerTemplate": template("worker", 8)}

# The name of the kind, its spec, how it is placed, how many units it has, and the pods of each by their label app.
ROWS: list[tuple[str, dict[str, Any], str, int, dict[str, int]]] = [
    ("deployments.apps", {"replicas": 3, "template": template("a")}, "divided", 3, {"a": 1}),
    ("replicasets.apps", {"template": template("a")}, "divided", 1, {"a": 1}),
    ("statefulsets.apps", {"replicas": 3, "template": template("a")}, "whole", 1, {"a": 3}),
    ("daemonsets.apps", {"template": template("a")}, "duplicated", 1, {"a": 1}),
    ("jobs.batch", {"parallelism": 4, "completions": 2, "template": template("a")}, "divided", 2, {"a": 1}),
    (
        "jobs.batch",
        {"parallelism": 4, "completions": 4, "completionMode": "Indexed", "template": template("a")},
        "whole",
        1,
        {"a": 4},
    ),
    (
        "cronjobs.batch",
        {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"parallelism": 2, "template": template("a")}}},
        "whole",
        1,
        {"a": 2},
    ),
    (
        "jobsets.jobset.x-k8s.io",
        {
            "replicatedJobs": [
                {"name": "driver", "template": {"spec": {"template": template("driver")}}},
                {
                    "name": "workers",
                    "replicas": 2,
                    "template": {"spec": {"parallelism": 4, "completions": 4, "template": template("workers")}},
                },
            ]
        },
        "whole",
        1,
        {"driver": 1, "workers": 8},
    ),
    (
        "leaderworkersets.leaderworkerset.x-k8s.io",
        {"replicas": 3, "leaderWorkerTemplate": GROUP},
        "divided",
        3,
        {"worker": 4},
    ),
    (
        "leaderworkersets.leaderworkerset.x-k8s.io",
        {"leaderWorkerTemplate": {**GROUP, "leaderTemplate": template("leader")}},
        "divided",
        1,
        {"leader": 1, "worker": 3},
    ),
    ("rayclusters.ray.io", RAY, "whole", 1, WORKERS),
    (
        "rayjobs.ray.io",
        {"rayClusterSpec": RAY, "submitterPodTemplate": template("submitter")},
        "whole",
        1,
        {**WORKERS, "submitter": 1},
    ),
    ("rayservices.ray.io", {"rayClusterConfig": RAY}, "duplicated", 1, WORKERS),
    (
        "mpijobs.kubeflow.org",
        {
            "mpiReplicaSpecs": {
                "Launcher": {"template": template("launcher")},
                "Worker": {"template": template("worker")},
            }
        },
        "whole",
        1,
        {"launcher": 1, "worker": 0},
    ),
    (
        "mpijobs.kubeflow.org",
        {"mpiReplicaSpecs": {"Worker": {"replicas": 4, "template": template("worker")}}},
        "whole",
        1,
        {"worker": 4},
    ),
    ("pytorchjobs.kubeflow.org", {"pytorchReplicaSpecs": ROLES}, "whole", 1, {"master": 1, "worker": 3}),
    ("tfjobs.kubeflow.org", {"tfReplicaSpecs": ROLES}, "whole", 1, {"master": 1, "worker": 3}),
    ("xgboostjobs.kubeflow.org", {"xgbReplicaSpecs": ROLES}, "whole", 1, {"master": 1, "worker": 3}),
    ("paddlejobs.kubeflow.org", {"paddleReplicaSpecs": ROLES}, "whole", 1, {"master": 1, "worker": 3}),
]


@pytest.mark.parametrize(("name", "spec", "run", "count", "pods"), ROWS)
def test_the_pods_of_a_kind(name: str, spec: dict[str, Any], run: str, count: int, pods: dict[str, int]) -> None:
    each = manifest(name, spec)
    assert default_run(each) == run
    assert units(each) == count
    groups = pod_groups(each)
    assert {group.labels["app"]: group.count for group in groups} == pods
    assert all(group.spec["serviceAccountName"] == "runner" for group in groups)
    for group in groups:
        found: Any = each.body
        for step in group.path:
            found = found[step]
        assert found["spec"] is group.spec
    assert doubts(each) == []


def test_a_pod_is_its_own_template() -> None:
    pod = manifest("pods", POD, labels={"app": "a"})
    (group,) = pod_groups(pod)
    assert (group.spec, group.labels, group.count, group.path) == (POD, {"app": "a"}, 1, ())
    assert (default_run(pod), units(pod)) == ("whole", 1)


def test_every_kind_of_the_table_has_a_row_and_is_known() -> None:
    others = {"pods", "trainjobs.trainer.kubeflow.org", "inferenceservices.serving.kserve.io"}
    others |= {"sparkapplications.sparkoperator.k8s.io"}
    assert {row[0] for row in ROWS} | others == set(POD_KINDS) <= set(KNOWN)


@pytest.mark.parametrize(
    "name", ["services", "configmaps", "scaledobjects.keda.sh", "httproutes.gateway.networking.k8s.io"]
)
def test_what_has_no_pods_is_duplicated(name: str) -> None:
    each = manifest(name, {})
    assert (default_run(each), units(each), pod_groups(each), doubts(each)) == ("duplicated", 1, [], [])


def test_a_unit_of_what_does_not_run_as_by_default_has_other_pods() -> None:
    database = manifest("statefulsets.apps", {"replicas": 3, "template": template("a")})
    assert (units(database, "divided"), [each.count for each in pod_groups(database, "divided")]) == (3, [1])
    api = manifest("deployments.apps", {"replicas": 3, "template": template("a")})
    for run in ("whole", "duplicated"):
        assert (units(api, run), [each.count for each in pod_groups(api, run)]) == (1, [3])
    groups = manifest("leaderworkersets.leaderworkerset.x-k8s.io", {"replicas": 3, "leaderWorkerTemplate": GROUP})
    assert [each.count for each in pod_groups(groups, "whole")] == [12]


def test_a_runtime_decides_the_pods_of_a_train_job_but_for_its_nodes() -> None:
    resources = {"limits": {GPU: 8}}
    each = manifest("trainjobs.trainer.kubeflow.org", {"trainer": {"numNodes": 4, "resourcesPerNode": resources}})
    (group,) = pod_groups(each)
    assert (default_run(each), group.count) == ("whole", 4)
    assert group.labels == {"jobset.sigs.k8s.io/jobset-name": "train"}
    assert whole_demand([each]) == f"4 pods of 8 {GPU}"
    assert doubts(each) == ["pods of TrainJob train are decided by the runtime that it names too"]
    (group,) = pod_groups(manifest("trainjobs.trainer.kubeflow.org", {"runtimeRef": {"name": "torch"}}))
    assert group.labels == {"jobset.sigs.k8s.io/jobset-name": "train"}


def test_an_inference_service_has_pods_of_each_component() -> None:
    spec = {
        "predictor": {
            "minReplicas": 2,
            "serviceAccountName": "runner",
            "nodeSelector": {"a": "b"},
            "model": {"modelFormat": {"name": "vllm"}, "resources": {"limits": {GPU: 1}}},
            "workerSpec": {"pipelineParallelSize": 3, "containers": [{"resources": {"limits": {GPU: 1}}}]},
        },
        "transformer": {"containers": [{"name": "t"}]},
    }
    each = manifest("inferenceservices.serving.kserve.io", spec)
    assert default_run(each) == "duplicated"
    assert [(group.count, group.path) for group in pod_groups(each)] == [
        (2, ("spec", "predictor")),
        (4, ("spec", "predictor", "workerSpec")),
        (1, ("spec", "transformer")),
    ]
    predictor = pod_groups(each)[0]
    assert predictor.spec["serviceAccountName"] == "runner" and predictor.spec["nodeSelector"] == {"a": "b"}
    assert predictor.labels == {"serving.kserve.io/inferenceservice": "train"}
    assert whole_demand([each]) == f"6 pods of 1 {GPU}"
    assert "ServingRuntime" in doubts(each)[0]


def test_a_spark_application_has_a_driver_and_executors() -> None:
    spec = {
        "type": "Scala",
        "nodeSelector": {"pool": "spark"},
        "driver": {"cores": 1, "memory": "512m", "serviceAccount": "spark", "labels": {"role": "driver"}},
        "executor": {"cores": 2, "instances": 3, "memory": "8g", "gpu": {"name": GPU, "quantity": 1}},
    }
    each = manifest("sparkapplications.sparkoperator.k8s.io", spec)
    driver, executor = pod_groups(each)
    assert (driver.count, driver.labels, driver.spec["serviceAccountName"]) == (1, {"role": "driver"}, "spark")
    assert driver.spec["containers"][0]["resources"]["requests"] == {"cpu": 1, "memory": (512 + 384) * 2**20}
    assert (executor.count, executor.labels) == (3, {"sparkoperator.k8s.io/app-name": "train"})
    assert executor.spec["containers"][0]["resources"]["requests"] == {"cpu": 2, "memory": int(8 * 2**30 * 1.1)}
    assert executor.spec["nodeSelector"] == {"pool": "spark"}
    assert (default_run(each), whole_demand([each])) == ("whole", f"3 pods of 1 {GPU}")
    dynamic = {"dynamicAllocation": {"enabled": True, "minExecutors": 2}, "executor": {"memory": "odd"}}
    (group,) = pod_groups(manifest("sparkapplications.sparkoperator.k8s.io", dynamic))
    assert group.count == 2


ODD: list[Any] = [None, 3, "x", [], [1], {}, {"a": 1}]


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
@pytest.mark.parametrize("name", sorted(POD_KINDS))
def test_what_is_malformed_has_no_pods_or_some(name: str, odd: Any) -> None:
    specs: list[Any] = [odd]
    specs += [spec | {key: odd} for row, spec, *_ in ROWS if row == name for key in spec]
    fields = ("replicas", "parallelism", "predictor", "driver", "executor", "trainer", "dynamicAllocation", "gpu")
    specs += [{key: odd} for key in fields] + [
        {"predictor": {"model": odd, "workerSpec": odd}, "executor": {"gpu": odd}}
    ]
    for spec in specs:
        each = manifest(name, spec)
        assert all(group.count >= 0 for group in pod_groups(each)) and units(each) >= 0
        assert isinstance(whole_demand([each]), str)


QUEUE, CONSUMES = "kueue.x-k8s.io/queue-name", "autoscaling.x-k8s.io/consume-provisioning-request"


@pytest.mark.parametrize(
    ("of_object", "of_pods", "queued"),
    [
        ({}, {}, False),
        ({"labels": {QUEUE: "team"}}, {}, True),
        ({"labels": {QUEUE: ""}}, {}, False),
        ({"annotations": {CONSUMES: "request"}}, {}, False),
        ({}, {"labels": {QUEUE: "team"}}, True),
        ({}, {"annotations": {CONSUMES: "request"}}, True),
        ({}, {"annotations": {"cluster-autoscaler.kubernetes.io/consume-provisioning-request": "a"}}, True),
        ({"labels": 1}, {"annotations": [CONSUMES]}, False),
    ],
)
def test_pods_that_wait_for_a_provisioning_request(
    of_object: dict[str, Any], of_pods: dict[str, Any], queued: bool
) -> None:
    own = {"metadata": {"labels": {"app": "a"}, **of_pods}, "spec": POD}
    assert [each.queued for each in pod_groups(manifest("deployments.apps", {"template": own}, **of_object))] == [
        queued
    ]
    jobs = {"replicatedJobs": [{"name": "a", "template": {"spec": {"template": own}}}]}
    assert [each.queued for each in pod_groups(manifest("jobsets.jobset.x-k8s.io", jobs, **of_object))] == [queued]


def test_a_pod_of_its_own_or_of_an_operator_can_wait_for_a_provisioning_request() -> None:
    alone = Manifest(KNOWN["pods"], "a", {"metadata": {"name": "a", "annotations": {CONSUMES: "request"}}, "spec": POD})
    assert [each.queued for each in pod_groups(alone)] == [True]
    server = {"predictor": {"annotations": {CONSUMES: "request"}, "model": {"modelFormat": {"name": "vllm"}}}}
    assert [each.queued for each in pod_groups(manifest("inferenceservices.serving.kserve.io", server))] == [True]
