"""Nodes as the scheduler sees them: labels, taints, and what pods can request of them by GKE's rule."""

from typing import Any

import pytest

from clusters.facts import allocatable
from clusters.facts.table import rows
from clusters.nodes.nodes import GPU, GPU_TAINT, TPU, Nodes, Taint, nodes_of
from clusters.spec import Cluster

GKE = "cloud.google.com/"
ZONE, ARCH = "topology.kubernetes.io/zone", "kubernetes.io/arch"
MIB, GIB = 2**20, 2**30
L4: dict[str, Any] = {"machine_type": "g2-standard-8"}
TPUS: dict[str, Any] = {"machine_type": "ct5lp-hightpu-4t"}


def cluster(pool: dict[str, Any] | None = None, **settings: Any) -> Cluster:
    pools = {"pool": pool} if pool else {}
    return Cluster.model_validate({"region": "us-west1", "slot": 0, "role": "test", "node_pools": pools} | settings)


def nodes(pool: dict[str, Any], **settings: Any) -> Nodes:
    """The nodes of a cluster's one pool beside the system's."""
    system, own = nodes_of(cluster(pool, **settings))
    assert (system.pool, own.pool) == ("system", "pool")
    return own


# What pods can request.


@pytest.mark.parametrize(
    ("machine_type", "vcpus", "thousandths"),
    [
        ("n1-standard-1", 1, 940),
        ("n2-standard-2", 2, 1930),
        ("n2-standard-4", 4, 3920),
        ("g2-standard-8", 8, 7910),
        ("a2-highgpu-1g", 12, 11_900),
        ("a3-highgpu-8g", 208, 207_410),
        ("e2-standard-2", 2, 1930),
        ("e2-medium", 2, 940),
        ("e2-micro", 2, 940),
    ],
)
def test_cpu(machine_type: str, vcpus: int, thousandths: int) -> None:
    assert allocatable.cpu(machine_type, vcpus, 110) == thousandths
    assert allocatable.cpu(machine_type, vcpus, 111) == thousandths - 400


@pytest.mark.parametrize(
    ("gib", "reserved"),
    [
        (0.5, 255),
        (1, 256),
        (3.75, 960),
        # 4000 MiB at 25 %, then 20, 10, 6 and 2 % from 4000, 8000, 16000 and 128000 MiB on.
        (4, 1000 + 19),
        (8, 1000 + 800 + 19),
        (16, 1000 + 800 + 800 + 23),
        (32, 1000 + 800 + 800 + 1006),
        (1872, 1000 + 800 + 800 + 6720 + 35_778),
    ],
)
def test_memory(gib: float, reserved: int) -> None:
    physical = int(gib * 1024)
    left = allocatable.memory(gib) + allocatable.kernel(physical * MIB)
    assert left == (physical - reserved - 100) * MIB


def test_a_node_is_never_promised_more_than_real_ones_have() -> None:
    """As seen on an n2-standard-4 of GKE 1.36 and an e2-small of 2024, with boot disks of 100 GB."""
    assert 0 <= 13_591_652 * 1024 - allocatable.memory(16) < 32 * MIB
    assert 0 <= 1_397_472 * 1024 - allocatable.memory(2) < 96 * MIB
    assert 0 <= 47_060_071_478 - allocatable.boot_disk(100) < 256 * MIB


@pytest.mark.parametrize(("gb", "reserved"), [(20, 10), (40, 20), (100, 41), (200, 76), (300, 100), (1000, 100)])
def test_ephemeral_storage_on_a_boot_disk(gb: int, reserved: int) -> None:
    capacity = gb * (1 - 0.016635) - 4.212
    assert allocatable.boot_disk(gb) == pytest.approx((0.9 * capacity - reserved) * GIB)


@pytest.mark.parametrize(("count", "reserved"), [(1, 50), (2, 75), (3, 100), (16, 100)])
def test_ephemeral_storage_on_local_ssds(count: int, reserved: int) -> None:
    assert allocatable.local_ssds(count) == pytest.approx((0.9 * 0.98 * 375 * count - reserved) * GIB)


def test_a_g2_standard_8() -> None:
    found = nodes(L4).allocatable
    assert found["cpu"] == 7910
    # 28.38 GiB before the kernel takes its part.
    assert found["memory"] + allocatable.kernel(32 * GIB) == (32 * 1024 - 3706) * MIB
    assert found["memory"] / GIB == pytest.approx(27.71, abs=0.01)
    assert found["ephemeral-storage"] == allocatable.boot_disk(100)
    assert (found["pods"], found[GPU]) == (110, 1)


