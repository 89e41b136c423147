"""An object whose replicas pass from KubeFed to an autoscaler, or back: no copy is deleted or scaled to 0."""

import asyncio
import copy
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import pulumi
import pytest

from federation import replica_owner
from federation.replica_owner import Body, hand_over, hand_over_first
from placement.api.kinds import BUILT_IN
from placement.preferences import selector

NEW: Body = {
    "template": {"spec": {"replicas": 1}},
    "retainReplicas": True,
    "placement": {"clusters": [{"name": "a"}, {"name": "b"}]},
}
BACK: Body = {
    "template": {"spec": {"replicas": 5}},
    "placement": {"clusters": [], "clusterSelector": selector(["a", "b"])},
}


def share(cluster: str, replicas: int, *more: Mapping[str, Any]) -> Body:
    return {"clusterName": cluster, "clusterOverrides": [{"path": "/spec/replicas", "value": replicas}, *more]}


PAUSED = {"path": "/spec/paused", "op": "add", "value": False}


class Host:
    """A federated object, whose copies KubeFed changes a moment after the object."""

    def __init__(self, *overrides: Body, status: Mapping[str, str] | None = None, **placement: Any) -> None:
        spec = {"template": {"spec": {"replicas": 4}}, "placement": placement, "overrides": list(overrides)}
        self.body: Body | None = {"metadata": {"generation": 1}, "spec": spec, "status": {"observedGeneration": 1}}
        self.state = status or {}
        self.written: list[Body] = []
        self.owned: list[Body] = []
        self.refusals = 0

    def read(self) -> Body | None:
        if self.body is None:
            return None
        seen = copy.deepcopy(self.body)
        names = [each["name"] for each in self.body["spec"]["placement"]["clusters"]]
        self.body["status"] = {
            "observedGeneration": self.body["metadata"]["generation"],
            "clusters": [{"name": name, "status": self.state.get(name, "")} for name in names],
        }
        return seen

    def write(self, body: Body) -> bool:
        if self.refusals:
            self.refusals -= 1
            return False
        generation = body["metadata"]["generation"] + 1
        self.body = {**copy.deepcopy(body), "metadata": {"generation": generation}}
        self.written.append(self.body["spec"])
        return True

    def own(self, spec: Body) -> None:
        self.owned.append(spec)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]
    monkeypatch.setattr(replica_owner, "_PAUSE", 0.0)


def clusters(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


def test_the_shares_that_kubefed_wrote_are_removed_once_the_replicas_are_retained() -> None:
    live = Host(share("a", 3), share("b", 1, PAUSED), clusters=clusters("a", "b", "c"), clusterSelector=selector(["a"]))
    hand_over("it", live, NEW)
    first, last = live.written
    # The preference does nothing to an object without a selector, and every copy keeps what it has.
    assert first["retainReplicas"]
    assert first["placement"] == {"clusters": clusters("a", "b", "c")}
    assert first["overrides"] == [share("a", 3), share("b", 1, PAUSED)]
    assert last["overrides"] == [{"clusterName": "b", "clusterOverrides": [PAUSED]}]
    assert last["placement"] == {"clusters": clusters("a", "b")}
    assert last["retainReplicas"]


def test_a_copy_of_0_replicas_is_scaled_up_first_since_no_autoscaler_starts_from_there() -> None:
    live = Host(share("a", 3), share("b", 0), clusters=clusters("a", "b"), clusterSelector=selector(["a", "b"]))
    hand_over("it", live, NEW)
    assert live.written[0]["overrides"] == [share("a", 3), share("b", 1)]
    assert live.written[-1]["overrides"] == []


def test_a_copy_that_cannot_be_scaled_up_ends_the_run_with_where_and_why() -> None:
    live = Host(share("b", 0), clusters=clusters("a", "b"), status={"b": "UpdateFailed"})
    with pytest.raises(pulumi.RunError, match=r"Deployment ai/it: .* 1 replicas or more: b \(UpdateFailed\)"):
        hand_over("Deployment ai/it", live, NEW, seconds=0.1)
    # The next run goes on from here.
    assert live.written[-1]["overrides"] == [share("b", 1)]
    live.state = {}
    hand_over("it", live, NEW)
    assert live.written[-1]["overrides"] == []


def test_a_member_that_does_not_answer_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", said.append)
    live = Host(share("a", 2), share("b", 0), clusters=clusters("a", "b"), status={"b": "ClusterNotReady"})
    hand_over("it", live, NEW, seconds=0.5)
    assert live.written[-1]["overrides"] == []
    assert [each.partition(";")[0] for each in said] == ["it: b does not answer"]


def test_shares_that_kubefed_writes_meanwhile_are_removed_as_well() -> None:
    live = Host(share("a", 3), clusters=clusters("a"))
    written = live.write

    def write(body: Body) -> bool:
        done = written(body)
        if len(live.written) == 2 and live.body:
            live.body["spec"]["overrides"] = [share("a", 3)]
        return done

    live.write = write
    hand_over("it", live, NEW)
    assert live.body and live.body["spec"]["overrides"] == []


def test_a_change_of_somebody_else_is_not_overwritten() -> None:
    live = Host(share("a", 3), clusters=clusters("a"))
    live.refusals = 2
    hand_over("it", live, NEW)
    assert live.body and live.body["spec"]["overrides"] == []


def test_what_is_gone_is_left_to_the_program() -> None:
    live = Host(clusters=clusters("a"))
    live.body = None
    hand_over("it", live, NEW)
    hand_over("it", live, BACK)
    assert not live.written
    assert not live.owned


def test_back_to_kubefed_the_clusters_and_their_replicas_stay_until_it_has_decided() -> None:
    live = Host(clusters=clusters("a", "b", "c"))
    hand_over("it", live, BACK)
    assert live.owned == [{"placement": {"clusters": clusters("a", "b")}, "retainReplicas": True}]
    assert not live.written


def test_the_hook_hands_over_only_where_the_owner_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[str] = []

    def hand(about: str, live: object, new: object) -> None:
        handed.append(about)

    def hook_of(name: str, callback: Callable[[pulumi.ResourceHookArgs], Coroutine[Any, Any, None]]) -> Any:
        return callback

    monkeypatch.setattr(pulumi, "ResourceHook", hook_of)
    monkeypatch.setattr(replica_owner, "hand_over", hand)

    async def update(old: Body, new: Body) -> None:
        kubeconfig = pulumi.Output.from_input("a kubeconfig")
        hook: Any = hand_over_first("host", kubeconfig, BUILT_IN["deployments.apps"])
        before, after = ({"metadata": {"name": "it", "namespace": "ai"}, "spec": each} for each in (old, new))
        await hook(pulumi.ResourceHookArgs("", "", "", "", old_inputs=before, new_inputs=after))

    asyncio.run(update(NEW, {**NEW, "placement": {"clusters": clusters("a")}}))
    asyncio.run(update(BACK, BACK))
    assert not handed
    asyncio.run(update(BACK, NEW))
    asyncio.run(update(NEW, BACK))
    assert handed == ["Deployment ai/it"] * 2
