"""Operators of the settings on the local stack: their own programs, in every member, with their webhooks."""

from pathlib import Path
from typing import Any

import psutil
import pytest

from local.api import Api, ApiError
from tests.e2e.operated.stack import check_ready
from tests.e2e.operated.workloads import job_set
from tests.e2e.project import Project, eventually

# Each is built once, into the tool cache: Kueue in six minutes of one core, the others in two to three.
pytestmark = pytest.mark.timeout(3600)

OBJECTS = Path(__file__).parent / "objects"
MEMBERS = ("training", "serving", "serving-asia")
MANAGERS = {
    "jobset": "jobset-system/jobset-controller-manager",
    "kueue": "kueue-system/kueue-controller-manager",
    "lws": "lws-system/lws-controller-manager",
    "kuberay": "default/kuberay-operator",
    "trainer": "kubeflow-system/kubeflow-trainer-controller-manager",
}


def processes(operated: Project, part: str) -> list[psutil.Process]:
    """The operators' processes whose kubeconfig has this part in its path."""
    folder = f"--kubeconfig={operated.folder / '.local' / 'agent'}/"
    found = operated.processes(str(operated.folder))
    return [each for each in found if any(word.startswith(folder) and part in word for word in each.cmdline())]


def applied(operated: Project, name: str) -> Api:
    """Applies a file to `serving` as soon as the webhooks for it answer: some operators are Ready before."""

    def apply() -> None:
        done = operated.kubectl("serving", f"apply -f {OBJECTS / name}.yaml")
        assert done.code == 0, done.output

    eventually(apply, 60)
    return operated.api("serving")


JOBS = "/apis/batch/v1/namespaces/default/jobs"
JOB_SETS = "/apis/jobset.x-k8s.io/v1alpha2/namespaces/default/jobsets"


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("operator", MANAGERS)
def test_every_member_has_the_operator(operated: Project, operator: str, member: str) -> None:
    check_ready(operated, member, MANAGERS[operator])


@pytest.mark.parametrize("operator", MANAGERS)
def test_each_runs_as_a_process_of_its_own(operated: Project, operator: str) -> None:
    folder = f"/{MANAGERS[operator].replace('/', '.')}-"
    commands = [word for each in processes(operated, folder) for word in each.cmdline()]
    assert len({word for word in commands if word.startswith("--kubeconfig=")}) == len(MEMBERS)


@pytest.mark.parametrize("member", MEMBERS)
def test_its_jobs_are_made_and_complete(operated: Project, member: str) -> None:
    api = operated.api(member)
    api.create(JOB_SETS, job_set("two"))

    def complete() -> None:
        status = api.get(f"{JOB_SETS}/two").get("status", {})
        assert status.get("terminalState") == "Completed"

    eventually(complete, 30)
    jobs = api.list("/apis/batch/v1/namespaces/default/jobs", labelSelector="jobset.sigs.k8s.io/jobset-name=two")
    assert sorted(each["metadata"]["name"] for each in jobs) == ["two-workers-0", "two-workers-1"]
    api.delete(f"{JOB_SETS}/two")


@pytest.mark.parametrize("member", MEMBERS)
def test_its_webhook_refuses_a_mistake(operated: Project, member: str) -> None:
    policy = {"operator": "All", "targetReplicatedJobs": ["nothing"]}
    with pytest.raises(ApiError) as error:
        operated.api(member).create(JOB_SETS, job_set("bad", successPolicy=policy))
    assert "vjobset.kb.io" in str(error.value)
    assert "'nothing'" in str(error.value)


def test_a_killed_operator_is_started_again_and_its_webhooks_answer(operated: Project) -> None:
    api = operated.api("serving")
    (process,) = processes(operated, f"/{operated.cluster_folder('serving').name}/jobset-system.")
    process.kill()

    def answers() -> None:
        (pod,) = api.list("/api/v1/namespaces/jobset-system/pods")
        (status,) = pod["status"]["containerStatuses"]
        assert (status["ready"], status["restartCount"] > 0) == (True, True)
        api.create(JOB_SETS, job_set("dry"), dryRun="All")

    eventually(answers, 60)


def test_a_queue_admits_one_job_after_the_other(operated: Project) -> None:
    api = applied(operated, "queue")

    def complete() -> list[dict[str, Any]]:
        found = [api.get(f"{JOBS}/{name}")["status"] for name in ("first", "second")]
        assert [each.get("succeeded") for each in found] == [1, 1]
        return found

    jobs = eventually(complete, 60)
    # The quota is of one CPU, of which each requests more than half. Kueue does not say which comes first.
    first, second = sorted(jobs, key=lambda each: each["startTime"])
    assert second["startTime"] >= first["completionTime"]
