"""Workloads of operators through the federation: in one cluster each, and left to their operators by KubeFed."""

from typing import Any

import pytest

from local.api import Api
from tests.e2e.operated.workloads import ELSEWHERE, HERE, NEAR, queued
from tests.e2e.project import Project, eventually

pytestmark = pytest.mark.timeout(3600)

JOB_SETS = "/apis/jobset.x-k8s.io/v1alpha2/namespaces/ai/jobsets"
WORKLOADS = "/apis/kueue.x-k8s.io/v1beta2/namespaces/ai/workloads"


def copy_of(api: Api, name: str) -> dict[str, Any]:
    return api.get(f"{JOB_SETS}/{name}")


def check_completed(api: Api, *names: str) -> None:
    assert [copy_of(api, name).get("status", {}).get("terminalState") for name in names] == ["Completed"] * len(names)


def check_propagated(project: Project, plural: str, name: str) -> None:
    federated = project.api("training").get(f"/apis/types.kubefed.io/v1beta1/namespaces/ai/federated{plural}/{name}")
    conditions = {each["type"]: each["status"] for each in federated["status"]["conditions"]}
    assert conditions["Propagation"] == "True"
    assert federated["status"]["observedGeneration"] == federated["metadata"]["generation"]


def test_two_trainings_take_turns_and_each_runs_whole(operated: Project) -> None:
    api = operated.api(HERE)
    eventually(lambda: check_completed(api, "first", "second"), 90)
    for member in ELSEWHERE:
        assert operated.api(member).list(JOB_SETS) == []
    spans: list[tuple[str, str]] = []
    for name in ("first", "second"):
        jobs = api.list("/apis/batch/v1/namespaces/ai/jobs", labelSelector=f"jobset.sigs.k8s.io/jobset-name={name}")
        assert len(jobs) == 2
        spans.append((min(e["status"]["startTime"] for e in jobs), max(e["status"]["completionTime"] for e in jobs)))
    earlier, later = sorted(spans)
    assert later[0] >= earlier[1]


def test_kubefed_has_written_nothing_that_its_queue_has_decided(operated: Project) -> None:
    for name in ("first", "second"):
        copy = copy_of(operated.api(HERE), name)
        # Made suspended, and admitted once: no other write has changed it.
        assert copy["metadata"]["generation"] == 2
        assert copy["spec"]["suspend"] is False
        check_propagated(operated, "jobsets", name)


def test_what_is_evicted_is_admitted_again_while_kubefed_is_silent(operated: Project) -> None:
    api = operated.api(HERE)
    nodes = [each["metadata"]["name"] for each in api.list("/api/v1/nodes")]
    operated.kubectl(HERE, f"cordon {' '.join(nodes)}").ok()
    operated.declare_workload("third", "ai", NEAR, queued("third"))
    operated.shell("pulumi up --yes --skip-preview").ok()

    def check_suspended(suspended: bool, generation: int) -> None:
        copy = copy_of(api, "third")
        assert copy["spec"]["suspend"] is suspended
        assert copy["metadata"]["generation"] == generation

    eventually(lambda: check_suspended(False, 2), 30)
    (workload,) = (each["metadata"]["name"] for each in api.list(WORKLOADS) if "third" in each["metadata"]["name"])
    api.merge(f"{WORKLOADS}/{workload}", {"spec": {"active": False}})
    eventually(lambda: check_suspended(True, 3), 30)
    check_propagated(operated, "jobsets", "third")
    api.merge(f"{WORKLOADS}/{workload}", {"spec": {"active": True}})
    eventually(lambda: check_suspended(False, 4), 60)
    operated.kubectl(HERE, f"uncordon {' '.join(nodes)}").ok()
    eventually(lambda: check_completed(api, "third"), 60)
    check_suspended(False, 4)
