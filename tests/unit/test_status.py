"""How members and workloads stand, by what API servers say; and how it is told."""

import json
import re
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from rich.console import Console

from docs.pictures import status_picture
from federation import queries as asking
from federation.api_client import NoAnswer
from federation.faults import host_lists
from federation.health import Count, Placed, Share, WorkloadHealth, list_of, members_health, observed, workload_health
from federation.queries import Answer, ListPath
from geofed import status, tables
from geofed.outputs import NoOutputs
from geofed.status import Stack, Status, look, plain, stack_of
from geofed.tables import render
from placement.api.kinds import BUILT_IN
from placement.manifests.manifest import Manifest
from settings import parse
from tests.commands import geofed
from tests.objects import deployment
from tests.unit.program import ROOT, stack_settings
from tests.unit.test_autoscaled import hpa, keda, server

SILENT = "does not answer (ReadTimeoutError)"


def manifest(kind: str, name: str = "it") -> Manifest:
    return Manifest(BUILT_IN[kind], name, {"kind": BUILT_IN[kind].kind, "metadata": {"name": name}})


DEPLOYMENT, JOB, CONFIG = (manifest(kind) for kind in ("deployments.apps", "jobs.batch", "configmaps"))


def condition(kind: str, state: str, message: str = "") -> dict[str, str]:
    return {"type": kind, "status": state, "message": message}


def registration(name: str, *conditions: Mapping[str, str]) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": list(conditions)} if conditions else {}}


def node(name: str, ready: str = "True", accelerator: str = "nvidia-l4", amount: str = "2") -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": {"cloud.google.com/gke-accelerator": accelerator} if accelerator else {}},
        "spec": {},
        "status": {
            "conditions": [condition("Ready", ready)],
            "allocatable": {"cpu": "8", "example.com/dongle": "9"} | ({"nvidia.com/gpu": amount} if amount else {}),
        },
    }


def pod(on: str, gpus: int) -> dict[str, Any]:
    container = {"resources": {"requests": {"nvidia.com/gpu": str(gpus)}}}
    return {"spec": {"nodeName": on, "containers": [container]}, "status": {"phase": "Running"}}


