"""Measures how fast workloads are decided, started and moved: `python -m docs.measure_placement [--rounds N]`.

Needs built tools (`make tools`). The stack is a copy of the project in a temporary folder, and is taken down again.
"""

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import yaml

from clusters.facts.regions import regions
from clusters.nodes.nodes import Nodes, nodes_of
from clusters.spec import Cluster, member_labels
from docs.measure import MEMBERS, is_ready, wait
from local.api import Api, Unreachable
from placement.api.kinds import BUILT_IN
from placement.fit.node_labels import HOSTNAME
from placement.fit.space import measured, spaces_of
from placement.manifests.manifest import read_manifests
from placement.preferences import preference, selector
from placement.stack import empty, place_more
from placement.workload import Workload
from tests.e2e.pods import Pods, replicas
from tests.e2e.project import ROOT, Project

SERVING = {"serving": 2, "serving-asia": 1}
POLICIES: Sequence[Mapping[str, Any]] = (
    {"policy": "spread", "select": {"role": "serving"}},
    {"policy": "nearest", "to": "us-central1", "count": 3},
    {"policy": "weighted", "weights": {"member-1": 1, "member-2": 2, "member-3": 5}},
    {"policy": "spare-capacity"},
    {"policy": "region", "region": "europe-west1"},
)
DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "small"},
    "spec": {
        "replicas": 3,
        "selector": {"matchLabels": {"app": "small"}},
        "template": {
            "metadata": {"labels": {"app": "small"}},
            "spec": {"containers": [{"name": "small", "image": "small:1"}]},
        },
    },
}
FINALIZERS = ["kubefed.io/sync-controller"]
_TYPES = "/apis/types.kubefed.io/v1beta1/namespaces/ai/federateddeployments"
_PREFERENCES = "/apis/scheduling.kubefed.io/v1alpha1/namespaces/ai/replicaschedulingpreferences"


def decision(workloads: int = 100, members: int = 50) -> float:
    """Seconds in which so many workloads are decided over so many members of four pools each, with all their copies.

    Each has the room that those before it leave, and all fit.
    """
    where = sorted(regions())
    clusters = {
        f"member-{number}": Cluster.model_validate(
            {"region": where[number % len(where)], "role": ("training", "serving")[number % 2], "slot": number}
            | {"node_pools": _pools(number)}
        )
        for number in range(members)
    }
    labels = {name: member_labels(cluster) for name, cluster in clusters.items()}
    own = read_manifests(ROOT, "workloads/inference.yaml", "ai", list(BUILT_IN.values()))
    asked = {
        f"workload-{number}": Workload.model_validate(
            {"manifests": "x.yaml", "namespace": "ai", "placement": POLICIES[number % len(POLICIES)]}
        )
        for number in range(workloads)
    }
    started = time.perf_counter()
    space = spaces_of(clusters)
    # As if none of its nodes existed yet, or every second one.
    space = {name: measured(each, _live(clusters[name])) for name, each in space.items()}
    placed = place_more(empty(space), asked, asked, dict.fromkeys(asked, own), labels)
    seconds = time.perf_counter() - started
    assert not placed.problems, placed.problems
    assert all(sum(each.share for each in one.decisions) == 3 for one in placed.workloads.values())
    return seconds


def _pools(number: int) -> dict[str, Any]:
    """Three pools beside the system pool, of sizes that differ from one cluster to the next."""
    accelerators = {
        "l4": ("g2-standard-8", "nvidia-l4", 1),
        "l4-pairs": ("g2-standard-24", "nvidia-l4", 2),
        "a100": ("a2-highgpu-1g", "nvidia-tesla-a100", 1),
    }
    return {
        name: {"machine_type": machine, "accelerator": {"type": kind, "count": count}, "max_nodes": 40 + number % 7}
        for name, (machine, kind, count) in accelerators.items()
    }


def _live(cluster: Cluster) -> list[Nodes]:
    """Every second node of a cluster's pools, with nothing on it."""
    return [
        replace(pool, labels={**pool.labels, HOSTNAME: f"{pool.pool}-{number}"}, most=1, system={})
        for pool in nodes_of(cluster)
        for number in range(0, pool.most, 2)
    ]


def started(apis: Mapping[str, Api], name: str, finalizers: Sequence[str]) -> tuple[float, int]:
    """Seconds from a Deployment's application to its three Ready pods, and the most pods that there were meanwhile."""
    kind = BUILT_IN["deployments.apps"]
    deployment: dict[str, Any] = yaml.safe_load(yaml.safe_dump(DEPLOYMENT).replace("small", name))
    metadata: dict[str, Any] = {"name": name, "namespace": "ai"}
    chosen = {"apiVersion": "scheduling.kubefed.io/v1alpha1", "kind": "ReplicaSchedulingPreference"}
    federated = {"apiVersion": "types.kubefed.io/v1beta1", "kind": kind.federated_kind}
    template = {"metadata": {"labels": {"app": name}}, "spec": deployment["spec"]}
    placement: dict[str, Any] = {"clusters": [], "clusterSelector": selector(list(SERVING))}
    host = apis["training"]
    with Pods(apis, "ai", name) as pods:
        begin = time.monotonic()
        host.create(_PREFERENCES, {**chosen, "metadata": metadata, "spec": preference(kind, SERVING, {})})
        metadata["finalizers"] = list(finalizers)
        host.create(_TYPES, {**federated, "metadata": metadata, "spec": {"template": template, "placement": placement}})
        seconds = pods.wait_ready(3, seconds=60) - begin
        for path in (_PREFERENCES, _TYPES):
            host.delete(f"{path}/{name}")
        pods.wait_ready(0, seconds=60)
    return seconds, pods.most


