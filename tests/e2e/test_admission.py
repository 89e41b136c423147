"""What admission policies let KubeFed write into objects that exist; every write here is a dry run."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from placement.api.queued import QUEUE
from tests.e2e.project import Done, Project
from tests.e2e.versions import needs_policies

pytestmark = needs_policies
MEMBER_ACCOUNT = "training-training"
JOB = "job -n ai finetune"


def write(project: Project, folder: Path, body: dict[str, Any], account: str = "") -> Done:
    file = folder / "body.json"
    file.write_text(json.dumps(body))
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
            **{key: job["metadata"][key] for key in ("name", "namespace", "resourceVersion")},
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
