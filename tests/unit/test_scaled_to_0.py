"""What is scaled to 0 keeps its place and all that it has there."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from placement.api.kinds import BUILT_IN
from placement.api.pod_kinds import Run
from placement.copies import PlacedObject, PlacedWorkload, place_workload, template
from placement.manifests.manifest import Manifest
from placement.policies.place import Facts, place
from placement.workload import Workload
from tests.rooms import gpus, unit
from tests.unit.test_decisions import World, world

__all__ = ["world"]

LABELS = {"role": "serving", "continent": "Europe"}
MEMBERS = {name: {**LABELS, "region": f"europe-west{number}"} for number, name in enumerate(("one", "two", "three"), 1)}
POLICIES: Sequence[Mapping[str, Any]] = (
    {"policy": "clusters", "clusters": ["one"]},
    {"policy": "region", "region": "europe-west1"},
    {"policy": "nearest", "to": "europe-west1"},
    {"policy": "weighted", "weights": {"one": 3}},
    {"policy": "spread", "select": {"region": "europe-west1"}},
)
ALL = {"policy": "spread"}


def manifest(type_: str, name: str = "db", **spec: Any) -> Manifest:
    target = BUILT_IN[type_]
    body = {"apiVersion": target.api_version, "kind": target.kind, "metadata": {"name": name}, "spec": spec}
    return Manifest(target, name, body)


def placed(placement: Mapping[str, Any], *manifests: Manifest, run: Run = "divided") -> PlacedWorkload:
    workload = Workload.model_validate({"manifests": "x.yaml", "namespace": "data", "placement": placement, "run": run})
    return place_workload(workload, manifests, MEMBERS)


def values(each: PlacedObject, cluster: str) -> dict[str, Any]:
    return {patch["path"]: patch["value"] for patch in each.overrides[cluster]}


@pytest.mark.parametrize("run", ["divided", "whole", "duplicated"])
@pytest.mark.parametrize("placement", POLICIES, ids=lambda each: each["policy"])
def test_a_cluster_that_is_taken_keeps_everything_with_no_replicas(placement: Mapping[str, Any], run: Run) -> None:
    objects = (
        manifest("statefulsets.apps", replicas=0),
        manifest("services"),
        manifest("persistentvolumeclaims"),
    )
    workload = placed(placement, *objects, run=run)
    assert [list(each.clusters) for each in workload.objects] == [["one"]] * 3
    own = {"one": [{"path": "/spec/replicas", "op": "replace", "value": 0}]} if run == "divided" else {}
    assert workload.objects[0].overrides == own
    assert template(workload.objects[0].manifest)["spec"] == {"replicas": 0}
    (taken,) = (each for each in workload.decisions if each.taken)
    assert (taken.cluster, taken.share) == ("one", 0)
    assert taken.reason.endswith("scaled to 0") or (run, placement["policy"]) == ("divided", "nearest")


def test_a_cluster_whose_share_becomes_0_keeps_its_copies() -> None:
    workload = placed(ALL, manifest("statefulsets.apps", replicas=1), manifest("persistentvolumeclaims"))
    assert [len(each.clusters) for each in workload.objects] == [3, 3]
    assert sorted(values(workload.objects[0], name)["/spec/replicas"] for name in MEMBERS) == [0, 0, 1]


def test_a_job_of_no_parallelism_stays_with_all_that_it_has_to_complete() -> None:
    workload = placed(ALL, manifest("jobs.batch", parallelism=0, completions=6), manifest("configmaps"))
    assert [len(each.clusters) for each in workload.objects] == [3, 3]
    for name in MEMBERS:
        assert values(workload.objects[0], name) == {"/spec/parallelism": 0, "/spec/completions": 2}


def test_of_two_counted_objects_one_can_be_at_0() -> None:
    workload = placed(ALL, manifest("statefulsets.apps", replicas=0), manifest("jobs.batch", "train", parallelism=1))
    assert [len(each.clusters) for each in workload.objects] == [3, 1]


def test_spare_capacity_takes_whatever_may_be_needed_where_nothing_is_known_of_before() -> None:
    placement = Workload.model_validate(
        {"manifests": "x", "namespace": "a", "placement": {"policy": "spare-capacity"}}
    ).placement
    facts = Facts(units=(unit(),), space={name: gpus(4, now=2) for name in MEMBERS})
    decisions = place(placement, MEMBERS, [0], facts)
    assert all(each.taken and not each.share for each in decisions)


def test_spare_capacity_stays_where_it_was_and_comes_back_there(world: World) -> None:
    before = world.decide(("train", 4))["train"]
    world.remembered["train"] = before.memory
    world.free = {"training": 8, "serving": 0, "serving-asia": 0}
    asleep = world.decide(("train", 0))["train"]
    assert [each.cluster for each in asleep.decisions if each.taken] == ["serving-asia"]
    assert {tuple(each.clusters) for each in asleep.objects} == {("serving-asia",)}
    assert {each.share for each in asleep.decisions} == {0}

    world.remembered["train"] = asleep.memory
    awake = world.decide(("train", 4))["train"]
    assert awake.decisions == before.decisions


def test_what_an_earlier_release_wrote_down_still_holds(world: World) -> None:
    memory = json.loads(world.decide(("train", 4))["train"].memory)
    for each in memory["decisions"]:
        del each["taken"]
    world.remembered["train"] = json.dumps(memory)
    for pods in (4, 0):
        workload = world.decide(("train", pods))["train"]
        assert {tuple(each.clusters) for each in workload.objects} == {("serving-asia",)}
