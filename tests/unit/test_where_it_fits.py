"""Workloads of a stack are placed where they fit, one after the other, or refused with what to write."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from clusters.nodes.nodes import GPU, Nodes, Taint, nodes_of
from clusters.spec import Cluster
from placement.api.kinds import KNOWN
from placement.autoscaling.autoscalers import with_minima
from placement.fit.room import Gang, gang
from placement.fit.space import Space, measured
from placement.manifests.manifest import Manifest
from placement.pods.pods import pod_groups
from placement.policies.decision import Members
from placement.policies.ties import in_order
from placement.stack import Placed, empty, place_more
from placement.workload import Workload
from problems import SettingsError
from settings import parse
from tests import objects
from tests.rooms import ACCELERATOR, live, pool, space
from tests.unit.program import stack_settings
from tests.unit.test_autoscaled import hpa

REGIONS = {"asia": "asia-southeast1", "europe": "europe-west1", "serving": "europe-west1", "west": "us-west1"}
MEMBERS: Members = {name: {"region": region} for name, region in REGIONS.items()}
NEAREST = {"policy": "nearest", "to": "europe-west4"}
SPREAD = {"policy": "spread"}
SPARE = {"policy": "spare-capacity"}


def manifest(body: Mapping[str, Any]) -> Manifest:
    target = next(each for each in KNOWN.values() if each.kind == body["kind"])
    return Manifest(target, body["metadata"]["name"], body)


def pod(gpus: int = 1, **spec: Any) -> dict[str, Any]:
    resources = {"limits": {GPU: gpus}} if gpus else {}
    return {"containers": [{"name": "a", "image": "b", "resources": resources}], **spec}


def server(replicas: int = 3, gpus: int = 1, name: str = "api", **spec: Any) -> Manifest:
    return manifest(objects.deployment(name, pod(gpus, **spec), replicas=replicas))


def training(pods: int = 4, gpus: int = 1, name: str = "train", **spec: Any) -> Manifest:
    body = objects.job(name, pod(gpus, **spec), parallelism=pods, completions=pods, completionMode="Indexed")
    return manifest(body)


def place(
    spaces: Mapping[str, Space], placements: Mapping[str, Mapping[str, Any]], *manifests: Manifest, **settings: Any
) -> Placed:
    """The workloads with these placements, each of the same objects, on members with this space."""
    workloads = {
        name: Workload.model_validate({"manifests": "x.yaml", "namespace": "ai", "placement": each, **settings})
        for name, each in placements.items()
    }
    members = {name: MEMBERS.get(name, {"region": "us-east1"}) for name in spaces}
    return place_more(empty(spaces), workloads, workloads, dict.fromkeys(workloads, manifests), members)


def one(spaces: Mapping[str, Space], placement: Mapping[str, Any], *manifests: Manifest, **settings: Any) -> Placed:
    return place(spaces, {"x": placement}, *manifests, **settings)


def shares(placed: Placed, name: str = "x") -> dict[str, int]:
    return {each.cluster: each.share for each in placed.workloads[name].decisions if each.taken}


def reasons(placed: Placed, name: str = "x") -> dict[str, str]:
    return {each.cluster: each.reason for each in placed.workloads[name].decisions}


def gpus(most: int, now: int | None = None, each: int = 1) -> Space:
    nodes = pool(most, each)
    own = space(nodes, pool(3, 0))
    return own if now is None else measured(own, [live(nodes, number) for number in range(now)])


# What fits on no pool.


def test_a_cluster_is_a_candidate_only_where_every_pod_has_a_pool() -> None:
    spaces = {"asia": gpus(8), "europe": gpus(2, each=8), "west": space(pool(9, 0))}
    placed = one(spaces, SPREAD, server(2, 8))
    assert shares(placed) == {"europe": 2}
    assert reasons(placed) == {
        "asia": "no pool has 8 nvidia.com/gpu on a node (l4 has 1)",
        "europe": "the only candidate, gets 2 of 2",
        "west": "no pool has nvidia.com/gpu",
    }
    # The pods of what is beside it must have a pool there too.
    beside = server(1, 1, "other", nodeSelector={ACCELERATOR: "nvidia-tesla-a100"})
    spaces["west"] = space(pool(9, 1, "nvidia-tesla-a100"), pool(9, 8))
    placed = one(spaces, SPREAD, server(2, 8), beside)
    assert shares(placed) == {"west": 3}
    assert reasons(placed)["europe"] == "no pool has nvidia-tesla-a100 (l4 has nvidia-l4)"


def settings(*files: tuple[str, Sequence[Mapping[str, Any]], Mapping[str, Any]], folder: Path) -> dict[str, Any]:
    """Those of prod, of which workloads have these objects and placements."""
    raw = stack_settings("prod")
    raw["federation"] = {"host": "training"}
    raw["workloads"] = {}
    for name, bodies, placement in files:
        (folder / f"{name}.yaml").write_text(yaml.safe_dump_all(bodies))
        raw["workloads"][name] = {"manifests": f"{name}.yaml", "namespace": "ai", "placement": placement}
    return {key: raw[key] for key in ("clusters", "federation", "workloads")}


def refused(*files: tuple[str, Sequence[Mapping[str, Any]], Mapping[str, Any]], folder: Path) -> list[str]:
    try:
        parse(settings(*files, folder=folder), folder)
    except SettingsError as error:
        return [f"{each.setting}: {each.advice}" for each in error.problems]
    return []


def test_a_pod_that_fits_on_no_pool_of_the_stack_is_refused_with_the_nearest_misses(tmp_path: Path) -> None:
    large = objects.deployment("api", pod(8), replicas=1)
    assert refused(("x", [large], {"policy": "spread", "select": {"role": "serving"}}), folder=tmp_path) == [
        "workloads.x.placement: no cluster fits (serving: no pool has 8 nvidia.com/gpu on a node (l4 has 1); "
        "serving-asia: no pool has 8 nvidia.com/gpu on a node (l4 has 1); training: role is training, not serving); "
        "write a placement or pools that do"
    ]
    assert len(refused(("x", [objects.job("t", pod(8))], SPARE), folder=tmp_path)) == 1
    assert len(refused(("x", [objects.job("t", pod(8), completionMode="Indexed")], NEAREST), folder=tmp_path)) == 1


# More than fits.


def test_more_replicas_than_ever_fit_are_refused_with_the_number_to_raise(tmp_path: Path) -> None:
    placement = {"policy": "spread", "select": {"role": "serving"}}
    forty = objects.deployment("api", pod(), replicas=40)
    assert refused(("x", [forty], placement), folder=tmp_path) == [
        "workloads.x.placement: 40 of Deployment api do not fit: serving 8, serving-asia 8 at their largest; "
        "raise max_nodes, or write fewer"
    ]
    assert refused(("x", [objects.deployment("api", pod(), replicas=16)], placement), folder=tmp_path) == []
    limited = {**placement, "limits": {"serving": {"max": 2}}}
    assert refused(("x", [objects.deployment("api", pod(), replicas=11)], limited), folder=tmp_path) == [
        "workloads.x.placement: 11 of Deployment api do not fit: serving 2 by its maximum, serving-asia 8 at their "
        "largest; raise max_nodes, or write fewer"
    ]
    floor = {**placement, "limits": {"serving": {"min": 9}}}
    assert refused(("x", [objects.deployment("api", pod(), replicas=11)], floor), folder=tmp_path) == [
        "workloads.x.placement: serving has a minimum of 9 of Deployment api, and room for 8 at its largest; "
        "raise max_nodes of a pool that fits, or write a smaller minimum"
    ]


def test_what_one_workload_takes_is_not_there_for_the_next(tmp_path: Path) -> None:
    spaces = {"asia": gpus(4), "europe": gpus(4)}
    placed = place(spaces, {"a": NEAREST, "b": SPREAD}, server(4))
    assert shares(placed, "a") == {"europe": 4}
    assert shares(placed, "b") == {"asia": 4, "europe": 0}
    assert reasons(placed, "b")["europe"].endswith("but 4 over 2 clusters leaves it none, all that fits")
    third = place(spaces, {"a": NEAREST, "b": SPREAD, "c": SPREAD}, server(4))
    assert third.problems == {
        "c": "4 of Deployment api do not fit: asia 0, europe 0 at their largest beside the rest of the stack; "
        "raise max_nodes, or write fewer"
    }
    placement = {"policy": "spread", "select": {"role": "serving"}}
    ten, seven = (objects.deployment(f"api-{number}", pod(), replicas=number) for number in (10, 7))
    assert refused(("a", [ten], placement), ("b", [seven], placement), folder=tmp_path) == [
        "workloads.b.placement: 7 of Deployment api-7 do not fit: serving 3, serving-asia 3 at their largest beside "
        "the rest of the stack; raise max_nodes, or write fewer"
    ]


def test_pools_without_any_node_yet_are_counted(tmp_path: Path) -> None:
    # The A100 pool has a min_nodes of 0.
    assert refused(("x", [objects.job("t", pod(), parallelism=8)], NEAREST | {"to": "us-west1"}), folder=tmp_path) == []


def test_nearest_takes_the_nearest_in_which_all_of_it_fits() -> None:
    spaces = {"asia": gpus(9), "europe": gpus(1), "west": gpus(4)}
    placed = one(spaces, NEAREST, server(3))
    assert reasons(placed) == {
        "asia": "10,469 km from europe-west4; west (8,153 km) is nearer",
        "europe": "190 km from europe-west4, but has room for 1 of 3",
        "west": "nearest in which all of it fits; 8,153 km from europe-west4; asia-southeast1 is 10,469 km away",
    }
    assert shares(placed) == {"west": 3}
    two = NEAREST | {"count": 2}
    assert shares(one(spaces, two, server(5))) == {"europe": 1, "west": 4}
    placed = one(spaces, two, server(6))
    assert shares(placed) == {"asia": 3, "west": 3}
    assert reasons(placed)["europe"] == "190 km from europe-west4, but has room for 1 of 6"
    # What cannot be split evenly goes to the nearest, whatever the workload's name.
    uneven = {"asia": gpus(9), "europe": gpus(9), "west": gpus(9)}
    for name in "abcdef":
        assert shares(place(uneven, {name: two}, server(3)), name) == {"europe": 2, "west": 1}
    assert one(spaces, NEAREST, server(10)).problems == {
        "x": "10 of Deployment api do not fit: europe 1 at their largest; raise max_nodes, or write fewer"
    }


# Ties.


def spread_over(names: Sequence[str], workloads: Sequence[str], replicas: int = 3) -> dict[str, frozenset[str]]:
    placed = place({name: gpus(8) for name in names}, dict.fromkeys(workloads, SPREAD), server(replicas))
    assert not placed.problems
    return {name: frozenset(cluster for cluster, share in shares(placed, name).items() if share) for name in workloads}


def test_small_workloads_spread_and_nothing_moves_that_need_not() -> None:
    clusters = [f"cluster-{number}" for number in range(11)]
    workloads = [f"model-{number}" for number in range(10)]
    before = spread_over(clusters, workloads)
    assert all(len(each) == 3 for each in before.values())
    assert len(set(before.values())) > 5
    assert len(frozenset[str]().union(*before.values())) > 8
    # Another workload, whether its name is first or last.
    for new in ("a", "z"):
        assert {name: each for name, each in spread_over(clusters, [*workloads, new]).items() if name != new} == before
    # A cluster that goes takes only its own replicas along.
    for gone in clusters:
        after = spread_over([name for name in clusters if name != gone], workloads)
        for name in workloads:
            assert before[name] - {gone} <= after[name]
            assert len(after[name] - before[name]) == (gone in before[name])


def test_the_order_of_ties_is_of_each_workload() -> None:
    names = [*"abcdef"]
    assert in_order("x", names) == in_order("x", reversed(names))
    assert len({tuple(in_order(f"workload-{number}", names)) for number in range(20)}) == 20
    for gone in names:
        left = [name for name in names if name != gone]
        assert in_order("x", left) == [name for name in in_order("x", names) if name != gone]


# Spare capacity.


def test_spare_capacity_says_now_after_a_scale_up_or_never() -> None:
    spaces = {"asia": gpus(8, now=2), "europe": gpus(4, now=0), "serving": gpus(1, now=1), "west": gpus(0, now=0)}
    placed = one(spaces, SPARE, server(5))
    assert reasons(placed) == {
        "asia": "room for 2 now, 6 more after scale-up of l4, gets 4 of 5",
        "europe": "room for 4 after scale-up of l4, but all of it is placed in asia (4) and serving (1)",
        "serving": "room for 1 now, gets 1 of 5",
        "west": "no pool has nvidia.com/gpu",
    }
    never = one(spaces, SPARE, server(14))
    assert never.problems == {
        "x": "14 of Deployment api that each request 1 nvidia.com/gpu do not fit: asia has room for 2 now, 6 more "
        "after scale-up of l4, europe has room for 4 after scale-up of l4, serving has room for 1 now; "
        "raise max_nodes, or write fewer"
    }


def test_a_gang_needs_room_for_all_of_it() -> None:
    # Groups of a LeaderWorkerSet with 4 GPUs each: 3 nodes of 2 GPUs have room for one.
    template = {"spec": pod(2)}
    body: dict[str, Any] = {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": "llm"},
        "spec": {"replicas": 2, "leaderWorkerTemplate": {"size": 2, "workerTemplate": template}},
    }
    spaces = {"asia": gpus(3, now=3, each=2), "europe": gpus(3, now=1, each=2)}
    placed = one(spaces, SPARE, manifest(body))
    assert shares(placed) == {"asia": 1, "europe": 1}
    assert reasons(placed)["europe"] == "room for 1 after scale-up of l4, gets 1 of 2"
    refused = one(spaces, SPREAD, manifest({**body, "spec": {**body["spec"], "replicas": 3}}))
    assert refused.problems == {
        "x": "3 of LeaderWorkerSet llm do not fit: asia 1, europe 1 at their largest; raise max_nodes, or write fewer"
    }


def test_spare_capacity_that_never_fits_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    gang = objects.job("gang", pod(), parallelism=9, completionMode="Indexed")
    assert refused(("x", [gang], SPARE), folder=tmp_path) == [
        "workloads.x.placement: workload x (9 pods of 1 nvidia.com/gpu) must be in one cluster, and fits in none: "
        "serving has no room for 9 pods of 1 nvidia.com/gpu at its largest, serving-asia has no room for 9 pods of "
        "1 nvidia.com/gpu at its largest, training has no room for 9 pods of 1 nvidia.com/gpu at its largest; "
        "raise max_nodes of a pool that it fits on"
    ]


# Whole.


def test_what_runs_whole_is_in_the_nearest_cluster_in_which_all_of_it_fits() -> None:
    placed = one({"asia": gpus(8), "europe": gpus(3), "west": gpus(4)}, NEAREST, training(4))
    assert shares(placed) == {"west": 4}
    assert reasons(placed) == {
        "asia": "10,469 km from europe-west4; west (8,153 km) is nearer",
        "europe": "no room for 4 pods of 1 nvidia.com/gpu at its largest",
        "west": "runs whole; nearest in which 4 pods of 1 nvidia.com/gpu fit; 8,153 km from europe-west4; "
        "asia-southeast1 is 10,469 km away",
    }


def test_a_region_takes_the_cluster_with_the_most_room() -> None:
    region = {"policy": "region", "region": "europe-west1"}
    placed = one({"europe": gpus(4), "serving": gpus(9)}, region, training(4))
    assert shares(placed) == {"serving": 4}
    assert reasons(placed)["europe"] == "in europe-west1, but runs whole in serving, which has as much room or more"


def test_named_clusters_are_tried_in_their_order() -> None:
    spaces = {"asia": gpus(8), "europe": gpus(3), "west": gpus(4)}
    placed = one(spaces, {"policy": "clusters", "clusters": ["europe", "west", "asia"]}, training(4))
    assert shares(placed) == {"west": 4}
    assert reasons(placed) == {
        "asia": "named by the placement, but runs whole in west, which is named before it",
        "europe": "no room for 4 pods of 1 nvidia.com/gpu at its largest",
        "west": "runs whole; first of the named clusters in which 4 pods of 1 nvidia.com/gpu fit",
    }


def test_spare_capacity_takes_the_most_room_now_and_then_after_a_scale_up() -> None:
    spaces = {"asia": gpus(16, now=3), "europe": gpus(8, now=4), "west": gpus(9, now=0)}
    placed = one(spaces, SPARE, training(4))
    assert shares(placed) == {"europe": 4}
    assert reasons(placed) == {
        "asia": "room for 4 pods of 1 nvidia.com/gpu after scale-up of l4, but runs whole in europe, which has it now",
        "europe": "runs whole; room for 4 pods of 1 nvidia.com/gpu now",
        "west": "room for 4 pods of 1 nvidia.com/gpu after scale-up of l4, but runs whole in europe, which has it now",
    }
    placed = one(spaces, SPARE, training(5))
    assert shares(placed) == {"asia": 5}
    assert reasons(placed)["asia"] == "runs whole; room for 5 pods of 1 nvidia.com/gpu after scale-up of l4"


def test_what_runs_whole_and_fits_in_no_cluster_is_refused() -> None:
    placed = one({"asia": gpus(8), "europe": gpus(3)}, NEAREST, training(9))
    assert placed.problems == {
        "x": "workload x (9 pods of 1 nvidia.com/gpu) must be in one cluster, and fits in none: asia has no room for "
        "9 pods of 1 nvidia.com/gpu at its largest, europe has no room for 9 pods of 1 nvidia.com/gpu at its largest; "
        "raise max_nodes of a pool that it fits on"
    }


# Duplicated.


def test_what_is_duplicated_is_in_each_cluster_in_which_all_of_it_fits() -> None:
    spaces = {"asia": gpus(4), "europe": gpus(3), "west": gpus(9)}
    placed = one(spaces, SPREAD, server(4), run="duplicated")
    assert shares(placed) == {"asia": 4, "west": 4}
    assert reasons(placed) == {
        "asia": "one of 2 candidates, gets all of it",
        "europe": "no room for 4 pods of 1 nvidia.com/gpu at its largest",
        "west": "one of 2 candidates, gets all of it",
    }
    after = place(spaces, {"a": SPREAD, "b": SPREAD}, server(4), run="duplicated")
    assert shares(after, "b") == {"west": 4}
    assert reasons(after, "b")["asia"].endswith("at its largest beside the rest of the stack")


def test_a_daemon_set_takes_no_room_that_must_be_measured() -> None:
    daemons = manifest(objects.deployment("agent", pod(1), kind="DaemonSet"))
    placed = one({"asia": gpus(1), "europe": gpus(1), "west": space(pool(9, 0))}, SPARE, daemons)
    assert shares(placed) == {"asia": 1, "europe": 1}
    assert reasons(placed)["asia"] == "one of 2 candidates"
    assert reasons(placed)["west"] == "no pool has nvidia.com/gpu"


# What cannot be judged.


def test_what_cannot_be_judged_is_in_the_reason_of_each_cluster_that_is_taken() -> None:
    gated = server(2, 0, schedulingGates=[{"name": "x"}], nodeSelector={"example.com/rack": "a"})
    placed = one({"asia": gpus(4), "europe": gpus(3)}, NEAREST, gated)
    assert reasons(placed) == {
        "asia": "10,469 km from europe-west4; europe (190 km) is nearer",
        "europe": "190 km from europe-west4; asia-southeast1 is 10,469 km away; not judged: schedulingGates, "
        "label example.com/rack=a, which the settings do not give",
    }


def test_doubts_are_of_the_cluster_that_is_taken() -> None:
    gold = server(2, 0, nodeSelector={"example.com/rack": "a"})
    with_label = pool(3, 0)
    sure = space(Nodes("rack", {"example.com/rack": "a"}, with_label.allocatable, 3))
    spaces = {"asia": sure, "europe": gpus(3)}
    assert "not judged" in reasons(one(spaces, NEAREST, gold))["europe"]
    assert "not judged" not in reasons(one(spaces, {"policy": "clusters", "clusters": ["asia"]}, gold))["asia"]


# Autoscaled.


def test_no_cluster_gets_a_larger_maximum_than_fits() -> None:
    scaled = with_minima([server(), hpa(3, 12)])
    placed = one({"asia": gpus(9), "europe": gpus(4)}, SPREAD, *scaled)
    assert {each.cluster: each.most for each in placed.workloads["x"].decisions} == {"asia": (8,), "europe": (4,)}
    assert reasons(placed)["europe"].endswith(" to 4 of 3 to 12, all that fits")
    # What else the workload runs is counted too.
    placed = one({"asia": gpus(15), "europe": gpus(4)}, SPREAD, *scaled, server(4, name="other"))
    assert {each.cluster: each.most for each in placed.workloads["x"].decisions} == {"asia": (8, 4), "europe": (4, 0)}
    too_many = one({"asia": gpus(7), "europe": gpus(4)}, SPREAD, *scaled)
    assert too_many.problems["x"].startswith("12 of Deployment api do not fit: asia 7, europe 4 at their largest")


def test_a_maximum_takes_room_from_the_next_workload_but_by_spare_capacity_only_the_minimum_does() -> None:
    scaled = with_minima([server(), hpa(2, 6)])
    by_settings = place({"asia": gpus(8), "europe": gpus(6)}, {"a": NEAREST, "b": NEAREST, "c": SPREAD}, *scaled)
    assert shares(by_settings, "a") == {"europe": 2}
    assert shares(by_settings, "b") == {"asia": 2}
    assert by_settings.problems["c"].startswith("6 of Deployment api do not fit: asia 2, europe 0 at their largest")
    spaces = {"asia": gpus(3, now=3), "europe": gpus(2, now=2)}
    spare = place(spaces, {"a": SPARE, "b": SPARE}, *scaled)
    assert shares(spare, "a") == {"asia": 2}
    assert shares(spare, "b") == {"europe": 2}
    third = place(spaces, {"a": SPARE, "b": SPARE, "c": SPARE}, *scaled)
    assert third.problems["c"].endswith(
        "asia has room for 1 now, europe has no room, now or after a scale-up; raise max_nodes, or write fewer"
    )


QUEUED = Taint("cloud.google.com/gke-queued", "true", "NoSchedule")


def queued_pool(most: int) -> Nodes:
    pool_of_gpus = pool(most)
    return replace(pool_of_gpus, pool="queued", taints=(*pool_of_gpus.taints, QUEUED))


def test_a_queued_pool_has_room_only_for_what_waits_for_a_provisioning_request() -> None:
    own = {"europe": space(pool(1), queued_pool(9))}
    assert one(own, NEAREST, server(2)).problems["x"].startswith("2 of Deployment api do not fit: europe 1 at their")
    body = objects.deployment("api", pod(), replicas=9)
    body["metadata"]["labels"] = {"kueue.x-k8s.io/queue-name": "team"}
    placed = one(own, NEAREST, manifest(body))
    assert shares(placed) == {"europe": 9}
    assert "not judged" not in reasons(placed)["europe"]
    only = one({"europe": space(queued_pool(9)), "west": space(pool(1))}, NEAREST, server(1))
    assert shares(only) == {"west": 1}
    assert reasons(only)["europe"].startswith("pool queued is queued, and the pod waits for no ProvisioningRequest")


def test_a_decision_that_needs_a_doubtful_pool_says_so() -> None:
    sure, doubtful = pool(1), replace(pool(9), pool="odd", unsure=frozenset({ACCELERATOR}))
    own = {"europe": space(sure, doubtful)}
    l4: dict[str, Any] = {"nodeSelector": {ACCELERATOR: "nvidia-l4"}}
    assert "not judged" not in reasons(one(own, NEAREST, server(1, **l4)))["europe"]
    doubt = f"label {ACCELERATOR}=nvidia-l4, whose value on pool odd is not certain"
    assert reasons(one(own, NEAREST, server(2, **l4)))["europe"].endswith(f"; not judged: {doubt}")
    # What others take of the pool that is sure is not there for it.
    both = place(own, {"a": NEAREST, "b": NEAREST}, server(1, **l4))
    assert "not judged" not in reasons(both, "a")["europe"]
    assert reasons(both, "b")["europe"].endswith(f"; not judged: {doubt}")
    assert reasons(one(own, NEAREST, training(2, **l4)))["europe"].endswith(f"; not judged: {doubt}")
    # On a node that exists, the label is known.
    exists = {"europe": measured(own["europe"], [live(sure, 0)])}
    assert "not judged" not in reasons(one(exists, SPARE, server(1, **l4)))["europe"]
    assert doubt in reasons(one(exists, SPARE, server(2, **l4)))["europe"]


def of_settings(most: int) -> Nodes:
    """The nodes of a pool with L4, as the settings make them."""
    pools = {"l4": {"machine_type": "g2-standard-8", "max_nodes": most}}
    settings = {"region": "europe-west1", "slot": 0, "role": "serving", "node_pools": pools}
    return next(each for each in nodes_of(Cluster.model_validate(settings)) if each.pool == "l4")


def with_cpus(cpus: str, replicas: int = 1, gpus: int = 1) -> Manifest:
    resources = {"requests": {"cpu": cpus}, "limits": {GPU: gpus} if gpus else {}}
    tolerations = [{"operator": "Exists"}]
    spec = {"containers": [{"name": "a", "image": "b", "resources": resources}], "tolerations": tolerations}
    return manifest(objects.deployment("api", spec, replicas=replicas))


def test_what_fits_only_without_gkes_own_pods_is_reported() -> None:
    own = {"europe": space(of_settings(2))}
    assert "not judged" not in reasons(one(own, NEAREST, with_cpus("7", 2)))["europe"]
    # The node has 7.91 CPUs for pods, of which GKE's own request some.
    reason = reasons(one(own, NEAREST, with_cpus("7.9", 2)))["europe"]
    assert "; not judged: room beside GKE's own pods, about 0.659 CPUs and 1.2Gi on each node of l4" in reason
    # Two of them fill a node that takes one beside GKE's pods.
    reason = reasons(one(own, NEAREST, with_cpus("3.9", 3, gpus=0)))["europe"]
    assert "not judged: room beside GKE's own pods" in reason
    assert "not judged" not in reasons(one(own, NEAREST, with_cpus("3.9", 2, gpus=0)))["europe"]
    both = place(own, {"a": NEAREST, "b": NEAREST}, with_cpus("3.9", 2, gpus=0))
    assert "not judged" not in reasons(both, "a")["europe"]
    assert "not judged: room beside GKE's own pods" in reasons(both, "b")["europe"]
    # A node that exists has them already.
    there = live(of_settings(2), 0)
    assert not there.system
    exists = {"europe": measured(own["europe"], [there])}
    assert "not judged" not in reasons(one(exists, SPARE, with_cpus("7.9")))["europe"]
    assert "not judged: room beside" in reasons(one(exists, SPARE, with_cpus("7.9", 2)))["europe"]


def inference(gpus: int = 1) -> Manifest:
    container = {"name": "kserve-container", "resources": {"limits": {GPU: gpus}}}
    body = {"kind": "InferenceService", "metadata": {"name": "llm"}, "spec": {"predictor": {"containers": [container]}}}
    return manifest(body)


def test_what_has_no_number_takes_room_wherever_it_is() -> None:
    both = (server(1), inference())
    assert not place({"europe": gpus(4)}, {"a": NEAREST, "b": NEAREST}, *both).problems
    problems = place({"europe": gpus(3)}, {"a": NEAREST, "b": NEAREST}, *both).problems
    assert problems == {
        "b": "Deployment api does not fit: europe 0 at their largest beside the rest of the stack; "
        "raise max_nodes, or write fewer"
    }
    problems = place({"europe": gpus(2)}, {"a": NEAREST, "b": NEAREST}, *both).problems
    assert problems == {
        "b": "it fits in no cluster: europe has no room for InferenceService llm, which runs in each cluster, at its "
        "largest beside the rest of the stack; raise max_nodes"
    }
    # It also runs where replicas may be moved, and takes room beside the workload's own replicas.
    assert one({"europe": gpus(4)}, NEAREST, server(4), inference()).problems
    for policy in (NEAREST, SPREAD, SPARE):
        spaces = {"europe": gpus(3, now=3), "west": gpus(3, now=3), "asia": gpus(0, now=0)}
        placed = one(spaces, policy, server(2), inference())
        assert set(placed.workloads["x"].objects[1].clusters) == {"europe", "west"}
        left = {name: each.room(inference_unit()) for name, each in placed.space.items()}
        assert sum(left.values()) == 2, (policy, left)
        assert left["asia"] == 0
        assert reasons(placed)["asia"].startswith("no pool has nvidia.com/gpu")


def test_a_cluster_without_room_for_what_has_no_number_gets_nothing() -> None:
    placed = place({"europe": gpus(3), "west": gpus(9)}, {"a": NEAREST, "b": SPREAD}, server(1), inference())
    assert [*shares(placed, "a")] == ["europe"]
    assert sum(shares(placed, "b").values()) == 1
    only_europe = place({"europe": gpus(2), "west": gpus(9)}, {"a": NEAREST, "b": SPREAD}, server(1), inference())
    assert shares(only_europe, "b") == {"west": 1}
    assert only_europe.workloads["b"].clusters == ["west"]
    assert reasons(only_europe, "b")["europe"] == (
        "no room for InferenceService llm, which runs in each cluster, at its largest beside the rest of the stack"
    )


def inference_unit() -> Gang:
    return gang(pod_groups(inference()))


NEAR_DATA = {"policy": "nearest", "to": "gs://data"}


def test_what_fits_near_no_bucket_is_refused_before_its_location_is_known(tmp_path: Path) -> None:
    def advice(replicas: int, count: int = 1, **spec: Any) -> list[str]:
        api = objects.deployment("api", pod(), replicas=replicas)
        return refused(("x", [api], {**NEAR_DATA, "count": count, **spec}), folder=tmp_path)

    # The two serving clusters have 8 each, and the training cluster has 8.
    assert advice(8) == []
    assert advice(9) == [
        "workloads.x.placement: wherever gs://data is: 9 of Deployment api do not fit: serving 8 at their largest; "
        "raise max_nodes, or write fewer"
    ]
    assert advice(16, 2) == []
    assert len(advice(17, 2)) == 1
    assert advice(24, 3) == []
    whole = objects.job("train", pod(), parallelism=9, completions=9, completionMode="Indexed")
    (text,) = refused(("x", [whole], NEAR_DATA), folder=tmp_path)
    assert text.startswith("workloads.x.placement: wherever gs://data is: workload x (9 pods of 1 nvidia.com/gpu)")
    # Beside what the settings place.
    rest = ("rest", [objects.deployment("rest", pod(), replicas=24)], SPREAD)
    (text,) = refused(rest, ("x", [objects.deployment("api", pod(), replicas=1)], NEAR_DATA), folder=tmp_path)
    assert "Deployment api does not fit: " in text and "beside the rest of the stack" in text


def test_a_cluster_without_room_is_none_of_the_nearest() -> None:
    spaces = {"europe": space(pool(1)), "west": gpus(9), "asia": gpus(9)}
    placed = place(spaces, {"a": NEAREST, "b": {**NEAREST, "count": 2}}, server(1))
    assert shares(placed, "a") == {"europe": 1}
    # One that is full would have been counted, with a share of 0.
    assert sum(shares(placed, "b").values()) == 1
    assert {*shares(placed, "b")} == {"west", "asia"}
    assert reasons(placed, "b")["europe"] == "190 km from europe-west4, but has room for 0 of 1"


def test_what_a_queue_admits_needs_room_by_itself_alone() -> None:
    """Trainings that wait for each other are more than the pools ever hold at once."""
    own, nearest = {"europe": gpus(4)}, {"first": NEAREST, "second": NEAREST}
    assert "second" in place(own, nearest, training(4)).problems
    body = dict(training(4).body)
    body["metadata"] = {**body["metadata"], "labels": {"kueue.x-k8s.io/queue-name": "team"}}
    placed = place(own, nearest, manifest(body))
    assert placed.problems == {}
    for name in nearest:
        assert shares(placed, name) == {"europe": 4}
        assert reasons(placed, name)["europe"].endswith("; not judged: when Kueue admits Job train")
    big = dict(training(5).body)
    big["metadata"] = {**big["metadata"], "labels": {"kueue.x-k8s.io/queue-name": "team"}}
    assert "fits in none" in place(own, {"x": NEAREST}, manifest(big)).problems["x"]