def copy(spec: Mapping[str, Any] | None = None, state: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": "it"}, "spec": spec or {}, "status": state or {}}


def standing(
    manifests: Sequence[Manifest], shares: Mapping[str, int], copies: Mapping[str, Mapping[str, Any] | str | None]
) -> WorkloadHealth:
    """How a workload stands whose one copy in each member is this; text where the member does not answer."""
    placed = Placed("ai", manifests, shares)
    answers = {
        member: each
        if isinstance(each, str)
        else Answer("v1", found={list_of(placed, observed(placed)[0]): [] if each is None else [each]})
        for member, each in copies.items()
    }
    return workload_health(placed, answers)


@pytest.mark.parametrize(
    ("registered", "reason"),
    [
        ([registration("a", condition("Ready", "True"))], ""),
        ([registration("a", condition("Offline", "False"), condition("Ready", "True"))], ""),
        ([registration("a", condition("Ready", "False", "not healthy"))], "KubeFed: not healthy"),
        ([registration("a", condition("Offline", "True", "not reachable"))], "KubeFed: not reachable"),
        ([registration("a", condition("Ready", "Unknown"))], "KubeFed: not looked at yet"),
        ([registration("a")], "KubeFed: not looked at yet"),
        ([], "not registered; run pulumi up"),
    ],
)
def test_a_member_is_ready_when_kubefed_says_so(registered: list[dict[str, Any]], reason: str) -> None:
    found = members_health(["a"], "host", {"a": Answer("v1"), "host": Answer("v1", registrations=registered)})["a"]
    assert (found.ready, found.reason) == (not reason, reason)


def test_a_member_that_does_not_answer_is_not_ready_whatever_kubefed_says() -> None:
    host = Answer("v1", registrations=[registration(name, condition("Ready", "True")) for name in ("a", "host")])
    found = members_health(["a", "host"], "host", {"a": SILENT, "host": host})
    assert not found["a"].ready
    assert found["a"].reason == SILENT
    assert (found["a"].version, found["a"].nodes, found["a"].accelerators) == (None, None, None)
    assert found["host"].ready


def test_without_the_host_no_member_is_known_to_be_ready() -> None:
    found = members_health(["a", "host"], "host", {"a": Answer("v1"), "host": SILENT})
    assert not found["a"].ready
    assert "host, which has it, does not answer" in found["a"].reason
    assert found["a"].version == "v1"
    assert found["host"].reason.startswith(SILENT)


def test_nodes_and_accelerators_are_counted() -> None:
    nodes = [node("one"), node("two"), node("three", "False"), node("plain", "True", "", ""), node("bare", "True", "")]
    answer = Answer("v1", nodes, [pod("one", 1)])
    found = members_health(["a"], "a", {"a": answer})["a"]
    assert found.nodes == Count(total=5, good=4)
    # What is on a node that takes no pods is there, and is not free.
    assert found.accelerators == {"nvidia-l4": Count(total=6, good=3), "nvidia.com/gpu": Count(total=2, good=2)}


def test_replicas_that_may_move_count_wherever_they_are() -> None:
    def at(a: int, b: int) -> WorkloadHealth:
        copies = {"a": copy(state={"readyReplicas": a}), "b": copy(state={"readyReplicas": b})}
        return standing([CONFIG, DEPLOYMENT], {"a": 2, "b": 1}, copies)

    assert at(2, 1) == WorkloadHealth(True, {"a": Share(2, 2), "b": Share(1, 1)})
    assert at(0, 3).ready
    assert not at(2, 0).ready
    assert (at(2, 0).desired, at(2, 0).ready_replicas) == (3, 2)


def test_what_stays_where_it_was_put_counts_only_there() -> None:
    state = {"conditions": [condition("Complete", "True")], "succeeded": 1}
    done = copy({"parallelism": 1, "completions": 1}, state)
    assert standing([JOB], {"a": 1, "b": 0}, {"a": done, "b": None}).ready
    elsewhere = standing([JOB], {"a": 1, "b": 0}, {"a": None, "b": done})
    assert not elsewhere.ready
    assert elsewhere.shares["a"] == Share(1, 0, "Job it: not there")


def test_a_member_that_does_not_answer_runs_nobody_knows_what() -> None:
    found = standing([DEPLOYMENT], {"a": 2, "b": 0}, {"a": SILENT, "b": copy(state={"readyReplicas": 1})})
    assert not found.ready
    assert found.shares == {"a": Share(2, None), "b": Share(0, 1)}
    assert found.ready_replicas == 1
    # One that is out of the stack's outputs is not asked, and what runs on others may do.
    assert standing([DEPLOYMENT], {"gone": 1, "b": 0}, {"b": copy(state={"readyReplicas": 1})}).ready


def test_of_what_is_autoscaled_its_autoscaler_decides_what_is_desired() -> None:
    def at(scaler: Manifest, *copies: tuple[int, int]) -> WorkloadHealth:
        made = [copy({"replicas": written}, {"readyReplicas": ready}) for written, ready in copies]
        return standing([server("it"), scaler], {"a": 2, "b": 1, "c": 0}, dict(zip("abc", [*made, None], strict=False)))

    up = at(hpa(3, 12, target="it"), (6, 6), (1, 1))
    assert up.ready
    assert (up.desired, up.ready_replicas) == (7, 7)
    assert up.shares["c"] == Share(0, 0)
    # No cluster makes up for another, since nothing moves.
    assert not at(hpa(3, 12, target="it"), (6, 5), (1, 2)).ready
    # Where it is at 0, a HorizontalPodAutoscaler does nothing.
    assert at(hpa(3, 12, target="it"), (2, 2), (0, 0)).shares["b"] == Share(1, 0)
    assert at(keda(target="it", minReplicaCount=3, idleReplicaCount=0), (0, 0), (0, 0)).ready
    paused = {"autoscaling.keda.sh/paused": "true"}
    assert at(keda(paused, target="it", minReplicaCount=3), (2, 2), (0, 0)).ready
    lost = standing(
        [server("it"), hpa(3, 12, target="it")], {"a": 2, "b": 1}, {"a": copy({"replicas": 5}), "b": SILENT}
    )
    assert lost.shares["b"] == Share(1, None)
    assert not lost.ready


@pytest.mark.parametrize(
    ("spec", "state", "ready", "note"),
    [
        ({"parallelism": 2, "completions": 2}, {"ready": 1, "active": 2}, 1, ""),
        ({"parallelism": 2, "completions": 5}, {"ready": 2, "succeeded": 1}, 2, "Job it: 1 of 5 done"),
        # One pod is all that it still needs.
        ({"parallelism": 2, "completions": 5}, {"ready": 1, "succeeded": 4}, 2, "Job it: 4 of 5 done"),
        ({"parallelism": 2}, {"ready": 2}, 2, ""),
        ({"parallelism": 2}, {"conditions": [condition("Complete", "True")]}, 2, "Job it: complete"),
        ({"parallelism": 2}, {"ready": 2, "conditions": [condition("Complete", "False")]}, 2, ""),
        ({"parallelism": 2}, {"conditions": [condition("Failed", "True")], "ready": 1}, 0, "Job it: failed"),
        ({"parallelism": 2}, {"conditions": [condition("Suspended", "True")]}, 0, "Job it: suspended"),
        ({"parallelism": 2}, {}, 0, ""),
    ],
)
def test_a_job_runs_while_it_has_the_pods_that_it_still_needs(
    spec: dict[str, Any], state: dict[str, Any], ready: int, note: str
) -> None:
    found = standing([JOB], {"a": 2}, {"a": copy(spec, state)})
    assert found.shares["a"] == Share(2, ready, note)
    assert found.ready == (ready == 2)


def test_where_nothing_is_counted_all_objects_must_be_there() -> None:
    other = manifest("services", "other")
    placed = Placed("ai", [CONFIG, other], {"a": 1})
    assert list_of(placed, CONFIG) == ListPath("/api/v1/namespaces/ai/configmaps", names_alone=True)
    there = {list_of(placed, CONFIG): [copy()], list_of(placed, other): [copy()]}
    found = workload_health(placed, {"a": Answer("v1", found=there)})
    assert found.shares == {"a": Share(1, 0, "Service other: not there")}
    there[list_of(placed, other)] = [{"metadata": {"name": "other"}}]
    assert workload_health(placed, {"a": Answer("v1", found=there)}).ready


def test_what_is_cluster_scoped_is_looked_for_in_the_whole_cluster() -> None:
    role = manifest("clusterroles.rbac.authorization.k8s.io")
    placed = Placed("ai", [role, CONFIG], {"a": 1})
    assert list_of(placed, role).path == "/apis/rbac.authorization.k8s.io/v1/clusterroles"
    assert list_of(placed, CONFIG).path == "/api/v1/namespaces/ai/configmaps"
    assert {each.path for each in host_lists(placed)} == {
        "/apis/types.kubefed.io/v1beta1/federatedclusterroles",
        "/apis/types.kubefed.io/v1beta1/namespaces/ai/federatedconfigmaps",
        "/api/v1/namespaces/ai/events?fieldSelector=type=Warning",
        "/api/v1/namespaces/default/events?fieldSelector=type=Warning",
    }


def test_a_member_that_hangs_or_fails_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    over = Event()

    def answer(member: str, kubeconfig: str, wanted: object, is_host: bool) -> Answer:
        if member == "hangs":
            over.wait(30)
        if member == "fails":
            raise NoAnswer("fails does not answer (refused)")
        return Answer(f"{kubeconfig} {is_host}")

    monkeypatch.setattr(asking, "_answer", answer)
    monkeypatch.setattr(asking, "_ALL_SECONDS", 0.1)
    found = asking.ask_members(dict.fromkeys(("hangs", "fails", "host"), "config"), "host", [])
    over.set()
    assert found == {
        "hangs": "does not answer within 0.1 s",
        "fails": "does not answer (refused)",
        "host": Answer("config True"),
    }


# The command.


def outputs_of(stack: str) -> dict[str, Any]:
    clusters = stack_settings(stack)["clusters"]
    shares = {
        "finetune": {"training": 1, "serving": 0, "serving-asia": 0},
        "inference": {"training": 0, "serving": 2.0, "serving-asia": 1},
    }
    return {
        "members": {name: {"region": each["region"], "role": each["role"]} for name, each in clusters.items()},
        "placements": {
            name: [{"cluster": cluster, "share": share} for cluster, share in each.items()]
            for name, each in shares.items()
        },
    } | {f"{name}_kubeconfig": f"kubeconfig of {name}" for name in clusters}


def status_of(monkeypatch: pytest.MonkeyPatch, silent: str = "", broken: str = "") -> Status:
    """A look at the stack `prod`, whose members answer that all is well, but for a silent one.

    KubeFed could not write the Deployment into a `broken` one.
    """
    settings = {key: each for key, each in stack_settings("prod").items() if ":" not in key}
    stack = stack_of("prod", parse(settings, ROOT), outputs_of("prod"))

    def ask_members(
        kubeconfigs: Mapping[str, str], host: str, wanted: set[ListPath], of_host: set[ListPath]
    ) -> dict[str, Answer | str]:
        assert kubeconfigs == {name: f"kubeconfig of {name}" for name in kubeconfigs}
        jobs, deployments = (ListPath(f"/apis/{each}") for each in (JOBS, DEPLOYMENTS))
        assert wanted == {jobs, deployments}
        found: dict[str, Answer | str] = {}
        for name in kubeconfigs:
            ready = {"training": 0, "serving": 2, "serving-asia": 1}[name]
            job = copy({"parallelism": 1, "completions": 1}, {"conditions": [condition("Complete", "True")]})
            copies = {
                jobs: [job | {"metadata": {"name": "finetune"}}] if name == "training" else [],
                deployments: [{"metadata": {"name": "inference"}, "status": {"readyReplicas": ready}}],
            }
            if name == host:
                assert of_host >= {ListPath(f"/apis/{FEDERATED}"), ListPath(f"/api/{WARNINGS}")}
                copies[ListPath(f"/apis/{FEDERATED}")] = [federated("inference", serving=broken)]
                copies[ListPath(f"/api/{WARNINGS}")] = [
                    warning("inference", "serving", "1", "older"),
                    warning("inference", "serving", "3", "image:\n  Required value"),
                    warning("inference", "serving-asia", "4", "elsewhere"),
                    warning("other", "serving", "5", "of another object"),
                ]
            registered = (
                [registration(each, condition("Ready", "True")) for each in kubeconfigs] if name == host else []
            )
            found[name] = SILENT if name == silent else Answer("v1.35.4", [node("one")], [], copies, registered)
        return found

    monkeypatch.setattr(status, "ask_members", ask_members)
    return look(stack)


JOBS, DEPLOYMENTS = "batch/v1/namespaces/ai/jobs", "apps/v1/namespaces/ai/deployments"
FEDERATED = "types.kubefed.io/v1beta1/namespaces/ai/federateddeployments"
WARNINGS = "v1/namespaces/ai/events?fieldSelector=type=Warning"


def federated(name: str, **states: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name},
        "status": {
            "clusters": [{"name": each} | ({"status": state} if state else {}) for each, state in states.items()]
        },
    }


