"""Generated stacks: clusters with pools of real machines, and workloads of every sort."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from clusters.classes.auto_provisioning import Limit, most_of
from clusters.nodes.nodes import Nodes, nodes_of
from clusters.spec import Cluster, member_labels
from placement.api.kinds import KNOWN
from placement.api.pod_kinds import Run
from placement.fit.space import measured, spaces
from placement.manifests.manifest import Manifest
from placement.pods.runs import check_run, run_of
from placement.policies.decision import Decision
from placement.policies.place import Members
from placement.spec import SpareCapacity
from placement.stack import Placed, by_settings, empty, place_more
from placement.workload import Workload
from tests.properties.brute_force import Pod

HOST = "kubernetes.io/hostname"
REGIONS = ("us-west1", "us-east4", "europe-west4")
NAMES = ("one", "two", "three", "four")
DATA = "gs://data"
ORIGINS = {DATA: ("europe-west1",)}


Gang = tuple[tuple[Pod, int], ...]


@dataclass(frozen=True)
class Object:
    """An object, how many units it has, and the pods of each."""

    manifest: Manifest
    count: int
    pods: Gang

    def times(self, units: int) -> list[Pod]:
        """The pods of so many units."""
        return [pod for pod, count in self.pods for _ in range(count * units)]


@dataclass(frozen=True)
class Own:
    """A workload, and its objects."""

    workload: Workload
    objects: tuple[Object, ...]

    @property
    def manifests(self) -> list[Manifest]:
        return [each.manifest for each in self.objects]

    @property
    def run(self) -> Run:
        return run_of(self.manifests, self.workload.run)

    @property
    def counts(self) -> list[int]:
        return [each.count for each in self.objects if each.manifest.type.counted]

    @property
    def needs_room(self) -> int:
        """How many of its objects have pods that need room; a DaemonSet's need none."""
        return sum(each.count > 0 for each in self.objects)

    def pods(self, decision: Decision, copied: bool) -> list[Pod]:
        """Its pods in a cluster, as decided; `copied` says whether objects without a number are there."""
        shares = iter(decision.shares)
        found: list[Pod] = []
        for each in self.objects:
            share = next(shares) if each.manifest.type.counted else each.count * copied
            found += each.times(share)
        return found


@dataclass(frozen=True)
class Stack:
    """Clusters and workloads; `live` is how many nodes of each pool there are, at the most."""

    clusters: Mapping[str, Cluster]
    workloads: Mapping[str, Own]
    live: int = 1

    @property
    def members(self) -> Members:
        return {name: member_labels(cluster) for name, cluster in self.clusters.items()}

    def placed(self) -> Placed:
        """All workloads, in the order in which a run decides (federation/decisions.py)."""
        workloads = {name: each.workload for name, each in self.workloads.items()}
        manifests = {name: each.manifests for name, each in self.workloads.items()}
        nodes = {name: nodes_of(cluster) for name, cluster in self.clusters.items()}
        first = by_settings(workloads)
        spare = [name for name, each in workloads.items() if isinstance(each.placement, SpareCapacity)]
        near = {*workloads} - {*first} - {*spare}
        placed = place_more(empty(spaces(nodes)), first, workloads, manifests, self.members)
        placed = place_more(placed, near, workloads, manifests, self.members, ORIGINS)
        now = {name: measured(each, _existing(nodes[name], self.live)) for name, each in placed.space.items()}
        return place_more(replace(placed, space=now), spare, workloads, manifests, self.members)

    def with_cluster(self, name: str, cluster: Cluster) -> "Stack":
        return replace(self, clusters={**self.clusters, name: cluster})


def _existing(pools: Sequence[Nodes], most: int) -> Iterator[Nodes]:
    """Empty nodes of each pool that exist."""
    for pool in pools:
        for number in range(min(most, pool.most)):
            yield replace(pool, labels={**pool.labels, HOST: f"{pool.pool}-{number}"}, most=1)


# Clusters.

