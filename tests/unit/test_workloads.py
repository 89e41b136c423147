"""Where each object of a workload goes, and what its copies differ in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from placement.api.kinds import BUILT_IN, DEFAULT_TYPES
from placement.copies import PlacedObject, PlacedWorkload, place_workload, template
from placement.manifests.manifest import read_manifests
from placement.workload import Workload
from tests import objects

MEMBERS = {
    "asia": {"role": "serving", "region": "asia-southeast1", "continent": "Asia", "accelerator/nvidia-l4": "true"},
    "europe": {"role": "serving", "region": "europe-west1", "continent": "Europe", "accelerator/nvidia-l4": "true"},
    "training": {
        "role": "training",
        "region": "us-west1",
        "continent": "North-America",
        "accelerator/nvidia-tesla-a100": "true",
        "accelerator/nvidia-l4": "true",
    },
}
SERVING = {"policy": "spread", "select": {"role": "serving"}}


@pytest.fixture
def placed(tmp_path: Path) -> "Placer":
    return Placer(tmp_path)


class Placer:
    """Places manifests that are written as plain values."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self, *objects: Mapping[str, Any], placement: Mapping[str, Any], overrides: Mapping[str, Any] | None = None
    ) -> PlacedWorkload:
        (self.folder / "file.yaml").write_text(yaml.safe_dump_all(map(dict, objects)))
        workload = Workload.model_validate(
            {"manifests": "file.yaml", "namespace": "ai", "placement": placement, "overrides": overrides or {}}
        )
        manifests = read_manifests(
            self.folder, workload.manifests, workload.namespace, [BUILT_IN[name] for name in DEFAULT_TYPES]
        )
        return place_workload(workload, manifests, MEMBERS)


def deployment(replicas: int | None = None, name: str = "api") -> dict[str, Any]:
    spec: dict[str, Any] = {} if replicas is None else {"replicas": replicas}
    return objects.deployment(name, **spec)


def job(**spec: Any) -> dict[str, Any]:
    return objects.job(**spec)


def service(name: str = "api") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}


def shares(workload: PlacedWorkload) -> dict[str, int]:
    return {each.cluster: each.share for each in workload.decisions}


def patched(each: PlacedObject, cluster: str) -> dict[str, Any]:
    """The values that a cluster's copy has in place of the template's."""
    return {patch["path"]: patch["value"] for patch in each.overrides.get(cluster, [])}


def weights(each: PlacedObject) -> dict[str, int]:
    """How much a member is preferred to the others."""
    assert each.preference
    return {name: rule["weight"] for name, rule in each.preference["clusters"].items()}


def test_replicas_are_left_to_a_preference_that_has_the_shares(placed: Placer) -> None:
    workload = placed(deployment(3), placement=SERVING)
    assert shares(workload) == {"asia": 2, "europe": 1, "training": 0}
    (each,) = workload.objects
    assert list(each.clusters) == ["asia", "europe"]
    assert each.preference and each.preference["totalReplicas"] == 3
    assert each.preference["targetKind"] == "FederatedDeployment"
    assert each.preference["rebalance"] is True
    assert weights(each)["asia"] == 2 * weights(each)["europe"]
    assert each.overrides == {}


def test_replicas_that_are_left_out_are_one(placed: Placer) -> None:
    workload = placed(deployment(), placement=SERVING)
    assert shares(workload) == {"asia": 1, "europe": 0, "training": 0}
    assert workload.objects[0].preference and workload.objects[0].preference["totalReplicas"] == 1


def test_a_candidate_without_a_share_stands_by(placed: Placer) -> None:
    workload = placed(deployment(1), service(), placement=SERVING)
    assert [list(each.clusters) for each in workload.objects] == [["asia", "europe"]] * 2
    assert weights(workload.objects[0])["asia"] > 100 * weights(workload.objects[0])["europe"] > 0


def test_a_cluster_that_gets_no_part_of_a_job_gets_no_object(placed: Placer) -> None:
    workload = placed(job(parallelism=1), service(), placement={"policy": "spread"})
    assert [list(each.clusters) for each in workload.objects] == [["asia"], ["asia"]]


