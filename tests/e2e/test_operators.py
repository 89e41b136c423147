"""Operators of the settings on the local stack: their own programs, in every member, with their webhooks."""

from collections.abc import Iterator
from typing import Any

import pytest

from local.api import ApiError
from tests.e2e.project import Project, eventually
from tools.build import build
from tools.modules import OPERATORS

# An operator is built once, into the tool cache: JobSet in two minutes, Kueue in six.
pytestmark = pytest.mark.timeout(1800)

MEMBERS = ("training", "serving", "serving-asia")
NAMESPACE = "jobset-system"
MANAGER = "jobset-controller-manager"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    build([each for each in OPERATORS if each.name == "jobset"])
    project = Project.copy(tmp_path_factory.mktemp("operators"))
    settings = project.settings()
    federation = settings["config"]["geo-federation:federation"]
    federation["operators"] = {"jobset": {"version": "v0.10.1", "manifests": ".local/operators/jobset.yaml"}}
    project.write_settings(settings)
    with project.taken_down():
        project.run(*project.make_command("up"), timeout=600).ok()
        yield project


def job_set(name: str, **spec: Any) -> dict[str, Any]:
    container = {"name": "train", "image": "train:1"}
    job = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    return {
        "apiVersion": "jobset.x-k8s.io/v1alpha2",
        "kind": "JobSet",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicatedJobs": [{"name": "workers", "replicas": 2, "template": {"spec": job}}], **spec},
    }


JOB_SETS = "/apis/jobset.x-k8s.io/v1alpha2/namespaces/default/jobsets"


@pytest.mark.parametrize("member", MEMBERS)
def test_every_member_has_the_operator(project: Project, member: str) -> None:
    deployment = project.api(member).get(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments/{MANAGER}")
    assert deployment["status"]["readyReplicas"] == 1


def test_each_runs_as_a_process_of_its_own(project: Project) -> None:
    agent = project.folder / ".local" / "agent"
    commands = [each.cmdline() for each in project.processes(str(agent)) if each.exe().endswith("/jobset")]
    assert len({word for words in commands for word in words if word.startswith("--kubeconfig=")}) == len(MEMBERS)


@pytest.mark.parametrize("member", MEMBERS)
def test_its_jobs_are_made_and_complete(project: Project, member: str) -> None:
    api = project.api(member)
    api.create(JOB_SETS, job_set("two"))

    def complete() -> None:
        status = api.get(f"{JOB_SETS}/two").get("status", {})
        assert status.get("terminalState") == "Completed"

    eventually(complete, 30)
    jobs = api.list("/apis/batch/v1/namespaces/default/jobs", labelSelector="jobset.sigs.k8s.io/jobset-name=two")
    assert sorted(each["metadata"]["name"] for each in jobs) == ["two-workers-0", "two-workers-1"]
    api.delete(f"{JOB_SETS}/two")


@pytest.mark.parametrize("member", MEMBERS)
def test_its_webhook_refuses_a_mistake(project: Project, member: str) -> None:
    policy = {"operator": "All", "targetReplicatedJobs": ["nothing"]}
    with pytest.raises(ApiError) as error:
        project.api(member).create(JOB_SETS, job_set("bad", successPolicy=policy))
    assert "vjobset.kb.io" in str(error.value)
    assert "'nothing'" in str(error.value)


def test_a_killed_operator_is_started_again_and_its_webhooks_answer(project: Project) -> None:
    api = project.api("serving")
    folder = project.folder / ".local" / "agent" / project.cluster_folder("serving").name
    (process,) = (each for each in project.processes(f"{folder}/") if each.exe().endswith("/jobset"))
    process.kill()

    def answers() -> None:
        (pod,) = api.list(f"/api/v1/namespaces/{NAMESPACE}/pods")
        (status,) = pod["status"]["containerStatuses"]
        assert (status["ready"], status["restartCount"] > 0) == (True, True)
        api.create(JOB_SETS, job_set("dry"), dryRun="All")

    eventually(answers, 60)


def test_the_second_up_changes_nothing(project: Project) -> None:
    project.shell("pulumi preview --expect-no-changes").ok()