# Each has the label, so that it is known in every stack.
_GOLD, _PLAIN = {"labels": {"tier": "gold"}}, {"labels": {"tier": "plain"}}
POOLS: list[dict[str, Any]] = [
    {"machine_type": "e2-standard-2", **_PLAIN},
    {"machine_type": "n2-standard-8", **_GOLD},
    {"machine_type": "g2-standard-8", **_PLAIN},
    {"machine_type": "g2-standard-24", **_GOLD},
    {"machine_type": "a2-highgpu-2g", **_PLAIN},
    {"machine_type": "g2-standard-8", "compute_class": "fast", **_PLAIN},
]
# Machines that GKE creates for a class: as many as these limits leave beside the cluster's own pools.
CREATED = [None, None, {"machine_type": "g2-standard-8"}, {"machine_type": "n2-standard-8", "spot": True}]


def cluster(
    slot: int, region: str, pools: Mapping[str, dict[str, Any]], created: dict[str, Any] | None = None, most: int = 1
) -> Cluster:
    """A cluster with these pools; `created` is what GKE may create for a class that has those pools that name it."""
    settings = {"region": region, "slot": slot, "role": "any", "zones": [f"{region}-a"], "node_pools": pools}
    own = [name for name, each in pools.items() if each.get("compute_class")]
    priorities = [*([{"pools": own}] if own else []), *([created] if created else [])]
    if priorities:
        settings["compute_classes"] = {"fast": {"priorities": priorities, "create_pools": bool(created)}}
    if created:
        spec = Cluster.model_validate(settings)
        # Of CPUs for so many more machines than the own pools have.
        taken = -most_of({"cpu": Limit(max=1)}, spec.node_pools)["cpu"] + 1
        limits = {"cpu": {"max": taken + 8 * most}, "memory": {"max": 10**6}, "nvidia-l4": {"max": 10**3}}
        settings["auto_provisioning"] = {"limits": limits}
    return Cluster.model_validate(settings)


@st.composite
def pools(draw: st.DrawFn) -> dict[str, Any]:
    return draw(st.sampled_from(POOLS)) | {"max_nodes": draw(st.integers(1, 3))}


CLUSTER = st.builds(
    cluster,
    st.just(0),
    st.sampled_from(REGIONS),
    st.dictionaries(st.sampled_from("abc"), pools(), min_size=1),
    st.sampled_from(CREATED),
    st.integers(1, 2),
)
CLUSTERS = st.integers(1, 4).flatmap(lambda count: st.fixed_dictionaries(dict.fromkeys(NAMES[:count], CLUSTER)))

# Workloads.

POD = st.one_of(
    st.builds(Pod, cpu=st.sampled_from([1, 3, 6, 0]), tier=st.sampled_from(["", "", "", "gold"])),
    st.builds(Pod, cpu=st.sampled_from([1, 3]), gpus=st.integers(0, 1), compute_class=st.just("fast")),
    st.builds(
        Pod,
        gpus=st.integers(1, 2),
        cpu=st.sampled_from([1, 5, 0]),
        accelerator=st.sampled_from(["", "", "", "nvidia-l4", "nvidia-tesla-a100"]),
    ),
)


def _object(kind: str, name: str, spec: Mapping[str, Any], count: int, pods: Gang) -> Object:
    body = {"metadata": {"name": name}, "spec": spec}
    return Object(Manifest(KNOWN[kind], name, body), count, pods)


def _replicated(number: int, pod: Pod, count: int) -> dict[str, Any]:
    return {"name": f"job-{number}", "replicas": count, "template": {"spec": {"template": pod.template}}}


@st.composite
def objects(draw: st.DrawFn, name: str, kind: str = "") -> Object:
    """An object of one of the kinds that run in different ways."""
    pod, other, count = draw(POD), draw(POD), draw(st.sampled_from([1, 2, 4, 9]))
    match kind or draw(st.sampled_from(KINDS)):
        case "Job":
            return _object("jobs.batch", name, {"parallelism": count, "template": pod.template}, count, ((pod, 1),))
        case "Indexed Job":
            spec = {"parallelism": count, "completions": count, "completionMode": "Indexed", "template": pod.template}
            return _object("jobs.batch", name, spec, count, ((pod, 1),))
        case "JobSet":
            jobs = [_replicated(0, pod, 1), _replicated(1, other, count)]
            return _object("jobsets.jobset.x-k8s.io", name, {"replicatedJobs": jobs}, 1, ((pod, 1), (other, count)))
        case "LeaderWorkerSet":
            size = draw(st.integers(1, 3))
            group = {"size": size, "leaderTemplate": pod.template, "workerTemplate": other.template}
            gang = ((pod, 1), (other, size - 1))
            spec = {"replicas": count, "leaderWorkerTemplate": group}
            return _object("leaderworkersets.leaderworkerset.x-k8s.io", name, spec, count, gang)
        case "RayService":
            spec = {"rayClusterConfig": {"headGroupSpec": {"template": pod.template}}}
            return _object("rayservices.ray.io", name, spec, 1, ((pod, 1),))
        case "DaemonSet":
            # It has pods where there are nodes for them.
            return _object("daemonsets.apps", name, {"template": pod.template}, 0, ((pod, 1),))
        case replicated:
            of_kind = f"{replicated.lower()}s.apps"
            return _object(of_kind, name, {"replicas": count, "template": pod.template}, count, ((pod, 1),))