def test_annotations_are_added_one_by_one(placed: Placer) -> None:
    annotated = job(parallelism=1) | {"metadata": {"name": "train", "annotations": {"example.com/a": "c", "d": "e"}}}
    (each,) = placed(annotated, placement=SERVING).objects
    assert patched(each, "asia") == {
        "/spec/parallelism": 1,
        "/metadata/annotations/example.com~1a": "c",
        "/metadata/annotations/d": "e",
    }


def test_an_annotation_that_is_overridden_has_one_patch(placed: Placer) -> None:
    annotated = job(parallelism=1) | {"metadata": {"name": "train", "annotations": {"a": "1", "b": "2"}}}
    overrides = [
        {"path": "/metadata/annotations/a", "value": "mine"},
        {"path": "/metadata/annotations/b", "op": "remove"},
    ]
    (each,) = placed(annotated, placement=SERVING, overrides={"asia": overrides}).objects
    assert list(each.overrides["asia"])[1:] == [{"path": "/metadata/annotations/a", "op": "add", "value": "mine"}]


def test_a_jobs_parallelism_and_completions_are_split(placed: Placer) -> None:
    workload = placed(job(parallelism=4, completions=10), placement=SERVING)
    assert shares(workload) == {"asia": 2, "europe": 2, "training": 0}
    (each,) = workload.objects
    for cluster in ("asia", "europe"):
        assert patched(each, cluster) == {"/spec/parallelism": 2, "/spec/completions": 5}


def test_a_jobs_time_to_live_is_left_out_of_its_copies(placed: Placer) -> None:
    # KubeFed would make the Job again that it has deleted, and run it again.
    (each,) = placed(job(parallelism=2, ttlSecondsAfterFinished=60, backoffLimit=3), placement=SERVING).objects
    spec = template(each.manifest)["spec"]
    assert {key: spec[key] for key in spec if key != "template"} == {"parallelism": 2, "backoffLimit": 3}
    assert "ttlSecondsAfterFinished" not in str(each.overrides)


def test_a_jobs_completions_add_up_where_they_split_unevenly(placed: Placer) -> None:
    (each,) = placed(job(parallelism=3, completions=7), placement=SERVING).objects
    parts = [patched(each, cluster) for cluster in each.clusters]
    assert sum(part["/spec/completions"] for part in parts) == 7
    assert sum(part["/spec/parallelism"] for part in parts) == 3
    assert all(part["/spec/completions"] >= part["/spec/parallelism"] for part in parts)


def test_a_job_runs_on_no_more_clusters_than_it_has_completions(placed: Placer) -> None:
    workload = placed(job(parallelism=8, completions=1), placement=SERVING)
    assert sum(shares(workload).values()) == 1
    (each,) = workload.objects
    (cluster,) = each.clusters
    assert patched(each, cluster) == {"/spec/parallelism": 1, "/spec/completions": 1}


def test_a_job_without_completions_gets_none(placed: Placer) -> None:
    (each,) = placed(job(parallelism=2), placement=SERVING).objects
    assert [patched(each, cluster) for cluster in each.clusters] == [{"/spec/parallelism": 1}, {"/spec/parallelism": 1}]


def test_a_workload_in_which_nothing_is_counted_goes_to_every_candidate(placed: Placer) -> None:
    workload = placed(service(), placement=SERVING)
    assert shares(workload) == {"asia": 1, "europe": 1, "training": 0}
    (each,) = workload.objects
    assert list(each.clusters) == ["asia", "europe"]
    assert not each.overrides


def test_what_is_not_counted_is_placed_wherever_something_counted_is(placed: Placer) -> None:
    workload = placed(service(), deployment(1), placement={"policy": "clusters", "clusters": ["training"]})
    assert all(list(each.clusters) == ["training"] for each in workload.objects)


def test_two_counted_objects_are_each_split(placed: Placer) -> None:
    workload = placed(deployment(3, "one"), deployment(2, "two"), placement=SERVING)
    assert sum(shares(workload).values()) == 5
    assert [each.preference and each.preference["totalReplicas"] for each in workload.objects] == [3, 2]


def test_overrides_go_to_the_clusters_that_are_taken_after_their_share(placed: Placer) -> None:
    override = {"path": "/spec/suspend", "op": "add", "value": True}
    workload = placed(job(parallelism=2), placement=SERVING, overrides={"europe": [override], "training": [override]})
    (each,) = workload.objects
    assert [patch["path"] for patch in each.overrides["europe"]] == ["/spec/parallelism", "/spec/suspend"]
    assert set(each.overrides) == {"asia", "europe"}
    assert "/spec/suspend" not in patched(each, "asia")


