"""Pods with TPUs are placed where a slice takes all of them, or refused with the number that it takes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from clusters.nodes.nodes import TPU, Nodes, nodes_of
from clusters.spec import Cluster
from federation.free_nodes import free_nodes
from federation.health import _accelerators  # pyright: ignore[reportPrivateUsage]
from federation.queries import Answer
from placement.fit.node_labels import HOSTNAME
from placement.fit.packing import fitting
from placement.fit.room import gang, room
from placement.fit.space import Space, measured, spaces
from placement.manifests.manifest import Manifest
from placement.pods.pods import pod_groups
from tests import objects
from tests.unit.test_where_it_fits import manifest, one, reasons, shares

V5E = "ct5lp-hightpu-4t"
GKE = "cloud.google.com"
CLUSTERS = {"policy": "clusters", "clusters": ["a", "b"]}


def pools(**topologies: str) -> list[Nodes]:
    """The nodes of a cluster with a pool of each of these topologies, of v5e machines with 4 chips."""
    named = {
        name.replace("_", "-"): {"machine_type": V5E, "tpu": {"topology": each}} for name, each in topologies.items()
    }
    plain = {"region": "us-central1", "zones": ["us-central1-a"], "slot": 0, "role": "any", "node_pools": named}
    return nodes_of(Cluster.model_validate(plain))


def member(**topologies: str) -> Space:
    return spaces({"": pools(**topologies)})[""]


def pod(topology: str = "4x4", chips: int = 4) -> dict[str, Any]:
    selector = {f"{GKE}/gke-tpu-accelerator": "tpu-v5-lite-podslice", f"{GKE}/gke-tpu-topology": topology}
    resources = {part: {TPU: chips} for part in ("requests", "limits")}
    container = {"name": "a", "image": "b", "resources": resources}
    return {"containers": [container], "nodeSelector": {key: text for key, text in selector.items() if text}}


def jobset(pods: int = 4, replicas: int = 1, spec: Mapping[str, Any] | None = None) -> Manifest:
    job = {"parallelism": pods, "completions": pods, "completionMode": "Indexed", "template": {"spec": spec or pod()}}
    body = {"replicatedJobs": [{"name": "slice", "replicas": replicas, "template": {"spec": job}}]}
    return manifest({"kind": "JobSet", "metadata": {"name": "train"}, "spec": body})


def indexed(pods: int = 4, **spec: Any) -> Manifest:
    settings = {"parallelism": pods, "completions": pods, "completionMode": "Indexed"} | spec
    return manifest(objects.job("train", pod(), **settings))


def group(size: int = 4, leader: Mapping[str, Any] | None = None) -> Manifest:
    templates = {"workerTemplate": {"spec": pod()}} | ({"leaderTemplate": {"spec": leader}} if leader else {})
    spec = {"replicas": 1, "leaderWorkerTemplate": {"size": size, **templates}}
    return manifest({"kind": "LeaderWorkerSet", "metadata": {"name": "serve"}, "spec": spec})


def ray(hosts: int, replicas: int = 1) -> Manifest:
    head = {"template": {"spec": {"containers": [{"name": "head", "image": "b"}]}}}
    workers = {"replicas": replicas, "minReplicas": replicas, "maxReplicas": 9, "numOfHosts": hosts}
    spec = {"headGroupSpec": head, "workerGroupSpecs": [workers | {"template": {"spec": pod()}}]}
    return manifest({"kind": "RayCluster", "metadata": {"name": "ray"}, "spec": spec})


def training(kind: str = "PyTorchJob", workers: int = 3) -> Manifest:
    roles = {"Master": 1, "Worker": workers}
    specs = {role: {"replicas": count, "template": {"spec": pod()}} for role, count in roles.items()}
    return manifest({"kind": kind, "metadata": {"name": "torch"}, "spec": {"pytorchReplicaSpecs": specs}})


CPU_LEADER = {"containers": [{"name": "a", "image": "b"}]}


@pytest.mark.parametrize(
    "own",
    [jobset(), indexed(), group(), group(leader=pod()), group(5, CPU_LEADER), ray(4), training()],
    ids=["JobSet", "Indexed Job", "group", "group with its leader", "group beside its leader", "Ray", "PyTorchJob"],
)
def test_pods_for_a_slice_are_placed_whole_on_one_and_not_on_smaller_ones(own: Manifest) -> None:
    spaced = {"a": member(one="2x4", two="2x4"), "b": member(whole="4x4")}
    placed = one(spaced, CLUSTERS, own)
    (taken,) = shares(placed)
    assert taken == "b"
    assert reasons(placed)["a"].startswith(f"no pool has {GKE}/gke-tpu-topology=4x4")


def test_each_job_of_a_jobset_has_a_slice_of_its_own() -> None:
    spaced = {"a": member(whole="4x4"), "b": member(one="4x4", two="4x4")}
    assert shares(one(spaced, CLUSTERS, jobset(replicas=2))) == {"b": 1}
    three = one(spaced, CLUSTERS, jobset(replicas=3))
    assert "(12 pods of 4 google.com/tpu) must be in one cluster, and fits in none" in three.problems["x"]
    ray_of_two = one(spaced, CLUSTERS, ray(4, 2))
    assert shares(ray_of_two) == {"b": 1}


@pytest.mark.parametrize(
    ("own", "pods"),
    [
        (jobset(3), 3),
        (jobset(8), 8),
        (jobset(1, replicas=4), 1),
        (indexed(2), 2),
        (group(5), 5),
        (ray(1, 4), 1),
        (training(workers=4), 5),
        (manifest(objects.deployment("api", pod(), replicas=4)), 1),
        (manifest(objects.job("train", pod(), parallelism=4, completions=4)), 1),
    ],
)
def test_fewer_or_more_pods_than_the_slice_has_are_explained(own: Manifest, pods: int) -> None:
    placed = one({"a": member(whole="4x4")}, {"policy": "clusters", "clusters": ["a"]}, own)
    assert reasons(placed)["a"] == (
        f"pool whole is a slice of 4x4 for 4 pods that run together, and {pods} do: write 4 (of a JobSet's Job, an "
        "Indexed Job or a LeaderWorkerSet), or select another topology"
    )


def test_a_pod_of_a_slice_has_all_chips_of_its_node() -> None:
    placed = one({"a": member(whole="4x4")}, {"policy": "clusters", "clusters": ["a"]}, jobset(spec=pod(chips=1)))
    assert reasons(placed)["a"] == (
        "pool whole is a slice, whose pods each request all 4 google.com/tpu of a node; one requests 1"
    )
    more = one({"a": member(whole="4x4")}, {"policy": "clusters", "clusters": ["a"]}, jobset(spec=pod(chips=8)))
    assert reasons(more)["a"] == "no pool has 8 google.com/tpu on a node (whole has 4)"


def test_nodes_that_are_slices_by_themselves_take_any_number_of_pods() -> None:
    single = [replace(each, most=9) if each.pool == "single" else each for each in pools(single="2x2")]
    own = spaces({"": single})[""]
    for pods in (1, 3, 9):
        assert own.room(gang(pod_groups(jobset(pods, spec=pod("2x2"))))) == 9 // pods


def doubts_of(spec: Mapping[str, Any], **topologies: str) -> str:
    placed = one({"a": member(**topologies)}, {"policy": "clusters", "clusters": ["a"]}, jobset(spec=spec))
    return reasons(placed)["a"]


def test_what_cannot_be_judged_of_a_slice_is_reported() -> None:
    assert "they select no cloud.google.com/gke-tpu-topology" in doubts_of(pod(""), whole="4x4")
    assert "not judged" not in doubts_of(pod(), whole="4x4")
    assert "of the 4 google.com/tpu of a node of pool one" in doubts_of(pod("2x2", 1), one="2x2")


# Nodes that exist.


def live(nodes: list[Nodes], used: int = 0, missing: int = 0, chips: int = 4) -> list[Nodes]:
    """The nodes of each slice, as they exist, of which so many of the first are used, and so many are missing."""
    found: list[Nodes] = []
    for each in nodes:
        for number in range(each.most - missing if TPU in each.allocatable else 0):
            labels = {**each.labels, HOSTNAME: f"{each.pool}-{number}"}
            free = {**each.allocatable, TPU: 4 - chips if number < used else 4}
            found.append(replace(each, labels=labels, most=1, allocatable=free))
    return found


@pytest.mark.parametrize(("used", "missing", "fit"), [(0, 0, 2), (1, 0, 0), (2, 0, 0), (4, 0, 0), (0, 1, 0)])
def test_what_is_left_of_slices_that_are_used_is_no_slice(used: int, missing: int, fit: int) -> None:
    found = room(live(pools(one="4x4", two="4x4"), used, missing))
    assert fitting(found, gang(pod_groups(jobset())), 9) == fit


def test_a_slice_that_does_not_exist_yet_is_added_whole() -> None:
    both = pools(one="4x4", two="4x4")
    own = measured(spaces({"": both})[""], live([each for each in both if each.pool != "two"], used=4))
    wanted = gang(pod_groups(jobset()))
    assert own.now_and_whole(wanted) == (0, 1)
    assert own.growing(wanted, 1) == ["two"]


def node(number: int, chips: int = 4) -> dict[str, Any]:
    labels = {
        f"{GKE}/gke-nodepool": "slice",
        f"{GKE}/gke-tpu-topology": "4x4",
        f"{GKE}/gke-tpu-accelerator": "tpu-v5-lite-podslice",
        HOSTNAME: f"slice-{number}",
    }
    status = {"conditions": [{"type": "Ready", "status": "True"}], "allocatable": {TPU: str(chips), "cpu": "112"}}
    return {"metadata": {"name": f"slice-{number}", "labels": labels}, "spec": {}, "status": status}


def test_nodes_of_an_api_server_say_how_large_their_slice_is_and_status_counts_its_chips() -> None:
    nodes = [node(number) for number in range(4)]
    running = {"metadata": {"name": "x"}, "spec": {"nodeName": "slice-0", **pod()}, "status": {"phase": "Running"}}
    assert {each.slice_nodes for each in free_nodes(nodes, [running])} == {4}
    count = _accelerators(Answer("1.36", nodes=nodes, pods=[running]))
    assert {name: (each.total, each.good) for name, each in count.items()} == {"tpu-v5-lite-podslice": (16, 12)}
