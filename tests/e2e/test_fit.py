"""What is said to fit is scheduled by the real kube-scheduler, and what is said not to fit stays Pending.

Each pod is created once for every pool of a cluster, and gangs of pods on all of them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from clusters.nodes.nodes import Nodes
from local.api import Api
from local.control_plane import ControlPlane
from placement.fit.judge import judge, miss
from placement.fit.needs import needs
from placement.fit.packing import fitting
from placement.fit.room import gang
from placement.fit.space import spaces
from tests.e2e.pod_shapes import GANGS, NOWHERE, POOL, SHAPES, Spec, pod
from tests.e2e.scheduler import Cluster, with_nodes

pytestmark = pytest.mark.timeout(300)

# Beside the system pool, which every cluster has.
POOLS: dict[str, dict[str, Any]] = {
    "cpu": {"machine_type": "n2-standard-4", "zones": ["us-west1-a", "us-west1-b"], "max_nodes": 2},
    "large": {"machine_type": "n2-standard-32", "labels": {"tier": "gold", "generation": "7"}},
    "memory": {"machine_type": "n2-highmem-8", "labels": {"tier": "silver", "generation": "8"}},
    "spot": {"machine_type": "e2-standard-8", "spot": True, "max_nodes": 2, "zones": ["us-west1-b"]},
    "few-pods": {"machine_type": "e2-standard-2", "max_pods_per_node": 8, "labels": {"use": "few"}, "disk_gb": 50},
    "ssds": {"machine_type": "n2-standard-8", "local_ssds": {"count": 1}},
    "l4": {"machine_type": "g2-standard-8", "max_nodes": 3},
    "l4-by-4": {"machine_type": "g2-standard-48", "spot": True, "labels": {"tier": "gold"}},
    "shared": {"machine_type": "g2-standard-8", "accelerator": {"type": "nvidia-l4", "sharing": {"clients": 4}}},
    "h100": {"machine_type": "a3-highgpu-8g", "max_nodes": 2},
    "queued": {"machine_type": "g2-standard-8", "queued": True, "flex_start": True},
    "arm": {"machine_type": "c4a-standard-8", "disk_type": "hyperdisk-balanced", "max_nodes": 2},
}

# More gangs than fit of any.
_MOST = 20


@pytest.fixture(scope="module")
def cluster(api_server: ControlPlane) -> Iterator[Cluster]:
    with with_nodes(Api(api_server), POOLS) as cluster:
        assert [each.pool for each in cluster.pools] == ["system", *sorted(POOLS)]
        yield cluster


# One pod.


@pytest.mark.parametrize("shape", [*SHAPES, *NOWHERE])
def test_a_pod_fits_where_the_scheduler_puts_it(cluster: Cluster, shape: str) -> None:
    spec = SHAPES.get(shape) or NOWHERE[shape]
    fits, misses = _compare(cluster, {pool.pool: _on_pool(spec, pool) for pool in cluster.pools})
    assert bool(fits) == (shape in SHAPES)
    assert misses
    assert len(fits) + len(misses) >= len(cluster.pools) - 1


@pytest.mark.parametrize("resource", ["cpu", "memory", "ephemeral-storage"])
@pytest.mark.parametrize("more", [0, 1])
def test_a_node_takes_exactly_what_it_has(cluster: Cluster, resource: str, more: int) -> None:
    pods: dict[str, Spec] = {}
    for pool in cluster.pools:
        # What tolerates its taint fits on a queued pool, but a ProvisioningRequest must add the nodes.
        if resource not in pool.unsure and pool.pool != "queued":
            amount = pool.allocatable[resource] + more
            text = f"{amount}m" if resource == "cpu" else str(amount)
            pods[pool.pool] = _on_pool(pod({resource: text}, tolerations=[{"operator": "Exists"}]), pool)
    fits, misses = _compare(cluster, pods)
    assert not (fits if more else misses)
    assert len(misses if more else fits) == len(pods) >= 8


def _on_pool(spec: Spec, pool: Nodes) -> Spec:
    return {**spec, "nodeSelector": {**spec.get("nodeSelector", {}), POOL: pool.pool}}


def _compare(cluster: Cluster, pods: Mapping[str, Spec]) -> tuple[list[str], list[str]]:
    """Creates each pod for its pool, and returns the pools on which one fits, and those on which it does not.

    Those that cannot be judged are in neither.
    """
    names = {pool: cluster.create(spec) for pool, spec in pods.items()}
    found = cluster.scheduled([*names.values()])
    cluster.clear()
    fits: list[str] = []
    misses: list[str] = []
    for nodes in cluster.pools:
        if nodes.pool in pods:
            pool, own, why = nodes.pool, needs(pods[nodes.pool]), found[names[nodes.pool]]
            verdict = judge(own, nodes, cluster.known)
            nearest = miss(pods[pool], nodes, cluster.known)
            if nearest:
                assert why, f"{pool}: {nearest.text}, but it is scheduled"
                # The scheduler compares amounts last, and names them where nothing else is wrong.
                # That a container has only one GPU of those that are shared is for their driver to refuse.
                checks = {each.check for each in verdict.misses} - {"shares"}
                named = {*re.findall(r"Insufficient ([-\w./]*\w)", why)}
                of_amounts = checks <= {*dict(own.requests)} and not verdict.doubts
                assert named == (checks if of_amounts else set()), f"{pool}: {why}"
                misses.append(pool)
            elif not verdict.doubts:
                assert not why, f"{pool}: {why}"
                fits.append(pool)
    return fits, misses


# Pods that run together.


@pytest.mark.parametrize("name", GANGS)
def test_as_many_gangs_fit_as_the_scheduler_places(cluster: Cluster, name: str) -> None:
    case = GANGS[name]
    # A queued pool has room for what tolerates its taint; whether it ever has nodes is not judged.
    pools = [each for each in cluster.pools if each.pool != "queued"]
    assert fitting(spaces({"fit": pools})["fit"].largest, gang(case.groups, "fit"), _MOST) == case.gangs
    # The scheduler places one pod after another, and moves none to make room.
    for number in range(case.gangs + 1):
        pods = [cluster.create(each.spec, each.labels) for each in case.groups for _ in range(each.count)]
        pending = [why for why in cluster.scheduled(pods).values() if why]
        assert bool(pending) == (number == case.gangs), pending
    cluster.clear()