def paused() -> dict[str, Any]:
    return objects.deployment(replicas=2, paused=True)


def test_an_override_of_nothing_is_kept(placed: Placer) -> None:
    override = {"path": "/spec/paused", "value": None}
    (each,) = placed(paused(), placement=SERVING, overrides={"europe": [override]}).objects
    assert patched(each, "europe") == {"/spec/paused": None}


def test_a_removal_has_no_value(placed: Placer) -> None:
    override = {"path": "/spec/paused", "op": "remove"}
    (each,) = placed(paused(), placement=SERVING, overrides={"europe": [override]}).objects
    assert [dict(patch) for patch in each.overrides["europe"]] == [override]


def test_an_override_goes_to_the_objects_that_have_its_path(placed: Placer) -> None:
    override = {"path": "/spec/paused", "value": False}
    workload = placed(service(), paused(), placement=SERVING, overrides={"europe": [override]})
    assert [set(each.overrides) for each in workload.objects] == [set(), {"europe"}]


def test_an_override_can_be_of_one_kind(placed: Placer) -> None:
    override = {"kind": "Service", "path": "/metadata/labels/tier", "op": "add", "value": "gold"}
    workload = placed(service(), paused(), placement=SERVING, overrides={"europe": [override]})
    assert [set(each.overrides) for each in workload.objects] == [{"europe"}, set()]
    assert patched(workload.objects[0], "europe") == {"/metadata/labels/tier": "gold"}


@pytest.mark.parametrize(
    ("label", "clusters"),
    [
        ("role=serving", {"asia", "europe"}),
        ("continent=Europe", {"europe"}),
        ("region=asia-southeast1", {"asia"}),
        ("accelerator=nvidia-l4", {"asia", "europe"}),
        ("accelerator=nvidia-tesla-a100", set[str]()),
    ],
)
def test_overrides_by_label_go_to_the_clusters_that_have_it(label: str, clusters: set[str], placed: Placer) -> None:
    override = {"path": "/spec/paused", "value": False}
    (each,) = placed(paused(), placement=SERVING, overrides={label: [override]}).objects
    assert set(each.overrides) == clusters


def test_an_override_by_name_replaces_one_by_label(placed: Placer) -> None:
    by_label, by_name = ({"path": "/spec/paused", "value": value} for value in ("label", "name"))
    (each,) = placed(paused(), placement=SERVING, overrides={"europe": [by_name], "role=serving": [by_label]}).objects
    assert {name: patched(each, name) for name in each.clusters} == {
        "asia": {"/spec/paused": "label"},
        "europe": {"/spec/paused": "name"},
    }
    assert all(len(patches) == 1 for patches in each.overrides.values())


def test_no_replicas_are_no_copies(placed: Placer) -> None:
    workload = placed(deployment(0), placement=SERVING)
    assert set(shares(workload).values()) == {0}
    assert all(each.reason for each in workload.decisions)


@pytest.mark.parametrize(
    ("placement", "taken"),
    [
        ({"policy": "spread"}, ["asia", "europe", "training"]),
        ({"policy": "spread", "select": {"continent": "Europe"}}, ["europe"]),
        ({"policy": "spread", "select": {"accelerator": "nvidia-tesla-a100"}}, ["training"]),
        ({"policy": "spread", "select": {"accelerator": "nvidia-l4"}}, ["asia", "europe", "training"]),
        ({"policy": "spread", "select": {"accelerator": "nvidia-l4", "role": "training"}}, ["training"]),
        ({"policy": "region", "region": "us-west1"}, ["training"]),
        ({"policy": "clusters", "clusters": ["training", "asia"]}, ["asia", "training"]),
        ({"policy": "clusters", "clusters": ["training", "asia"], "select": {"role": "serving"}}, ["asia"]),
    ],
)
def test_policies_take_the_clusters_that_they_name(placement: dict[str, Any], taken: list[str], placed: Placer) -> None:
    workload = placed(deployment(12), placement=placement)
    assert workload.clusters == taken
    assert {share for share in shares(workload).values() if share} == {12 // len(taken)}
