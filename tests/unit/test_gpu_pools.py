"""Pools with the GPUs of today: what is refused with advice, what is a warning, and the nodes that follow."""

from typing import Any

import pytest

from clusters.facts.boot_disks import boot_disks, default_disk
from clusters.facts.consumption import consumption
from clusters.facts.machine_families import families
from clusters.facts.machines import BUILT_IN
from clusters.facts.partitions import parts_of, unsure_partition, wrong_partition
from clusters.facts.table import rows
from clusters.node_config import node_config
from clusters.nodes.nodes import GPU, GPU_TAINT, Taint
from clusters.pools.accelerator import DRA_LABELS
from clusters.pools.spec import NodePool
from clusters.pools.volumes import checkpoint_classes
from clusters.spec import warnings
from placement.fit.judge import doubts, nearest_miss
from tests.unit.test_cluster_rules import H100, L4, POOL, cluster, problems, spec
from tests.unit.test_nodes import nodes

GKE = "cloud.google.com/"
A100: dict[str, Any] = {"machine_type": "a2-highgpu-1g"}
B200: dict[str, Any] = {"machine_type": "a4-highgpu-8g"}
BLOCK = "projects/p-1/reservations/big/reservationBlocks/b-1"
SUB_BLOCK = f"{BLOCK}/reservationSubBlocks/s-1"


