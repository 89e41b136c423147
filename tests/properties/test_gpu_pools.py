"""Whatever GPUs, disks and machines a pool has: what the settings accept, the stand-in accepts, and nothing else."""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from clusters.facts.machines import BUILT_IN
from clusters.facts.table import rows
from clusters.node_config import node_config
from clusters.nodes.nodes import GPU, nodes_of
from clusters.pools.accelerator import DRA_LABELS
from clusters.pools.spec import NodePool
from clusters.spec import Cluster, check_clusters, warnings
from local.gcp.pools.nodes import nodes
from local.wire import Properties
from problems import Problem, check_models
from tests.unit.local.google import CLUSTER, CLUSTER_ID, POOL, Google, changed

BLOCK = "projects/p-1/reservations/big/reservationBlocks/b-1"
MACHINES = [*BUILT_IN, "e2-standard-4", "n2-standard-8", "c4-standard-8", "c4a-standard-8", "n1-standard-8"]
PARTITIONS = ["", *sorted({row["partition"] for row in rows("partitions.csv")} - {""}), "1g.6gb"]
GPUS = st.fixed_dictionaries(
    {},
    optional={
        "partition": st.sampled_from(PARTITIONS),
        "sharing": st.sampled_from([{"strategy": "MPS", "clients": 2}, {"clients": 3}]),
        "dra": st.booleans(),
    },
)
OPTIONS = st.fixed_dictionaries(
    {"zones": st.sampled_from([["us-west1-a"], ["us-west1-a", "us-west1-b"]])},
    optional={
        "spot": st.booleans(),
        "flex_start": st.booleans(),
        "queued": st.booleans(),
        "compact": st.booleans(),
        "reservation": st.sampled_from(["", "mine", BLOCK, f"{BLOCK}/reservationSubBlocks/s-1"]),
        "disk_type": st.sampled_from(["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"]),
    },
)


@cache
def google() -> Google:
    return Google(Path(tempfile.mkdtemp()))


def _camel(plain: Any) -> Any:
    """The arguments of a resource as Pulumi sends them; the keys of labels are kept."""
    if isinstance(plain, list):
        return [_camel(each) for each in plain]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(plain, dict):
        return plain
    named = cast(dict[str, Any], plain)
    return {
        "".join(part if at == 0 else part.title() for at, part in enumerate(key.split("_"))): (
            value if key.endswith("labels") else _camel(value)
        )
        for key, value in named.items()
    }


def _inputs(pool: NodePool) -> Properties:
    """The inputs of a pool, as clusters/node_pools.py makes them."""
    config = _camel(node_config(pool, "nodes-training@toys.iam.gserviceaccount.com", {"role": "test"}, {}))
    inputs: Properties = {
        "name": "gpu",
        "cluster": CLUSTER_ID,
        "nodeLocations": pool.zones,
        "autoscaling": {"totalMinNodeCount": pool.min_nodes, "totalMaxNodeCount": pool.max_nodes},
        "management": {"autoRepair": not pool.flex_start, "autoUpgrade": True},
        "upgradeSettings": {"maxSurge": 0, "maxUnavailable": 1},
        "nodeConfig": config,
    }
    inputs |= {"placementPolicy": {"type": "COMPACT"}} if pool.compact else {}
    return inputs | ({"queuedProvisioning": {"enabled": True}} if pool.queued else {})


@given(st.sampled_from(MACHINES), GPUS, OPTIONS)
def test_the_stand_in_accepts_what_the_settings_accept(
    machine: str, gpus: dict[str, Any], more: dict[str, Any]
) -> None:
    pool: dict[str, Any] = {"machine_type": machine} | more
    if machine in BUILT_IN:
        pool["accelerator"] = {"type": BUILT_IN[machine][0]} | gpus
    plain = {"region": "us-west1", "slot": 0, "role": "test", "kubernetes": "1.36", "node_pools": {"gpu": pool}}
    found: list[Problem] = []
    clusters = check_models("clusters", {"a": plain}, Cluster, "a", found)
    found += check_clusters(clusters)
    assert clusters, found
    spec = clusters["a"].node_pools["gpu"]
    refused = google().check(POOL, _inputs(spec))
    assert bool(refused) == bool(found), (refused, found)
    assert all("write" in each.advice for each in found)
    list(warnings(clusters))
    if found:
        return
    (expected,) = (each for each in nodes_of(clusters["a"]) if each.pool == "gpu")
    (node,) = nodes(changed(CLUSTER, {}), _inputs(spec), 1)
    allocatable, labels = node["status"]["allocatable"], node["metadata"]["labels"]
    if GPU not in expected.unsure:
        assert allocatable.get(GPU, "0") == str(expected.allocatable.get(GPU, 0))
    if spec.accelerator and spec.accelerator.dra:
        assert GPU not in allocatable
        assert labels.items() >= DRA_LABELS.items()
    partition = labels.get("cloud.google.com/gke-gpu-partition-size", "")
    assert partition == (spec.accelerator.partition if spec.accelerator else "")
    assert node["spec"]["taints"] == [] or spec.accelerator or "arm64" in str(node["spec"]["taints"]) or spec.queued
