"""Overrides: whose patch of a path holds in a cluster, and which objects have the path."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from clusters.spec import selects
from placement.api.kinds import KNOWN
from placement.copies import place_workload
from placement.manifests.manifest import Manifest, read_manifests
from placement.overrides import check_overrides, count_in, overrides_of, patches_for
from placement.policies.decision import Facts
from placement.workload import Workload
from tests.objects import deployment, job
from tests.rooms import gpus
from tests.unit.program import ROOT

LABELS = {
    "training": {
        "role": "training",
        "continent": "North-America",
        "accelerator/nvidia-tesla-a100": "true",
        "tier": "gold",
    },
    "serving": {"role": "serving", "continent": "Europe", "accelerator/nvidia-l4": "true", "tier": "gold"},
}
JOB = Manifest(
    KNOWN["jobs.batch"],
    "train",
    job(pod={"tolerations": [{"key": "a", "operator": "Exists"}]}, suspend=False),
)
PATH = "/spec/suspend"
LIST = "/spec/template/spec/tolerations"


def workload(overrides: Mapping[str, Sequence[Mapping[str, Any]]]) -> Workload:
    return Workload.model_validate(
        {"manifests": "a.yaml", "namespace": "ai", "placement": {"policy": "spread"}, "overrides": overrides}
    )


def patches(overrides: Mapping[str, Sequence[Mapping[str, Any]]], cluster: str = "serving") -> list[dict[str, Any]]:
    return patches_for(JOB, overrides_of(workload(overrides), cluster, LABELS[cluster]))


def mistakes(overrides: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    return [str(each) for each in check_overrides("w", workload(overrides), [JOB], LABELS)]


@pytest.mark.parametrize(
    ("key", "wanted", "found"),
    [
        ("tier", "gold", {"training", "serving"}),
        ("tier", "silver", set[str]()),
        ("accelerator", "nvidia-l4", {"serving"}),
        ("accelerator/nvidia-l4", "true", {"serving"}),
        ("role", "serving", {"serving"}),
        ("zone", "", set[str]()),
    ],
)
def test_labels_select_members(key: str, wanted: str, found: set[str]) -> None:
    assert {name for name, labels in LABELS.items() if selects(labels, key, wanted)} == found


@pytest.mark.parametrize(
    ("by_label", "by_name"),
    [
        ({}, {}),
        ({"kind": "Job"}, {}),
        ({}, {"kind": "Job"}),
        ({"kind": "Job"}, {"kind": "Job"}),
    ],
)
@pytest.mark.parametrize("name_first", [True, False])
def test_one_patch_of_a_path_holds_and_that_by_name_before_that_by_label(
    by_label: dict[str, str], by_name: dict[str, str], name_first: bool
) -> None:
    entries = [
        ("serving", [by_name | {"path": PATH, "value": "name"}]),
        ("tier=gold", [by_label | {"path": PATH, "value": "label"}]),
    ]
    overrides = dict(entries if name_first else reversed(entries))
    assert patches(overrides) == [{"path": PATH, "value": "name"}]
    assert patches(overrides, "training") == [{"path": PATH, "value": "label"}]


def test_of_two_labels_the_last_holds() -> None:
    overrides = {key: [{"path": PATH, "value": key}] for key in ("continent=Europe", "tier=gold")}
    assert [each["value"] for each in patches(overrides)] == ["tier=gold"]


def test_of_one_list_the_last_patch_of_a_path_holds() -> None:
    overrides = {"serving": [{"path": PATH, "value": 1}, {"kind": "Job", "path": PATH, "value": 2}]}
    assert patches(overrides) == [{"path": PATH, "value": 2}]


def test_a_patch_of_another_kind_replaces_none() -> None:
    overrides = {"serving": [{"path": PATH, "value": 1}, {"kind": "Service", "path": PATH, "value": 2}]}
    assert patches(overrides) == [{"path": PATH, "value": 1}]


@pytest.mark.parametrize("key", ["tier=silver", "role=", "=", "=serving", "role=serving,tier=gold"])
def test_a_label_that_no_cluster_has_is_reported(key: str) -> None:
    (text,) = mistakes({key: [{"path": PATH, "value": True}]})
    assert text.startswith(f"w.overrides: {key!r}: no cluster has this label; write")


@pytest.mark.parametrize("key", ["tier=gold", "continent=Europe", "accelerator=nvidia-l4", "serving"])
def test_a_label_that_a_cluster_has_is_taken(key: str) -> None:
    assert mistakes({key: [{"path": PATH, "value": True}]}) == []


@pytest.mark.parametrize(("path", "value"), [(f"{LIST}/0/key", "b"), (f"{LIST}/0", {"key": "b"})])
def test_an_element_of_a_list_has_a_path(path: str, value: Any) -> None:
    assert mistakes({"serving": [{"path": path, "value": value}]}) == []


@pytest.mark.parametrize("step", ["1", "00", "²", "-", "-1", "a", "9" * 5000])
def test_what_is_no_element_of_a_list_is_reported(step: str) -> None:
    (text,) = mistakes({"serving": [{"path": f"{LIST}/{step}", "value": "b"}]})
    assert "in none of the manifests" in text


def test_each_region_can_have_a_bucket_of_its_own() -> None:
    """What workloads/finetune.yaml tells its readers to do."""
    types = [KNOWN[name] for name in ("serviceaccounts", "configmaps", "jobs.batch")]
    job = next(each for each in read_manifests(ROOT, "workloads/finetune.yaml", "ai", types) if each.type.kind == "Job")
    override = {"path": "/spec/template/spec/volumes/0/csi/volumeAttributes/bucketName", "value": "mine"}
    overrides = workload({"continent=Europe": [override]})
    assert list(check_overrides("w", overrides, [job], LABELS)) == []
    assert patches_for(job, overrides_of(overrides, "serving", LABELS["serving"])) == [override]
    assert Path(ROOT / "workloads/finetune.yaml").read_text().count("gke-gcsfuse/volumes") == 1


CONTAINER = "/spec/template/spec/containers/0"
RESULTS: dict[str, tuple[dict[str, Any], str]] = {
    "a misspelt field": (
        {"path": f"{CONTAINER}/imagePullPolic", "op": "add", "value": "Always"},
        "spec.template.spec.containers.0.imagePullPolic: unknown field; write imagePullPolicy",
    ),
    "a value of another type": (
        {"path": f"{CONTAINER}/image", "value": 1},
        "spec.template.spec.containers.0.image: 1 is a number; put it in quotes",
    ),
    "a required field that goes": (
        {"path": "/spec/template", "op": "remove"},
        "spec.template: required; write a map with spec",
    ),
    "a required field of nothing": (
        {"path": "/spec/template/spec", "value": None},
        "spec.template.spec: required; write a map with containers",
    ),
    "a label that is a number": (
        {"path": "/metadata/labels/version", "op": "add", "value": 15.2},
        "metadata.labels.version: 15.2 is a number; put it in quotes",
    ),
    "pods that do not end": (
        {"path": "/spec/template/spec/restartPolicy", "value": "Always"},
        "spec.template.spec.restartPolicy: 'Always': pods of a Job must end; write Never or OnFailure",
    ),
    "a GPU in parts": (
        {"path": f"{CONTAINER}/resources", "op": "add", "value": {"limits": {"nvidia.com/gpu": 0.5}}},
        "spec.template.spec.containers.0.resources.limits.nvidia.com/gpu: 0.5: write a whole number from 0 up",
    ),
}


@pytest.mark.parametrize("case", RESULTS)
@pytest.mark.parametrize("key", ["serving", "tier=gold"])
def test_what_the_api_would_refuse_of_the_result_is_told_once(case: str, key: str) -> None:
    override, message = RESULTS[case]
    (text,) = mistakes({key: [{"path": PATH, "value": True}, override]})
    assert text.startswith(f"w.overrides.{key}.1: Job train: {message}")


def test_patches_are_judged_together() -> None:
    amounts = [
        {"path": f"{CONTAINER}/resources", "op": "add", "value": {"limits": {"nvidia.com/gpu": 2}}},
        {"path": "/spec/template/spec/tolerations/-", "op": "add", "value": {"key": "b", "operator": "Exists"}},
        {"path": "/spec/template/spec/tolerations/0/key", "value": "c"},
        {"path": PATH, "op": "remove"},
    ]
    assert mistakes({"serving": amounts}) == []
    (text,) = mistakes({"tier=gold": amounts, "serving": [{"path": PATH, "value": "no"}]})
    assert text == "w.overrides.serving.0: Job train: spec.suspend: 'no' is text; write true or false, without quotes"


def test_what_an_earlier_patch_took_away_is_reported() -> None:
    (text,) = mistakes({"serving": [{"path": f"{LIST}", "op": "remove"}, {"path": f"{LIST}/0", "value": {}}]})
    assert text.startswith(f"w.overrides.serving.1.path: '{LIST}/0': no longer exists after the patches before it")


def test_the_manifest_stays_as_it_is() -> None:
    before = copy.deepcopy(JOB.body)
    mistakes({"serving": [{"path": "/metadata/labels/a", "op": "add", "value": "b"}, {"path": PATH, "op": "remove"}]})
    assert JOB.body == before


@pytest.mark.parametrize(
    "path", [f"{PATH}/a", f"{LIST}/2", f"{LIST}/x", "/spec/template/spec/restartPolicy/a", "/metadata/labels/a/b"]
)
def test_what_takes_nothing_is_added_to_by_none(path: str) -> None:
    (text,) = mistakes({"serving": [{"path": path, "op": "add", "value": "b"}]})
    assert text.startswith("w.overrides.serving.0.path: ")


# Counts.

POD = {"containers": [{"name": "a", "image": "b"}]}
SET = {"replicas": 2, "leaderWorkerTemplate": {"size": 2, "workerTemplate": {"spec": POD}}}
JOBS = [{"name": "a", "replicas": 2, "template": {"spec": {"parallelism": 1, "template": {"spec": POD}}}}]


def object_of(name: str, spec: Mapping[str, Any]) -> Manifest:
    kind = KNOWN[name]
    return Manifest(kind, "it", {"kind": kind.kind, "metadata": {"name": "it"}, "spec": spec})


def counted(name: str, **spec: Any) -> Manifest:
    body = deployment("it", kind=KNOWN[name].kind, **spec)
    return Manifest(KNOWN[name], "it", body)


GROUPS = object_of("leaderworkersets.leaderworkerset.x-k8s.io", SET)
JOB_SET = object_of("jobsets.jobset.x-k8s.io", {"replicatedJobs": JOBS})
SERVER, STORE = counted("deployments.apps", replicas=3), counted("statefulsets.apps", replicas=3)
INDEXED = Manifest(KNOWN["jobs.batch"], "it", job("it", parallelism=4, completions=4, completionMode="Indexed"))
PLAIN = Manifest(KNOWN["jobs.batch"], "it", job("it", parallelism=4, completions=4))
INSIDE = "/spec/replicatedJobs/0/replicas"
SIZE = "/spec/leaderWorkerTemplate/size"


@pytest.mark.parametrize(
    ("objects", "run", "path", "refused"),
    [
        ([GROUPS], None, "/spec/replicas", "write weights or limits"),
        ([GROUPS], None, SIZE, ""),
        ([GROUPS], "whole", "/spec/replicas", ""),
        ([SERVER], None, "/spec/replicas", "write weights or limits"),
        # KubeFed writes them even where they do not move.
        ([SERVER], "whole", "/spec/replicas", "write the number in the manifest"),
        ([SERVER, JOB_SET], None, "/spec/replicas", "write the number in the manifest"),
        ([SERVER, JOB_SET], None, INSIDE, ""),
        ([JOB_SET], None, INSIDE, ""),
        ([STORE], None, "/spec/replicas", ""),
        ([STORE], "duplicated", "/spec/replicas", ""),
        ([STORE], "divided", "/spec/replicas", "write weights or limits"),
        ([PLAIN], None, "/spec/parallelism", "write weights or limits"),
        ([PLAIN], None, "/spec/completions", "write weights or limits"),
        ([INDEXED], None, "/spec/parallelism", ""),
    ],
)
def test_a_count_is_overridden_where_no_placement_decides_it(
    objects: list[Manifest], run: str | None, path: str, refused: str
) -> None:
    asked = workload({"serving": [{"path": path, "value": 4}]}).model_copy(update={"run": run})
    found = [str(each) for each in check_overrides("w", asked, objects, LABELS)]
    assert [refused in each for each in found] == ([True] if refused else [])


def test_a_count_of_another_kind_is_free() -> None:
    asked = workload({"serving": [{"kind": "StatefulSet", "path": "/spec/replicas", "value": 5}]})
    assert list(check_overrides("w", asked, [SERVER, STORE], LABELS)) == []
    own = overrides_of(asked, "serving", LABELS["serving"])
    assert (count_in(STORE, own), count_in(SERVER, own), count_in(STORE, [])) == (5, 3, 3)


def test_a_count_is_not_changed_by_a_patch_of_what_holds_it() -> None:
    whole: Any = SERVER.body["spec"]
    asked = workload({"serving": [{"path": "/spec", "value": whole | {"replicas": 9}}]})
    (text,) = map(str, check_overrides("w", asked, [SERVER], LABELS))
    assert text.startswith("w.overrides.serving.0.path: '/spec': the placement decides /spec/replicas in it")
    assert list(check_overrides("w", asked.model_copy(update={"run": "whole"}), [STORE], LABELS)) == []


# What is placed in another way, or needs other nodes.


MODE = "/spec/completionMode"
INDEXES = {"path": MODE, "op": "add", "value": "Indexed"}


@pytest.mark.parametrize(
    ("job", "run", "override", "text"),
    [
        (PLAIN, None, INDEXES, "makes Job it Indexed, which is placed in another way; write run: whole"),
        (PLAIN, "divided", INDEXES, "makes Job it Indexed"),
        (PLAIN, "whole", INDEXES, ""),
        (PLAIN, "duplicated", INDEXES, ""),
        (PLAIN, None, {**INDEXES, "value": "NonIndexed"}, ""),
        (INDEXED, None, {"path": MODE, "value": "NonIndexed"}, "; write completionMode in the manifest, or run: whole"),
        (INDEXED, None, {"path": MODE, "op": "remove"}, "; write completionMode in the manifest, or run: whole"),
        (INDEXED, "whole", {"path": MODE, "op": "remove"}, ""),
    ],
)
def test_an_override_that_makes_a_job_run_in_another_way_is_refused(
    job: Manifest, run: str | None, override: Mapping[str, Any], text: str
) -> None:
    asked = workload({"serving": [{"path": "/spec/suspend", "op": "add", "value": True}, override]})
    found = [str(each) for each in check_overrides("w", asked.model_copy(update={"run": run}), [job], LABELS)]
    assert [text in each and each.startswith("w.overrides.serving.1: ") for each in found] == ([True] if text else [])


@pytest.mark.parametrize(
    ("path", "value", "changes"),
    [
        ("/spec/template/spec/containers/0/image", "other", False),
        ("/spec/template/metadata/annotations", {"a": "b"}, False),
        ("/spec/template/spec/containers/0/resources", {"limits": {"nvidia.com/gpu": 8}}, True),
        ("/spec/template/spec/nodeSelector", {"tier": "gold"}, True),
        ("/spec/template/spec/tolerations", [{"operator": "Exists"}], True),
        ("/spec/replicas", 9, True),
    ],
)
def test_a_decision_reports_overrides_that_change_the_pods(path: str, value: Any, changes: bool) -> None:
    override = {"path": path, "op": "add", "value": value}
    asked = workload({"serving": [override]}).model_copy(update={"run": "duplicated"})
    facts = Facts(space=dict.fromkeys(LABELS, gpus(9)))
    members = {name: {**labels, "region": "europe-west1"} for name, labels in LABELS.items()}
    placed = place_workload(asked, [STORE], members, facts)
    text = "not judged: overrides, which change the pods"
    assert {each.cluster: text in each.reason for each in placed.decisions} == {"serving": changes, "training": False}
