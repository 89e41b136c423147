"""What admission policies let KubeFed write into objects that exist; every write here is a dry run."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from federation.admission import left_alone
from placement.api.kinds import KNOWN
from placement.api.queued import QUEUE
from tests.e2e.project import Done, Project, eventually
from tests.e2e.versions import needs_policies

pytestmark = needs_policies
MEMBER_ACCOUNT = "training-training"
JOB = "job -n ai finetune"


def write(project: Project, folder: Path, body: dict[str, Any], account: str = "") -> Done:
    file = folder / "body.json"
    # Its controllers write, too: kubectl takes the newest version where the body names none.
    metadata = {key: value for key, value in body["metadata"].items() if key != "resourceVersion"}
    file.write_text(json.dumps({**body, "metadata": metadata}))
    user = f"--as=system:serviceaccount:kube-federation-system:{account}" if account else ""
    return project.kubectl("training", f"replace --dry-run=server {user} -f {file} -o json")


def written(project: Project, folder: Path, body: dict[str, Any], account: str) -> dict[str, Any]:
    """The object as the API server would have it after the write."""
    return json.loads(write(project, folder, body, account).ok().output)


def one(project: Project, what: str) -> dict[str, Any]:
    return json.loads(project.kubectl("training", f"get {what} -o json").ok().output)


@pytest.fixture
def job(project: Project) -> dict[str, Any]:
    return one(project, JOB)


@pytest.fixture
def queued(project: Project) -> Iterator[dict[str, Any]]:
    project.kubectl("training", f"label {JOB} {QUEUE}=team").ok()
    yield one(project, JOB)
    project.kubectl("training", f"label {JOB} {QUEUE}-").ok()


def as_kubefed_has_it(job: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """A Job without what its API has filled in, as KubeFed makes it from the template."""
    template = {"spec": {**job["spec"]["template"]["spec"], "terminationGracePeriodSeconds": 5}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            **{key: job["metadata"][key] for key in ("name", "namespace")},
            "labels": {"kubefed.io/managed": "true"},
        },
        "spec": {"parallelism": 1, "completions": 1, "template": template, **spec},
    }


def test_what_kubefed_writes_leaves_a_job_as_it_is(project: Project, job: dict[str, Any], tmp_path: Path) -> None:
    found = written(project, tmp_path, as_kubefed_has_it(job), MEMBER_ACCOUNT)
    assert found["spec"] == job["spec"]
    assert found["metadata"]["labels"] == job["metadata"]["labels"]
    assert found["metadata"]["generation"] == job["metadata"]["generation"]


def test_nobody_elses_write_is_changed(project: Project, job: dict[str, Any], tmp_path: Path) -> None:
    refused = write(project, tmp_path, as_kubefed_has_it(job))
    assert refused.code != 0
    assert "spec.selector: Required value" in refused.output


def test_kubefed_suspends_a_job(project: Project, job: dict[str, Any], tmp_path: Path) -> None:
    found = written(project, tmp_path, as_kubefed_has_it(job, suspend=True), MEMBER_ACCOUNT)
    assert found["spec"] == {**job["spec"], "suspend": True}


def test_a_queue_suspends_what_is_queued(project: Project, queued: dict[str, Any], tmp_path: Path) -> None:
    found = written(project, tmp_path, as_kubefed_has_it(queued, suspend=True), MEMBER_ACCOUNT)
    assert found["spec"] == queued["spec"]
    assert found["metadata"]["labels"][QUEUE] == "team"


def test_overrides_stay_in_order(project: Project, tmp_path: Path) -> None:
    federated = one(project, "federateddeployment -n ai inference")
    overrides = federated["spec"]["overrides"]
    assert [each["clusterName"] for each in overrides] == ["serving", "serving-asia"]
    reverse = deepcopy(federated)
    reverse["spec"]["overrides"].reverse()
    assert written(project, tmp_path, reverse, "kubefed-controller")["spec"]["overrides"] == overrides
    assert json.loads(write(project, tmp_path, reverse).ok().output)["spec"] == reverse["spec"]


SECRET = {"secretKeyRef": {"name": "a", "key": "b", "optional": False}}
TERM = {"matchExpressions": [{"key": "a", "operator": "In", "values": [f"{number}" for number in range(12)]}]}
CONTAINER: dict[str, Any] = {
    "name": "a",
    "image": "a",
    "command": ["sh", "-c", 'echo "~1" /\n'],
    "env": [{"name": "EMPTY", "value": ""}, {"name": "SECRET", "valueFrom": SECRET}],
    "resources": {"limits": {"cpu": "1500m", "nvidia.com/gpu": "1"}},
    "startupProbe": {"httpGet": {"port": "web", "httpHeaders": [{"name": "a", "value": "b"}]}},
    "livenessProbe": {"tcpSocket": {"port": 80}},
}
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "selector": TERM}
POD: dict[str, Any] = {
    "restartPolicy": "Always",
    "nodeSelector": {"example.com/a": "b"},
    "tolerations": [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}],
    "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [TERM]}}},
    "volumes": [
        {"name": "empty", "emptyDir": {}},
        {"name": "claim", "ephemeral": {"volumeClaimTemplate": {"spec": CLAIM}}},
    ],
    "containers": [CONTAINER],
}
Create = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def created(project: Project, tmp_path: Path) -> Iterator[Create]:
    """Creates an object in the member, which is deleted in the end, and returns it as the API has it."""
    file, bodies = tmp_path / "created.json", list[dict[str, Any]]()

    def create(body: dict[str, Any]) -> dict[str, Any]:
        file.write_text(json.dumps(body))
        made = project.kubectl("training", f"create -f {file} -o json").ok()
        bodies.append(body)
        return json.loads(made.output)

    yield create
    for body in bodies:
        project.kubectl("training", f"delete {body['kind']} {body['metadata']['name']}").ok()


def test_every_part_of_a_job_is_left_as_it_is(project: Project, created: Create, tmp_path: Path) -> None:
    template = {"metadata": {"annotations": {"example.com/a": "c"}}, "spec": {**POD, "restartPolicy": "Never"}}
    body = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "deep", "namespace": "default"}}
    job = created({**body, "spec": {"suspend": True, "template": template}})
    assert job["spec"]["template"]["spec"]["volumes"][1]["ephemeral"]["volumeClaimTemplate"]["spec"]["selector"] == TERM
    found = written(project, tmp_path, as_kubefed_has_it(job, suspend=True), MEMBER_ACCOUNT)
    assert found["spec"] == job["spec"]


RETAINED = ("nodeSelector", "tolerations", "affinity/nodeAffinity", "containers", "volumes", "hostNetwork")


def test_fields_of_any_type_are_retained(project: Project, created: Create, tmp_path: Path) -> None:
    fields = [f"/spec/template/spec/{each}" for each in RETAINED]
    spec = left_alone(KNOWN["deployments.apps"], MEMBER_ACCOUNT, ["/spec/replicas", "/spec/strategy", *fields])
    api = "admissionregistration.k8s.io/v1"
    named = {"metadata": {"name": "retained"}}
    created({"apiVersion": api, "kind": "MutatingAdmissionPolicy", **named, "spec": spec})
    binding = {"policyName": "retained"}
    created({"apiVersion": api, "kind": "MutatingAdmissionPolicyBinding", **named, "spec": binding})

    labels = {"app": "deep"}
    body: dict[str, Any] = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "deep", "namespace": "default"},
    }
    fixed = {"selector": {"matchLabels": labels}}
    template = {"metadata": {"labels": labels}}
    live = created({**body, "spec": {**fixed, "replicas": 0, "template": {**template, "spec": POD}}})
    live["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 5
    other = {"containers": [{"name": "b", "image": "b"}], "terminationGracePeriodSeconds": 5}
    mine = {**body, "spec": {**fixed, "replicas": 3, "template": {**template, "spec": other}}}

    def is_left() -> None:
        assert written(project, tmp_path, mine, MEMBER_ACCOUNT)["spec"] == live["spec"]

    # A new policy is in force soon after it exists.
    eventually(is_left, 30)
