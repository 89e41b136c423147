"""What `kubectl get -o yaml` shows goes into no copy where the server has filled it in, and is reported in a line."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from placement.api.kinds import BUILT_IN
from placement.manifests.documents import ManifestError
from placement.manifests.manifest import read_manifests
from tests import objects

TYPES = list(BUILT_IN.values())
READ = {"name": "a", "uid": "4f3a", "resourceVersion": "12"}


def read(folder: Path, *bodies: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    """The bodies as they are used, and what is reported of them."""
    (folder / "file.yaml").write_text("---\n".join(yaml.safe_dump(body) for body in bodies))
    notes: list[str] = []
    manifests = read_manifests(folder, "file.yaml", "ai", TYPES, notes)
    return [dict(each.body) for each in manifests], notes


def one(folder: Path, api: str, kind: str, metadata: dict[str, Any], **rest: Any) -> dict[str, Any]:
    (body,), _ = read(folder, {"apiVersion": api, "kind": kind, "metadata": metadata, **rest})
    assert (body.pop("apiVersion"), body.pop("kind")) == (api, kind)
    return body


def test_what_the_server_fills_in_of_every_object_is_left_out_and_told_in_one_line(tmp_path: Path) -> None:
    metadata = {
        **READ,
        "creationTimestamp": "2026-01-31T10:00:00Z",
        "generation": 3,
        "managedFields": [{"manager": "kubectl"}],
        "selfLink": "/api/v1/a",
        "deletionTimestamp": "2026-01-31T10:00:00Z",
        "deletionGracePeriodSeconds": 30,
        "labels": {"app": "api"},
        "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "deployment.kubernetes.io/revision": "4",
            "example.com/own": "kept",
        },
    }
    read_spec = objects.deployment()["spec"]
    read_spec["template"]["metadata"]["creationTimestamp"] = None
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": read_spec}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "uid": "5"}, "status": {"x": 1}}
    other = {**service, "metadata": {"name": "b", "uid": "6"}}
    bodies, notes = read(tmp_path, {**deployment, "status": {"readyReplicas": 2}}, service, other)
    assert bodies[0]["metadata"] == {"name": "a", "labels": {"app": "api"}, "annotations": {"example.com/own": "kept"}}
    assert bodies[0]["spec"] == objects.deployment()["spec"]
    assert [set(each) for each in bodies] == [{"apiVersion", "kind", "metadata", "spec"}] + [
        {"apiVersion", "kind", "metadata"}
    ] * 2
    assert notes == [
        "left out what the server had filled in: uid, resourceVersion, generation, creationTimestamp, "
        "deletionTimestamp, deletionGracePeriodSeconds, managedFields, selfLink, annotations.deployment.kubernetes.io/"
        "revision, annotations.kubectl.kubernetes.io/last-applied-configuration and status of Deployment a; "
        "uid and status of Service a and Service b"
    ]


def test_what_is_empty_is_left_out_without_a_word(tmp_path: Path) -> None:
    # As kubectl create --dry-run=client -o yaml writes it.
    bodies, notes = read(
        tmp_path,
        {
            **objects.deployment(strategy={}),
            "metadata": {"name": "a", "creationTimestamp": None, "finalizers": [], "ownerReferences": None},
            "status": {},
        },
    )
    assert bodies[0]["metadata"] == {"name": "a", "finalizers": []}
    assert bodies[0]["spec"] == objects.deployment(strategy={})["spec"]
    assert "status" not in bodies[0]
    assert notes == []


@pytest.mark.parametrize("metadata", [READ, {"name": "a"}])
def test_a_services_address_is_left_out_and_its_other_choices_stay(metadata: dict[str, Any], tmp_path: Path) -> None:
    kept = {
        "ports": [{"port": 80, "nodePort": 30080}],
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "internalTrafficPolicy": "Cluster",
    }
    spec = {"clusterIP": "10.1.2.3", "clusterIPs": ["10.1.2.3"], **kept}
    assert one(tmp_path, "v1", "Service", metadata, spec=spec)["spec"] == kept


def test_a_headless_service_stays_headless(tmp_path: Path) -> None:
    spec = {"clusterIP": "None", "clusterIPs": ["None"]}
    assert one(tmp_path, "v1", "Service", READ, spec=spec)["spec"] == spec
    assert one(tmp_path, "v1", "Service", READ, spec={"clusterIP": ""})["spec"] == {"clusterIP": ""}


def test_a_port_for_health_checks_is_the_users_unless_the_server_gave_it(tmp_path: Path) -> None:
    assert one(tmp_path, "v1", "Service", READ, spec={"healthCheckNodePort": 31000})["spec"] == {}
    spec = {"healthCheckNodePort": 31000}
    assert one(tmp_path, "v1", "Service", {"name": "a"}, spec=spec)["spec"] == spec


JOB_LABELS = {
    "controller-uid": "4f3a",
    "batch.kubernetes.io/controller-uid": "4f3a",
    "job-name": "a",
    "batch.kubernetes.io/job-name": "a",
    "app": "train",
}


POD: dict[str, Any] = {"spec": objects.job()["spec"]["template"]["spec"]}


def job(folder: Path, metadata: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return one(folder, "batch/v1", "Job", metadata, spec=spec)


@pytest.mark.parametrize("metadata", [READ, {"name": "a"}])
def test_a_jobs_selector_and_labels_of_its_uid_are_left_out(metadata: dict[str, Any], tmp_path: Path) -> None:
    body = job(
        tmp_path,
        {**metadata, "labels": JOB_LABELS},
        selector={"matchLabels": {"batch.kubernetes.io/controller-uid": "4f3a"}},
        template={"metadata": {"creationTimestamp": None, "labels": JOB_LABELS}, **POD},
    )
    assert body["metadata"] == {"name": "a", "labels": {"app": "train"}}
    assert body["spec"] == {"template": {"metadata": {"labels": {"app": "train"}}, **POD}}


def test_a_jobs_own_labels_and_selector_stay(tmp_path: Path) -> None:
    own = {"template": {"metadata": {"labels": {"job-name": "a"}}, **POD}}
    assert job(tmp_path, {"name": "a", "labels": {"job-name": "a"}}, **own) == {
        "metadata": {"name": "a", "labels": {"job-name": "a"}},
        "spec": own,
    }
    manual = {
        "manualSelector": True,
        "selector": {"matchLabels": {"controller-uid": "x"}},
        "template": {"metadata": {"labels": {"controller-uid": "x"}}, **POD},
    }
    assert job(tmp_path, READ, **manual)["spec"] == manual


def claim(folder: Path, metadata: dict[str, Any]) -> dict[str, Any]:
    return one(folder, "v1", "PersistentVolumeClaim", metadata, spec={"volumeName": "pv-1", "storageClassName": "x"})


def test_a_bound_claim_is_made_unbound(tmp_path: Path) -> None:
    binder = {
        "pv.kubernetes.io/bind-completed": "yes",
        "pv.kubernetes.io/bound-by-controller": "yes",
        "volume.beta.kubernetes.io/storage-provisioner": "pd.csi.storage.gke.io",
        "volume.kubernetes.io/storage-provisioner": "pd.csi.storage.gke.io",
        "volume.kubernetes.io/selected-node": "node-1",
        "volume.beta.kubernetes.io/storage-class": "kept",
    }
    for metadata in ({**READ, "annotations": binder}, {"name": "a", "annotations": binder}):
        body = claim(tmp_path, metadata)
        assert body["metadata"]["annotations"] == {"volume.beta.kubernetes.io/storage-class": "kept"}
        assert body["spec"] == {"storageClassName": "x"}
    assert claim(tmp_path, READ)["spec"] == {"storageClassName": "x"}


def test_a_claim_that_names_its_volume_keeps_it(tmp_path: Path) -> None:
    assert claim(tmp_path, {"name": "a"})["spec"]["volumeName"] == "pv-1"


def test_the_claims_of_a_stateful_set_have_no_status(tmp_path: Path) -> None:
    template = {
        "metadata": {"name": "data", "creationTimestamp": None},
        "spec": {"storageClassName": "x"},
        "status": {"phase": "Pending"},
    }
    spec = objects.deployment(kind="StatefulSet", volumeClaimTemplates=[template])["spec"]
    (kept,) = one(tmp_path, "apps/v1", "StatefulSet", READ, spec=spec)["spec"]["volumeClaimTemplates"]
    assert kept == {"metadata": {"name": "data"}, "spec": {"storageClassName": "x"}}


def test_generated_tokens_are_left_out(tmp_path: Path) -> None:
    secrets = [{"name": "a-token-x7k2p"}, {"name": "own"}, {"name": "b-token-x7k2p"}]
    body = one(tmp_path, "v1", "ServiceAccount", READ, secrets=secrets)
    assert body["secrets"] == secrets[1:]
    annotations = {"kubernetes.io/service-account.name": "a", "kubernetes.io/service-account.uid": "1"}
    token = one(
        tmp_path,
        "v1",
        "Secret",
        {**READ, "annotations": annotations},
        type="kubernetes.io/service-account-token",
        data={"token": "eA==", "ca.crt": "eA==", "namespace": "eA==", "extra": "eA=="},
    )
    assert token["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "a"}
    assert token["data"] == {"extra": "eA=="}
    assert one(tmp_path, "v1", "Secret", READ, data={"token": "eA=="})["data"] == {"token": "eA=="}


@pytest.mark.parametrize("field", ["ownerReferences", "finalizers"])
def test_what_only_means_something_in_one_cluster_is_refused(field: str, tmp_path: Path) -> None:
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "a", "uid": "1"}
    value = {"ownerReferences": [owner], "finalizers": ["example.com/x"]}[field]
    with pytest.raises(ManifestError) as raised:
        one(tmp_path, "v1", "ConfigMap", {"name": "a", field: value})
    (problem,) = raised.value.problems
    assert problem.startswith("object 1, line ")
    assert f"ConfigMap a has metadata.{field}; remove them" in problem


def test_a_file_of_many_is_told_in_one_line_of_bounded_length(tmp_path: Path) -> None:
    many = [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"c{n}", "uid": "1"}} for n in range(40)]
    _, (note,) = read(tmp_path, *many)
    assert note.endswith("uid of ConfigMap c0, ConfigMap c1, ConfigMap c2, ConfigMap c3, ConfigMap c4 and 35 more")


def test_what_is_an_alias_elsewhere_stays_there(tmp_path: Path) -> None:
    spec = f"spec: {json.dumps(objects.job()['spec'])}"
    (tmp_path / "file.yaml").write_text(
        f"{{apiVersion: batch/v1, kind: Job, metadata: {{name: a, uid: x, labels: {{app: b, job-name: a}}}}, {spec}}}\n"
    )
    (job_,) = read_manifests(tmp_path, "file.yaml", "ai", TYPES)
    assert job_.body["metadata"] == {"name": "a", "labels": {"app": "b"}}
    (tmp_path / "file.yaml").write_text(
        "{apiVersion: v1, kind: List, items: [{apiVersion: batch/v1, kind: Job, metadata: {name: a, uid: x, "
        f"labels: &l {{app: b, job-name: a}}}}, {spec}}}, "
        "{apiVersion: v1, kind: Service, metadata: {name: s, labels: *l}}]}"
    )
    _, service = read_manifests(tmp_path, "file.yaml", "ai", TYPES)
    assert service.body["metadata"]["labels"] == {"app": "b", "job-name": "a"}
