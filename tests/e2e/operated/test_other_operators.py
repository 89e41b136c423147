"""Workloads of LWS, KubeRay and Trainer through the federation: each in one cluster, seen by its operator there."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.operated.test_queued import ELSEWHERE, HERE, NEAR, check_propagated, copy_of, run
from tests.e2e.project import Project, eventually

pytestmark = pytest.mark.timeout(3600)

OBJECTS = Path(__file__).parent / "objects"
PODS = "/api/v1/namespaces/ai/pods"
PLURALS = {"groups": "leaderworkersets", "ray": "rayjobs", "train": "trainjobs"}
"""The files of the workloads, and the type of the object that runs the pods of each."""


@pytest.fixture(scope="module")
def placed(operated: Project) -> Project:
    """The stack with these workloads."""
    for name in PLURALS:
        objects: list[dict[str, Any]] = list(yaml.safe_load_all((OBJECTS / f"{name}.yaml").read_text(encoding="utf-8")))
        operated.declare_workload(name, "ai", NEAR, *objects)
    run(operated)
    return operated


def test_two_groups_of_two_run(placed: Project) -> None:
    def check() -> None:
        assert len(on_nodes(placed, "leaderworkerset.sigs.k8s.io/name=groups")) == 4
        status = placed.api(HERE).get("/apis/leaderworkerset.x-k8s.io/v1/namespaces/ai/leaderworkersets/groups")[
            "status"
        ]
        assert status["readyReplicas"] == 2

    eventually(check, 90)


def test_a_ray_cluster_of_a_head_and_two_workers_runs(placed: Project) -> None:
    eventually(lambda: check_counted(on_nodes(placed, "ray.io/cluster"), 3), 90)


def test_a_training_of_two_nodes_completes(placed: Project) -> None:
    eventually(lambda: check_completed(placed, "torch"), 90)


@pytest.mark.parametrize("workload", PLURALS)
def test_kubefed_is_done_with_it(placed: Project, workload: str) -> None:
    name = "torch" if workload == "train" else workload
    check_propagated(placed, PLURALS[workload], name)


@pytest.mark.parametrize("member", ELSEWHERE)
def test_none_of_it_is_elsewhere(placed: Project, member: str) -> None:
    assert placed.api(member).list(PODS) == []


def test_the_status_has_their_own_words(placed: Project) -> None:
    status = placed.make("status").output
    for name in PLURALS:
        assert f"\n{name} " in status, status


def on_nodes(project: Project, selector: str) -> list[dict[str, Any]]:
    """The pods with a label that are scheduled."""
    pods = project.api(HERE).list(PODS, labelSelector=selector)
    return [each for each in pods if each["spec"].get("nodeName")]


def check_counted(found: list[dict[str, Any]], least: int) -> None:
    assert len(found) >= least


def check_completed(project: Project, name: str) -> None:
    assert copy_of(project.api(HERE), name)["status"]["terminalState"] == "Completed"
