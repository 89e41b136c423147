"""What members have from the base, under mocks: in which order, by which provider, and before what."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import yaml

from federation.api_client import NoAnswer
from tests.unit.program import Asked, Run, run_program, stack_settings

GROUP = "kubernetes:yaml/v2:ConfigGroup"
PLACEMENT = {"policy": "clusters", "clusters": ["serving"]}


def crd(name: str, kind: str, *versions: str) -> dict[str, Any]:
    plural, _, group = name.partition(".")
    served = [{"name": each, "served": True, "storage": each == versions[0]} for each in versions]
    spec = {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural}, "versions": served}
    head = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}}
    return {**head, "spec": spec}


def manager(name: str) -> dict[str, Any]:
    head = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": f"{name}-system"}}
    return {**head, "spec": {}}


JOB_SETS = [crd("jobsets.jobset.x-k8s.io", "JobSet", "v1alpha2"), manager("jobset")]
QUEUES = [crd("localqueues.kueue.x-k8s.io", "LocalQueue", "v1beta2", "v1beta1"), manager("kueue")]
CLASSES = [{"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 9}]
SERVED = {"jobsets.jobset.x-k8s.io": JOB_SETS[0]["spec"]}
JOB_SET = {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet", "metadata": {"name": "train"}}


def write(file: Path, *objects: Mapping[str, Any]) -> None:
    file.write_text(yaml.safe_dump_all(objects))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write(tmp_path / "jobset.yaml", *JOB_SETS)
    write(tmp_path / "kueue.yaml", *QUEUES)
    write(tmp_path / "classes.yaml", *CLASSES)
    write(tmp_path / "tools.yaml", manager("tools"))
    write(tmp_path / "train.yaml", {**JOB_SET, "spec": {"replicatedJobs": []}})
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def joined() -> Iterator[None]:
    """No API server answers, so that every member is taken to have been one before."""
    with patch("federation.base.asking", side_effect=NoAnswer("no answer")):
        yield


def settings(**federation: Any) -> dict[str, Any]:
    found = stack_settings("dev")
    own = {
        "operators": {
            "kueue": {"version": "v0.17.0", "manifests": "kueue.yaml", "queues": True},
            "jobset": {"version": "v0.10.1", "manifests": "jobset.yaml"},
        },
        "base": [{"manifests": "classes.yaml"}, {"manifests": "tools.yaml", "select": {"role": "serving"}}],
    }
    found["federation"] = found["federation"] | own | federation
    found["workloads"] = {"train": {"manifests": "train.yaml", "namespace": "ai", "placement": PLACEMENT}}
    return found


def run(**federation: Any) -> Run:
    return run_program("dev", settings(**federation), served=SERVED)


def groups(found: Run) -> dict[str, Asked]:
    return {each.name: each for each in found.of_type(GROUP)}


def needs(found: Run, each: Asked) -> set[str]:
    """The names of all that must be there before it is."""
    return {urn.rpartition("::")[2] for urn in found.needs(each)}


def test_every_member_has_the_operators_and_what_its_labels_select(folder: Path) -> None:
    found = run()
    assert sorted(groups(found)) == [
        "serving-classes.yaml",
        "serving-jobset",
        "serving-kueue",
        "serving-tools.yaml",
        "training-classes.yaml",
        "training-jobset",
        "training-kueue",
    ]
    for name, each in groups(found).items():
        member = name.partition("-")[0]
        assert each.provider.rpartition("::")[0].endswith(f"::{member}-provider")
        assert each.deleted_with.endswith(f":Cluster::{member}")
        assert each.parent.endswith(f"geo-federation:federation:MemberBase::{member}-base")
        # An object that moves from one file to another keeps its name.
        assert each.inputs["resourcePrefix"] == f"{member}-base"
    assert groups(found)["serving-jobset"].inputs["yaml"] == (folder / "jobset.yaml").read_text()


def test_types_of_an_operator_are_enabled_with_it_once_all_members_have_it(folder: Path) -> None:
    found = run()
    enabled = {each.object_name: each for each in found.of_kind("FederatedTypeConfig")}
    assert {"jobsets.jobset.x-k8s.io", "localqueues.kueue.x-k8s.io", "deployments.apps"} <= set(enabled)
    # Their versions are known from the manifests: nothing is asked of members that do not have them yet.
    assert found.read == []
    assert enabled["localqueues.kueue.x-k8s.io"].inputs["spec"]["targetType"]["version"] == "v1beta1"
    every = set(groups(found))
    assert all(every <= needs(found, each) for each in enabled.values())
    # Directly, too: what only depends by way of something that stays could be removed in any order.
    for each in (enabled["jobsets.jobset.x-k8s.io"], found.one("FederatedJobSet", "train")):
        assert every <= {urn.rpartition("::")[2] for urn in each.dependencies}
    assert enabled["jobsets.jobset.x-k8s.io"].urn in found.one("FederatedJobSet", "train").dependencies


def test_kueue_comes_after_other_operators_and_after_kubefed_on_the_host(folder: Path) -> None:
    found = run()
    assert "serving-jobset" in needs(found, groups(found)["serving-kueue"])
    assert "serving-kueue" not in needs(found, groups(found)["serving-jobset"])
    assert "kubefed-controller" in needs(found, groups(found)["training-kueue"])
    assert "kubefed-controller" not in needs(found, groups(found)["serving-kueue"])
    assert {"serving-jobset", "serving-kueue", "serving-queue"} <= needs(found, groups(found)["serving-classes.yaml"])
    assert "serving-classes.yaml" in needs(found, groups(found)["serving-tools.yaml"])


def test_members_take_turns_and_the_host_is_last(folder: Path) -> None:
    found = run()
    assert found.host == "training"
    of_serving = {"serving-jobset", "serving-kueue", "serving-classes.yaml", "serving-tools.yaml", "serving-queue"}
    assert of_serving <= needs(found, groups(found)["training-jobset"])
    assert not {name for name in needs(found, groups(found)["serving-tools.yaml"]) if name.startswith("training-j")}


def test_the_host_is_last_whatever_its_name_is(folder: Path) -> None:
    found = run(host="serving")
    assert "training-kueue" in needs(found, groups(found)["serving-jobset"])
    assert "serving-jobset" not in needs(found, groups(found)["training-kueue"])


@pytest.mark.parametrize("preview", [True, False])
def test_a_new_member_waits_for_no_other(folder: Path, preview: bool) -> None:
    with patch("federation.base.is_joined", return_value=False):
        found = run_program("dev", settings(), preview=preview)
    assert "serving-jobset" not in needs(found, groups(found)["training-jobset"])


def test_queues_are_made_once_kueue_is_there(folder: Path) -> None:
    found = run()
    flavors = [each for each in found.of_kind("ResourceFlavor") if each.name.startswith("training-")]
    assert [each.object_name for each in flavors] == ["system", "l4"]
    (queue,) = [each for each in found.of_kind("ClusterQueue") if each.name.startswith("training-")]
    assert "training-kueue" in needs(found, queue)
    assert {each.name for each in flavors} <= needs(found, queue)
    assert queue.object_name == "default"


def test_a_chart_has_a_namespace_of_its_own(folder: Path) -> None:
    chart = {
        "chart": "a",
        "repo": "https://charts.example.com",
        "version": "1.2.3",
        "namespace": "x",
        "values": {"b": 1},
    }
    with patch("federation.base_plan.load_text", return_value="entries: {a: [{version: 1.2.3}]}"):
        types = ["deployments.apps", "jobsets.jobset.x-k8s.io"]
        found = run(operators={}, base=[chart | {"select": {"role": "serving"}}], types=types)
    (release,) = found.of_type("kubernetes:helm.sh/v4:Chart")
    assert release.name == "serving-x/a"
    assert release.inputs["repositoryOpts"] == {"repo": "https://charts.example.com"}
    assert (release.inputs["version"], release.inputs["namespace"], release.inputs["values"]) == (
        "1.2.3",
        "x",
        {"b": 1},
    )
    assert "serving-x/a-namespace" in needs(found, release)


def test_what_federates_a_cluster_scoped_object_is_in_no_namespace(folder: Path) -> None:
    wanted = settings(operators={}, base=[], types=["priorityclasses.scheduling.k8s.io"])
    wanted["workloads"]["train"]["manifests"] = "classes.yaml"
    found = run_program("dev", wanted)
    federated = found.one("FederatedPriorityClass", "high").inputs
    assert "namespace" not in federated["metadata"]
    assert federated["spec"]["template"] == {"value": 9}
    assert federated["spec"]["placement"]["clusters"] == [{"name": "serving"}]


def test_a_stack_without_a_base_has_nothing_of_it(folder: Path) -> None:
    found = run(operators={}, base=[], types=["deployments.apps", "jobsets.jobset.x-k8s.io"])
    assert found.of_type(GROUP) == [] == found.of_type("geo-federation:federation:MemberBase")
