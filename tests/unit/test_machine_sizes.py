"""CPUs, memory and accelerators of machine types: what the tables have, what names say, and that all users agree."""

import pytest

from clusters.facts.machine_families import families, family_name
from clusters.facts.machine_sizes import Size, attachable, size_of, tpus
from clusters.facts.machines import BUILT_IN, wrong_count, wrong_local_ssds
from clusters.facts.table import rows
from local.gcp.pools.machines import machine

TYPES = [row["machine_type"] for name in ("machine_types.csv", "machines.csv", "tpus.csv") for row in rows(name)]


@pytest.mark.parametrize(
    ("machine_type", "size"),
    [
        ("g2-standard-8", Size(8, 32)),
        ("a3-highgpu-8g", Size(208, 1872, 16)),
        ("e2-standard-4", Size(4, 16)),
        ("e2-medium", Size(2, 4)),
        ("n1-standard-8", Size(8, 30)),
        # No rule of GiB for each CPU has these.
        ("c4-standard-2", Size(2, 7)),
        ("n2-highmem-128", Size(128, 864)),
        ("c4-standard-8-lssd", Size(8, 30, 1)),
        ("ct6e-standard-4t", Size(180, 720)),
        ("custom-8-32768", Size(8, 32)),
        ("n1-custom-1-1024", Size(1, 1)),
        ("n2-custom-8-32768", Size(8, 32)),
        ("n2d-custom-2-65536-ext", Size(2, 64)),
    ],
)
def test_sizes(machine_type: str, size: Size) -> None:
    assert size_of(machine_type) == size


@pytest.mark.parametrize(
    "machine_type",
    [
        "g9-standard-8",
        "e2-highmem-32",
        "n2-standard-3",
        "n2-custom-5-8192",
        "n2-custom-8-1000",
        "n2-custom-0-1024",
        "n2-custom-8-0",
        "e2-custom-64-65536",
        "g2-custom-8-32768",
        "a2",
    ],
)
def test_no_sizes(machine_type: str) -> None:
    assert size_of(machine_type) is None


def test_every_machine_type_is_once_in_the_tables_and_has_a_family() -> None:
    assert len(TYPES) == len(set(TYPES)) > 500
    assert {family_name(each) for each in TYPES} == families().keys()
    assert all(families()[family_name(each)].gpus == "own" for each in [*BUILT_IN, *tpus()])


def test_slices_have_whole_nodes() -> None:
    for tpu in tpus().values():
        for topology in tpu.topologies:
            chips = 1
            for side in topology.split("x"):
                chips *= int(side)
            assert chips % tpu.chips == 0, topology


@pytest.mark.parametrize(
    ("machine_type", "accelerator", "counts"),
    [
        ("n1-standard-8", "nvidia-tesla-t4", (1, 2, 4)),
        ("n1-standard-64", "nvidia-tesla-t4", (4,)),
        ("n1-standard-16", "nvidia-tesla-v100", (2, 4, 8)),
        ("custom-24-49152", "nvidia-tesla-p100", (2, 4)),
        ("n1-custom-24-49152", "nvidia-tesla-p4", (1, 2, 4)),
        ("n2-standard-8", "nvidia-tesla-t4", ()),
    ],
)
def test_gpus_that_can_be_attached_depend_on_the_cpus(
    machine_type: str, accelerator: str, counts: tuple[int, ...]
) -> None:
    assert attachable(machine_type).get(accelerator, ()) == counts


def test_settings_are_refused_for_gpus_and_disks_that_a_machine_surely_does_not_take() -> None:
    assert wrong_count("n1-standard-64", "nvidia-tesla-t4", 1) == "n1-standard-64 takes 4 of it; write one of these"
    assert wrong_count("n1-standard-64", "nvidia-tesla-t4", 4) == ""
    assert wrong_local_ssds("n4-standard-8", 1).startswith("n4-standard-8 takes no local SSD")
    assert wrong_local_ssds("c4-standard-8-lssd", 1) == ""


def test_google_has_every_machine_type_of_the_tables_with_the_same_numbers() -> None:
    for name in TYPES:
        found, size, tpu = machine(name), size_of(name), tpus().get(name)
        assert found, name
        assert size, name
        assert (found.cpus, found.memory) == (size.vcpus, size.memory_gib)
        assert (found.gpu, found.gpus) == BUILT_IN.get(name, ("", 0))
        assert (found.tpu, found.tpus) == ((tpu.accelerator, tpu.chips) if tpu else ("", 0))
