"""The nodes that the stand-in for Google Cloud makes are those by which the program decides what fits."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from clusters.nodes.devices import is_claimed
from clusters.nodes.nodes import Nodes, nodes_of
from clusters.spec import Cluster
from local.gcp.pools.nodes import nodes
from placement.api.quantities import whole
from tests.unit.local.google import CLUSTER, POOL, Google, changed, stand_in
from tests.unit.local.google import Nodes as Made
from tests.unit.program import Run, run_of, run_program, stack_settings

pytestmark = pytest.mark.usefixtures("project_folder")

L4: dict[str, Any] = {"machine_type": "g2-standard-8"}
H100: dict[str, Any] = {"machine_type": "a3-highgpu-8g"}
T4, A100 = "nvidia-tesla-t4", "nvidia-tesla-a100"
ODD: dict[str, dict[str, Any]] = {
    "spot": L4 | {"spot": True, "labels": {"tier": "gold"}, "disk_gb": 500, "max_pods_per_node": 32},
    "shared": {
        "machine_type": "g2-standard-24",
        "accelerator": {"type": "nvidia-l4", "driver": "LATEST", "sharing": {"strategy": "MPS", "clients": 3}},
    },
    "taking-turns": L4 | {"accelerator": {"type": "nvidia-l4", "sharing": {"clients": 4}}},
    "queued": H100 | {"queued": True, "flex_start": True, "fast_socket": True},
    "near": H100 | {"compact": True, "spot": False, "reservation": "mine", "zones": ["us-west1-a"]},
    "ssds": L4 | {"local_ssds": {"count": 1}},
    "blocks": {"machine_type": "n2-standard-8", "local_ssds": {"count": 2, "use": "block"}, "zones": ["us-west1-c"]},
    "arm": {"machine_type": "c4a-standard-8"},
    "grace": {"machine_type": "a4x-highgpu-4g", "image_streaming": True, "local_ssds": {"count": 4}},
    "parts": {"machine_type": "a2-highgpu-2g", "accelerator": {"type": A100, "partition": "1g.5gb"}},
    "shared-parts": {
        "machine_type": "a2-highgpu-1g",
        "accelerator": {"type": A100, "partition": "3g.20gb", "sharing": {"clients": 4}},
    },
    "claims": H100 | {"accelerator": {"type": "nvidia-h100-80gb", "dra": True}},
    "hopper": {"machine_type": "a3-ultragpu-8g", "spot": True},
    "blackwell": {"machine_type": "a4-highgpu-8g", "flex_start": True, "compact": True, "zones": ["us-west1-a"]},
    "custom": {"machine_type": "custom-8-32768", "accelerator": {"type": T4, "count": 2}},
    "extended": {"machine_type": "n2-custom-8-65536-ext"},
    "small": {"machine_type": "e2-small", "disk_gb": 20, "max_pods_per_node": 200},
    "slice": {"machine_type": "ct5lp-hightpu-4t", "tpu": {"topology": "4x4"}, "zones": ["us-west1-c"], "min_nodes": 4},
    "chips": {"machine_type": "ct6e-standard-8t", "max_nodes": 2},
    "ironwood": {"machine_type": "tpu7x-standard-4t", "tpu": {"topology": "2x2x1"}},
    "rtx": {"machine_type": "g4-standard-6"},
}


@pytest.fixture(scope="module")
def odd(project_folder: None) -> Run:
    """A stack with a pool of every sort."""
    settings = stack_settings("dev")
    settings["clusters"]["training"]["node_pools"] = ODD
    settings["clusters"]["training"].pop("zones")
    return run_program("dev", settings)


def both(run: Run) -> Iterator[tuple[Nodes, list[dict[str, Any]]]]:
    """What the program expects of the nodes of each pool, and those that the stand-in makes."""
    for name, settings in run.clusters.items():
        registered = run.cluster(name)
        made = {**registered.inputs, "name": name, "location": settings["region"]}
        for expected in nodes_of(Cluster.model_validate(settings)):
            (pool,) = (
                each.inputs
                for each in run.of_type("gcp:container/nodePool:NodePool")
                if each.name == f"{name}-{expected.pool}"
            )
            yield expected, [*nodes(made, _whole(pool), 4)]


def _whole(pool: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs with whole numbers, as the plugin gets them: Pulumi's protocol knows no integers."""
    return json.loads(json.dumps(pool), parse_float=lambda number: int(float(number)))


@pytest.mark.parametrize("stack", ["local", "prod", "odd"])
def test_google_makes_the_nodes_that_the_program_expects(stack: str, odd: Run) -> None:
    compared = 0
    for expected, made in both(odd if stack == "odd" else run_of(stack)):
        for node in made:
            agrees(expected, node)
            compared += 1
    assert compared >= 16


def agrees(expected: Nodes, node: dict[str, Any]) -> None:
    labels = node["metadata"]["labels"]
    known = expected.labels.keys() - expected.unsure
    assert {key: labels.get(key) for key in known} == {key: expected.labels[key] for key in known}, expected.pool
    zone = "topology.kubernetes.io/zone"
    assert labels.keys() - known - expected.unsure <= {zone}, expected.pool
    assert not expected.zones or labels[zone] in expected.zones
    taints = [(each.key, each.value, each.effect) for each in expected.taints]
    assert sorted(tuple(each.values()) for each in node["spec"]["taints"]) == sorted(taints), expected.pool
    allocatable = node["status"]["allocatable"]
    amounts = {key: whole(text.removesuffix("m")) for key, text in allocatable.items()}
    assert amounts.keys() - expected.allocatable.keys() <= expected.unsure, expected.pool
    listed = {key: amount for key, amount in expected.allocatable.items() if not is_claimed(key)}
    assert {key: amounts[key] for key in listed} == listed, expected.pool


def test_pods_get_less_than_the_machine_has() -> None:
    (node,) = nodes(changed(CLUSTER, {}), changed(POOL, {}), 1)
    assert node["status"]["capacity"]["cpu"] == "12"
    assert node["status"]["allocatable"]["cpu"] == "11900m"
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == node["status"]["capacity"]["nvidia.com/gpu"] == "1"
    for each in ("memory", "ephemeral-storage"):
        less, all_ = (whole(node["status"][part][each]) for part in ("allocatable", "capacity"))
        assert less
        assert all_
        assert less < all_


@pytest.fixture
def one(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Google, Made, dict[str, Any]]:
    google, made = stand_in(tmp_path, monkeypatch)
    google.build()
    return google, made, changed(POOL, {"name": "one", "initialNodeCount": 1, "autoscaling.totalMinNodeCount": 1})


def test_a_node_stays_where_the_api_server_writes_its_amounts_otherwise(
    one: tuple[Google, Made, dict[str, Any]],
) -> None:
    google, made, pool = one
    identifier, _ = google.create(POOL, pool)
    (node,) = made.items.values()
    node["status"]["capacity"]["memory"] = "85Gi"
    node["mark"] = "the same"
    google.update(POOL, identifier, pool, pool | {"nodeConfig": pool["nodeConfig"] | {"labels": {"tier": "gold"}}})
    (node,) = made.items.values()
    assert node["mark"] == "the same"
    assert node["metadata"]["labels"]["tier"] == "gold"
    google.update(POOL, identifier, pool, pool | {"nodeConfig": pool["nodeConfig"] | {"diskSizeGb": 200}})
    (node,) = made.items.values()
    assert "mark" not in node
