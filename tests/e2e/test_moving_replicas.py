"""Replicas that do not fit, or whose member has died, run elsewhere and come back, and Pulumi lets them."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.api import Api
from tests.e2e.pods import Pods, replicas
from tests.e2e.project import Project, eventually
from tests.e2e.versions import needs_policies

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
TWO_TO_ONE = {"policy": "weighted", "weights": {"serving": 2, "serving-asia": 1}}
MEMBERS = "/apis/core.kubefed.io/v1beta1/namespaces/kube-federation-system/kubefedclusters"
# KubeFed counts a pod as one that does not fit after 60 s.
_MOVED_SECONDS = 60 + 30


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project.copy(tmp_path_factory.mktemp("moving"))
    settings = project.settings()
    settings["config"]["geo-federation:workloads"] = {}
    project.write_settings(settings)
    write(project, DEPLOYMENT, JOB)
    declare(
        project,
        crowd=TWO_TO_ONE,
        once={"policy": "clusters", "clusters": ["serving"]},
    )
    with project.taken_down():
        project.make("up").ok()
        yield project


def write(project: Project, *objects: dict[str, Any]) -> None:
    for each in objects:
        file = Path(project.folder) / "workloads" / f"{each['metadata']['name']}.yaml"
        file.write_text(yaml.safe_dump(each))


def declare(project: Project, **placements: dict[str, Any]) -> None:
    settings = project.settings()
    settings["config"]["geo-federation:workloads"] |= {
        name: {"manifests": f"workloads/{name}.yaml", "namespace": "ai", "placement": placement}
        for name, placement in placements.items()
    }
    project.write_settings(settings)


def check_crowd(project: Project, desired: dict[str, int]) -> None:
    """Asserts the desired replicas of each serving cluster's Deployment."""
    found = {
        name: each["spec"]["replicas"]
        for name in ("serving", "serving-asia")
        for each in project.objects(name, "deployments -n ai --field-selector metadata.name=crowd")
    }
    assert found == desired


def check_images(project: Project, image: str) -> None:
    for name in ("serving", "serving-asia"):
        (copy,) = project.objects(name, "deployments -n ai")
        assert copy["spec"]["template"]["spec"]["containers"][0]["image"] == image


def test_each_cluster_runs_its_share(project: Project) -> None:
    eventually(lambda: check_crowd(project, {"serving": 2, "serving-asia": 1}), seconds=30)
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
    eventually(lambda: check_crowd(project, {"serving": 2, "serving-asia": 2}), _MOVED_SECONDS)

    # KubeFed has written overrides, in whatever order; the host's admission policy keeps them in order.
    project.check_unchanged()
    project.shell("pulumi up --yes --skip-preview --refresh --expect-no-changes").ok()
    check_crowd(project, {"serving": 2, "serving-asia": 2})
    changed = yaml.safe_load(yaml.safe_dump(DEPLOYMENT))
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "crowd:2"
    write(project, changed)
    project.shell("pulumi up --yes --skip-preview").ok()
    eventually(lambda: check_images(project, "crowd:2"), seconds=30)
    check_crowd(project, {"serving": 2, "serving-asia": 2})

    project.kubectl("serving", f"uncordon {node}").ok()
    eventually(lambda: check_crowd(project, {"serving": 2, "serving-asia": 1}), _MOVED_SECONDS)


def test_a_finished_job_does_not_run_again(project: Project) -> None:
    (before,) = project.objects("serving", "jobs -n ai --field-selector metadata.name=once")
    assert "ttlSecondsAfterFinished" not in before["spec"]
    assert before["status"]["succeeded"] == 1
    project.shell("pulumi up --yes --skip-preview --refresh").ok()
    (after,) = project.objects("serving", "jobs -n ai --field-selector metadata.name=once")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


