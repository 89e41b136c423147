"""How the pods of each kind are selected, and which of them may talk to each other under default_deny."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from clusters.addresses import addresses
from federation.network_policies import network_policies
from placement.api.kinds import BUILT_IN, TargetType
from placement.api.pod_kinds import POD_KINDS
from placement.manifests.manifest import Manifest
from placement.pods.pod_selectors import WORKLOAD_LABEL, calls_api_server, pod_labels, run_together, with_pod_labels
from placement.workload import Workload
from settings import parse
from tests import objects

POD: dict[str, Any] = {"containers": [{"name": "a", "image": "b"}]}
BARE: dict[str, Any] = {"spec": POD}
LABELLED: dict[str, Any] = {"metadata": {"labels": {"app": "it"}}, "spec": POD}
OWN = {WORKLOAD_LABEL: "w"}
APP = {"app": "it"}
RAY: dict[str, Any] = {
    "headGroupSpec": {"template": LABELLED},
    "workerGroupSpecs": [{"groupName": "l4", "replicas": 2, "template": BARE}],
}


@dataclass(frozen=True)
class Case:
    """An object of one kind, the labels by which its pods are selected, and whether they run together."""

    body: Mapping[str, Any]
    labels: list[dict[str, str]]
    together: bool


def spec(**values: Any) -> dict[str, Any]:
    return {"spec": values}


def kubeflow(key: str) -> Case:
    roles = {"Master": {"template": BARE}, "Worker": {"replicas": 3, "template": BARE}}
    return Case(spec(**{key: roles}), [{"training.kubeflow.org/job-name": "it"}], True)


CASES: dict[str, list[Case]] = {
    "pods": [Case({"spec": POD}, [OWN], False), Case(LABELLED, [APP], False)],
    "deployments.apps": [Case(spec(replicas=3, template=LABELLED), [APP], False)],
    "replicasets.apps": [Case(spec(replicas=3, template=LABELLED), [APP], False)],
    "daemonsets.apps": [Case(spec(template=LABELLED), [APP], False)],
    "statefulsets.apps": [
        Case(spec(replicas=3, template=LABELLED), [APP], True),
        Case(spec(template=LABELLED), [APP], False),
    ],
    "jobs.batch": [
        Case(spec(parallelism=4, template=BARE), [{"batch.kubernetes.io/job-name": "it"}], False),
        Case(
            spec(parallelism=4, completions=4, completionMode="Indexed", template=LABELLED),
            [{"batch.kubernetes.io/job-name": "it"}],
            True,
        ),
    ],
    "cronjobs.batch": [
        Case(spec(jobTemplate=spec(template=BARE)), [OWN], False),
        Case(spec(jobTemplate=spec(parallelism=2, template=LABELLED)), [APP], True),
    ],
    "jobsets.jobset.x-k8s.io": [
        Case(
            spec(replicatedJobs=[{"name": "a", "template": spec(parallelism=4, template=BARE)}]),
            [{"jobset.sigs.k8s.io/jobset-name": "it"}],
            True,
        )
    ],
    "leaderworkersets.leaderworkerset.x-k8s.io": [
        Case(
            spec(replicas=2, leaderWorkerTemplate={"size": 2, "leaderTemplate": BARE, "workerTemplate": LABELLED}),
            [{"leaderworkerset.sigs.k8s.io/name": "it"}],
            True,
        )
    ],
    "rayclusters.ray.io": [Case(spec(**RAY), [{"ray.io/cluster": "it"}], True)],
    "rayjobs.ray.io": [Case(spec(rayClusterSpec=RAY), [APP, OWN, {"batch.kubernetes.io/job-name": "it"}], True)],
    "rayservices.ray.io": [Case(spec(rayClusterConfig=RAY), [APP, OWN], True)],
    "mpijobs.kubeflow.org": [kubeflow("mpiReplicaSpecs")],
    "pytorchjobs.kubeflow.org": [kubeflow("pytorchReplicaSpecs")],
    "tfjobs.kubeflow.org": [kubeflow("tfReplicaSpecs")],
    "xgboostjobs.kubeflow.org": [kubeflow("xgbReplicaSpecs")],
    "paddlejobs.kubeflow.org": [kubeflow("paddleReplicaSpecs")],
    "trainjobs.trainer.kubeflow.org": [
        Case(spec(runtimeRef={"name": "torch"}), [{"jobset.sigs.k8s.io/jobset-name": "it"}], True)
    ],
    "inferenceservices.serving.kserve.io": [
        Case(spec(predictor={"model": {}}), [{"serving.kserve.io/inferenceservice": "it"}], True)
    ],
    "sparkapplications.sparkoperator.k8s.io": [
        Case(spec(driver={}, executor={"instances": 2}), [{"sparkoperator.k8s.io/app-name": "it"}], True)
    ],
}


def manifest_of(config_name: str, body: Mapping[str, Any]) -> Manifest:
    plural, _, group = config_name.partition(".")
    target = BUILT_IN.get(config_name) or TargetType(plural, plural, group, "v1")
    metadata = {"name": "it", **body.get("metadata", {})}
    return Manifest(target, "it", {"kind": target.kind, **body, "metadata": metadata})


def policies_of(*manifests: Manifest, **workload: Any) -> dict[str, dict[str, Any]]:
    plain = {"manifests": "a", "namespace": "ai", "placement": {"policy": "spread"}}
    labelled = [with_pod_labels("w", each) for each in manifests]
    made = network_policies("w", Workload.model_validate(plain | workload), labelled, [addresses(1), addresses(3)])
    return {each.name: each.body["spec"] for each in made}


EVERY = [(name, case) for name, cases in CASES.items() for case in cases]


def test_every_kind_that_runs_pods_is_tried() -> None:
    assert CASES.keys() == POD_KINDS.keys()


@pytest.mark.parametrize(("name", "case"), EVERY)
def test_pods_are_selected_by_labels_that_they_have(name: str, case: Case) -> None:
    manifest = with_pod_labels("w", manifest_of(name, case.body))
    assert (pod_labels(manifest), run_together(manifest)) == (case.labels, case.together)
    # What has labels keeps them, and a second run changes nothing.
    assert with_pod_labels("w", manifest) is manifest


def test_a_label_is_added_to_bare_templates_alone() -> None:
    bare = manifest_of("cronjobs.batch", spec(jobTemplate=spec(template=BARE)))
    made = with_pod_labels("w", bare)
    assert made.body["spec"]["jobTemplate"]["spec"]["template"] == {"metadata": {"labels": OWN}, "spec": POD}
    assert "metadata" not in bare.body["spec"]["jobTemplate"]["spec"]["template"]
    kept = manifest_of("pods", {"metadata": {"annotations": {"a": "b"}}, "spec": POD})
    assert with_pod_labels("w", kept).body["metadata"] == {"name": "it", "annotations": {"a": "b"}, "labels": OWN}


@pytest.mark.parametrize(("name", "case"), EVERY)
def test_pods_that_run_together_reach_each_other_on_every_port(name: str, case: Case) -> None:
    deny, *made = policies_of(manifest_of(name, case.body)).values()
    assert deny["podSelector"] == {}
    if not case.together:
        assert made == []
        return
    own = [{"podSelector": {"matchLabels": each}} for each in case.labels]
    assert [each["podSelector"]["matchLabels"] for each in made] == case.labels
    assert all(each["ingress"][0] == {"from": own} and each["egress"][0] == {"to": own} for each in made)


def test_companions_of_pods_that_run_together_reach_them_too() -> None:
    (jobs,) = CASES["jobsets.jobset.x-k8s.io"]
    store = Manifest(BUILT_IN["deployments.apps"], "store", objects.deployment("store"))
    made = policies_of(manifest_of("jobsets.jobset.x-k8s.io", jobs.body), store)
    own = [
        {"podSelector": {"matchLabels": each}} for each in ({"jobset.sigs.k8s.io/jobset-name": "it"}, {"app": "store"})
    ]
    assert list(made) == ["w-default-deny", "w-jobsets-it", "w-deployments-store"]
    assert made["w-deployments-store"]["ingress"] == [{"from": own}]
    # A Deployment alone reaches nothing that is not declared.
    assert list(policies_of(store)) == ["w-default-deny"]


def test_ranges_that_are_declared_come_besides() -> None:
    (jobs,) = CASES["jobsets.jobset.x-k8s.io"]
    opening = {"direction": "egress", "peer": "192.168.7.0/24", "ports": [443]}
    made = policies_of(manifest_of("jobsets.jobset.x-k8s.io", jobs.body), openings=[opening])["w-jobsets-it"]
    assert len(made["ingress"]) == 1
    assert made["egress"][1]["to"] == [{"ipBlock": {"cidr": "192.168.7.0/24"}}]


@pytest.mark.parametrize(("name", "ports"), [("rayjobs.ray.io", [8265]), ("rayservices.ray.io", [8265, 8000])])
def test_kuberay_reaches_the_pods_that_it_watches(name: str, ports: list[int]) -> None:
    made = policies_of(manifest_of(name, CASES[name][0].body))
    rules = [each["ingress"][1] for key, each in made.items() if key != "w-default-deny"]
    operator = {"podSelector": {"matchLabels": {"app.kubernetes.io/component": "kuberay-operator"}}}
    assert len(rules) == len(CASES[name][0].labels)
    assert all(each["from"] == [{"namespaceSelector": {}, **operator}] for each in rules)
    assert all([port["port"] for port in each["ports"]] == ports for each in rules)


def test_pods_that_make_pods_reach_the_control_planes() -> None:
    scaled = RAY | {"enableInTreeAutoscaling": True}
    calling = {
        "rayclusters.ray.io": spec(**scaled),
        "rayjobs.ray.io": spec(rayClusterSpec=scaled),
        "rayservices.ray.io": spec(rayClusterConfig=scaled),
        "sparkapplications.sparkoperator.k8s.io": CASES["sparkapplications.sparkoperator.k8s.io"][0].body,
    }
    for name, cases in CASES.items():
        assert calls_api_server(manifest_of(name, cases[0].body)) == (name == "sparkapplications.sparkoperator.k8s.io")
    for name, body in calling.items():
        _, made, *_ = policies_of(manifest_of(name, body)).values()
        ranges = [{"ipBlock": {"cidr": each}} for each in ("10.0.16.0/20", "10.0.48.0/20")]
        assert made["egress"][1] == {"to": ranges, "ports": [{"protocol": "TCP", "port": 443}]}


def test_settings_label_what_they_open(tmp_path: Path) -> None:
    job = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "it"}}
    template = {"spec": POD | {"restartPolicy": "Never"}}
    job |= spec(schedule="@daily", jobTemplate=spec(template=template))
    (tmp_path / "it.yaml").write_text(yaml.safe_dump(job))
    workload = {"manifests": "it.yaml", "namespace": "ai", "placement": {"policy": "clusters", "clusters": ["a"]}}
    opening = {"direction": "egress", "peer": "internet", "ports": [443]}
    federation = {"host": "a", "types": ["cronjobs.batch"], "default_deny": True}
    clusters = {"a": {"region": "us-west1", "slot": 0, "role": "x"}}
    raw = {"clusters": clusters, "federation": federation, "workloads": {"w": workload | {"openings": [opening]}}}
    cron, _, policy = parse(raw, tmp_path).manifests["w"]
    assert cron.body["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"] == OWN
    assert policy.body["spec"]["podSelector"] == {"matchLabels": OWN}
    # What is not closed is left as it is.
    raw = raw | {"federation": federation | {"default_deny": False}, "workloads": {"w": workload}}
    (alone,) = parse(raw, tmp_path).manifests["w"]
    assert "metadata" not in alone.body["spec"]["jobTemplate"]["spec"]["template"]
