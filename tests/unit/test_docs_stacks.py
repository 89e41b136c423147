"""The stacks that pages show in parts are accepted, and placed or refused as their pages say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from clusters.spec import warnings
from problems import SettingsError
from settings import Settings, parse
from tests.docs import ROOT, stack_of
from tests.unit.program import run_program

ACCELERATORS = "docs/accelerators.md"


def _parse(raw: Mapping[str, Any], files: Mapping[str, str], folder: Path) -> Settings:
    (folder / "workloads").mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return parse(raw, folder)


def test_the_accelerators_are_accepted_and_their_workloads_placed(tmp_path: Path) -> None:
    raw, files = stack_of(ACCELERATORS)
    settings = _parse(raw, files, tmp_path)
    placed = {
        name: {each.cluster: each.share for each in workload.decisions if each.taken}
        for name, workload in settings.decided.workloads.items()
    }
    assert placed == {
        "pretrain": {"tpus": 1},
        "notebooks": {"gpus": 7},
        "server": {"gpus": 1},
        "finetune": {"gpus": 1},
        "chat": {"serving": 10},
    }
    assert {f"workloads/{name}.yaml" for name in placed} == files.keys()


def test_of_the_accelerators_only_the_disks_are_warned_of(tmp_path: Path) -> None:
    found = list(warnings(_parse(*stack_of(ACCELERATORS), tmp_path).clusters))
    assert [each.partition(".machine_type")[0] for each in found] == [
        "clusters.gpus.node_pools.h200",
        "clusters.gpus.node_pools.b200",
    ]
    assert all("write storageClassName: checkpoints-hyperdisk" in each for each in found)


def test_too_few_pods_for_a_slice_are_refused_in_the_words_of_the_page(tmp_path: Path) -> None:
    raw, files = stack_of(ACCELERATORS)
    files["workloads/pretrain.yaml"] = files["workloads/pretrain.yaml"].replace("lelism: 4", "lelism: 3")
    files["workloads/pretrain.yaml"] = files["workloads/pretrain.yaml"].replace("completions: 4", "completions: 3")
    shown = (ROOT / ACCELERATORS).read_text().partition("    workloads.pretrain.placement: ")[2].partition("\n\n")[0]
    with pytest.raises(SettingsError) as refused:
        _parse(raw, files, tmp_path)
    assert " ".join(shown.split()) in " ".join(str(refused.value).split())


@pytest.mark.parametrize(
    ("pool", "change", "said"),
    [
        ("slice", {"max_nodes": 3}, "max_nodes: 3: a slice of 4x4 is 4 nodes"),
        ("slice", {"zones": ["us-west1-b", "us-west1-c"]}, "in one zone"),
        ("slice", {"tpu": {"topology": "4x5"}}, "not a topology of ct5lp-hightpu-4t"),
        ("h200", {"flex_start": False, "spot": False, "compact": False}, "is not sold on demand"),
        ("b200", {"zones": ["us-central1-a", "us-central1-b"]}, "a block is in one zone"),
        ("parts", {"accelerator": {"type": "nvidia-tesla-a100", "partition": "1g.6gb"}}, "has no such partition"),
        ("claims", {"accelerator": {"type": "nvidia-h100-80gb", "dra": True, "sharing": {}}}, "neither shared nor cut"),
        ("h200", {"gpu_networks": "auto"}, "GKE takes only one of the two in a cluster"),
        ("reserved", {"compute_class": "other"}, "compute_class"),
        ("reserved", {"max_nodes": 40}, "the cluster's own pools have up to"),
    ],
)
def test_what_the_page_says_is_refused_is_refused(
    pool: str, change: Mapping[str, Any], said: str, tmp_path: Path
) -> None:
    raw, files = stack_of(ACCELERATORS)
    (cluster,) = (each for each in raw["clusters"].values() if pool in each["node_pools"])
    cluster["node_pools"][pool] = {**cluster["node_pools"][pool], **change}
    with pytest.raises(SettingsError) as refused:
        _parse(raw, files, tmp_path)
    assert said in str(refused.value)


def test_the_network_that_exists_is_accepted(tmp_path: Path) -> None:
    raw, files = stack_of("docs/existing-networks.md")
    settings = _parse({"workloads": {}, **raw}, files, tmp_path)
    assert settings.network
    assert settings.network.project == "network-host"
    assert {each.subnet.name for each in settings.clusters.values() if each.subnet} == {"gke-us-west1"}


def test_of_the_accelerators_the_program_makes_what_the_page_says() -> None:
    clusters = stack_of(ACCELERATORS)[0]["clusters"]
    # Without the operator, whose release would be loaded.
    settings = {"gcp:project": "p", "clusters": clusters, "federation": {"host": "tpus"}, "workloads": {}}
    asked = run_program("accelerators", settings).asked
    pools = {each.name: each.inputs for each in asked if each.type == "gcp:container/nodePool:NodePool"}
    assert pools.keys() >= {f"{name}-{pool}" for name, cluster in clusters.items() for pool in cluster["node_pools"]}
    assert pools["tpus-slice"]["placementPolicy"]["tpuTopology"] == "4x4"
    assert pools["tpus-slice"]["autoscaling"]["maxNodeCount"] == 4
    assert "autoscaling" not in pools["tpus-always"]
    assert "placementPolicy" not in pools["tpus-single"]
    networks = [each.object_name for each in asked if each.type == "kubernetes:networking.gke.io/v1:Network"]
    assert sorted(networks) == [f"vpc{number}" for number in range(1, 9)]
    assert [each.object_name for each in asked if each.kind == "ComputeClass"] == ["gpus"]
