"""Which admission policies there are, and which settings need them; tests/e2e has what they do."""

from pathlib import Path
from typing import Any

import pytest

from federation.admission import has_policies, in_order, left_alone
from placement.api.kinds import KNOWN
from problems import SettingsError
from settings import parse

OLD = {"region": "us-west1", "slot": 0, "role": "training"}
NEW = {**OLD, "kubernetes": "1.36"}
QUEUED = """
apiVersion: batch/v1
kind: Job
metadata: {name: train, labels: {kueue.x-k8s.io/queue-name: team}}
spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}
"""
RAY = """
apiVersion: ray.io/v1
kind: RayCluster
metadata: {name: ray}
spec:
  enableInTreeAutoscaling: true
  headGroupSpec: {template: {spec: {containers: [{name: a, image: a}]}}}
"""


@pytest.mark.parametrize(
    ("version", "has"),
    [("", False), ("1.35", False), ("1.36", True), ("1.36.1-gke.1000000", True), ("1.40", True), ("1.9", False)],
)
def test_policies_exist_from_a_version_on(version: str, has: bool) -> None:
    assert has_policies(version) == has


def expressions(name: str, retained: list[str] | None = None) -> list[str]:
    spec = left_alone(KNOWN[name], "one-host", retained or [])
    assert spec
    assert spec["matchConditions"][0]["expression"].endswith('"system:serviceaccount:kube-federation-system:one-host"')
    return [each["jsonPatch"]["expression"] for each in spec["mutations"]]


def test_what_has_an_end_is_put_back_whole() -> None:
    for name in ("jobs.batch", "jobsets.jobset.x-k8s.io", "rayjobs.ray.io", "pytorchjobs.kubeflow.org", "pods"):
        assert '"/spec", value: oldObject.spec' in expressions(name)[0]
    assert '"/spec/runPolicy/suspend"' in expressions("pytorchjobs.kubeflow.org")[0]
    assert "suspend" not in expressions("pods")[0]


def test_what_has_no_end_is_written_but_for_what_is_others() -> None:
    assert left_alone(KNOWN["deployments.apps"], "x") is None
    assert left_alone(KNOWN["configmaps"], "x") is None
    (replicas,) = expressions("deployments.apps", ["/spec/replicas"])
    assert '"/spec/replicas", value: oldObject' in replicas
    assert any("scaleStrategy" in each for each in expressions("rayclusters.ray.io"))


def test_the_order_is_kept_of_every_movable_type() -> None:
    spec = in_order([KNOWN["deployments.apps"], KNOWN["replicasets.apps"]], "kubefed-controller")
    (rule,) = spec["matchConstraints"]["resourceRules"]
    assert rule["resources"] == ["federateddeployments", "federatedreplicasets"]


def problems(folder: Path, cluster: dict[str, Any], manifest: str, **federation: Any) -> list[str]:
    (folder / "x.yaml").write_text(manifest)
    placement = {"policy": "clusters", "clusters": ["one"]}
    raw: dict[str, Any] = {
        "clusters": {"one": cluster},
        "federation": {"host": "one", "types": ["jobs.batch", "rayclusters.ray.io"], **federation},
        "workloads": {"x": {"manifests": "x.yaml", "namespace": "ai", "placement": placement}},
    }
    try:
        parse(raw, folder)
    except SettingsError as error:
        return [str(each) for each in error.problems]
    return []


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (QUEUED, "Job train: Kueue queues it (label kueue.x-k8s.io/queue-name)"),
        (RAY, "RayCluster ray: its autoscaler scales it (spec.enableInTreeAutoscaling)"),
    ],
)
def test_a_workload_that_kubefed_would_fight_over_is_refused(tmp_path: Path, manifest: str, why: str) -> None:
    (text,) = problems(tmp_path, OLD, manifest)
    assert f"{why}, and below Kubernetes 1.36 KubeFed undoes that" in text
    assert text.endswith('write kubernetes: "1.36" or newer in clusters.one')
    assert problems(tmp_path, NEW, manifest) == []
    assert problems(tmp_path, OLD, manifest.replace("kueue.x-k8s.io/", "x/").replace("true", "false")) == []


def test_fields_are_retained_by_policies_alone(tmp_path: Path) -> None:
    retain = {"jobs.batch": ["/spec/parallelism"], "pods": ["/spec/x"]}
    job = QUEUED.replace("kueue.x-k8s.io/", "x/")
    unknown, old = problems(tmp_path, OLD, job, retain=retain)
    assert "federation.retain.pods" in unknown
    assert "not among the types" in unknown
    assert old.endswith('write kubernetes: "1.36" or newer in clusters.one')
    assert problems(tmp_path, NEW, job, retain={"jobs.batch": ["/spec/parallelism"]}) == []
