"""What runs whole is in one cluster, what is duplicated in each that is taken, and contradictions are refused."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from clusters.spec import member_labels
from federation.decisions import by_spare_capacity
from federation.fixed_fields import another_run
from placement.api.kinds import KNOWN
from placement.api.pod_kinds import Run
from placement.checks import check_placement
from placement.copies import PlacedWorkload, place_workload, template
from placement.facts import facts_of
from placement.fit.space import Space, spaces
from placement.manifests.manifest import Manifest
from placement.pods.runs import run_of
from placement.policies.place import NothingFits
from placement.workload import Workload
from problems import SettingsError
from settings import parse
from tests import objects, rooms
from tests.unit.program import Run as ProgramRun
from tests.unit.program import run_program, stack_settings
from tests.unit.test_decisions import World, world
from tests.unit.test_pods import GPU
from tests.unit.test_pods import template as pod_template

__all__ = ["world"]

MEMBERS = {
    "asia": {"role": "serving", "region": "asia-southeast1", "accelerator/nvidia-l4": "true"},
    "europe": {"role": "serving", "region": "europe-west1", "accelerator/nvidia-l4": "true"},
    "paris": {"role": "training", "region": "europe-west9", "accelerator/nvidia-l4": "true"},
    "west": {"role": "training", "region": "us-west1"},
}
L4 = {"cloud.google.com/gke-accelerator": "nvidia-l4"}
# Nodes with GPUs are for pods that request them, and for others that say so.
ON_L4: dict[str, Any] = {"nodeSelector": L4, "tolerations": [{"operator": "Exists"}]}
EIGHT = rooms.pool(12, 8)
SPACE = spaces({name: [rooms.pool(12, 0), *([EIGHT] if name != "west" else [])] for name in MEMBERS})


def of(body: Mapping[str, Any]) -> Manifest:
    (target,) = (each for each in KNOWN.values() if (each.kind, each.api_version) == (body["kind"], body["apiVersion"]))
    return Manifest(target, body["metadata"]["name"], body)


def deployment(replicas: int = 3) -> Manifest:
    return of(objects.deployment(replicas=replicas))


def database(replicas: int = 3) -> Manifest:
    return of(objects.deployment("db", kind="StatefulSet", replicas=replicas))


def indexed(pods: int = 4, **pod: Any) -> Manifest:
    return of(objects.job(pod=pod, completionMode="Indexed", parallelism=pods, completions=pods))


def job_set(gpus: int = 8) -> Manifest:
    job = {"name": "w", "replicas": 2, "template": {"spec": {"parallelism": 2, "template": pod_template("w", gpus)}}}
    spec = {"replicatedJobs": [job], "ttlSecondsAfterFinished": 5}
    return of({"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"name": "train"}, "spec": spec})


SERVICE = of({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "db"}, "spec": {}})
DAEMONS = of(objects.deployment("d", kind="DaemonSet"))


def workload(placement: Mapping[str, Any], run: Run | None = None) -> Workload:
    return Workload.model_validate({"manifests": "x.yaml", "namespace": "ai", "placement": placement, "run": run})


def placed(placement: Mapping[str, Any], *manifests: Manifest, run: Run | None = None) -> PlacedWorkload:
    own = workload(placement, run)
    return place_workload(own, manifests, MEMBERS, facts_of("w", own, manifests, SPACE))


def problems(placement: Mapping[str, Any], *manifests: Manifest, run: Run | None = None) -> list[str]:
    return [str(each) for each in check_placement("w", workload(placement, run), manifests, MEMBERS, SPACE)]


def where(workload: PlacedWorkload) -> list[list[str]]:
    return [list(each.clusters) for each in workload.objects]


def shares(workload: PlacedWorkload) -> dict[str, int]:
    return {each.cluster: each.share for each in workload.decisions if each.share}


def test_one_object_that_is_whole_keeps_all_of_the_workload_together() -> None:
    assert run_of([deployment(), SERVICE]) == "divided"
    assert run_of([deployment(), database(), SERVICE]) == "whole"
    assert run_of([SERVICE, DAEMONS]) == run_of([]) == "duplicated"
    assert run_of([database()], "divided") == "divided"


# The policy, where what is whole runs, and the reasons there and in one other cluster.
POLICIES: list[tuple[dict[str, Any], str, str, tuple[str, str]]] = [
    (
        {"policy": "nearest", "to": "europe-west4"},
        "europe",
        "runs whole; nearest in which {what}; 190 km from europe-west4; europe-west9 is 419 km away",
        ("paris", "419 km from europe-west4; europe (190 km) is nearer"),
    ),
    (
        {"policy": "clusters", "clusters": ["west", "paris", "asia"]},
        "paris",
        "runs whole; first of the named clusters in which {what}",
        ("asia", "named by the placement, but runs whole in paris, which is named before it"),
    ),
    (
        {"policy": "clusters", "clusters": ["asia"]},
        "asia",
        "runs whole; named by the placement",
        ("west", "not among"),
    ),
    (
        {"policy": "region", "region": "europe-west1"},
        "europe",
        "runs whole; in europe-west1",
        ("west", "in us-west1, not"),
    ),
    (
        {"policy": "spread", "select": {"region": "europe-west1"}},
        "europe",
        "runs whole; the only candidate",
        ("west", ""),
    ),
    ({"policy": "weighted", "weights": {"asia": 2}}, "asia", "runs whole; weight 2 of 2", ("west", "not among")),
]


@pytest.mark.parametrize(("placement", "cluster", "reason", "other"), POLICIES)
@pytest.mark.parametrize("main", [indexed(4, **ON_L4), database(), job_set()], ids=["indexed", "set", "jobset"])
def test_what_is_whole_is_in_the_first_cluster_of_the_policys_order(
    placement: dict[str, Any], cluster: str, reason: str, other: tuple[str, str], main: Manifest
) -> None:
    manifests = (main, of(objects.job("gpu", pod=ON_L4, parallelism=2)), SERVICE)
    workload = placed(placement, *manifests)
    assert where(workload) == [[cluster]] * 3
    count = {"JobSet": 0, "StatefulSet": 3}.get(main.type.kind, 4)
    assert shares(workload) == {cluster: count + 2}
    decisions = {each.cluster: each for each in workload.decisions}
    what = f"4 pods of 8 {GPU} fit" if main.type.kind == "JobSet" else "all of it fits"
    assert decisions[cluster].reason == reason.format(what=what)
    assert decisions[other[0]].reason.startswith(other[1])
    assert all(not each.overrides for each in workload.objects)
    assert problems(placement, *manifests) == []


@pytest.mark.parametrize(("nodes", "taken", "other"), [((4, 9), "ghent", "europe"), ((9, 4), "europe", "ghent")])
def test_of_several_clusters_in_a_region_the_one_with_the_most_room_runs_it(
    nodes: tuple[int, int], taken: str, other: str
) -> None:
    members = {"europe": MEMBERS["europe"], "ghent": MEMBERS["europe"]}
    pools = {name: [rooms.pool(most, 8)] for name, most in zip(members, nodes, strict=True)}
    manifests = (job_set(8), SERVICE)
    own = workload({"policy": "region", "region": "europe-west1"})
    decisions = place_workload(own, manifests, members, facts_of("w", own, manifests, spaces(pools))).decisions
    assert {each.cluster: (each.share, each.reason) for each in decisions} == {
        taken: (1, "runs whole; in europe-west1, the one with the most room"),
        other: (0, f"in europe-west1, but runs whole in {taken}, which has as much room or more"),
    }


def test_an_indexed_job_keeps_all_of_its_indexes() -> None:
    workload = placed({"policy": "clusters", "clusters": ["asia", "europe"]}, indexed(4))
    (each,) = workload.objects
    spec = template(each.manifest)["spec"]
    assert (spec["parallelism"], spec["completions"], each.overrides) == (4, 4, {})
    assert shares(workload) == {"asia": 4}


def test_kubefed_moves_nothing_of_a_whole_workload_to_another_cluster() -> None:
    workload = placed({"policy": "nearest", "to": "europe-west4"}, deployment(3), database(), SERVICE)
    api, *_ = workload.objects
    assert api.preference and api.preference["totalReplicas"] == 3
    assert api.preference["clusters"] == {"europe": {"weight": 3000, "minReplicas": 3, "maxReplicas": 3}}
    assert where(workload) == [["europe"]] * 3
    assert shares(workload) == {"europe": 6}


def test_a_deployment_can_be_kept_whole() -> None:
    workload = placed({"policy": "clusters", "clusters": ["europe", "asia"]}, deployment(5), run="whole")
    assert (shares(workload), where(workload)) == ({"europe": 5}, [["europe"]])


@pytest.mark.parametrize(
    "placement",
    [
        {"policy": "spread", "select": {"role": "serving"}},
        {"policy": "clusters", "clusters": ["asia", "europe"]},
        {"policy": "nearest", "to": "europe-west4", "count": 2},
    ],
    ids=lambda each: each["policy"],
)
def test_what_is_duplicated_has_all_of_it_in_each_cluster_that_is_taken(placement: dict[str, Any]) -> None:
    workload = placed(placement, deployment(3), database(2), SERVICE, run="duplicated")
    taken = ["europe", "paris"] if placement["policy"] == "nearest" else ["asia", "europe"]
    assert where(workload) == [taken] * 3
    assert shares(workload) == dict.fromkeys(taken, 5)
    api, db, _ = workload.objects
    assert db.overrides == {} and template(db.manifest)["spec"]["replicas"] == 2
    rule = {"weight": 3000, "minReplicas": 3, "maxReplicas": 3}
    assert api.preference and api.preference["totalReplicas"] == 6
    assert api.preference["clusters"] == dict.fromkeys(taken, rule)
    assert all(each.reason.endswith(", gets all of it") for each in workload.decisions if each.taken)


def test_a_stateful_set_can_be_divided() -> None:
    workload = placed({"policy": "clusters", "clusters": ["asia", "europe"]}, database(3), run="divided")
    (each,) = workload.objects
    parts = {name: [patch["value"] for patch in patches] for name, patches in each.overrides.items()}
    assert sorted(parts["asia"] + parts["europe"]) == [1, 2]


def test_a_leader_worker_set_is_divided_by_its_groups() -> None:
    body: dict[str, Any] = {
        "apiVersion": "leaderworkerset.x-k8s.io/v1",
        "kind": "LeaderWorkerSet",
        "metadata": {"name": "llm"},
        "spec": {"replicas": 3, "leaderWorkerTemplate": {"size": 2, "workerTemplate": pod_template("w", 8)}},
    }
    placement: dict[str, Any] = {"policy": "spread", "select": {"role": "serving"}}
    assert [unit.requested for unit in facts_of("w", workload(placement), [of(body)]).units] == [f"2 pods of 8 {GPU}"]
    (each,) = placed(placement, of(body)).objects
    parts = {name: [(patch["path"], patch["value"]) for patch in patches] for name, patches in each.overrides.items()}
    assert {path for each in parts.values() for path, _ in each} == {"/spec/replicas"}
    assert sorted(part for each in parts.values() for _, part in each) == [1, 2]


SPREAD: dict[str, Any] = {"policy": "spread"}
CLUSTERS: dict[str, Any] = {"policy": "clusters", "clusters": ["asia"]}
REFUSED: list[tuple[dict[str, Any], Run | None, Manifest, str, list[str]]] = [
    (SPREAD, None, indexed(), "workloads.w.placement.policy: 'spread'", ["Indexed Job train runs whole", "4 clusters"]),
    (
        SPREAD,
        None,
        job_set(),
        "workloads.w.placement.policy: 'spread'",
        ["JobSet train", "write policy: nearest", "run: "],
    ),
    (SPREAD, "whole", deployment(), "workloads.w.placement.policy: 'spread'", ["the workload (run: whole) runs whole"]),
    (
        {"policy": "weighted", "weights": {"asia": 1, "west": 2}},
        None,
        database(),
        "workloads.w.placement.policy: 'weighted'",
        ["2 clusters (asia, west)", "StatefulSet db", "run: divided", "run: duplicated", "two workloads"],
    ),
    (
        {"policy": "nearest", "to": "us-west1", "count": 2},
        None,
        database(),
        "workloads.w.placement.count: '2'",
        ["StatefulSet db", "write count: 1"],
    ),
    (
        CLUSTERS,
        "divided",
        indexed(),
        "workloads.w.run: 'divided'",
        ["Indexed Job train", "each exist once", "run: whole"],
    ),
    (CLUSTERS, "divided", job_set(), "workloads.w.run: 'divided'", ["JobSet train", "run together", "run: whole"]),
    (CLUSTERS, "divided", SERVICE, "workloads.w.run: 'divided'", ["nothing in the manifests", "duplicated"]),
    (
        {"policy": "weighted", "weights": {"asia": 1}},
        "duplicated",
        deployment(),
        "workloads.w.placement.weights",
        ["write policy: clusters"],
    ),
    (
        {"policy": "spread", "limits": {"asia": {"max": 1}}},
        "duplicated",
        deployment(),
        "workloads.w.placement.limits",
        ["remove limits", "run: divided"],
    ),
]


@pytest.mark.parametrize(("placement", "run", "main", "setting", "expected"), REFUSED)
def test_what_contradicts_it_is_refused_with_what_to_write(
    placement: dict[str, Any], run: Run | None, main: Manifest, setting: str, expected: list[str]
) -> None:
    found = problems(placement, main, run=run)
    assert any(each.startswith(f"{setting}: ") for each in found), found
    assert all(any(each in text for text in found) for each in expected), found


@pytest.mark.parametrize("placement", [SPREAD, {"policy": "nearest", "to": "us-west1", "count": 2}])
def test_what_is_refused_is_not_placed_either(placement: dict[str, Any]) -> None:
    with pytest.raises(NothingFits, match="it runs whole, in one cluster"):
        placed(placement, database())


SPARE: dict[str, Any] = {"policy": "spare-capacity"}


def by_room(
    *manifests: Manifest, run: Run | None = None, free: Mapping[str, int], most: int | None = None
) -> PlacedWorkload:
    """Placed where so many nodes of 8 GPUs are free; the pools have no more, or `most`."""
    own = workload(SPARE, run)
    space: dict[str, Space] = {}
    for name in MEMBERS:
        nodes = free.get(name, 0)
        space[name] = rooms.gpus(most if most and name != "west" else nodes, nodes, 8)
    return place_workload(own, manifests, MEMBERS, facts_of("w", own, manifests, space))


def test_spare_capacity_takes_the_one_cluster_with_the_most_room_for_all_of_it() -> None:
    placed_ = by_room(job_set(), free={"asia": 4, "europe": 12, "paris": 8, "west": 0})
    assert {each.cluster: (each.share, each.reason) for each in placed_.decisions} == {
        "asia": (0, f"room for 4 pods of 8 {GPU} now, but runs whole in europe, which has as much room or more"),
        "europe": (1, f"runs whole; room for 4 pods of 8 {GPU} now"),
        "paris": (0, f"room for 4 pods of 8 {GPU} now, but runs whole in europe, which has as much room or more"),
        "west": (0, "no pool"),
    }
    with pytest.raises(NothingFits) as raised:
        by_room(job_set(), free={"asia": 3, "europe": 2, "paris": 1})
    none = f"no room for 4 pods of 8 {GPU} at its largest"
    assert str(raised.value) == (
        f"workload w (4 pods of 8 {GPU}) must be in one cluster, and fits in none: asia has {none}, europe has {none}, "
        f"paris has {none}; raise max_nodes of a pool that it fits on"
    )


def test_spare_capacity_takes_a_cluster_that_can_grow_where_nothing_is_free() -> None:
    placed_ = by_room(job_set(), free={"asia": 3, "europe": 0, "paris": 0}, most=4)
    (taken,) = (each for each in placed_.decisions if each.taken)
    assert taken.reason == f"runs whole; room for 4 pods of 8 {GPU} after scale-up of l4"
    now = by_room(job_set(), free={"asia": 3, "europe": 4, "paris": 0}, most=4)
    assert shares(now) == {"europe": 1}


def test_spare_capacity_duplicates_wherever_all_of_it_fits() -> None:
    assert shares(by_room(job_set(), run="duplicated", free={"asia": 4, "europe": 8, "paris": 3})) == {
        "asia": 1,
        "europe": 1,
    }


@pytest.mark.parametrize("largest", MEMBERS)
def test_what_requests_nothing_scarce_is_whole_where_the_pools_are_largest(largest: str) -> None:
    own = workload(SPARE)
    manifests = (database(), SERVICE)
    space = spaces({name: [rooms.pool(9 if name == largest else 3, 0)] for name in MEMBERS})
    decided = place_workload(own, manifests, MEMBERS, facts_of("w", own, manifests, space))
    assert shares(decided) == {largest: 3}


def test_free_accelerators_must_hold_all_of_what_is_whole(world: World) -> None:
    settings = world.settings(("train", 4))
    body = yaml.safe_load((world.folder / "train.yaml").read_text())
    body["spec"] |= {"completionMode": "Indexed", "completions": 4}
    (world.folder / "train.yaml").write_text(yaml.safe_dump(body))
    world.free = {"training": 3, "serving": 2, "serving-asia": 4}
    assert shares(decide(world, settings)) == {"serving-asia": 4}
    world.free["serving-asia"] = 3
    with pytest.raises(pulumi.RunError, match=r"workload train \(4 pods of 1 nvidia.com/gpu\) must be"):
        decide(world, settings)


def test_what_is_whole_and_not_counted_stays_where_it_was_decided(world: World) -> None:
    settings = world.settings(("train", 1))
    settings["federation"] |= {"types": ["jobsets.jobset.x-k8s.io"]}
    (world.folder / "train.yaml").write_text(yaml.safe_dump(dict(job_set(1).body)))
    first = decide(world, settings)
    assert shares(first) == {"serving-asia": 1}
    world.remembered["train"] = first.memory
    world.free = {"training": 8, "serving": 0, "serving-asia": 0}
    assert decide(world, settings).decisions == first.decisions


def decide(world: World, raw: Mapping[str, Any]) -> PlacedWorkload:
    settings = parse({key: raw[key] for key in ("clusters", "federation", "workloads")}, world.folder)
    members = {name: member_labels(cluster) for name, cluster in settings.clusters.items()}
    host, configs = settings.federation.host, dict.fromkeys(members, "")
    before = settings.decided
    return by_spare_capacity(settings.workloads, settings.manifests, host, members, configs, before)["train"]


# In the program.


def train_settings(folder: Path, monkeypatch: pytest.MonkeyPatch, *manifests: Manifest, **also: Any) -> dict[str, Any]:
    monkeypatch.chdir(folder)
    (folder / "train.yaml").write_text(yaml.safe_dump_all([dict(each.body) for each in manifests]))
    settings = stack_settings("prod")
    types = [
        "deployments.apps",
        "jobs.batch",
        "services",
        "serviceaccounts",
        "jobsets.jobset.x-k8s.io",
        "rayjobs.ray.io",
    ]
    settings["federation"] |= {"types": types, "default_deny": True}
    placement = {"policy": "nearest", "to": "us-west1"}
    settings["workloads"] = {"train": {"manifests": "train.yaml", "namespace": "ai", "placement": placement, **also}}
    return settings


def ray_job(**spec: Any) -> Manifest:
    whole = {"rayClusterSpec": {"headGroupSpec": {"template": pod_template("head")}}, **spec}
    return of({"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": "train"}, "spec": whole})


def made(folder: Path, monkeypatch: pytest.MonkeyPatch, *manifests: Manifest, **also: Any) -> ProgramRun:
    settings = train_settings(folder, monkeypatch, *manifests, **also)
    served = {
        each.config_name: {
            "scope": "Namespaced",
            "names": {"kind": each.kind, "plural": each.plural},
            "versions": [{"name": each.version, "served": True}],
        }
        for each in KNOWN.values()
    }
    return run_program("prod", settings, served=served)


ACCOUNT = of({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runner"}})
OPENINGS = [{"direction": "ingress", "peer": "namespace", "ports": [1234]}]


def test_a_job_set_has_its_pods_opened_and_its_accounts_given_the_buckets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    also = {"openings": OPENINGS, "buckets": {"gs://d-1": "read"}}
    run = made(tmp_path, monkeypatch, job_set(0), ACCOUNT, **also)
    selectors = [
        each.inputs["spec"]["template"]["spec"]["podSelector"] for each in run.of_kind("FederatedNetworkPolicy")
    ]
    assert {"matchLabels": {"jobset.sigs.k8s.io/jobset-name": "train"}} in selectors
    account = run.one("FederatedServiceAccount", "runner").inputs["spec"]
    assert "iam.gke.io~1gcp-service-account" in json.dumps(account["overrides"])


def digest(main: Manifest, placement: Mapping[str, Any], **spec: Any) -> str | None:
    changed = Manifest(main.type, main.name, {**main.body, "spec": {**main.body["spec"], **spec}})
    (each,) = placed(placement, changed).objects
    return another_run(main.type, template(each.manifest), each.overrides, each.clusters)


@pytest.mark.parametrize("main", [ray_job(), job_set(0)], ids=lambda each: each.type.kind)
def test_another_template_or_cluster_is_another_run_and_a_suspended_one_is_not(main: Manifest) -> None:
    first = digest(main, CLUSTERS)
    assert first == digest(main, CLUSTERS) is not None
    assert first != digest(main, CLUSTERS, entrypoint="x")
    assert first != digest(main, {"policy": "clusters", "clusters": ["europe"]})
    # KubeFed cannot write into an existing JobSet.
    assert (first == digest(main, CLUSTERS, suspend=True)) == (main.type.kind == "RayJob")


def test_what_has_no_end_is_changed_in_place() -> None:
    for each in (deployment(), database(), SERVICE, of(objects.job())):
        assert another_run(each.type, template(each), {}, ["asia"]) is None


def test_a_job_set_is_replaced_with_its_pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    each = made(tmp_path, monkeypatch, job_set(0)).one("FederatedJobSet", "train")
    assert "ttlSecondsAfterFinished" not in each.inputs["spec"]["template"]["spec"]
    assert each.options["deleteBeforeReplace"] is True
    annotations = each.inputs["metadata"]["annotations"]
    assert json.loads(annotations["kubefed.io/deleteoption"]) == {"propagationPolicy": "Foreground"}


@pytest.mark.parametrize("name", ["mpijobs.kubeflow.org", "sparkapplications.sparkoperator.k8s.io", "jobs.batch"])
def test_nothing_is_deleted_that_kubefed_would_run_again(name: str) -> None:
    target = KNOWN[name]
    field = "".join(target.pod_kind.ends or ())
    spec: dict[str, Any] = {"template": {}, "kept": 1}
    below = spec
    *above, last = field.split("/")[2:]
    for step in above:
        below[step] = {"kept": 2}
        below = below[step]
    below[last] = 60
    body = {"apiVersion": target.api_version, "kind": target.kind, "metadata": {"name": "a"}, "spec": spec}
    text = json.dumps(template(Manifest(target, "a", body)))
    assert last not in text and '"kept": 1' in text and (not above or '"kept": 2' in text)


@pytest.mark.parametrize(
    "strategy",
    [
        {"onSuccess": {"policy": "DeleteSelf"}},
        {"deletionRules": [{"policy": "DeleteCluster"}, {"policy": "DeleteSelf"}]},
    ],
)
def test_a_ray_job_that_deletes_itself_is_refused(
    strategy: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = train_settings(tmp_path, monkeypatch, ray_job(deletionStrategy=strategy))
    raw = {key: settings[key] for key in ("clusters", "federation", "workloads")}
    with pytest.raises(SettingsError, match=r"'DeleteSelf': KubeFed would run it again; write DeleteCluster"):
        parse(raw, tmp_path)
