"""What is decided by asking the members: by what is free, once, and seen."""

import json
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from clusters.nodes.nodes import GPU, nodes_of
from clusters.spec import Cluster, member_labels
from federation import decisions, memory
from federation.api_client import NoAnswer
from federation.free_nodes import Measured
from placement.copies import PlacedWorkload
from placement.starting import Running
from problems import SettingsError
from settings import Settings, parse
from tests.objects import deployment, job
from tests.rooms import live
from tests.unit.program import run_program, stack_settings


class World:
    """Members with free accelerators, and what the host remembers.

    `nodes` is how many nodes with accelerators each has; what is not free on them is taken by others. `most` is how
    many a pool can have.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.free = {"training": 0, "serving": 1, "serving-asia": 4}
        self.nodes = dict.fromkeys(self.free, 8)
        self.most = 8
        self.dead: set[str] = set()
        self.remembered: dict[str, str] = {}
        self.measured = 0
        self.cordoned = 0
        self.running: dict[Running, int] = {}

    def measure(self, member: str, kubeconfig: str) -> Measured:
        self.measured += 1
        if member in self.dead:
            raise NoAnswer(f"{member} does not answer")
        cluster = Cluster.model_validate(stack_settings("prod")["clusters"][member])
        (pool,) = (each for each in nodes_of(cluster) if GPU in each.allocatable)
        free = [live(pool, number, int(number < self.free[member])) for number in range(self.nodes[member])]
        return Measured(free, {pool.pool: self.nodes[member] + self.cordoned}, self.running)

    def annotation(self, host: str, kubeconfig: str, manifest: Any, namespace: str, key: str) -> str:
        return self.remembered.get(manifest.name, "")

    def settings(self, *jobs: tuple[str, int], image: str = "train:1") -> dict[str, Any]:
        """Those of prod with Jobs of so many pods, each of one GPU, where there is room."""
        settings = stack_settings("prod")
        for cluster in settings["clusters"].values():
            for pool in cluster["node_pools"].values():
                pool.update(min_nodes=0, max_nodes=self.most)
        settings["workloads"] = {
            name: {"manifests": f"{name}.yaml", "namespace": "ai", "placement": {"policy": "spare-capacity"}}
            for name, _ in jobs
        }
        for name, pods in jobs:
            container = {"name": "train", "image": image, "resources": {"limits": {GPU: "1"}}}
            body = job(name, {"containers": [container]}, parallelism=pods)
            (self.folder / f"{name}.yaml").write_text(yaml.safe_dump(body))
        return settings

    def parsed(self, *jobs: tuple[str, int], image: str = "train:1") -> Settings:
        raw = self.settings(*jobs, image=image)
        return parse({key: raw[key] for key in ("clusters", "federation", "workloads")}, self.folder)

    def decide(self, *jobs: tuple[str, int], image: str = "train:1") -> dict[str, PlacedWorkload]:
        settings = self.parsed(*jobs, image=image)
        members = {name: member_labels(cluster) for name, cluster in settings.clusters.items()}
        return decisions.by_spare_capacity(
            settings.workloads,
            settings.manifests,
            settings.federation.host,
            members,
            dict.fromkeys(members, ""),
            settings.decided,
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    world = World(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(decisions, "measure", world.measure)
    monkeypatch.setattr(memory, "federated_annotation", world.annotation)
    return world


def shares(placed: PlacedWorkload) -> dict[str, int]:
    return {each.cluster: each.share for each in placed.decisions if each.share}


def test_a_job_goes_where_there_is_room(world: World) -> None:
    assert shares(world.decide(("train", 4))["train"]) == {"serving-asia": 4}


def test_what_is_decided_is_done_and_no_secret(world: World) -> None:
    run = run_program("prod", world.settings(("train", 4)))
    assert [each["share"] for each in run.outputs["placements"]["train"]] == [0, 4, 0]
    assert "placements" not in run.secret_outputs
    job = run.one("FederatedJob", "train")
    assert job.inputs["spec"]["placement"] == {"clusters": [{"name": "serving-asia"}]}
    assert "spec" not in job.secrets
    kept = json.loads(job.inputs["metadata"]["annotations"]["geo-federation/decision"])
    assert [each["share"] for each in kept["decisions"]] == [0, 4, 0]


def test_a_second_workload_gets_what_the_first_one_leaves(world: World) -> None:
    placed = world.decide(("first", 4), ("second", 1))
    assert shares(placed["first"]) == {"serving-asia": 4}
    assert shares(placed["second"]) == {"serving": 1}


def test_a_job_stays_where_it_was_decided(world: World) -> None:
    world.remembered["train"] = world.decide(("train", 4))["train"].memory
    world.free = {"training": 8, "serving": 0, "serving-asia": 0}
    world.measured = 0
    placed = world.decide(("train", 4), image="train:2")["train"]
    assert shares(placed) == {"serving-asia": 4}
    assert placed.memory == world.remembered["train"]
    assert world.measured == 0


def test_a_job_that_asks_for_something_else_is_decided_again(world: World) -> None:
    world.remembered["train"] = world.decide(("train", 4))["train"].memory
    world.free = {"training": 8, "serving": 0, "serving-asia": 0}
    assert shares(world.decide(("train", 5))["train"]) == {"training": 5}


def test_a_memory_of_members_that_are_gone_is_none(world: World) -> None:
    remembered = json.loads(world.decide(("train", 4))["train"].memory)
    remembered["decisions"][0]["cluster"] = "gone"
    world.remembered["train"] = json.dumps(remembered)
    world.free["training"] = 8
    assert "gone" not in shares(world.decide(("train", 4))["train"])


def test_a_member_that_does_not_answer_has_no_room(world: World) -> None:
    world.dead = {"serving-asia"}
    placed = world.decide(("train", 1))["train"]
    assert shares(placed) == {"serving": 1}
    # Nor is anything said to fit there once nodes are added.
    world.nodes = dict.fromkeys(world.nodes, 0)
    world.free = dict.fromkeys(world.free, 0)
    assert "serving-asia" not in shares(world.decide(("train", 16))["train"])
    with pytest.raises(pulumi.RunError, match="serving-asia has no room, now or after a scale-up"):
        world.decide(("train", 17))


def test_what_fits_nowhere_is_told_with_its_numbers(world: World) -> None:
    with pytest.raises(pulumi.RunError, match=r"workloads\.train\.placement: .*9.*nvidia\.com/gpu") as error:
        world.decide(("train", 9))
    assert all(name in str(error.value) for name in world.free)


SCALER = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "scaler"}}


def autoscaled(world: World, most: int = 12) -> dict[str, Any]:
    """The settings of a workload that an autoscaler scales from 5 up."""
    settings = world.settings(("api", 1))
    settings["federation"]["types"] = ["deployments.apps", "horizontalpodautoscalers.autoscaling"]
    container = {"name": "a", "image": "b", "resources": {"limits": {GPU: "1"}}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"}
    scaler = SCALER | {"spec": {"scaleTargetRef": target, "minReplicas": 5, "maxReplicas": most}}
    (world.folder / "api.yaml").write_text(yaml.safe_dump_all([deployment("api", {"containers": [container]}), scaler]))
    return settings


def placed_in(world: World, raw: dict[str, Any]) -> PlacedWorkload:
    settings = parse({key: raw[key] for key in ("clusters", "federation", "workloads")}, world.folder)
    members = {name: member_labels(cluster) for name, cluster in settings.clusters.items()}
    host, unused, before = settings.federation.host, dict.fromkeys(members, ""), settings.decided
    return decisions.by_spare_capacity(settings.workloads, settings.manifests, host, members, unused, before)["api"]


def test_the_parts_of_an_autoscaler_stay_as_they_were_decided(world: World) -> None:
    first = placed_in(world, autoscaled(world))
    assert shares(first) == {"serving": 1, "serving-asia": 4}
    world.remembered["api"] = first.memory
    world.free = {"training": 8, "serving": 0, "serving-asia": 0}
    world.measured = 0
    again = placed_in(world, autoscaled(world))
    assert again == first
    assert world.measured == 0
    # Another maximum is another decision.
    assert shares(placed_in(world, autoscaled(world, most=13))) == {"training": 5}


def test_an_autoscaled_object_is_written_without_a_preference(world: World) -> None:
    settings = autoscaled(world)
    settings["workloads"]["api"]["placement"] = {"policy": "spread", "select": {"role": "serving"}}
    run = run_program("prod", settings)
    spec = run.one("FederatedDeployment", "api").inputs["spec"]
    assert spec["retainReplicas"] is True
    assert spec["placement"] == {"clusters": [{"name": "serving"}, {"name": "serving-asia"}]}
    assert "overrides" not in spec
    assert spec["template"]["spec"]["replicas"] == 2
    assert run.of_kind("ReplicaSchedulingPreference") == []
    parts = {
        each["clusterName"]: {patch["path"]: patch["value"] for patch in each["clusterOverrides"]}
        for each in run.one("FederatedHorizontalPodAutoscaler", "scaler").inputs["spec"]["overrides"]
    }
    assert parts == {
        "serving": {"/spec/minReplicas": 3, "/spec/maxReplicas": 6},
        "serving-asia": {"/spec/minReplicas": 2, "/spec/maxReplicas": 6},
    }


def reasons(placed: PlacedWorkload) -> dict[str, str]:
    return {each.cluster: each.reason for each in placed.decisions}


def test_what_fits_after_a_scale_up_comes_after_what_fits_now(world: World) -> None:
    world.nodes = {"training": 2, "serving": 1, "serving-asia": 4}
    placed = world.decide(("train", 7))["train"]
    assert shares(placed) == {"serving-asia": 4, "serving": 3}
    assert reasons(placed) == {
        "serving": "room for 1 now, 7 more after scale-up of l4, gets 3 of 7",
        "serving-asia": "room for 4 now, 4 more after scale-up of l4, gets 4 of 7",
        "training": "room for 6 after scale-up of a100, but all of it is placed in serving (3) and serving-asia (4)",
    }


def test_pools_without_a_node_are_filled_after_a_scale_up(world: World) -> None:
    world.free = world.nodes = dict.fromkeys(world.free, 0)
    placed = world.decide(("train", 20))["train"]
    assert sorted(shares(placed).values()) == [4, 8, 8]
    assert all("room for 8 after scale-up of " in each for each in reasons(placed).values())


def test_more_than_ever_fits_is_refused_before_any_cluster_is_asked(world: World) -> None:
    with pytest.raises(SettingsError) as error:
        world.parsed(("train", 25))
    (problem,) = error.value.problems
    assert problem.setting == "workloads.train.placement"
    assert problem.advice == (
        "25 of Job train that each request 1 nvidia.com/gpu do not fit: serving has room for 8 after scale-up of l4, "
        "serving-asia has room for 8 after scale-up of l4, training has room for 8 after scale-up of a100; "
        "raise max_nodes, or write fewer"
    )
    with pytest.raises(SettingsError, match=r"workloads\.second\.placement: 5 of Job second"):
        world.parsed(("first", 20), ("second", 5))
    world.parsed(("first", 20), ("second", 4))
    assert not world.measured


def test_what_runs_whole_needs_room_for_its_minimum(world: World) -> None:
    settings = autoscaled(world)
    settings["workloads"]["api"]["run"] = "whole"
    with pytest.raises(pulumi.RunError, match="5 pods of 1 nvidia"):
        placed_in(world, settings)
    world.free["serving"] = 5
    placed = placed_in(world, settings)
    assert shares(placed) == {"serving": 5}
    assert "autoscaled from 5 to 12" in placed.decisions[0].reason


def test_autoscalers_are_checked_and_noted_with_the_settings(world: World) -> None:
    raw = autoscaled(world, most=4)
    plain = {key: raw[key] for key in ("clusters", "federation", "workloads")}
    with pytest.raises(SettingsError, match="minReplicas 5 is above maxReplicas 4"):
        parse(plain, world.folder)
    file = world.folder / "api.yaml"
    *others, scaler = yaml.safe_load_all(file.read_text())
    metric = {"metric": {"name": "queue"}, "target": {"type": "AverageValue", "averageValue": "10"}}
    scaler["spec"] |= {"maxReplicas": 12, "metrics": [{"type": "External", "external": metric}]}
    file.write_text(yaml.safe_dump_all([*others, scaler]))
    (note,) = parse(plain, world.folder).notes
    assert note.startswith("workloads.api.manifests: HorizontalPodAutoscaler scaler: where what External measures")


def test_a_job_is_decided_again_where_its_pools_have_become_too_small(world: World) -> None:
    world.remembered["train"] = world.decide(("train", 4))["train"].memory
    world.nodes = {"training": 8, "serving": 8, "serving-asia": 4}
    world.free = {"training": 3, "serving": 3, "serving-asia": 0}
    world.most = 3
    assert shares(world.decide(("train", 4))["train"]) in ({"training": 3, "serving": 1}, {"training": 1, "serving": 3})
    # It stays where there is less room, and still enough for it.
    world.most = 4
    assert shares(world.decide(("train", 4))["train"]) == {"serving-asia": 4}


def test_of_two_jobs_one_stays_where_the_pools_have_room_for_one(world: World) -> None:
    world.free["serving-asia"] = 8
    for name, placed in world.decide(("first", 4), ("second", 4)).items():
        assert shares(placed) == {"serving-asia": 4}
        world.remembered[name] = placed.memory
    world.free = {"training": 6, "serving": 0, "serving-asia": 0}
    world.most = 6
    placed = world.decide(("first", 4), ("second", 4))
    assert shares(placed["first"]) == {"serving-asia": 4}
    assert shares(placed["second"]) == {"training": 4}


def beside_another(world: World, pods: int, train: int = 6) -> dict[str, int]:
    """Where a Job by spare capacity is placed beside one of so many pods that the settings place in serving-asia."""
    raw = world.settings(("another", pods), ("train", train))
    raw["workloads"]["another"]["placement"] = {"policy": "clusters", "clusters": ["serving-asia"]}
    settings = parse({key: raw[key] for key in ("clusters", "federation", "workloads")}, world.folder)
    members = {name: member_labels(cluster) for name, cluster in settings.clusters.items()}
    host, unused, before = settings.federation.host, dict.fromkeys(members, ""), settings.decided
    placed = decisions.by_spare_capacity(settings.workloads, settings.manifests, host, members, unused, before)
    assert [*placed] == ["train"]
    return shares(placed["train"])


def test_a_job_does_not_give_way_to_what_comes_later(world: World) -> None:
    world.free["serving-asia"] = 8
    world.remembered["train"] = world.decide(("train", 6))["train"].memory
    world.free = {"training": 8, "serving": 8, "serving-asia": 2}

    assert beside_another(world, 4) == {"serving-asia": 6}
    # With fewer nodes than when it was decided, there is no room for both.
    world.most = 7
    assert "serving-asia" not in beside_another(world, 4)


def test_a_memory_without_its_room_holds_while_the_pools_have_room_for_it_alone(world: World) -> None:
    memory = json.loads(world.decide(("train", 4))["train"].memory)
    assert memory.pop("room") == {"serving-asia": [8]}
    world.remembered["train"] = json.dumps(memory)
    world.free = {"training": 3, "serving": 3, "serving-asia": 0}
    assert shares(world.decide(("train", 4))["train"]) == {"serving-asia": 4}
    world.most = 3
    assert "serving-asia" not in shares(world.decide(("train", 4))["train"])


def test_what_another_workload_is_about_to_take_is_not_free(world: World) -> None:
    # Others take 2 nodes there, and the stack's own other Job has 4 pods, which do not run yet.
    world.free = {"training": 0, "serving": 1, "serving-asia": 6}
    assert beside_another(world, 4, train=3) == {"serving-asia": 2, "serving": 1}
    # Once they run, they are among what is measured.
    labels = frozenset({"batch.kubernetes.io/job-name": "another", "pod-template-hash": "a"}.items())
    world.running = {Running("ai", labels, ((GPU, 1),)): 4}
    world.free["serving-asia"] = 2
    assert beside_another(world, 4, train=3) == {"serving-asia": 2, "serving": 1}
    # These are others.
    world.running = {
        Running("other", labels, ((GPU, 1),)): 4,
        Running("ai", labels, ((GPU, 2),)): 4,
        Running("ai", frozenset({("batch.kubernetes.io/job-name", "train")}), ((GPU, 1),)): 4,
    }
    world.free |= {"serving": 3, "serving-asia": 6}
    assert beside_another(world, 4, train=3) == {"serving": 3}


def test_a_node_that_takes_no_pods_is_one_of_its_pool(world: World) -> None:
    world.free = world.nodes = {"training": 0, "serving": 0, "serving-asia": 4}
    world.cordoned = 4
    placed = world.decide(("train", 5))["train"]
    assert shares(placed)["serving-asia"] == 4
    assert reasons(placed)["serving-asia"] == "room for 4 now, gets 4 of 5"
    assert [each for each in reasons(placed).values() if "room for 4 after scale-up" in each]