def moved(project: Project) -> tuple[float, float]:
    """Kills a member, and has it started again.

    Seconds from its death to as many Ready replicas elsewhere, and from its first answer to all being home again.
    """
    asia = project.api("serving-asia")
    begin = time.monotonic()
    for process in project.servers("serving"):
        process.kill()
    elsewhere = wait(lambda: replicas(asia, "ai", "small") == (3, 3)) - begin
    with project.start(*project.make_command("up")) as up:
        back = wait(lambda: _answers(project))
        serving = project.api("serving")
        home = wait(lambda: (replicas(serving, "ai", "small"), replicas(asia, "ai", "small")) == ((2, 2), (1, 1)))
        assert up.wait() == 0
    return elsewhere, home - back


def slow(project: Project, seconds: float) -> bool:
    """Whether a member stays Ready all the while that its API server does not answer for so long, and after."""
    (server,) = (each for each in project.servers("serving") if each.name() == "kube-apiserver")
    host = project.api("training")
    server.suspend()
    begin = time.monotonic()
    kept = True
    while time.monotonic() < begin + seconds + 15:
        if time.monotonic() > begin + seconds:
            server.resume()
        kept &= is_ready(host.get(f"{MEMBERS}/serving"))
        time.sleep(0.2)
    return kept


def main() -> None:
    """Prints the figures as the table of docs/figures.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is taken; the median is shown")
    rounds = range(parser.parse_args().rounds)
    decided = [decision() for _ in rounds]
    with tempfile.TemporaryDirectory() as folder:
        project = Project.copy(Path(folder))
        (project.folder / "workloads" / "small.yaml").write_text(yaml.safe_dump(DEPLOYMENT))
        settings = project.settings()
        placement = {"policy": "spread", "select": {"role": "serving"}}
        small = {"manifests": "workloads/small.yaml", "namespace": "ai", "placement": placement}
        settings["config"]["geo-federation:workloads"] = {"small": small}
        project.write_settings(settings)
        try:
            project.make("up").ok()
            apis = {name: project.api(name) for name in ("training", *SERVING)}
            started(apis, "warm", FINALIZERS)
            ours = [started(apis, f"ours-{n}", FINALIZERS) for n in rounds]
            kept = all(slow(project, 6) for _ in rounds)
            moves: list[tuple[float, float]] = []
            for _ in rounds:
                moves.append(moved(project))
                # What has come home is taken in by KubeFed at its own pace.
                time.sleep(15)
            _drop_rules(apis["training"])
            started(apis, "plain", ())
            plain = [started(apis, f"plain-{n}", ()) for n in rounds]
        finally:
            project.make("down").ok()
    elsewhere, home = ([move[side] for move in moves] for side in (0, 1))
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, {len(rounds)} rounds\n")
    print("| figure | measured | bound |\n|---|---|---|")
    print(f"| the decision for 100 workloads over 50 members, in process | {median(decided):.2f} s | 1 s |")
    print(f"| from apply to three Ready pods in two clusters | {_range([each[0] for each in ours])} | 0.75 s |")
    print(f"| the same, as KubeFed has it by itself | {_range([each[0] for each in plain])} | |")
    print(f"| the most pods that there were of three | {max(each[1] for each in ours)} | 3 |")
    print(f"| a member that does not answer for 6 s is kept | {'yes' if kept else 'no'} | yes |")
    print(f"| a dead member's replicas Ready elsewhere | {_range(elsewhere)} | 30 s |")
    print(f"| home again after its first answer | {_range(home)} | 15 s |")


def _drop_rules(host: Api) -> None:
    """Takes away what our CRD adds to KubeFed's."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/federateddeployments.types.kubefed.io"
    crd = host.get(path)
    for version in crd["spec"]["versions"]:
        del version["schema"]["openAPIV3Schema"]["x-kubernetes-validations"]
    host.replace(path, crd)
    # Its watches begin anew.
    time.sleep(10)


def _range(values: Sequence[float]) -> str:
    return f"{median(values):.2f} s ({min(values):.2f} to {max(values):.2f})"


def _answers(project: Project) -> bool:
    try:
        project.api("serving").get("/version")
    except Unreachable:
        return False
    return True


if __name__ == "__main__":
    main()
