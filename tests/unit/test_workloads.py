"""Where each object of a workload goes, and what its copies differ in."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from federation.kinds import DEFAULT_TYPES
from federation.manifests import read_manifests
from federation.spec import Workload
from federation.workloads import PlacedObject, PlacedWorkload, place_workload

MEMBERS = {
    "asia": {"role": "serving", "region": "asia-southeast1", "continent": "AS", "accelerator/nvidia-l4": "true"},
    "europe": {"role": "serving", "region": "europe-west1", "continent": "EU", "accelerator/nvidia-l4": "true"},
    "training": {
        "role": "training",
        "region": "us-west1",
        "continent": "NA",
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
        manifests = read_manifests(self.folder, workload.manifests, workload.namespace, DEFAULT_TYPES)
        return place_workload(workload, manifests, MEMBERS)


def deployment(replicas: int | None = None, name: str = "api") -> dict[str, Any]:
    spec = {} if replicas is None else {"replicas": replicas}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def job(**spec: int) -> dict[str, Any]:
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "train"}, "spec": spec}


def service(name: str = "api") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"ports": [{"port": 80}]}}


def shares(workload: PlacedWorkload) -> dict[str, int]:
    return {each.cluster: each.share for each in workload.decisions}


def patched(each: PlacedObject, cluster: str) -> dict[str, Any]:
    """The values that a cluster's copy has in place of the template's."""
    return {patch["path"]: patch["value"] for patch in each.overrides.get(cluster, [])}


def test_replicas_are_split_and_overridden_in_each_cluster(placed: Placer) -> None:
    workload = placed(deployment(3), placement=SERVING)
    assert shares(workload) == {"asia": 2, "europe": 1, "training": 0}
    (each,) = workload.objects
    assert list(each.clusters) == ["asia", "europe"]
    assert patched(each, "asia") == {"/spec/replicas": 2}
    assert patched(each, "europe") == {"/spec/replicas": 1}
    assert workload.clusters == ["asia", "europe"]


def test_replicas_that_are_left_out_are_one(placed: Placer) -> None:
    workload = placed(deployment(), placement=SERVING)
    assert shares(workload) == {"asia": 1, "europe": 0, "training": 0}
    assert workload.clusters == ["asia"]


def test_a_cluster_that_gets_no_replica_gets_no_object(placed: Placer) -> None:
    workload = placed(deployment(1), service(), placement={"policy": "spread"})
    assert [list(each.clusters) for each in workload.objects] == [["asia"], ["asia"]]


def test_a_jobs_parallelism_and_completions_are_split(placed: Placer) -> None:
    workload = placed(job(parallelism=4, completions=10), placement=SERVING)
    assert shares(workload) == {"asia": 2, "europe": 2, "training": 0}
    (each,) = workload.objects
    for cluster in ("asia", "europe"):
        assert patched(each, cluster) == {"/spec/parallelism": 2, "/spec/completions": 5}


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


def test_what_is_not_counted_goes_wherever_something_counted_goes(placed: Placer) -> None:
    workload = placed(service(), deployment(1), placement={"policy": "clusters", "clusters": ["training"]})
    assert all(list(each.clusters) == ["training"] for each in workload.objects)


def test_two_counted_objects_are_each_split(placed: Placer) -> None:
    workload = placed(deployment(3, "one"), deployment(2, "two"), placement=SERVING)
    assert sum(shares(workload).values()) == 5
    for each, replicas in zip(workload.objects, (3, 2), strict=True):
        assert sum(patched(each, cluster)["/spec/replicas"] for cluster in each.clusters) == replicas


def test_overrides_go_to_the_clusters_that_are_taken_after_their_share(placed: Placer) -> None:
    override = {"path": "/spec/paused", "op": "add", "value": True}
    workload = placed(deployment(2), placement=SERVING, overrides={"europe": [override], "training": [override]})
    (each,) = workload.objects
    assert [patch["path"] for patch in each.overrides["europe"]] == ["/spec/replicas", "/spec/paused"]
    assert set(each.overrides) == {"asia", "europe"}
    assert "/spec/paused" not in patched(each, "asia")


def test_an_override_of_nothing_is_kept(placed: Placer) -> None:
    override = {"path": "/spec/paused", "value": None}
    (each,) = placed(deployment(2), placement=SERVING, overrides={"europe": [override]}).objects
    assert patched(each, "europe")["/spec/paused"] is None


def test_a_removal_has_no_value(placed: Placer) -> None:
    override = {"path": "/spec/paused", "op": "remove"}
    (each,) = placed(deployment(2), placement=SERVING, overrides={"europe": [override]}).objects
    assert override in [dict(patch) for patch in each.overrides["europe"]]


def test_no_replicas_are_no_copies(placed: Placer) -> None:
    workload = placed(deployment(0), placement=SERVING)
    assert set(shares(workload).values()) == {0}
    assert all(each.reason for each in workload.decisions)


@pytest.mark.parametrize(
    ("placement", "taken"),
    [
        ({"policy": "spread"}, ["asia", "europe", "training"]),
        ({"policy": "spread", "select": {"continent": "EU"}}, ["europe"]),
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
