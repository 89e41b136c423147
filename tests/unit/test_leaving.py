"""Who leaves, and what must be done before it can."""

import asyncio
import json
from typing import Any

import pulumi
import pytest

from federation import drain
from federation.drain import await_empty, leaving_members, still_there
from federation.outputs_by_name import outputs_by_name
from placement.api.kinds import BUILT_IN
from placement.copies import PlacedObject, PlacedWorkload
from placement.manifests.manifest import Manifest
from settings import parse
from tests.unit.api_server import api_server, kubeconfig
from tests.unit.program import ROOT, run_program, stack_settings

DEPLOYMENTS = BUILT_IN["deployments.apps"]


def registration(name: str, ready: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": {"conditions": [{"type": "Ready", "status": ready}]}}


def federated(generation: int, observed: int, *clusters: str) -> dict[str, Any]:
    status = {"observedGeneration": observed, "clusters": [{"name": name} for name in clusters]}
    return {"metadata": {"generation": generation}, "status": status}


def test_a_member_leaves_that_is_registered_and_not_in_the_settings() -> None:
    found = [registration("stays", "True"), registration("goes", "True"), registration("dead", "False")]
    # One that does not answer has nothing that KubeFed could take from it.
    assert leaving_members([*found, {"metadata": {"name": "new"}}], ["stays"]) == ["goes"]
    assert leaving_members(found, ["stays", "goes", "dead"]) == []


def test_a_member_cannot_leave_while_a_copy_is_in_it() -> None:
    found = {(DEPLOYMENTS, "ai", "a"): federated(2, 2, "stays", "goes"), (DEPLOYMENTS, "ai", "b"): federated(1, 1)}
    assert still_there(["goes"], found) == ["Deployment ai/a is still in goes"]
    assert still_there(["other"], found) == []


def test_a_cluster_scoped_copy_is_read_where_it_is() -> None:
    target = BUILT_IN["priorityclasses.scheduling.k8s.io"]
    assert still_there(["goes"], {(target, "", "high"): federated(2, 2, "goes")}) == [
        "PriorityClass high is still in goes"
    ]
    path = "/apis/types.kubefed.io/v1beta1/federatedpriorityclasses/high"
    body = json.dumps(federated(2, 2, "goes")).encode()
    placed = PlacedWorkload("ai", (), [PlacedObject(Manifest(target, "high", {}), ["stays"], {})])
    with api_server({path: (200, body), "*": (200, json.dumps(federated(1, 1)).encode())}) as url:
        left = drain._left("host", ["goes"], {"host": kubeconfig(url)}, {"it": placed})  # pyright: ignore[reportPrivateUsage]
    assert left == ["PriorityClass high is still in goes"]


def test_a_member_cannot_leave_before_a_change_has_been_looked_at() -> None:
    found = {(DEPLOYMENTS, "ai", "a"): federated(3, 2, "stays")}
    assert still_there(["goes"], found) == ["Deployment ai/a is not yet propagated"]
    assert still_there(["goes"], {(DEPLOYMENTS, "ai", "a"): {"metadata": {"generation": 1}}}) != []


def test_a_member_that_finds_no_room_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(pulumi.log, "info", told.append)
    left = ["workload inference has 2 of 3 replicas ready elsewhere"]
    stays = r"serving cannot leave yet, and stays a member; .*\n  workload inference"
    with pytest.raises(pulumi.RunError, match=stays):
        await_empty(["serving"], lambda: left, seconds=0)
    assert told == ["serving leaves when all is elsewhere: workload inference has 2 of 3 replicas ready elsewhere"]


def test_a_member_leaves_once_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi.log, "info", print)
    steps = iter([["a copy"], []])
    await_empty(["serving"], lambda: next(steps))
    assert list(steps) == []
    # Where nobody leaves, nothing is asked.
    await_empty([], lambda: next(steps))


# A stack without workloads.


@pytest.fixture
def no_workloads() -> dict[str, Any]:
    raw = stack_settings("local")
    del raw["workloads"]
    return raw


def test_of_no_outputs_all_are_no_values() -> None:
    async def resolved() -> object:
        return await outputs_by_name(dict[str, pulumi.Output[str]]()).future()

    assert asyncio.run(resolved()) == {}


def test_a_member_leaves_a_stack_that_has_no_workloads(
    no_workloads: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(pulumi.log, "info", print)
    asked: list[list[str]] = []

    def left(host: str, leaves: list[str], kubeconfigs: dict[str, str], placed: dict[str, Any]) -> list[str]:
        asked.append([*leaves, *kubeconfigs])
        assert placed == {}
        return []

    # The last member is to be one no longer, and is still registered.
    no_workloads["clusters"] = {
        name: each | ({"member": False} if name == "serving-asia" else {})
        for name, each in no_workloads["clusters"].items()
    }
    monkeypatch.setattr(drain, "_leaving", lambda *_: ["serving-asia"])  # pyright: ignore
    monkeypatch.setattr(drain, "_left", left)
    run = run_program("local", no_workloads)
    assert asked == [["serving-asia", "training", "serving"]]
    assert run.outputs["members"].keys() == {"training", "serving"}


def test_without_workloads_nothing_is_left_in_a_member(
    no_workloads: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", "*")
    settings = parse({key: each for key, each in no_workloads.items() if ":" not in key}, ROOT)
    nothing = {"/version": (200, b"{}"), "*": (200, json.dumps({"kind": "List", "items": None}).encode())}
    with api_server(nothing) as url:
        kubeconfigs = {name: kubeconfig(url) for name in settings.members}
        assert drain._left(settings.federation.host, ["gone"], kubeconfigs, {}) == []  # pyright: ignore[reportPrivateUsage]