def test_every_pool_is_there_at_its_largest() -> None:
    # By name, whatever their order in the settings.
    plain = {"b": {"machine_type": "n2-standard-8", "max_nodes": 9}, "a": L4 | {"max_nodes": 7}}
    found = nodes_of(cluster(node_pools=plain))
    assert [(each.pool, each.most) for each in found] == [("system", 3), ("a", 7), ("b", 9)]
    assert found[0].allocatable["cpu"] == 3920
    assert GPU not in found[0].allocatable
    assert found[0].taints == ()


# Labels, taints and zones.


def test_a_spot_pool_with_gpus() -> None:
    found = nodes(L4 | {"spot": True, "labels": {"tier": "gold", "empty": ""}}, zones=["us-west1-b"], role="training")
    expected = {
        "role": "training",
        "tier": "gold",
        "empty": "",
        f"{GKE}gke-accelerator": "nvidia-l4",
        f"{GKE}gke-gpu-driver-version": "default",
        f"{GKE}gke-nodepool": "pool",
        f"{GKE}gke-provisioning": "spot",
        f"{GKE}gke-spot": "true",
        f"{GKE}gke-boot-disk": "pd-balanced",
        f"{GKE}gke-max-pods-per-node": "110",
        f"{GKE}gke-cpu-scaling-level": "8",
        f"{GKE}gke-memory-gb-scaling-level": "32",
        f"{GKE}machine-family": "g2",
        f"{GKE}private-node": "true",
        ARCH: "amd64",
        "kubernetes.io/os": "linux",
        "node.kubernetes.io/instance-type": "g2-standard-8",
        "beta.kubernetes.io/instance-type": "g2-standard-8",
        "topology.kubernetes.io/region": "us-west1",
        ZONE: "us-west1-b",
        "iam.gke.io/gke-metadata-server-enabled": "true",
    }
    assert found.labels.items() >= expected.items()
    assert not expected.keys() & found.unsure
    assert found.taints == (GPU_TAINT,)
    assert f"{GKE}gke-spot" not in nodes(L4).labels


@pytest.mark.parametrize(("strategy", "value"), [("TIME_SHARING", "time-sharing"), ("MPS", "mps")])
def test_a_shared_gpu(strategy: str, value: str) -> None:
    sharing = {"strategy": strategy, "clients": 4}
    found = nodes({"machine_type": "g2-standard-24", "accelerator": {"type": "nvidia-l4", "sharing": sharing}})
    assert found.allocatable[GPU] == 2 * 4
    assert found.labels[f"{GKE}gke-max-shared-clients-per-gpu"] == "4"
    assert found.labels[f"{GKE}gke-gpu-sharing-strategy"] == value
    assert f"{GKE}gke-gpu-sharing-strategy" in found.unsure


@pytest.mark.parametrize(
    "machine_type", ["c4a-standard-8", "n4a-standard-8", "t2a-standard-8", "a4x-highgpu-4g", "c4a-standard-8-lssd"]
)
def test_arm(machine_type: str) -> None:
    found = nodes({"machine_type": machine_type})
    assert found.labels[ARCH] == "arm64"
    assert Taint("kubernetes.io/arch", "arm64", "NoSchedule") in found.taints
    assert (GPU_TAINT in found.taints) is machine_type.startswith("a4x")


def test_a_queued_pool_has_gkes_taint_and_no_sure_label() -> None:
    found = nodes(L4 | {"queued": True, "flex_start": True})
    assert {*found.taints} == {GPU_TAINT, Taint(f"{GKE}gke-queued", "true", "NoSchedule")}
    assert found.labels[f"{GKE}gke-flex-start"] == "true"
    assert f"{GKE}gke-queued" not in found.labels
    assert {f"{GKE}gke-queued", f"{GKE}gke-provisioning"} <= found.unsure


@pytest.mark.parametrize(
    ("of_cluster", "of_pool", "expected"),
    [
        ([], [], ()),
        (["us-west1-a"], [], ("us-west1-a",)),
        (["us-west1-a", "us-west1-b"], [], ("us-west1-a", "us-west1-b")),
        (["us-west1-a", "us-west1-b"], ["us-west1-b", "us-west1-b"], ("us-west1-b",)),
    ],
)
def test_zones(of_cluster: list[str], of_pool: list[str], expected: tuple[str, ...]) -> None:
    found = nodes(L4 | {"zones": of_pool}, zones=of_cluster)
    assert found.zones == expected
    assert found.labels.get(ZONE) == (expected[0] if len(expected) == 1 else None)
    assert (ZONE in found.unsure) is (not expected)
    assert ("topology.gke.io/zone" in found.unsure) is (len(expected) != 1)