@needs_policies
def test_a_job_is_suspended_and_resumed_in_place(project: Project) -> None:
    later = yaml.safe_load(yaml.safe_dump(JOB))
    later["metadata"]["name"], later["spec"]["suspend"] = "later", True
    write(project, later)
    declare(project, later={"policy": "clusters", "clusters": ["serving"]})
    project.shell("pulumi up --yes --skip-preview").ok()
    (before,) = project.objects("serving", "jobs -n ai --field-selector metadata.name=later")
    assert before["spec"]["suspend"] and not before["status"].get("succeeded")

    later["spec"]["suspend"] = False
    write(project, later)
    project.shell("pulumi up --yes --skip-preview").ok()

    def check_done() -> None:
        (after,) = project.objects("serving", "jobs -n ai --field-selector metadata.name=later")
        assert after["metadata"]["uid"] == before["metadata"]["uid"]
        assert after["status"].get("succeeded") == 1

    eventually(check_done, seconds=30)
    project.check_unchanged("--refresh")


def test_a_changed_job_is_a_new_job(project: Project) -> None:
    (before,) = project.objects("serving", "jobs -n ai --field-selector metadata.name=once")
    changed = yaml.safe_load(yaml.safe_dump(JOB))
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "once:2"
    write(project, changed)
    project.shell("pulumi up --yes --skip-preview").ok()
    (after,) = project.objects("serving", "jobs -n ai --field-selector metadata.name=once")
    assert after["metadata"]["uid"] != before["metadata"]["uid"]
    assert after["spec"]["template"]["spec"]["containers"][0]["image"] == "once:2"


def test_never_more_pods_than_asked_for(project: Project) -> None:
    small = yaml.safe_load(yaml.safe_dump(DEPLOYMENT).replace("crowd", "small"))
    del small["spec"]["template"]["spec"]["containers"][0]["resources"]
    write(project, small)
    declare(project, small=TWO_TO_ONE)
    apis = {name: project.api(name) for name in ("training", "serving", "serving-asia")}
    with Pods(apis, "ai", "small") as pods:
        project.shell("pulumi up --yes --skip-preview").ok()
        pods.wait_ready(3, seconds=10)
        assert pods.most == 3


def test_one_slow_answer_drops_no_member(project: Project) -> None:
    (server,) = (each for each in project.servers("serving") if each.name() == "kube-apiserver")
    host, asia = project.api("training"), project.api("serving-asia")
    server.suspend()
    try:
        checks = watch_member(host, asia, seconds=6)
    finally:
        server.resume()
    checks += watch_member(host, asia, seconds=15)
    assert len(checks) > 50
    assert set(checks) == {("True", 1)}


def watch_member(host: Api, asia: Api, seconds: float) -> list[tuple[str, int]]:
    """What holds all the while: is the member `serving` Ready, and how many replicas does the other one have?"""
    deadline = time.monotonic() + seconds
    found: list[tuple[str, int]] = []
    while time.monotonic() < deadline:
        conditions = {each["type"]: each["status"] for each in host.get(f"{MEMBERS}/serving")["status"]["conditions"]}
        found.append((conditions["Ready"], (replicas(asia, "ai", "small") or (0, 0))[0]))
        time.sleep(0.2)
    return found


def test_replicas_of_a_member_that_died_run_elsewhere_and_come_back(project: Project) -> None:
    asia = project.api("serving-asia")
    for process in project.servers("serving"):
        process.kill()
    eventually(lambda: check_equal(replicas(asia, "ai", "small"), (3, 3)), seconds=30)
    project.make("up").ok()
    serving = project.api("serving")
    eventually(lambda: check_equal(replicas(serving, "ai", "small"), (2, 2)), seconds=15)
    eventually(lambda: check_equal(replicas(asia, "ai", "small"), (1, 1)), seconds=15)
    # Another preference, which is worked on in its own time.
    eventually(lambda: check_crowd(project, {"serving": 2, "serving-asia": 1}), seconds=15)


def check_equal(one: object, other: object) -> None:
    assert one == other
