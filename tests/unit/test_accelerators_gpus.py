"""The cluster `gpus` of the stack with every option for accelerators, under mocks."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.google import POOL, Google
from tests.unit.test_accelerators import run, settings


def config(pool: str) -> dict[str, Any]:
    (found,) = (each.inputs["nodeConfig"] for each in run().asked if each.name == f"gpus-{pool}")
    return found


def gpus(pool: str) -> dict[str, Any]:
    (found,) = config(pool)["guestAccelerators"]
    return found


@pytest.mark.parametrize(
    ("pool", "accelerator", "count", "disk"),
    [
        ("parts", "nvidia-h100-80gb", 8, "pd-balanced"),
        ("small", "nvidia-h100-80gb", 1, "pd-balanced"),
        ("mega", "nvidia-h100-mega-80gb", 8, "pd-balanced"),
        ("edge", "nvidia-h100-80gb", 8, "hyperdisk-balanced"),
        ("h200", "nvidia-h200-141gb", 8, "hyperdisk-balanced"),
        ("b200", "nvidia-b200", 8, "hyperdisk-balanced"),
        ("gb200", "nvidia-gb200", 4, "hyperdisk-balanced"),
        ("rtx", "nvidia-rtx-pro-6000", 1, "hyperdisk-balanced"),
        ("eighth", "nvidia-rtx-pro-6000", 1, "hyperdisk-balanced"),
        ("claims", "nvidia-a100-80gb", 1, "pd-balanced"),
    ],
)
def test_each_pool_has_its_gpus_and_a_disk_that_boots_it(pool: str, accelerator: str, count: int, disk: str) -> None:
    assert (gpus(pool)["type"], gpus(pool)["count"], config(pool)["diskType"]) == (accelerator, count, disk)
    assert "nvidia.com/gpu" in {each["key"] for each in config(pool)["taints"]}


def test_all_of_its_pools_are_looked_at() -> None:
    assert len(settings()["clusters"]["gpus"]["node_pools"]) == 10


def test_parts_blocks_and_claims_are_requested() -> None:
    assert gpus("parts")["gpuPartitionSize"] == "1g.10gb"
    assert gpus("parts")["gpuSharingConfig"]["maxSharedClientsPerGpu"] == 2
    assert config("b200")["reservationAffinity"]["values"][0].endswith(
        "/reservationBlocks/block-1/reservationSubBlocks/sub-1"
    )
    assert gpus("claims")["gpuDriverInstallationConfig"] == {"gpuDriverVersion": "INSTALLATION_DISABLED"}
    assert config("claims")["labels"]["gke-no-default-nvidia-gpu-device-plugin"] == "true"


def test_the_stand_in_takes_every_pool_of_the_stack(tmp_path: Path) -> None:
    google = Google(tmp_path)
    found = {
        each.name: google.check(POOL, json.loads(json.dumps(each.inputs), parse_float=lambda text: int(float(text))))
        for each in run().of_type(POOL)
        if each.name.startswith("gpus-")
    }
    assert len(found) == 11
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


def test_checkpoints_are_on_both_sorts_of_disks() -> None:
    classes = {
        each.object_name: each.inputs["parameters"]["type"]
        for each in run().of_kind("StorageClass")
        if each.name.startswith("gpus-checkpoints")
    }
    assert classes == {"checkpoints": "pd-ssd", "checkpoints-hyperdisk": "hyperdisk-balanced"}
