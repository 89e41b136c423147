"""One run repairs what breaks, and the pods of healthy members run on."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import psutil
import pytest

from local.api import Api
from tests.e2e.pods import replicas
from tests.e2e.project import Project, eventually

SYSTEM = "kube-federation-system"
MEMBERS = ("training", "serving", "serving-asia")
_SEED = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(2**32))
MOMENTS = 10


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project.copy(tmp_path_factory.mktemp("faults"))
    with project.taken_down():
        project.make("up").ok()
        yield project


def pods(project: Project, *members: str) -> dict[str, set[str]]:
    """What runs in members, by its identity."""
    return {name: {each["metadata"]["uid"] for each in project.objects(name, "pods -n ai")} for name in members}


def tokens(project: Project) -> set[str]:
    """The names of the Secrets with KubeFed's tokens for `serving`."""
    return {each["metadata"]["name"] for each in project.objects("serving", f"secrets -n {SYSTEM}")}


def check_well(project: Project) -> None:
    """Every member is Ready, every federated object is propagated, and every pod runs where it should."""
    members = project.objects("training", f"kubefedclusters -n {SYSTEM}")
    assert {each["metadata"]["name"]: _true(each, "Ready") for each in members} == dict.fromkeys(MEMBERS, True)
    kinds = "federateddeployments,federatedjobs,federatedservices,federatedserviceaccounts,federatedconfigmaps"
    objects = project.objects("training", f"{kinds} -n ai")
    assert len(objects) >= 5
    assert [each["metadata"]["name"] for each in objects if not _propagated(each)] == []
    for name, desired in (("serving", 2), ("serving-asia", 1)):
        check_replicas(project.api(name), desired, desired)


def check_replicas(api: Api, desired: int, ready: int) -> None:
    """Asserts how many replicas a member's Deployment desires, and how many are Ready."""
    assert replicas(api, "ai", "inference") == (desired, ready)


def _true(each: Mapping[str, Any], condition: str) -> bool:
    conditions = each.get("status", {}).get("conditions", [])
    return any(found["type"] == condition and found["status"] == "True" for found in conditions)


def _propagated(each: Mapping[str, Any]) -> bool:
    # A preference may just have moved replicas; the condition is then still that of the state before.
    seen = each.get("status", {}).get("observedGeneration")
    return seen == each["metadata"]["generation"] and _true(each, "Propagation")


def well(project: Project) -> None:
    eventually(lambda: check_well(project), seconds=60)


def up(project: Project) -> None:
    project.shell("pulumi up --yes --skip-preview --refresh").ok()


def servers(project: Project, member: str, program: str = "") -> list[psutil.Process]:
    """A member's servers, or one of them."""
    found: list[psutil.Process] = []
    folder = f"{project.folder}/.local/clusters/{member}-"
    for process in project.processes():
        with suppress(psutil.Error):
            rest = [word.partition(folder)[2] for word in process.cmdline() if folder in word]
            # Of names, one can begin another.
            own = any("-" not in each.partition("/")[0] for each in rest)
            if own and program in process.exe().rpartition("/")[2]:
                found.append(process)
    return found


def kill(processes: list[psutil.Process]) -> None:
    assert processes
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)


def kill_run(run: subprocess.Popen[str]) -> None:
    """Kills what a command has started, unless it has ended by itself."""
    with suppress(ProcessLookupError):
        os.killpg(run.pid, signal.SIGKILL)
    run.communicate(timeout=30)


def token_number(project: Project, number: int) -> None:
    """Writes settings that are another stack's: KubeFed gets another token for one member."""
    settings = project.settings()
    settings["config"]["geo-federation:federation"]["tokens"] = {"serving": number}
    project.write_settings(settings)


def test_a_controller_that_is_killed(project: Project) -> None:
    before = pods(project, *MEMBERS)
    kill([each for each in project.processes() if each.name() in ("hyperfed", "controller-manag")])
    up(project)
    well(project)
    assert pods(project, *MEMBERS) == before


def test_a_host_whose_api_server_starts_again(project: Project) -> None:
    before = pods(project, *MEMBERS)
    kill(servers(project, "training", "kube-apiserver"))
    project.make("up").ok()
    well(project)
    assert pods(project, *MEMBERS) == before


def test_a_member_whose_api_server_is_gone_before_and_after_a_run(project: Project) -> None:
    before = pods(project, "training", "serving")
    kill(servers(project, "serving-asia"))
    project.make("up").ok()
    well(project)
    kill(servers(project, "serving-asia", "kube-apiserver"))
    project.make("up").ok()
    well(project)
    after = pods(project, "training", "serving")
    assert after["training"] == before["training"]
    assert after["serving"] >= before["serving"]


def test_a_member_whose_api_server_goes_during_a_run(project: Project) -> None:
    before = pods(project, "training", "serving")
    token_number(project, 2)
    process = project.start(*project.make_command("up"))
    time.sleep(4)
    kill(servers(project, "serving-asia", "kube-apiserver"))
    try:
        process.communicate(timeout=15)
    except subprocess.TimeoutExpired:
        # It waits for the member, as it should; the operator does not.
        os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=60)
    project.make("up").ok()
    well(project)
    assert pods(project, "training")["training"] == before["training"]
    assert pods(project, "serving")["serving"] >= before["serving"]


def test_all_that_runs_is_killed_at_once(project: Project) -> None:
    kill(list(project.processes()))
    project.make("up").ok()
    well(project)