def warning(name: str, member: str, when: str, why: str) -> dict[str, Any]:
    return {
        "involvedObject": {"kind": "FederatedDeployment", "name": name},
        "lastTimestamp": when,
        "message": f'Failed to update Deployment "ai/{name}" in cluster "{member}": {why}',
    }


def test_what_kubefed_could_not_do_is_told_and_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    found = status_of(monkeypatch, broken="UpdateFailed")
    assert not found.ready
    assert found.workloads["finetune"].ready
    fault = "Deployment inference: image: Required value"
    # Its pods run, but they are those from before.
    assert found.workloads["inference"].shares["serving"] == Share(2, 2, fault=fault)
    assert found.workloads["inference"].shares["serving-asia"] == Share(1, 1)
    assert f"inference serving 2 2 ({fault})" in lines(found, framed=False)
    assert plain(found)["workloads"]["inference"]["shares"]["serving"]["fault"] == fault
    assert status_of(monkeypatch, broken="ClusterNotReady").ready


def test_json_has_the_shape_that_is_documented(monkeypatch: pytest.MonkeyPatch) -> None:
    told = plain(status_of(monkeypatch))
    documented = json.loads(
        re.findall(r"^    (\{.*\}\}\})$", str(status.__doc__), re.DOTALL | re.MULTILINE)[0]
        .replace("NAME", '"NAME"')
        .replace("CLUSTER", '"CLUSTER"')
    )

    def shape(value: Any) -> Any:
        return {key: shape(each) for key, each in value.items()} if isinstance(value, dict) else type(value)  # pyright: ignore

    assert told["ready"]
    assert told.keys() == documented.keys()
    assert shape(told["members"]["serving"]) == shape(documented["members"]["NAME"])
    shares: dict[str, Any] = told["workloads"]["inference"].pop("shares")
    (documented_share,) = documented["workloads"]["NAME"].pop("shares").values()
    assert told["workloads"]["inference"] == {"ready": True, "desired": 3, "ready_replicas": 3}
    assert told["workloads"]["inference"].keys() == documented["workloads"]["NAME"].keys()
    assert shares.keys() == {"training", "serving", "serving-asia"}
    assert all(shape(each) == shape(documented_share) for each in shares.values())


