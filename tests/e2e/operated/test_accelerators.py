"""Slices of TPUs, networks between GPUs and compute classes on the local stack, and every option in a preview."""

import shutil
from typing import Any

import pytest

from local.api import Api
from local.gcp.network import SUBNETS
from local.gcp.registry import Registry
from tests.e2e.operated.test_queued import check_completed, check_propagated
from tests.e2e.operated.workloads import ELSEWHERE, HERE, SLICE, TPU, on_slice
from tests.e2e.project import Project, eventually
from tests.unit.test_accelerators import FILE, settings
from tests.unit.test_existing_network import EUROPE, REGIONS, US
from tests.unit.test_existing_network import FILE as EXISTING

pytestmark = pytest.mark.timeout(3600)

POOL = "cloud.google.com/gke-nodepool"


def nodes(api: Api, pool: str) -> list[dict[str, Any]]:
    """The nodes of a pool."""
    return api.list("/api/v1/nodes", labelSelector=f"{POOL}={pool}")


def pods(api: Api, selector: str) -> list[dict[str, Any]]:
    return api.list("/api/v1/namespaces/ai/pods", labelSelector=selector)


def test_a_slice_is_all_of_its_nodes(operated: Project) -> None:
    found = nodes(operated.api(HERE), "slice")
    assert len(found) == 4
    for each in found:
        assert each["status"]["allocatable"]["google.com/tpu"] == "4"
        assert each["metadata"]["labels"]["cloud.google.com/gke-tpu-topology"] == "4x4"
        assert {"key": "google.com/tpu", "value": "present", "effect": "NoSchedule"} in each["spec"]["taints"]


def test_a_job_set_for_the_slice_runs_whole_on_it(operated: Project) -> None:
    api = operated.api(HERE)
    eventually(lambda: check_completed(api, "chips"), 90)
    own = {each["metadata"]["name"] for each in nodes(api, "slice")}
    used = [each["spec"]["nodeName"] for each in pods(api, "jobset.sigs.k8s.io/jobset-name=chips")]
    # A pod that has ended, which takes a second here, leaves its node to the next.
    assert len(used) == 4
    assert own.issuperset(used)
    for member in ELSEWHERE:
        assert operated.api(member).list("/apis/jobset.x-k8s.io/v1alpha2/namespaces/ai/jobsets") == []
    check_propagated(operated, "jobsets", "chips")


def test_status_counts_chips(operated: Project) -> None:
    eventually(lambda: _says(operated, f"{TPU}: 16 of 16 free"), 60)


def test_a_job_set_for_another_slice_is_refused(operated: Project) -> None:
    before = operated.settings()
    operated.declare_workload("others", "ai", SLICE, on_slice("others", "2x4"))
    done = operated.shell("pulumi preview")
    operated.write_settings(before)
    assert done.code != 0
    assert "workloads.others" in done.output
    assert "cloud.google.com/gke-tpu-topology" in done.output


def test_machines_with_networks_between_their_gpus_come_up(operated: Project) -> None:
    api = operated.api(HERE)
    (node,) = nodes(api, "mega")
    assert node["status"]["allocatable"]["nvidia.com/gpu"] == "8"
    networks = {each["metadata"]["name"] for each in api.list("/apis/networking.gke.io/v1/networks")}
    assert networks >= {f"vpc{number}" for number in range(1, 9)}


def test_a_compute_class_is_served_and_its_pods_run_on_its_pool(operated: Project) -> None:
    api = operated.api(HERE)
    spec = api.get("/apis/cloud.google.com/v1/computeclasses/fast")["spec"]
    assert spec["priorities"] == [{"nodepools": ["classed"]}]
    assert spec["whenUnsatisfiable"] == "DoNotScaleUp"
    assert spec["nodePoolAutoCreation"] == {"enabled": False}
    (node,) = nodes(api, "classed")

    def check() -> None:
        assert [each["spec"].get("nodeName") for each in pods(api, "app=classed")] == [node["metadata"]["name"]]

    eventually(check, 60)


def test_the_stack_with_every_option_is_previewed(operated: Project) -> None:
    shutil.copyfile(FILE, operated.folder / "Pulumi.accelerators.yaml")
    done = operated.shell("pulumi stack init accelerators --no-select\npulumi preview --stack accelerators").ok()
    for name in settings()["clusters"]:
        assert f" {name} " in done.output


def test_the_stack_in_a_network_that_exists_is_previewed(operated: Project) -> None:
    shutil.copyfile(EXISTING, operated.folder / "Pulumi.existing.yaml")
    registry = Registry(operated.folder / ".local/cloud")
    for region, subnet in (("us-west1", US), ("europe-west1", EUROPE)):
        name = f"gke-{region}"
        registry.put(SUBNETS, f"{REGIONS}/{region}/subnetworks/{name}", {**subnet, "name": name, "region": region})
    operated.shell("pulumi stack init existing --no-select\npulumi preview --stack existing").ok()


def _says(project: Project, words: str) -> None:
    output = project.make("status").output
    assert words in output, output