def test_a_member_whose_credentials_are_revoked(project: Project) -> None:
    before = pods(project, *MEMBERS)
    project.kubectl("serving-asia", f"delete secret serving-asia-training -n {SYSTEM}").ok()

    def check_lost() -> None:
        (asia,) = project.objects(
            "training", f"kubefedclusters -n {SYSTEM} --field-selector metadata.name=serving-asia"
        )
        assert not _true(asia, "Ready")

    # An API server remembers for 10 s that a token was good.
    eventually(check_lost, seconds=40)
    serving = project.api("serving")
    # One of them finds no GPU there.
    eventually(lambda: check_replicas(serving, 3, ready=2), seconds=30)
    up(project)
    well(project)
    after = pods(project, *MEMBERS)
    assert after["training"] == before["training"]
    assert after["serving"] >= before["serving"]


REFUSED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: refused}
spec:
  selector: {matchLabels: {app: refused}}
  template:
    metadata: {labels: {app: refused}}
    # No container's name has capitals, which no schema says: the members refuse it, and nothing before them does.
    spec: {containers: [{name: Refused, image: "refused:1"}]}
"""


def test_a_change_that_is_killed_half_way_is_taken_back(project: Project) -> None:
    good, before, held = project.settings(), pods(project, *MEMBERS), tokens(project)
    token_number(project, 9)
    changed = project.settings()
    workloads = changed["config"]["geo-federation:workloads"]
    (project.folder / "workloads" / "refused.yaml").write_text(REFUSED)
    workloads["refused"] = {"manifests": "workloads/refused.yaml", "placement": {"policy": "spread"}}
    for workload in workloads.values():
        workload["namespace"] = "elsewhere"
    project.write_settings(changed)
    process = project.start(*project.make_command("up"))

    def check_made() -> None:
        state = project.shell("pulumi stack export").ok().output
        for made in (f"{SYSTEM}/serving-training-9", "elsewhere/inference", "elsewhere/finetune"):
            assert f'"id": "{made}"' in state

    try:
        eventually(check_made, seconds=60)
        # It waits for what the members refuse. So what is new is made, and of what was there nothing is deleted yet.
        assert process.poll() is None
    finally:
        kill_run(process)

    project.write_settings(good)
    project.make("up").ok()
    well(project)
    assert tokens(project) == held
    assert pods(project, *MEMBERS) == before
    for member in MEMBERS:
        assert project.objects(member, "namespaces --field-selector metadata.name=elsewhere") == []
    project.check_unchanged("--refresh")


def test_runs_that_are_killed_at_any_moment(project: Project) -> None:
    print(f"FAULTS_SEED={_SEED}")
    chance = random.Random(_SEED)
    token_number(project, 2)
    whole = project.make("up").ok().seconds
    before = pods(project, *MEMBERS)
    for turn in range(MOMENTS):
        token_number(project, 3 - turn % 2)
        process = project.start(*project.make_command("up"))
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=chance.uniform(0, whole))
        kill_run(process)
    project.make("up").ok()
    well(project)
    assert pods(project, *MEMBERS) == before, f"FAULTS_SEED={_SEED}"
    assert tokens(project) == {"serving-training-2"}, f"FAULTS_SEED={_SEED}"


def test_an_old_state_over_a_newer_federation(project: Project) -> None:
    before = pods(project, *MEMBERS)
    project.shell("pulumi stack export --file old.json").ok()
    token_number(project, 4)
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "newer"}, "data": {"a": "b"}}
    project.declare_workload("newer", "ai", {"policy": "spread"}, body)
    project.make("up").ok()
    (newer,) = project.objects("training", "federatedconfigmaps -n ai --field-selector metadata.name=newer")

    project.shell("pulumi stack import --file old.json").ok()
    done = project.shell("pulumi refresh --yes --skip-preview --diff").ok()
    assert "serving-token" in done.output, "the refresh finds no drift"
    project.make("up").ok()
    well(project)
    (same,) = project.objects("training", "federatedconfigmaps -n ai --field-selector metadata.name=newer")
    assert same["metadata"]["uid"] == newer["metadata"]["uid"]
    assert pods(project, *MEMBERS) == before
    project.check_unchanged()


BY_HAND = {
    "serving": [
        "scale deployment inference -n ai --replicas 7",
        "label configmap,service --all -n ai kubefed.io/managed-",
        "delete service,serviceaccount inference -n ai",
        f"delete serviceaccount serving-training -n {SYSTEM}",
        "delete clusterrolebinding kubefed-controller-manager:serving-training",
    ],
    "training": [
        "delete federatedserviceaccount inference -n ai",
        "label federateddeployment inference -n ai mine=true",
        "delete poddisruptionbudget --all -n kube-federation-system",
        f"delete secret serving-credentials -n {SYSTEM}",
        f"delete kubefedcluster serving-asia -n {SYSTEM}",
        f"delete rolebinding kubefed-controller -n {SYSTEM}",
    ],
}


@pytest.mark.parametrize("cluster", BY_HAND)
def test_what_is_changed_by_hand(cluster: str, project: Project) -> None:
    before = pods(project, *MEMBERS)
    commands = (f"kubectl --context {cluster} {command}" for command in BY_HAND[cluster])
    project.shell("; ".join(commands)).ok()
    up(project)
    well(project)
    assert pods(project, "training")["training"] == before["training"]
    # A member without its account is not Ready, and its replicas run elsewhere for a while.
    healthy = "serving-asia" if cluster == "serving" else "serving"
    assert pods(project, healthy)[healthy] >= before[healthy]
    # A controller that was without its rights may still write once after it is ready.
    eventually(lambda: project.check_unchanged("--refresh"), 60)