def gpus(machine: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """A pool whose GPUs have these settings, beside their type."""
    return machine | {"accelerator": {"type": BUILT_IN[machine["machine_type"]][0]} | settings}


GOOD: dict[str, dict[str, Any]] = {
    "spot of what is not sold on demand": cluster(B200 | {"spot": True}),
    "flex-start of it": cluster(B200 | {"flex_start": True}),
    "queued": cluster(B200 | {"queued": True}),
    "a reservation of it": cluster(B200 | {"reservation": "mine", "zones": ["us-west1-a"]}),
    "compact by flex-start": cluster(B200 | {"flex_start": True, "compact": True, "zones": ["us-west1-a"]}),
    "on demand, which is not sure": cluster({"machine_type": "a4x-highgpu-4g"}),
    "a block": cluster(H100 | {"reservation": BLOCK, "zones": ["us-west1-a"]}),
    "a sub-block in the cluster's zone": cluster(H100 | {"reservation": SUB_BLOCK}, zones=["us-west1-a"]),
    "parts": cluster(gpus(A100, partition="1g.5gb")),
    "shared parts": cluster(gpus(A100, partition="2g.10gb", sharing={"clients": 4})),
    "parts of GPUs that are not known": cluster(gpus({"machine_type": "a4x-maxgpu-4g-metal"}, partition="1g.99gb")),
    "parts that are not sure": cluster(gpus({"machine_type": "a3-megagpu-8g"}, partition="1g.11gb")),
    "claims": cluster(gpus(H100, dra=True), kubernetes="1.34"),
    "claims, with the release channel's version": cluster(gpus(H100, dra=True)),
    "a disk that the machine takes": cluster(H100 | {"disk_type": "hyperdisk-balanced"}),
    "a disk that is not sure": cluster({"machine_type": "z3-highmem-88-highlssd", "disk_type": "pd-standard"}),
    "any disk of a machine that is not known": cluster(
        {"machine_type": "g9-standard-8", "accelerator": None, "disk_type": "pd-standard"}
    ),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_google_has_is_taken(case: str) -> None:
    assert problems(GOOD[case]) == []


BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "on demand, which is not sold": (
        cluster(B200),
        f"{POOL}.machine_type: 'a4-highgpu-8g'",
        "is not sold on demand; write spot, flex_start or queued: true, or a reservation",
    ),
    "A3 Ultra on demand": (
        cluster({"machine_type": "a3-ultragpu-8g-nolssd"}),
        f"{POOL}.machine_type: 'a3-ultragpu-8g-nolssd'",
        "not sold on demand",
    ),
    "compact by flex-start": (
        cluster(H100 | {"flex_start": True, "compact": True, "zones": ["us-west1-a"]}),
        f"{POOL}.compact: True",
        "can be compact in a3-ultragpu, a4, h4d alone",
    ),
    "another size of parts": (
        cluster(gpus(A100, partition="1g.7gb")),
        f"{POOL}.accelerator.partition: '1g.7gb'",
        "nvidia-tesla-a100 has no such partition; write one of 1g.5gb, 2g.10gb, 3g.20gb, 7g.40gb",
    ),
    "parts of a GPU that has none": (
        cluster(gpus(L4, partition="1g.5gb")),
        f"{POOL}.accelerator.partition: '1g.5gb'",
        "nvidia-l4 cannot be cut into parts; remove it, or write sharing",
    ),
    "no size": (
        cluster(gpus(A100, partition="small")),
        f"{POOL}.accelerator.partition: 'small'",
        "such as 1g.5gb",
    ),
    "claims of shared GPUs": (
        cluster(gpus(H100, dra=True, sharing={"clients": 2})),
        f"{POOL}.accelerator.sharing",
        "remove sharing, or write dra: false",
    ),
    "claims of parts": (
        cluster(gpus(H100, dra=True, partition="1g.10gb")),
        f"{POOL}.accelerator.partition: '1g.10gb'",
        "remove partition, or write dra: false",
    ),
    "claims with GKE's driver": (
        cluster(gpus(H100, dra=True, driver="LATEST")),
        f"{POOL}.accelerator.driver: 'LATEST'",
        "GKE installs no driver; remove it",
    ),
    "claims with an old Kubernetes": (
        cluster(gpus(H100, dra=True), kubernetes="1.33.4-gke.1000"),
        f"{POOL}.accelerator.dra: True",
        "needs Kubernetes 1.34, and the cluster has 1.33.4-gke.1000; write false, or a later kubernetes",
    ),
    "claims with their label by hand": (
        cluster(gpus(H100, dra=True) | {"labels": {"nvidia.com/gpu.present": "false"}}),
        f"{POOL}.labels: 'nvidia.com/gpu.present'",
        "accelerator.dra sets this label; remove it",
    ),
    "a disk that boots no such machine": (
        cluster({"machine_type": "c4-standard-8", "disk_type": "pd-balanced"}),
        f"{POOL}.disk_type: 'pd-balanced'",
        "c4-standard-8 takes hyperdisk-balanced; write that",
    ),
    "a slow disk of a fast machine": (
        cluster(H100 | {"disk_type": "pd-standard"}),
        f"{POOL}.disk_type: 'pd-standard'",
        "a3-highgpu-8g takes pd-balanced or pd-ssd or hyperdisk-balanced",
    ),
    "Hyperdisk of an older machine": (
        cluster(L4 | {"disk_type": "hyperdisk-balanced"}),
        f"{POOL}.disk_type: 'hyperdisk-balanced'",
        "g2-standard-8 takes pd-standard or pd-balanced or pd-ssd",
    ),
    "a block without its project": (
        cluster(H100 | {"reservation": "big/reservationBlocks/b-1", "zones": ["us-west1-a"]}),
        f"{POOL}.reservation: 'big/reservationBlocks/b-1'",
        "write projects/PROJECT/reservations/big/reservationBlocks/b-1",
    ),
    "a sub-block without its block": (
        cluster(H100 | {"reservation": "projects/p-1/reservations/big/reservationSubBlocks/s-1"}),
        f"{POOL}.reservation",
        "a sub-block is inside a block; write projects/PROJECT/reservations/NAME/reservationBlocks/BLOCK/",
    ),
    "a block in two zones": (
        cluster(H100 | {"reservation": BLOCK}, zones=["us-west1-a", "us-west1-b"]),
        f"{POOL}.reservation: '{BLOCK}'",
        "a block is in one zone, and these nodes are in us-west1-a, us-west1-b; write its zone",
    ),
    "a block in zones that Google chooses": (
        cluster(H100 | {"reservation": BLOCK}),
        f"{POOL}.reservation",
        "Google chooses several; write its zone",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_google_has_not_is_refused_with_what_to_write(case: str) -> None:
    plain, where, advice = BAD[case]
    (problem,) = problems(plain)
    assert str(problem).startswith(where), problem
    assert advice in problem.advice


UNSURE: dict[str, tuple[dict[str, Any], str, str]] = {
    "on demand": (
        cluster({"machine_type": "a3-highgpu-1g"}),
        "machine_type: a3-highgpu-1g may not be sold on demand",
        "write spot, flex_start or queued: true, or a reservation",
    ),
    "parts of GPUs that are not known": (
        cluster(gpus({"machine_type": "a4x-maxgpu-4g-metal"}, partition="1g.99gb") | {"spot": True}),
        "accelerator.partition: 1g.99gb: ",
        "does not know the partitions of nvidia-gb300",
    ),
    "parts that are not sure": (
        cluster(gpus({"machine_type": "a3-megagpu-8g"}, partition="1g.10gb")),
        "accelerator.partition: 1g.10gb: ",
        "is not sure of the partitions of nvidia-h100-mega-80gb",
    ),
    "parts of a part": (
        cluster(gpus({"machine_type": "g4-standard-24"}, partition="1g.24gb")),
        "accelerator.partition: 1g.24gb: ",
        "g4-standard-24 has 1/2 of a GPU, which may not be cut further",
    ),
    "a disk": (
        cluster({"machine_type": "z3-highmem-88-highlssd", "disk_type": "pd-standard"}),
        "disk_type: pd-standard: clusters/facts/boot_disks.csv is not sure",
        "z3-highmem-88-highlssd takes pd-balanced or pd-ssd or hyperdisk-balanced",
    ),
    "a reservation in two zones": (
        cluster(H100 | {"reservation": "projects/p-1/reservations/mine"}, zones=["us-west1-a", "us-west1-b"]),
        "reservation: projects/p-1/reservations/mine: the nodes are in us-west1-a, us-west1-b",
        "no reservation named mine; write zones",
    ),
    "a reservation in zones that Google chooses": (
        cluster(H100 | {"reservation": "mine"}),
        "reservation: mine: Google chooses the nodes' zones",
        "no reservation named mine; write zones",
    ),
    "claims with the release channel's version": (
        cluster(gpus(H100, dra=True)),
        "accelerator.dra: true: needs Kubernetes 1.34",
        'write kubernetes: "1.34" or later',
    ),
}


@pytest.mark.parametrize("case", UNSURE)
def test_what_is_not_sure_is_a_warning(case: str) -> None:
    plain, where, advice = UNSURE[case]
    found = [text for text in warnings({"a": spec(plain)}) if text.startswith(f"{POOL}.{where}")]
    assert len(found) == 1, [*warnings({"a": spec(plain)})]
    assert advice in found[0]


def test_what_is_sure_warns_of_nothing() -> None:
    for plain in (L4, B200 | {"spot": True}, H100 | {"reservation": BLOCK}, gpus(A100, partition="1g.5gb")):
        texts = warnings({"a": spec(cluster(plain, region="us-central1", zones=["us-central1-a"]))})
        assert [each for each in texts if "not listed" not in each] == []


# Boot disks.


@pytest.mark.parametrize(
    ("machine", "disk"),
    [
        *((each, "pd-balanced") for each in ("g2-standard-8", "a2-highgpu-1g", "a3-highgpu-8g", "a3-megagpu-8g")),
        *((each, "pd-balanced") for each in ("a3-edgegpu-8g-nolssd", "n1-standard-8", "custom-8-32768", "e2-medium")),
        *((each, "pd-balanced") for each in ("c3-standard-8", "g9-standard-8", "z3-highmem-88-highlssd")),
        *((each, "hyperdisk-balanced") for each in ("a3-ultragpu-8g", "a4-highgpu-8g-nolssd", "a4x-highgpu-4g")),
        *((each, "hyperdisk-balanced") for each in ("a4x-maxgpu-4g-metal", "g4-standard-6", "n4-standard-8")),
        *((each, "hyperdisk-balanced") for each in ("n4-custom-8-32768", "c4-standard-8-lssd", "c4a-standard-8")),
    ],
)
def test_a_disk_that_is_left_out_is_one_that_the_machine_takes(machine: str, disk: str) -> None:
    assert default_disk(machine) == disk
    pool = NodePool.model_validate({"machine_type": machine, "accelerator": None})
    assert node_config(pool, "nodes@example", {}, {}).get("disk_type") == disk


def test_a_disk_that_is_written_is_kept() -> None:
    pool = NodePool.model_validate(H100 | {"disk_type": "hyperdisk-balanced"})
    assert pool.disk_type == "hyperdisk-balanced"


def test_the_tables_are_about_machines_that_there_are_and_disks_that_settings_know() -> None:
    known = ("pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced")
    named = [row["machine_type"] for table in ("machines.csv", "machine_types.csv") for row in rows(table)]
    for row in (*rows("boot_disks.csv"), *rows("consumption.csv")):
        assert any(f"{each}-".startswith(f"{row['machines']}-") for each in named), row
    for row in rows("boot_disks.csv"):
        assert {*row["boot_disks"].split("|")} <= {*known}
        assert row["source"] or row["sure"] == "no"
    assert all(boot_disks(each) for each in BUILT_IN)
    assert {row["accelerator"] for row in rows("partitions.csv")} >= {kind for kind, _ in BUILT_IN.values()} - {
        "nvidia-gb300"
    }


# Parts of GPUs.


@pytest.mark.parametrize(
    ("accelerator", "partition", "parts"),
    [
        ("nvidia-tesla-a100", "1g.5gb", 7),
        ("nvidia-tesla-a100", "7g.40gb", 1),
        ("nvidia-h100-80gb", "1g.20gb", 4),
        ("nvidia-h200-141gb", "1g.18gb", 7),
        ("nvidia-b200", "2g.45gb", 3),
        ("nvidia-gb200", "1g.47gb", 4),
        ("nvidia-rtx-pro-6000", "2g.48gb", 2),
        ("nvidia-gb300", "1g.99gb", None),
        ("nvidia-l4", "", 1),
    ],
)
def test_parts_of_a_gpu(accelerator: str, partition: str, parts: int | None) -> None:
    assert parts_of(accelerator, partition) == parts
    assert wrong_partition(accelerator, partition) == ""
    assert bool(unsure_partition(accelerator, partition)) is (parts is None)


def test_each_part_of_each_gpu_counts_as_often_as_it_is_shared() -> None:
    two: dict[str, Any] = {"machine_type": "a2-highgpu-2g"}
    cut = nodes(gpus(two, partition="1g.5gb"))
    assert cut.allocatable[GPU] == 14
    assert cut.labels[f"{GKE}gke-gpu-partition-size"] == "1g.5gb"
    assert GPU not in cut.unsure
    assert nodes(gpus(two, partition="3g.20gb", sharing={"clients": 5})).allocatable[GPU] == 20
    assert f"{GKE}gke-gpu-partition-size" not in nodes(two).labels
    assert GPU in nodes(gpus({"machine_type": "a3-megagpu-8g"}, partition="1g.10gb")).unsure


def test_a_pool_asks_for_parts() -> None:
    config: Any = node_config(spec(cluster(gpus(A100, partition="1g.5gb"))).node_pools["gpu"], "nodes@example", {}, {})
    (gpu,) = config["guest_accelerators"]
    assert gpu["gpu_partition_size"] == "1g.5gb"
    plain: Any = node_config(spec(cluster(A100)).node_pools["gpu"], "nodes@example", {}, {})
    assert plain["guest_accelerators"][0].keys() == {"type", "count", "gpu_driver_installation_config"}


def requesting(amount: int, **more: Any) -> dict[str, Any]:
    resources = {"limits": {GPU: amount}} if amount else {}
    return {"containers": [{"name": "a", "image": "b", "resources": resources}]} | more


@pytest.mark.parametrize(
    ("pool", "amount", "miss"),
    [
        (gpus(A100, partition="1g.5gb"), 1, ""),
        (gpus(A100, partition="1g.5gb"), 2, "pool pool partitions its GPUs: a container can request 1 nvidia.com/gpu"),
        (gpus(A100, partition="1g.5gb", sharing={"strategy": "MPS", "clients": 2}), 2, "a container can request 1"),
        (gpus(L4, sharing={"strategy": "TIME_SHARING", "clients": 4}), 2, "pool pool shares its GPUs: a container can"),
        (gpus(L4, sharing={"strategy": "MPS", "clients": 4}), 4, ""),
        (gpus({"machine_type": "g2-standard-24"}, sharing={"strategy": "MPS", "clients": 4}), 2, "a container can"),
    ],
)
def test_a_container_has_one_part(pool: dict[str, Any], amount: int, miss: str) -> None:
    found = nearest_miss(requesting(amount), [nodes(pool)])
    assert miss in found if miss else found == ""


def test_pods_select_the_size_of_parts() -> None:
    pod = requesting(1, nodeSelector={f"{GKE}gke-gpu-partition-size": "1g.5gb"})
    assert nearest_miss(pod, [nodes(gpus(A100, partition="1g.5gb"))]) == ""
    assert "gke-gpu-partition-size" in nearest_miss(pod, [nodes(gpus(A100, partition="2g.10gb"))])
    assert "gke-gpu-partition-size" in nearest_miss(pod, [nodes(A100)])


# GPUs that pods have by claims.


def test_gpus_by_claims_have_neither_driver_nor_plugin_of_gke() -> None:
    pool = spec(cluster(gpus(H100, dra=True), kubernetes="1.34")).node_pools["gpu"]
    config: Any = node_config(pool, "nodes@example", {"role": "test"}, {})
    (gpu,) = config["guest_accelerators"]
    assert gpu["gpu_driver_installation_config"] == {"gpu_driver_version": "INSTALLATION_DISABLED"}
    assert config["labels"] == {"role": "test", **DRA_LABELS}
    found = nodes(gpus(H100, dra=True))
    assert found.labels.items() >= DRA_LABELS.items()
    assert found.labels[f"{GKE}gke-gpu-driver-version"] == "disabled"
    assert GPU not in found.allocatable
    assert GPU not in found.unsure
    assert found.taints == (Taint(GPU_TAINT.key, GPU_TAINT.value, GPU_TAINT.effect),)
    assert found.system == nodes({"machine_type": "n2-standard-8"}).system


def test_a_pod_that_requests_gpus_which_are_had_by_claims_is_told_what_to_write() -> None:
    claims = nodes(gpus(H100, dra=True))
    other = nodes({"machine_type": "n2-standard-8"})
    text = "pool has its GPUs by DRA and no nvidia.com/gpu, the pod requests 1: write resourceClaims in the pod, or dra"
    assert nearest_miss(requesting(1), [claims]).startswith(text)
    assert nearest_miss(requesting(1), [other, claims]).startswith(text)
    assert nearest_miss(requesting(1), [other]) == "no pool has nvidia.com/gpu"
    assert nearest_miss(requesting(1), [claims, nodes(H100)]) == ""


def test_a_pod_with_claims_needs_the_toleration() -> None:
    claims = nodes(gpus(H100, dra=True))
    pod = requesting(0, resourceClaims=[{"name": "gpu", "resourceClaimTemplateName": "one"}])
    text = "taint nvidia.com/gpu=present of pool pool is not tolerated: write a toleration of nvidia.com/gpu"
    assert nearest_miss(pod, [claims]) == text
    assert nearest_miss(pod, [nodes(H100)]) == text.partition(":")[0]
    tolerating = pod | {"tolerations": [{"key": GPU, "operator": "Exists"}]}
    assert nearest_miss(tolerating, [claims]) == ""
    assert any("resourceClaims" in each for each in doubts(tolerating, [claims]))


# Arm, local SSDs and reservations.


def test_a4x_is_arm_with_large_local_ssds() -> None:
    found = nodes({"machine_type": "a4x-highgpu-4g", "spot": True, "local_ssds": {"count": 4}})
    assert Taint("kubernetes.io/arch", "arm64", "NoSchedule") in found.taints
    assert found.labels["kubernetes.io/arch"] == "arm64"
    assert found.allocatable["ephemeral-storage"] / 2**30 == pytest.approx(0.9 * 0.98 * 12_000 - 100)
    miss = nearest_miss(requesting(4), [found])
    assert "kubernetes.io/arch=arm64" in miss
    assert nearest_miss(requesting(4, nodeSelector={"kubernetes.io/arch": "arm64"}), [found]) == ""
    assert {name for name, each in families().items() if each.ssd_gib != 375} == {"a4x", "z3"}


@pytest.mark.parametrize("name", ["mine", "projects/p-1/reservations/mine", BLOCK, SUB_BLOCK])
def test_a_reservation_is_requested_as_it_is_written(name: str) -> None:
    pool = NodePool.model_validate(H100 | {"reservation": name})
    assert node_config(pool, "nodes@example", {}, {}).get("reservation_affinity") == {
        "consume_reservation_type": "SPECIFIC_RESERVATION",
        "key": "compute.googleapis.com/reservation-name",
        "values": [name],
    }


def test_how_machines_are_had_is_by_the_longest_name() -> None:
    assert not consumption("a4-highgpu-8g-nolssd").on_demand
    assert consumption("a4-highgpu-8g").sure
    assert not consumption("a4x-highgpu-4g").sure
    assert not consumption("a3-highgpu-2g").on_demand
    for machine in ("a3-highgpu-8g", "a3-megagpu-8g", "a2-ultragpu-1g", "g4-standard-48", "h4d-standard-192"):
        assert consumption(machine).on_demand


# Volumes.


def pools(*machines: str) -> dict[str, NodePool]:
    return {f"p{at}": NodePool.model_validate({"machine_type": each, "spot": True}) for at, each in enumerate(machines)}


@pytest.mark.parametrize(
    ("machines", "classes"),
    [
        ((), {"checkpoints": "pd-ssd"}),
        (("g2-standard-8", "a3-highgpu-8g"), {"checkpoints": "pd-ssd"}),
        (("g2-standard-8", "c4-standard-8"), {"checkpoints": "pd-ssd"}),
        (("a4-highgpu-8g", "e2-standard-8"), {"checkpoints": "hyperdisk-balanced"}),
        (("c4-standard-8",), {"checkpoints": "hyperdisk-balanced"}),
        (("g2-standard-8", "g4-standard-48"), {"checkpoints": "pd-ssd", "checkpoints-hyperdisk": "hyperdisk-balanced"}),
    ],
)
def test_checkpoints_are_on_disks_that_the_machines_attach(machines: tuple[str, ...], classes: dict[str, str]) -> None:
    assert checkpoint_classes(pools(*machines)) == classes


def test_a_pool_that_attaches_other_disks_than_the_others_is_a_warning() -> None:
    two = {"l4": L4, "rtx": {"machine_type": "g4-standard-48"}}
    (text,) = (each for each in warnings({"a": spec(cluster() | {"node_pools": two})}) if "storageClassName" in each)
    assert text.startswith("clusters.a.node_pools.rtx.machine_type: g4-standard-48 attaches no pd-ssd")
    assert text.endswith("write storageClassName: checkpoints-hyperdisk in claims of its pods")