KINDS = ("Deployment", "StatefulSet", "Indexed Job", "Job", "JobSet", "LeaderWorkerSet", "RayService", "DaemonSet")


@st.composite
def placements(draw: st.DrawFn) -> dict[str, Any]:
    some = st.permutations(NAMES) | st.lists(st.sampled_from(NAMES), min_size=1, unique=True)
    policy = draw(
        st.sampled_from(["clusters", "region", "nearest", "spare-capacity", "spread", "weighted", "clusters"])
    )
    match policy:
        case "clusters":
            return {"policy": policy, "clusters": draw(some)}
        case "region":
            return {"policy": policy, "region": draw(st.sampled_from(REGIONS))}
        case "nearest":
            to = draw(st.sampled_from([*REGIONS, DATA]))
            return {"policy": policy, "to": to, "count": draw(st.sampled_from([1, 1, 2]))}
        case "weighted":
            return {"policy": policy, "weights": {name: draw(st.integers(1, 3)) for name in draw(some)}}
        case _:
            return {"policy": policy}


@st.composite
def workloads(draw: st.DrawFn, most: int = 2) -> Own:
    """A workload that its own checks accept, with so many objects at the most."""
    found = tuple(draw(objects(f"object-{number}")) for number in range(draw(st.sampled_from([1, 1, most]))))
    run = draw(st.sampled_from([None, None, None, "whole", "duplicated", "divided"]))
    settings = {"manifests": "a.yaml", "namespace": "ai", "placement": draw(placements()), "run": run}
    workload = Workload.model_validate(settings)
    manifests = [each.manifest for each in found]
    assume(not [*check_run("", workload.run, workload.placement, manifests)])
    return Own(workload, found)


STACKS = st.builds(
    Stack, CLUSTERS, st.dictionaries(st.sampled_from("vwxyz"), workloads(), min_size=1, max_size=5), st.integers(0, 2)
)
_SIMPLE = workloads(1) | workloads().filter(lambda own: own.run != "divided" or own.needs_room == 1)
SIMPLE = st.builds(Stack, CLUSTERS, st.fixed_dictionaries({"w": _SIMPLE}), st.integers(0, 2))
"""Stacks of one workload, which has one object alone that needs room if it is divided."""

_NEAREST = Workload.model_validate(
    {"manifests": "a.yaml", "namespace": "ai", "placement": {"policy": "nearest", "to": "us-west1"}}
)


def _near(pool: Mapping[str, Any], *servers: tuple[int, Pod]) -> Stack:
    """A stack of one cluster, and Deployments of so many pods that are placed by distance."""
    found = [
        _object("deployments.apps", f"object-{at}", {"replicas": count, "template": pod.template}, count, ((pod, 1),))
        for at, (count, pod) in enumerate(servers)
    ]
    return Stack({"one": cluster(0, "us-east4", {"a": dict(pool)})}, {"w": Own(_NEAREST, tuple(found))})


TOO_SMALL = [
    (_near(POOLS[2] | {"max_nodes": 3}, (3, Pod(1))), cluster(0, "us-west1", {"a": POOLS[2]})),
    (_near(POOLS[3] | {"max_nodes": 2}, (1, Pod(1)), (1, Pod(2))), cluster(0, "us-west1", {"a": POOLS[3]})),
]
"""Stacks, and a cluster that is nearer and has room for a part of the pods, or for each of two objects but not both."""
