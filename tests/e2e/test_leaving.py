"""Members that leave: one that is well, whose share runs elsewhere first, and one that is dead for good."""

import copy
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

from local.api import Api
from placement.api.kinds import DEFAULT_TYPES
from tests.e2e.project import Project, eventually, found

SYSTEM = "kube-federation-system"
REGISTRATIONS = f"/apis/core.kubefed.io/v1beta1/namespaces/{SYSTEM}/kubefedclusters"
ROLES = "/apis/rbac.authorization.k8s.io/v1/clusterroles"
INFERENCE = "/apis/apps/v1/namespaces/ai/deployments/inference"
MINE = "/api/v1/namespaces/mine/configmaps/mine"
LIMITS = "/api/v1/namespaces/limits/limitranges/a"
UP = "pulumi up --yes --skip-preview"
FORGET = "python -m geofed forget --stack local serving-asia"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A stack of its own, which the last test destroys."""
    project = Project.copy(tmp_path_factory.mktemp("leaving"))
    settings = project.settings()
    # Room for all the replicas.
    settings["config"]["geo-federation:clusters"]["serving-asia"]["node_pools"]["l4"]["min_nodes"] = 3
    project.write_settings(settings)
    with project.taken_down():
        project.make("up").ok()
        yield project


def roles(api: Api) -> list[dict[str, Any]]:
    """KubeFed's own in a cluster."""
    return [each for each in api.get(ROLES)["items"] if "kubefed" in each["metadata"]["name"]]


def check_asks(api: Api, replicas: int) -> None:
    assert api.get(INFERENCE)["spec"]["replicas"] == replicas


def is_member(project: Project, member: bool) -> None:
    settings = project.settings()
    settings["config"]["geo-federation:clusters"]["serving"]["member"] = member
    project.write_settings(settings)


def test_a_member_leaves_when_its_share_runs_elsewhere(project: Project) -> None:
    host, serving, asia = (project.api(name) for name in ("training", "serving", "serving-asia"))
    project.kubectl("serving", "create namespace mine").ok()
    project.kubectl("serving", "create configmap mine -n mine --from-literal=a=b").ok()
    mine, cluster = serving.get(MINE), serving.get("/api/v1/namespaces/kube-system")
    # The third replica finds no room at first.
    taken = {each["spec"]["nodeName"] for each in project.objects("serving-asia", "pods -n ai")}
    gpus = project.objects("serving-asia", "nodes -l cloud.google.com/gke-accelerator")
    idle = [each["metadata"]["name"] for each in gpus if each["metadata"]["name"] not in taken]
    project.kubectl("serving-asia", f"cordon {idle[0]}").ok()
    is_member(project, False)
    environment = " ".join(project.make_command("env"))
    process = project.start("bash", "-c", f'eval "$({environment})"; {UP}')
    eventually(lambda: check_asks(asia, 3), seconds=60)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        assert found(host, f"{REGISTRATIONS}/serving"), "it is unregistered while a replica waits"
        time.sleep(0.1)
    project.kubectl("serving-asia", f"uncordon {idle[0]}").ok()
    while found(host, f"{REGISTRATIONS}/serving"):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    # It has just been unregistered.
    assert asia.get(INFERENCE)["status"]["readyReplicas"] == 3
    assert found(serving, INFERENCE) is None
    assert found(serving, "/api/v1/namespaces/ai") is None
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output

    # What is its own is as it was, and of KubeFed nothing is left.
    assert serving.get(MINE)["metadata"]["uid"] == mine["metadata"]["uid"]
    assert serving.get("/api/v1/namespaces/kube-system")["metadata"]["uid"] == cluster["metadata"]["uid"]
    assert found(serving, f"/api/v1/namespaces/{SYSTEM}") is None
    assert roles(serving) == []
    assert project.outputs()["members"].keys() == {"training", "serving-asia"}
    assert "2 of 2 members Ready, 2 of 2 workloads ready" in project.make("status").ok().output
    project.check_unchanged()


def test_it_joins_again(project: Project) -> None:
    is_member(project, True)
    project.shell(UP).ok()

    def check_replicas() -> None:
        for name, replicas in (("serving", 2), ("serving-asia", 1)):
            assert (found(project.api(name), INFERENCE) or {}).get("status", {}).get("readyReplicas") == replicas

    eventually(check_replicas, seconds=30)
    assert project.api("serving").get(MINE)


def test_members_leave_a_stack_that_has_no_workloads(project: Project) -> None:
    good = project.settings()
    host = project.api("training")
    settings = copy.deepcopy(good)
    del settings["config"]["geo-federation:workloads"]
    # The first of them with the last workload, the second one when there is none.
    for name in ("serving", "serving-asia"):
        settings["config"]["geo-federation:clusters"][name]["member"] = False
        project.write_settings(settings)
        done = project.shell(UP).ok()
        assert "Traceback" not in done.output
        assert done.seconds < 120
        assert found(host, f"{REGISTRATIONS}/{name}") is None
        assert found(project.api(name), INFERENCE) is None
        assert found(project.api(name), f"/api/v1/namespaces/{SYSTEM}") is None
        assert roles(project.api(name)) == []
    assert project.outputs()["members"].keys() == {"training"}
    assert "1 of 1 members Ready" in project.make("status").ok().output
    project.write_settings(good)
    project.shell(UP).ok()
    eventually(lambda: check_asks(project.api("serving"), 2), seconds=30)


def test_a_type_goes_with_its_last_object(project: Project) -> None:
    good = project.settings()
    settings = copy.deepcopy(good)
    settings["config"]["geo-federation:federation"]["types"] = [*DEFAULT_TYPES, "limitranges"]
    project.write_settings(settings)
    spec = {"limits": [{"type": "Pod", "max": {"cpu": 1}}]}
    body = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "a"}, "spec": spec}
    project.declare_workload("limits", "limits", {"policy": "clusters", "clusters": ["serving"]}, body)
    project.shell(UP).ok()
    assert found(project.api("serving"), LIMITS)
    project.write_settings(good)
    # The rights to the type must be there until the copy is gone.
    assert project.shell(UP).ok().seconds < 60
    assert found(project.api("serving"), LIMITS) is None
    for name in ("training", "serving"):
        assert "limitranges" not in str(roles(project.api(name)))


def test_one_that_answers_is_not_forgotten(project: Project) -> None:
    done = project.shell(FORGET)
    assert done.code == 2
    assert "serving-asia: it is Ready" in done.output
    assert found(project.api("training"), f"{REGISTRATIONS}/serving-asia")


def test_all_is_destroyed_though_a_member_is_dead_for_good(project: Project) -> None:
    # What somebody has put beside what is federated is in no one's way either.
    for cluster in ("training", "serving"):
        project.kubectl(cluster, "create configmap by-hand -n ai --from-literal=a=b").ok()
    dead = project.servers("serving-asia")
    for process in dead:
        process.kill()
    psutil.wait_procs(dead, timeout=10)
    told = eventually(lambda: project.shell(FORGET).ok(), seconds=60).output
    assert "serving-asia is forgotten" in told
    for left in ("Namespace ai", "Deployment ai/inference", "Service ai/inference", "serving-asia-training"):
        assert left in told
    assert "Job" not in told
    assert project.shell("pulumi destroy --yes --skip-preview").ok().seconds < 120
    assert not list((project.folder / ".local" / "clusters").glob("*/ready"))
    assert [each for each in project.processes() if "/clusters/" in " ".join(each.cmdline())] == []
