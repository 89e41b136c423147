"""Autoscaled workloads: the minimum and the maximum are divided, and the replicas are the autoscaler's."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from placement.api.kinds import KNOWN
from placement.autoscaling.autoscaler_rules import check_autoscalers, notes_on
from placement.checks import check_placement
from placement.copies import PlacedObject, PlacedWorkload, place_workload
from placement.manifests.manifest import Manifest
from placement.overrides import check_overrides
from placement.policies.decision import Facts, NothingFits
from placement.workload import Workload
from tests import objects
from tests.rooms import gpus, unit

MEMBERS = {
    "asia": {"role": "serving", "region": "asia-southeast1", "continent": "Asia"},
    "europe": {"role": "serving", "region": "europe-west1", "continent": "Europe"},
    "training": {"role": "training", "region": "us-west1", "continent": "North-America"},
}
SERVING = {"policy": "spread", "select": {"role": "serving"}}
EVERYWHERE = {"policy": "spread"}


def manifest(body: Mapping[str, Any]) -> Manifest:
    target = next(each for each in KNOWN.values() if each.kind == body["kind"])
    return Manifest(target, body["metadata"]["name"], body)


def server(name: str = "api", kind: str = "Deployment", **spec: Any) -> Manifest:
    return manifest(objects.deployment(name, kind=kind, **spec))


def hpa(least: int | None = 3, most: int = 12, target: str = "api", name: str = "scaler", **reference: Any) -> Manifest:
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target, **reference}
    spec: dict[str, Any] = {"scaleTargetRef": ref, "maxReplicas": most}
    return manifest(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name},
            "spec": spec if least is None else {**spec, "minReplicas": least},
        }
    )


def keda(annotations: Mapping[str, str] | None = None, target: str = "api", **spec: Any) -> Manifest:
    metadata = {"name": "queue", **({"annotations": dict(annotations)} if annotations else {})}
    body = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": metadata}
    return manifest({**body, "spec": {"scaleTargetRef": {"name": target}, **spec}})


def workload(placement: Mapping[str, Any], **settings: Any) -> Workload:
    return Workload.model_validate({"manifests": "x.yaml", "namespace": "ai", "placement": placement, **settings})


def placed(placement: Mapping[str, Any], *manifests: Manifest, **settings: Any) -> PlacedWorkload:
    return place_workload(workload(placement, **settings), manifests, MEMBERS)


def reasons(of: PlacedWorkload) -> dict[str, str]:
    return {each.cluster: each.reason for each in of.decisions}


def patched(each: PlacedObject) -> dict[str, dict[str, Any]]:
    return {name: {patch["path"]: patch["value"] for patch in each.overrides.get(name, [])} for name in each.clusters}


def ranges(each: PlacedObject) -> dict[str, tuple[int, int]]:
    fields = ("/spec/minReplicas", "/spec/maxReplicas")
    return {name: (values[fields[0]], values[fields[1]]) for name, values in patched(each).items()}


def told(*manifests: Manifest) -> list[str]:
    return [f"{each.value}: {each.advice}" for each in check_autoscalers("workloads.x", manifests)]


def test_each_cluster_gets_its_part_of_the_minimum_and_of_the_maximum() -> None:
    made = placed(SERVING, server(), hpa(4, 12))
    deployment, autoscaler = made.objects
    assert ranges(autoscaler) == {"asia": (2, 6), "europe": (2, 6)}
    assert reasons(made)["asia"] == "one of 2 candidates, gets 2 to 6 of 4 to 12"
    assert [(each.cluster, each.share) for each in made.decisions] == [("asia", 2), ("europe", 2), ("training", 0)]
    assert list(deployment.clusters) == ["asia", "europe"]


def test_replicas_are_left_to_the_autoscaler() -> None:
    deployment, _ = placed(SERVING, server(replicas=9), hpa(3, 12)).objects
    assert deployment.retains
    assert deployment.preference is None
    assert not deployment.overrides
    # A new copy starts with no more than any cluster's minimum, here 2 and 1.
    assert deployment.manifest.body["spec"]["replicas"] == 1


def test_objects_beside_it_are_as_before() -> None:
    made = placed(SERVING, server(), hpa(3, 12), server("other", replicas=2))
    assert [each.retains for each in made.objects] == [True, False, False]
    assert made.objects[2].preference and made.objects[2].preference["totalReplicas"] == 2
    assert reasons(made)["asia"] == "one of 2 candidates, gets 2 to 6 of 3 to 12 and 1 of 2"


def test_the_minimum_is_at_least_1_in_each_cluster_and_the_reason_says_so() -> None:
    made = placed(EVERYWHERE, server(), hpa(2, 12))
    assert ranges(made.objects[1]) == dict.fromkeys(MEMBERS, (1, 4))
    assert reasons(made)["asia"] == (
        "one of 3 candidates, gets 1 to 4 of 2 to 12; at least 1 in each cluster, 3 in all"
    )


def test_no_more_clusters_are_taken_than_the_maximum() -> None:
    made = placed(
        EVERYWHERE,
        server(),
        hpa(None, 2),
        manifest({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}),
    )
    assert ranges(made.objects[1]) == {"asia": (1, 1), "europe": (1, 1)}
    assert [list(each.clusters) for each in made.objects] == [["asia", "europe"]] * 3
    assert [each.taken for each in made.decisions] == [True, True, False]
    assert reasons(made)["training"] == "one of 3 candidates, but 2 over 3 clusters leaves it none"


def test_weights_and_limits_hold_for_both() -> None:
    weighted = placed({"policy": "weighted", "weights": {"asia": 3, "europe": 1}}, server(), hpa(4, 12))
    assert ranges(weighted.objects[1]) == {"asia": (3, 9), "europe": (1, 3)}
    limited = placed({"policy": "spread", "limits": {"asia": {"max": 2}, "europe": {"min": 3}}}, server(), hpa(6, 20))
    assert ranges(limited.objects[1]) == {"asia": (1, 2), "europe": (3, 9), "training": (2, 9)}
    # A weight that is small is no reason to have none.
    small = placed({"policy": "weighted", "weights": {"asia": 100, "europe": 1}}, server(), hpa(2, 9))
    assert ranges(small.objects[1]) == {"asia": (1, 8), "europe": (1, 1)}
    assert reasons(small)["europe"] == "weight 1 of 101, gets 1 to 1 of 2 to 9"


@pytest.mark.parametrize(
    ("limits", "advice"),
    [
        ({"asia": {"min": 4}}, "the minima are 4 (asia 4), but there are only 3 to place; write smaller minima"),
        (
            {"asia": {"max": 3}, "europe": {"max": 3}},
            "the maxima are 6 (asia 3, europe 3), but there are 12 to place; write larger maxima",
        ),
    ],
)
def test_limits_that_one_of_both_cannot_keep_are_refused(limits: Mapping[str, Any], advice: str) -> None:
    placement = {**SERVING, "limits": limits}
    own = (server(), hpa(3, 12))
    problems = check_placement("x", workload(placement), own, MEMBERS, {})
    assert advice in [each.advice for each in problems]
    with pytest.raises(NothingFits):
        placed(placement, *own)


def test_the_nearest_cluster_gets_all_of_both() -> None:
    made = placed({"policy": "nearest", "to": "europe-west1"}, server(), hpa(3, 12))
    assert ranges(made.objects[1]) == {"europe": (3, 12)}
    assert reasons(made)["europe"].endswith(", gets 3 to 12 of 3 to 12")
    assert made.objects[0].manifest.body["spec"]["replicas"] == 3


def test_spare_capacity_needs_room_for_the_minimum() -> None:
    space = {"asia": gpus(3, now=3), "europe": gpus(1, now=1), "training": gpus(0, now=0)}
    facts = Facts("api", units=(unit(title="Deployment api"),), space=space)
    spare = workload({"policy": "spare-capacity"})
    made = place_workload(spare, [server(), hpa(4, 12)], MEMBERS, facts)
    assert ranges(made.objects[1]) == {"asia": (3, 9), "europe": (1, 3)}
    assert reasons(made)["asia"] == "room for 3 now, gets 3 to 9 of 4 to 12; there is room for the minimum"
    with pytest.raises(NothingFits, match="5 of Deployment api"):
        place_workload(spare, [server(), hpa(5, 12)], MEMBERS, facts)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_what_runs_whole_is_scaled_as_its_autoscaler_says(kind: str) -> None:
    made = placed({"policy": "nearest", "to": "europe-west1"}, server(kind=kind), hpa(3, 12, kind=kind), run="whole")
    target, autoscaler = made.objects
    assert [list(each.clusters) for each in made.objects] == [["europe"]] * 2
    assert target.retains
    assert target.preference is None
    assert not target.overrides
    assert not autoscaler.overrides
    assert target.manifest.body["spec"]["replicas"] == 3
    (taken,) = (each for each in made.decisions if each.taken)
    assert (taken.share, taken.most) == (3, (12,))
    assert taken.reason.startswith("runs whole; ")
    assert taken.reason.endswith("; autoscaled from 3 to 12")


def test_what_is_duplicated_is_scaled_in_each_cluster_as_its_autoscaler_says() -> None:
    override = {"kind": "HorizontalPodAutoscaler", "path": "/spec/maxReplicas", "value": 50}
    own = (server(), keda(minReplicaCount=0, maxReplicaCount=5), hpa(target="x"), server("x"))
    made = placed(SERVING, *own, run="duplicated", overrides={"asia": [override]})
    assert [list(each.clusters) for each in made.objects] == [["asia", "europe"]] * 4
    assert patched(made.objects[2]) == {"asia": {"/spec/maxReplicas": 50}, "europe": {}}
    assert not made.objects[1].overrides
    assert [each.retains for each in made.objects] == [True, False, False, True]
    assert made.decisions[0].shares == (0, 3)
    assert reasons(made)["asia"].endswith("gets all of it; autoscaled from 0 to 5; autoscaled from 3 to 12")
    allowed = workload(SERVING, run="duplicated", overrides={"asia": [override]})
    assert list(check_overrides("workloads.x", allowed, own, MEMBERS)) == []


def test_a_scaled_object_may_scale_to_0_and_has_its_own_defaults() -> None:
    made = placed(SERVING, server(replicas=0), keda())
    assert patched(made.objects[1]) == {
        "asia": {"/spec/minReplicaCount": 0, "/spec/maxReplicaCount": 50},
        "europe": {"/spec/minReplicaCount": 0, "/spec/maxReplicaCount": 50},
    }
    assert reasons(made)["asia"] == "one of 2 candidates, gets 0 to 50 of 0 to 100"
    assert made.clusters == ["asia", "europe"]
    assert made.objects[0].manifest.body["spec"]["replicas"] == 0


def test_all_numbers_of_a_scaled_object_are_divided() -> None:
    kept = {"autoscaling.keda.sh/paused-replicas": "5", "a": "b"}
    scaled = keda(kept, minReplicaCount=2, maxReplicaCount=8, fallback={"failureThreshold": 3, "replicas": 6})
    autoscaler = placed(SERVING, server(), scaled).objects[1]
    annotation = "/metadata/annotations/autoscaling.keda.sh~1paused-replicas"
    assert {
        name: (each["/spec/fallback/replicas"], each[annotation]) for name, each in patched(autoscaler).items()
    } == {
        "asia": (3, "3"),
        "europe": (3, "2"),
    }
    assert all(each["/metadata/annotations/a"] == "b" for each in patched(autoscaler).values())


def test_autoscalers_that_do_what_they_say_are_taken() -> None:
    assert told(server(), hpa(3, 12)) == []
    assert told(server(), hpa(1, 1, apiVersion="apps/v1beta2")) == []
    assert told(server("db", "StatefulSet"), hpa(target="db", kind="StatefulSet")) == []
    assert told(server(), keda(idleReplicaCount=0, minReplicaCount=1)) == []


MISSING = "not in the manifests, so that nothing would be scaled"
OFF = "which turns autoscaling off; leave replicas out, or"


@pytest.mark.parametrize(
    ("own", "advice"),
    [
        ([server(), hpa(5, 3)], "minReplicas 5 is above maxReplicas 3; write a larger maxReplicas"),
        ([server(), hpa(0, 3)], "minReplicas 0: write 1 or more, or a ScaledObject (KEDA), which can scale to 0"),
        ([server(), hpa(-1, 3)], "minReplicas -1: write 1 or more"),
        ([server(), hpa(None, 0)], "maxReplicas 0: write 1 or more"),
        ([server(), keda(maxReplicaCount="x")], "maxReplicaCount 'x'; write a whole number"),
        (
            [server(), hpa(target="apo")],
            f"scaleTargetRef Deployment apo: {MISSING}; write api",
        ),
        (
            [server("db", "StatefulSet"), hpa()],
            f"scaleTargetRef Deployment api: {MISSING}; write StatefulSet db",
        ),
        (
            [hpa()],
            f"scaleTargetRef Deployment api: {MISSING}; write the Deployment that it scales into the same manifests",
        ),
        (
            [server(), hpa(apiVersion="extensions/v1beta1")],
            "scaleTargetRef Deployment api: of group extensions; write apiVersion: apps/v1",
        ),
        ([server(), hpa(apiVersion=None)], "scaleTargetRef Deployment api: of no group; write apiVersion: apps/v1"),
        (
            [manifest(objects.job("api")), hpa(kind="Job", apiVersion="batch/v1")],
            "scaleTargetRef Job api: KubeFed would undo what is scaled, since it knows of no replicas of a Job; "
            "write a Deployment, ReplicaSet or StatefulSet",
        ),
        (
            [server(), hpa(), keda()],
            "scaleTargetRef Deployment api: HorizontalPodAutoscaler scaler scales it already; remove one of them",
        ),
        (
            [server(replicas=0), hpa()],
            f"scaleTargetRef Deployment api: it has replicas: 0, {OFF} remove the autoscaler to scale to 0",
        ),
        (
            [server(replicas=0), keda(minReplicaCount=1)],
            f"scaleTargetRef Deployment api: it has replicas: 0, {OFF} write the annotation "
            'autoscaling.keda.sh/paused-replicas: "0" to scale to 0',
        ),
        (
            [server(), keda(idleReplicaCount=2, minReplicaCount=3)],
            "idleReplicaCount 2: KEDA knows no other than 0; write 0, or leave it out",
        ),
        (
            [server(), keda(idleReplicaCount=0)],
            "idleReplicaCount 0: not below minReplicaCount 0; leave it out, or write a larger minReplicaCount",
        ),
        (
            [server(), keda({"autoscaling.keda.sh/paused-replicas": "two"})],
            "annotation autoscaling.keda.sh/paused-replicas 'two': write a whole number as text, such as \"0\"",
        ),
    ],
)
def test_others_are_refused_with_what_to_write(own: Sequence[Manifest], advice: str) -> None:
    (text,) = told(*own)
    assert text.partition(": ")[2] == advice


def test_two_autoscalers_may_not_scale_one_object() -> None:
    assert len(told(server(), hpa(), hpa(name="second"))) == 1


def test_the_numbers_that_the_placement_decides_cannot_be_overridden() -> None:
    override = {"kind": "HorizontalPodAutoscaler", "path": "/spec/maxReplicas", "value": 50}
    own = workload(SERVING, overrides={"asia": [override]})
    (problem,) = check_overrides("workloads.x", own, [server(), hpa()], MEMBERS)
    assert problem.setting == "workloads.x.overrides.asia.0.path"
    assert "the placement decides it" in problem.advice


def test_a_metric_that_is_the_same_everywhere_is_noted() -> None:
    metric = {"type": "External", "external": {"metric": {"name": "queue"}}}
    scaler = hpa()
    scaler = replace(scaler, body={**scaler.body, "spec": {**scaler.body["spec"], "metrics": [metric]}})
    (note,) = notes_on([server(), scaler])
    assert note.startswith("HorizontalPodAutoscaler scaler: where what External measures is the same")
    assert list(notes_on([server(), hpa()])) == []
    assert len([*notes_on([keda(triggers=[{"type": "gcp-pubsub"}, {"type": "cpu"}])])]) == 1


def test_the_same_settings_give_the_same_answer_twice() -> None:
    own = (server(), hpa(3, 12))
    assert placed(EVERYWHERE, *own) == placed(EVERYWHERE, *own)
