"""Workloads of LWS, KubeRay and Trainer through the federation: each in one cluster, seen by its operator there."""

from typing import Any

import pytest

from tests.e2e.operated.test_queued import check_propagated, copy_of
from tests.e2e.operated.workloads import ELSEWHERE, HERE, OF_FILES
from tests.e2e.project import Project, eventually

pytestmark = pytest.mark.timeout(3600)

PODS = "/api/v1/namespaces/ai/pods"


def test_two_groups_of_two_run(operated: Project) -> None:
    def check() -> None:
        assert len(on_nodes(operated, "leaderworkerset.sigs.k8s.io/name=groups")) == 4
        status = operated.api(HERE).get("/apis/leaderworkerset.x-k8s.io/v1/namespaces/ai/leaderworkersets/groups")[
            "status"
        ]
        assert status["readyReplicas"] == 2

    eventually(check, 90)


def test_a_ray_cluster_of_a_head_and_two_workers_runs(operated: Project) -> None:
    eventually(lambda: check_counted(on_nodes(operated, "ray.io/cluster"), 3), 90)


def test_a_training_of_two_nodes_completes(operated: Project) -> None:
    eventually(lambda: check_completed(operated, "torch"), 90)


@pytest.mark.parametrize("workload", OF_FILES)
def test_kubefed_is_done_with_it(operated: Project, workload: str) -> None:
    name = "torch" if workload == "train" else workload
    check_propagated(operated, OF_FILES[workload], name)


@pytest.mark.parametrize("member", ELSEWHERE)
def test_none_of_it_is_elsewhere(operated: Project, member: str) -> None:
    assert operated.api(member).list(PODS) == []


def test_the_status_has_their_own_words(operated: Project) -> None:
    status = operated.make("status").output
    for name in OF_FILES:
        assert f"\n{name} " in status, status


def on_nodes(project: Project, selector: str) -> list[dict[str, Any]]:
    """The pods with a label that are scheduled."""
    pods = project.api(HERE).list(PODS, labelSelector=selector)
    return [each for each in pods if each["spec"].get("nodeName")]


def check_counted(found: list[dict[str, Any]], least: int) -> None:
    assert len(found) >= least


def check_completed(project: Project, name: str) -> None:
    assert copy_of(project.api(HERE), name)["status"]["terminalState"] == "Completed"
