"""Replicas that do not fit, or whose member has died, run elsewhere and come back, and Pulumi lets them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.project import Project, eventually

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "crowd", "annotations": {"example.com/owner": "ai"}},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "crowd"}},
        "template": {
            "metadata": {"labels": {"app": "crowd"}},
            "spec": {
                "containers": [
                    {"name": "crowd", "image": "crowd:1", "resources": {"limits": {"nvidia.com/gpu": "1"}}},
                ]
            },
        },
    },
}
JOB: dict[str, Any] = {
    "apiVersion": "batch/v1",
    "kind": "Job",
    "metadata": {"name": "once"},
    "spec": {
        "ttlSecondsAfterFinished": 1,
        "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "once", "image": "once:1"}]}},
    },
}
# KubeFed counts a pod as one that does not fit after 60 s, and takes a member for lost 60 s after its last answer.
_MOVED_SECONDS = 150


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project.copy(tmp_path_factory.mktemp("moving"))
    settings = project.settings()
    settings["config"]["geo-federation:workloads"] = {
        "crowd": {
            "manifests": "workloads/crowd.yaml",
            "namespace": "ai",
            "placement": {"policy": "spread", "select": {"role": "serving"}},
        },
        "once": {
            "manifests": "workloads/once.yaml",
            "namespace": "ai",
            "placement": {"policy": "clusters", "clusters": ["serving"]},
        },
    }
    project.write_settings(settings)
    write(project, DEPLOYMENT, JOB)
    try:
        project.make("up").ok()
        yield project
    finally:
        project.make("down").ok()
    assert list(project.processes()) == []


def write(project: Project, *objects: dict[str, Any]) -> None:
    for each in objects:
        file = Path(project.folder) / "workloads" / f"{each['metadata']['name']}.yaml"
        file.write_text(yaml.safe_dump(each))


def replicas(project: Project) -> dict[str, int]:
    """What each serving cluster's Deployment asks for."""
    return {
        name: each["spec"]["replicas"]
        for name in ("serving", "serving-asia")
        for each in project.objects(name, "deployments -n ai")
    }


def check_replicas(project: Project, wanted: dict[str, int]) -> None:
    assert replicas(project) == wanted


def check_images(project: Project, image: str) -> None:
    for name in ("serving", "serving-asia"):
        (copy,) = project.objects(name, "deployments -n ai")
        assert copy["spec"]["template"]["spec"]["containers"][0]["image"] == image


def test_each_cluster_runs_its_share(project: Project) -> None:
    eventually(lambda: check_replicas(project, {"serving": 2, "serving-asia": 1}), seconds=30)
    assert project.objects("training", "deployments -n ai") == []


def test_annotations_reach_the_copies(project: Project) -> None:
    for name in ("serving", "serving-asia"):
        (copy,) = project.objects(name, "deployments -n ai")
        assert copy["metadata"]["annotations"]["example.com/owner"] == "ai"


def test_replicas_that_do_not_fit_run_elsewhere_and_pulumi_leaves_them_there(project: Project) -> None:
    pods = project.objects("serving", "pods -n ai -l app=crowd")
    node = pods[0]["spec"]["nodeName"]
    project.kubectl("serving", f"cordon {node}").ok()
    project.kubectl("serving", f"delete pod -n ai {pods[0]['metadata']['name']}").ok()
    eventually(lambda: check_replicas(project, {"serving": 2, "serving-asia": 2}), _MOVED_SECONDS)

    project.shell("pulumi preview --expect-no-changes").ok()
    project.shell("pulumi up --yes --skip-preview --refresh --expect-no-changes").ok()
    changed = yaml.safe_load(yaml.safe_dump(DEPLOYMENT))
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "crowd:2"
    write(project, changed)
    project.shell("pulumi up --yes --skip-preview").ok()
    eventually(lambda: check_images(project, "crowd:2"), seconds=30)
    check_replicas(project, {"serving": 2, "serving-asia": 2})

    project.kubectl("serving", f"uncordon {node}").ok()
    eventually(lambda: check_replicas(project, {"serving": 2, "serving-asia": 1}), _MOVED_SECONDS)


def test_a_finished_job_does_not_run_again(project: Project) -> None:
    (before,) = project.objects("serving", "jobs -n ai")
    assert "ttlSecondsAfterFinished" not in before["spec"]
    assert before["status"]["succeeded"] == 1
    project.shell("pulumi up --yes --skip-preview --refresh").ok()
    (after,) = project.objects("serving", "jobs -n ai")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_a_changed_job_is_a_new_job(project: Project) -> None:
    (before,) = project.objects("serving", "jobs -n ai")
    changed = yaml.safe_load(yaml.safe_dump(JOB))
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "once:2"
    write(project, changed)
    project.shell("pulumi up --yes --skip-preview").ok()
    (after,) = project.objects("serving", "jobs -n ai")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "once:2"


def test_replicas_of_a_member_that_died_run_elsewhere_and_come_back(project: Project) -> None:
    (folder,) = (project.folder / ".local" / "clusters").glob("serving-[!a]*/")
    for process in project.processes():
        if str(folder) in " ".join(process.cmdline()):
            process.kill()
    asia = lambda: project.objects("serving-asia", "deployments -n ai")[0]["spec"]["replicas"]  # noqa: E731
    eventually(lambda: check_equal(asia(), 3), _MOVED_SECONDS)
    project.make("up").ok()
    eventually(lambda: check_replicas(project, {"serving": 2, "serving-asia": 1}), _MOVED_SECONDS)


def check_equal(one: object, other: object) -> None:
    assert one == other
