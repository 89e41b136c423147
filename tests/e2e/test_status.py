"""The status of the local stack against what kubectl says, and the stack's README."""

import json
import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pexpect
import pytest

from tests.e2e.project import Done, Project, clean_environment, eventually

STATUS = "python -m geofed status --stack local"


@contextmanager
def suspended(project: Project, cluster: str) -> Generator[None]:
    """Suspends a cluster's API server: it takes connections and answers none."""
    (server,) = (each for each in project.servers(cluster) if each.name() == "kube-apiserver")
    server.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.send_signal(signal.SIGCONT)


def told(project: Project, code: int = 0) -> dict[str, Any]:
    done = project.shell(f"{STATUS} --output json")
    assert done.code == code, done.output
    return json.loads(done.output)


def all_well(project: Project) -> Done:
    done = project.make("status")
    assert done.code == 0, done.output
    return done


def test_all_is_ready(project: Project) -> None:
    output = eventually(lambda: all_well(project), seconds=30).output
    assert "3 of 3 members Ready, 2 of 2 workloads ready" in output
    assert "\x1b" not in output


def test_json_has_what_kubectl_says(project: Project) -> None:
    status = eventually(lambda: told(project), seconds=30)
    outputs = project.outputs()
    assert status["members"].keys() == outputs["members"].keys()
    for name, member in status["members"].items():
        nodes = project.objects(name, "nodes")
        pods = [each for each in project.objects(name, "pods -A") if each["status"]["phase"] in ("Pending", "Running")]
        assert member["nodes"] == {"ready": len(nodes), "total": len(nodes)}
        assert member["version"] == json.loads(project.kubectl(name, "get --raw /version").ok().output)["gitVersion"]
        total = sum(int(each["status"]["allocatable"].get("nvidia.com/gpu", 0)) for each in nodes)
        containers = [each for pod in pods for each in pod["spec"]["containers"]]
        taken = sum(int(each.get("resources", {}).get("requests", {}).get("nvidia.com/gpu", 0)) for each in containers)
        (accelerators,) = member["accelerators"].values()
        assert accelerators == {"free": total - taken, "total": total}
    for workload, decisions in outputs["placements"].items():
        wanted = {each["cluster"]: each["share"] for each in decisions}
        shares = status["workloads"][workload]["shares"]
        assert {name: each["desired"] for name, each in shares.items()} == wanted
    for name, share in status["workloads"]["inference"]["shares"].items():
        ready = [each["status"].get("readyReplicas", 0) for each in project.objects(name, "deployments -n ai")]
        assert share["ready_replicas"] == sum(ready)
    assert status["workloads"]["finetune"]["shares"]["training"]["note"] == "Job finetune: complete"


def test_a_member_that_does_not_answer_is_named_and_is_well_again_afterwards(project: Project) -> None:
    with suspended(project, "serving-asia"):
        done = project.shell(f"{STATUS} --output json")
        table = project.shell(STATUS)
    assert done.code == table.code == 1
    status = json.loads(done.output)
    assert not status["ready"]
    assert {name: each["ready"] for name, each in status["members"].items()} == {
        "training": True,
        "serving": True,
        "serving-asia": False,
    }
    assert "does not answer" in status["members"]["serving-asia"]["reason"]
    assert status["members"]["serving-asia"]["nodes"] is None
    assert status["workloads"]["inference"]["shares"]["serving-asia"]["ready_replicas"] is None
    assert status["workloads"]["finetune"]["ready"]
    assert "serving-asia: does not answer" in table.output
    # Each request waits for 5 s, and the others' answers do not wait for it.
    assert done.seconds < 15
    eventually(lambda: all_well(project), seconds=60)


def test_what_a_member_refuses_is_told_with_its_reason(project: Project) -> None:
    (deployment,) = project.objects("training", "federateddeployments -n ai")
    path = "/spec/template/spec/template/spec/containers/0/image"
    image = deployment["spec"]["template"]["spec"]["template"]["spec"]["containers"][0]["image"]

    def set_image(text: str) -> None:
        patch = json.dumps([{"op": "replace", "path": path, "value": text}])
        project.kubectl("training", f"patch federateddeployment inference -n ai --type json -p '{patch}'").ok()

    def check_fault() -> None:
        workload = told(project, code=1)["workloads"]["inference"]
        assert not workload["ready"]
        for share in (workload["shares"][name] for name in ("serving", "serving-asia")):
            assert share["ready_replicas"] == share["desired"]
            assert "Deployment inference: " in share["fault"] and "image: Required value" in share["fault"]

    set_image("")
    try:
        eventually(check_fault, seconds=30)
    finally:
        set_image(image)
    eventually(lambda: all_well(project), seconds=60)


def test_it_is_followed_on_a_terminal_until_ctrl_c(project: Project) -> None:
    # What runs the tests in the background may have told them to ignore Ctrl-C.
    arguments = ["--default-signal=INT", *project.make_command("status", "ARGS=--watch")]
    environment: Any = clean_environment() | {"TERM": "xterm"}
    watch: pexpect.spawn[str] = pexpect.spawn(
        "env", arguments, cwd=str(project.folder), env=environment, encoding="utf-8", timeout=60
    )
    # Twice: when it starts, and when it has looked again. It is drawn, with frames.
    for _ in range(2):
        watch.expect("3 of 3 members Ready")
        watch.expect("╭")
    watch.sendintr()
    watch.expect(pexpect.EOF)
    assert "Traceback" not in (watch.before or "")


def test_without_the_host_nobody_is_known_to_be_ready(project: Project) -> None:
    with suspended(project, "training"):
        status = told(project, code=1)
    assert [each["ready"] for each in status["members"].values()] == [False, False, False]
    assert status["members"]["serving"]["version"]
    assert "training, which has it, does not answer" in status["members"]["serving"]["reason"]
    eventually(lambda: all_well(project), seconds=60)


def test_no_secret_is_told(project: Project) -> None:
    output = project.shell(f"{STATUS}; {STATUS} --output json").ok().output
    assert "BEGIN" not in output and "certificate-authority" not in output and "token" not in output


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        ("--stack nowhere", "there is no Pulumi.nowhere.yaml in this folder; write"),
        # Its settings are there, and nothing was ever made of them.
        ("--stack dev", "pulumi up --stack dev"),
        ("--stack local --watch", "--watch: this is no terminal"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(project: Project, arguments: str, advice: str) -> None:
    done = project.shell(f"python -m geofed status {arguments}")
    assert done.code == 2
    assert advice in done.output
    assert "Traceback" not in done.output


def test_the_readme_of_the_stack_has_commands_that_run(project: Project) -> None:
    readme = project.shell("pulumi stack output readme").ok().output
    for name in project.outputs()["members"]:
        assert f"${{outputs.{name}_cluster_endpoint}}" in readme
    blocks = readme.split("```console\n")[1:]
    assert len(blocks) == 3
    for block in blocks:
        project.shell(block.partition("```")[0]).ok()
    for name in project.outputs()["members"]:
        (project.folder / f"{name}.kubeconfig").unlink()
    (project.folder / "map.svg").unlink()


def test_without_a_local_stack_make_says_what_to_do(tmp_path_factory: pytest.TempPathFactory) -> None:
    project = Project.copy(tmp_path_factory.mktemp("nothing-up"))
    for target in ("status", "map"):
        done = project.make(target)
        assert done.code != 0
        assert "the local stack is not up. Run make up first" in done.output
    assert not (project.folder / ".local").exists()