def test_local_ssds() -> None:
    on_disk = nodes(L4).allocatable["ephemeral-storage"]
    ephemeral, block = (nodes(L4 | {"local_ssds": {"count": 1, "use": use}}) for use in ("ephemeral", "block"))
    assert ephemeral.allocatable["ephemeral-storage"] == allocatable.local_ssds(1) > on_disk
    assert block.allocatable["ephemeral-storage"] == on_disk
    assert ephemeral.labels[f"{GKE}gke-ephemeral-storage-local-ssd"] == "true"
    assert block.labels[f"{GKE}gke-local-nvme-ssd"] == "true"
    always = nodes({"machine_type": "a3-highgpu-8g"})
    assert "ephemeral-storage" not in always.allocatable
    assert {"ephemeral-storage", f"{GKE}gke-ephemeral-storage-local-ssd"} <= always.unsure


# What is not sure.


def test_a_machine_type_that_no_table_has() -> None:
    found = nodes({"machine_type": "g9-standard-8", "accelerator": {"type": "nvidia-new", "count": 2}})
    assert found.allocatable.keys() == {"pods", "ephemeral-storage", GPU}
    assert found.allocatable[GPU] == 2
    assert {"cpu", "memory", ARCH, f"{GKE}gke-cpu-scaling-level"} <= found.unsure
    assert ARCH not in found.labels
    assert found.taints == (GPU_TAINT,)
    plain = nodes({"machine_type": "n2-standard-3"})
    assert {"cpu", "memory"} <= plain.unsure
    assert ARCH not in plain.unsure


@pytest.mark.parametrize("machine_type", ["a4x-maxgpu-4g-metal", "g4-standard-6"])
def test_gpus_that_are_not_sure(machine_type: str) -> None:
    found = nodes({"machine_type": machine_type})
    assert {GPU, f"{GKE}gke-accelerator"} <= found.unsure
    assert found.allocatable[GPU] >= 1
    assert "cpu" not in found.unsure
    assert not {GPU, f"{GKE}gke-accelerator", "cpu", "memory"} & nodes(L4).unsure


def test_more_pods_than_usual_make_the_cpu_unsure() -> None:
    assert "cpu" in nodes(L4 | {"max_pods_per_node": 200}).unsure
    assert nodes(L4 | {"max_pods_per_node": 32}).allocatable["pods"] == 32


def test_labels_that_each_node_has_otherwise_are_unsure() -> None:
    found = nodes(L4 | {"compact": True, "reservation": "mine", "image_streaming": True}, zones=["us-west1-a"])
    assert {"kubernetes.io/hostname", f"{GKE}gce-topology-block", f"{GKE}reservation-name"} <= found.unsure
    assert f"{GKE}gke-image-streaming" in found.unsure
    assert not {f"{GKE}gce-topology-block", f"{GKE}reservation-name"} & nodes(L4).unsure


def test_a_custom_machine() -> None:
    found = nodes({"machine_type": "custom-8-32768", "accelerator": {"type": "nvidia-tesla-t4", "count": 2}})
    assert found.labels[f"{GKE}machine-family"] == "n1"
    assert (found.allocatable["cpu"], found.allocatable[GPU]) == (7910, 2)
    assert found.allocatable["memory"] == nodes(L4).allocatable["memory"]


def test_tpus() -> None:
    found = nodes({"machine_type": "ct6e-standard-4t"})
    assert (found.allocatable[TPU], found.allocatable["cpu"]) == (4, 179_480)
    assert found.labels[f"{GKE}gke-tpu-accelerator"] == "tpu-v6e-slice"
    assert found.taints == (Taint(TPU, "present", "NoSchedule"),)
    assert f"{GKE}gke-tpu-topology" in found.unsure


# What GKE itself runs.


def test_gkes_own_pods_request_some_of_each_node() -> None:
    plain, gpu, tpu = (nodes(each).system for each in ({"machine_type": "n2-standard-8"}, L4, TPUS))
    assert plain == {"cpu": 509, "memory": 1107 * MIB, "pods": 10}
    assert {name: gpu[name] - plain[name] for name in plain} == {"cpu": 150, "memory": 80 * MIB, "pods": 1}
    assert {name: tpu[name] - plain[name] for name in plain} == {"cpu": 110, "memory": 80 * MIB, "pods": 1}


def test_every_row_of_gkes_own_pods_can_be_read() -> None:
    for row in rows("system_pods.csv"):
        assert row["name"] and row["on"] in ("all", "gpus", "tpus")
        assert int(row["cpu"]) > 0 and int(row["memory_mib"]) > 0
        assert row["sure"] in ("yes", "no")
        assert row["note"] or row["sure"] == "yes"