def test_json_has_null_for_what_is_not_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    told = plain(status_of(monkeypatch, silent="serving"))
    assert not told["ready"]
    serving = told["members"]["serving"]
    assert [serving[key] for key in ("ready", "reason", "version", "nodes", "accelerators")] == [
        False, SILENT, None, None, None
    ]  # fmt: skip
    assert told["workloads"]["inference"]["shares"]["serving"] == {
        "desired": 2,
        "ready_replicas": None,
        "note": "",
        "fault": "",
    }
    assert told["workloads"]["finetune"]["ready"] and not told["workloads"]["inference"]["ready"]


def lines(told: Status, *, framed: bool) -> list[str]:
    console = Console(file=StringIO(), width=1000, color_system=None)
    with console.capture() as captured:
        console.print(render(told, framed=framed))
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_plain_lines_are_made_for_grep(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lines(status_of(monkeypatch, silent="serving"), framed=False) == [
        "Stack prod: 2 of 3 members Ready, 1 of 2 workloads ready",
        "MEMBER REGION READY VERSION NODES ACCELERATORS",
        "serving europe-west1 no - - -",
        "serving-asia asia-southeast1 yes v1.35.4 1 of 1 Ready nvidia-l4: 2 of 2 free",
        "training us-west1 yes v1.35.4 1 of 1 Ready nvidia-l4: 2 of 2 free",
        f"serving: {SILENT}",
        "",
        "WORKLOAD CLUSTER DESIRED READY",
        "finetune training 1 1 (Job finetune: complete)",
        "inference serving 2 unknown",
        "inference serving-asia 1 1",
    ]


def test_a_workload_without_replicas_is_told_too() -> None:
    stack = Stack("x", "a", {}, {}, {})
    told = Status(stack, {}, {"idle": WorkloadHealth(True, {"a": Share(0, 0)})})
    assert lines(told, framed=False)[-1] == "idle none 0 0"


def test_the_picture_needs_nothing_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = status_picture(status_of(monkeypatch))
    assert picture == status_picture(status_of(monkeypatch))
    assert "serving-asia" in picture
    assert "@font-face" not in picture
    assert set(re.findall(r"https?://[^\"' ]+", picture)) == {"http://www.w3.org/2000/svg", "https://www.textualize.io"}


@pytest.mark.parametrize("silent", ["", "serving"])
@pytest.mark.parametrize("output", [[], ["--output", "json"]])
def test_the_code_says_whether_all_is_well(
    silent: str, output: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = status_of(monkeypatch, silent)

    def same(_: object) -> Any:
        return found

    for module in (status, tables):
        monkeypatch.setattr(module, "read_stack", same)
        monkeypatch.setattr(module, "look", same)
    assert geofed("status", "--stack", "prod", *output) == (1 if silent else 0)
    printed = capsys.readouterr().out
    assert "serving-asia" in printed
    assert "kubeconfig" not in printed
    assert "\x1b" not in printed


def test_an_override_of_a_count_is_what_is_desired(tmp_path: Path) -> None:
    (tmp_path / "it.yaml").write_text(json.dumps(deployment("db", kind="StatefulSet", replicas=3, serviceName="db")))
    overrides = {"role=x": [{"path": "/spec/replicas", "value": 4}], "b": [{"path": "/spec/replicas", "value": 1}]}
    workload = {"manifests": "it.yaml", "namespace": "ai", "placement": {"policy": "spread"}, "run": "duplicated"}
    clusters = {name: {"region": "us-west1", "slot": slot, "role": "x"} for slot, name in enumerate("abc")}
    raw: dict[str, Any] = {
        "clusters": clusters,
        "federation": {"host": "a", "types": ["statefulsets.apps"]},
        "workloads": {"db": workload | {"overrides": overrides}},
    }
    decisions = [{"cluster": name, "share": share} for name, share in (("a", 3), ("b", 3), ("c", 0), ("gone", 3))]
    outputs: dict[str, Any] = {"members": {name: {} for name in "abc"}, "placements": {"db": decisions}}
    outputs |= {f"{name}_kubeconfig": "" for name in "abc"}
    assert stack_of("x", parse(raw, tmp_path), outputs).placed["db"].shares == {"a": 4, "b": 1, "c": 0, "gone": 3}


def test_a_mistake_is_one_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(*arguments: str) -> str:
        assert geofed("status", *arguments) == 2
        printed = capsys.readouterr()
        assert not printed.out
        assert len(printed.err.splitlines()) == 1
        return printed.err

    def nothing(*_: object, **__: object) -> Any:
        raise NoOutputs("run pulumi up")

    monkeypatch.chdir(ROOT)
    assert "no Pulumi.nowhere.yaml" in refused("--stack", "nowhere")
    assert "no terminal" in refused("--stack", "prod", "--watch")
    monkeypatch.setattr(status, "stack_outputs", nothing)
    assert "run pulumi up" in refused("--stack", "prod")
    assert "run pulumi up" in refused("--stack", "prod", "--output", "json")
    outputs = outputs_of("prod")
    for key, mistake in (("members", "federation.host training"), ("placements", "workloads.other")):
        none: dict[str, Any] = {} if key == "members" else {"other": []}
        changed = outputs | {key: none}

        def some(*_: object, changed: dict[str, Any] = changed, **__: object) -> Any:
            return changed

        monkeypatch.setattr(status, "stack_outputs", some)
        assert mistake in refused("--stack", "prod")
