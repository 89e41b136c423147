"""What `geofed explain` answers from a stack's file, and how it tells a mistake."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import geofed
from tests.objects import job
from tests.unit.program import ROOT, stack_settings

GPU_JOB = job(
    pod={
        "nodeSelector": {"cloud.google.com/gke-accelerator": "nvidia-l4"},
        "containers": [{"name": "a", "image": "b", "resources": {"limits": {"nvidia.com/gpu": 2}}}],
    },
    parallelism=3,
)


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def clusters(most: int = 3) -> dict[str, Any]:
    """Those of prod, where two have up to so many nodes of 2 L4 GPUs."""
    found = stack_settings("prod")["clusters"]
    l4 = {"machine_type": "g2-standard-24", "accelerator": {"type": "nvidia-l4", "count": 2}}
    for name in ("serving", "serving-asia"):
        found[name]["node_pools"] = {"l4": {**l4, "min_nodes": 0, "max_nodes": most}}
    return found


def stack(folder: Path, placement: dict[str, Any], **config: Any) -> None:
    """Writes a stack `x` in which one Job of 3 pods with 2 L4 GPUs each is placed."""
    settings = {
        "clusters": clusters(),
        "federation": {"host": "training"},
        "workloads": {"train": {"manifests": "job.yaml", "namespace": "ai", "placement": placement}},
    }
    values = {"gcp:project": "p"} | {f"geo-federation:{key}": each for key, each in settings.items()} | config
    (folder / "Pulumi.x.yaml").write_text(yaml.safe_dump({"config": values}))
    (folder / "job.yaml").write_text(yaml.safe_dump(GPU_JOB))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert geofed("explain", *arguments, "--output", "json") == code
    return json.loads(capsys.readouterr().out)


def shares(answered: dict[str, Any], workload: str) -> dict[str, int]:
    return {each["cluster"]: each["share"] for each in answered["placements"][workload]}


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert geofed("explain", *arguments) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.usefixtures("project")
def test_every_workload_of_a_stack_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert geofed("explain", "--stack", "prod") == 0
    assert capsys.readouterr().out.splitlines() == [
        "finetune",
        "  CLUSTER       SHARE  PODS       REASON",
        "  serving           0             in europe-west1, not in us-west1",
        "  serving-asia      0             in asia-southeast1, not in us-west1",
        "  training          1  1 on a100  in us-west1, gets 1 of 1",
        "",
        "inference",
        "  CLUSTER       SHARE  PODS     REASON",
        "  serving           2  2 on l4  one of 2 candidates, gets 2 of 3",
        "  serving-asia      1  1 on l4  one of 2 candidates, gets 1 of 3",
        "  training          0           role is training, not serving",
    ]


@pytest.mark.usefixtures("project")
def test_markdown_is_a_table_for_each_workload(capsys: pytest.CaptureFixture[str]) -> None:
    assert geofed("explain", "--stack", "prod", "--without", "serving-asia", "--output", "markdown") == 0
    assert capsys.readouterr().out.splitlines() == [
        "**finetune**",
        "",
        "| cluster | share | pods | reason |",
        "| --- | --: | --- | --- |",
        "| serving | 0 |  | in europe-west1, not in us-west1 |",
        "| training | 1 | 1 on a100 | in us-west1, gets 1 of 1 |",
        "",
        "**inference**",
        "",
        "| cluster | share | pods | reason |",
        "| --- | --: | --- | --- |",
        "| serving | 3 | 3 on l4 | the only candidate, gets 3 of 3 |",
        "| training | 0 |  | role is training, not serving |",
    ]


@pytest.mark.usefixtures("project")
def test_markdown_tells_a_problem(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--stack", "prod", "--workload", "inference", "--without", "serving", "--without", "serving-asia")
    assert geofed("explain", *asked, "--output", "markdown") == 1
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "| training | 0 |  | role is training, not serving |",
        "",
        "no cluster fits",
    ]


@pytest.mark.usefixtures("project")
def test_without_a_cluster_the_answer_changes(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ("--stack", "organization/geo-federation/prod", "--workload", "inference")
    assert shares(answer(capsys, *asked), "inference") == {"serving": 2, "serving-asia": 1, "training": 0}
    without = answer(capsys, *asked, "--without", "serving")
    assert shares(without, "inference") == {"serving-asia": 3, "training": 0}
    assert list(without["placements"]) == ["inference"]
    nowhere = answer(capsys, *asked, "--without", "serving", "--without", "serving-asia", code=1)
    assert nowhere["problems"] == {"inference": "no cluster fits"}
    assert geofed("explain", *asked, "--without", "serving", "--without", "serving-asia") == 1
    assert capsys.readouterr().out.splitlines()[-1].strip() == "no cluster fits"


def test_free_accelerators_decide_spare_capacity(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack(folder, {"policy": "spare-capacity"}, **{"geo-federation:clusters": clusters(2)})
    undecided = answer(capsys, "--stack", "x")
    assert shares(undecided, "train") == {"serving": 0, "serving-asia": 0, "training": 0}
    assert [each["reason"] for each in undecided["placements"]["train"]] == [
        "decided by free accelerators when it is applied",
        "decided by free accelerators when it is applied",
        "no pool has nvidia-l4",
    ]
    # Each pod asks for 2, so that of 3 one is left over.
    free = ("--free", "serving=3", "--free", "serving-asia=4")
    assert shares(answer(capsys, "--stack", "x", *free), "train") == {"serving": 1, "serving-asia": 2, "training": 0}
    assert geofed("explain", "--stack", "x", "--free", "serving=3") == 1
    assert capsys.readouterr().out.splitlines() == [
        "train",
        "  3 of Job train that each request 2 nvidia.com/gpu do not fit: "
        "serving has room for 1 now, serving-asia is not measured; "
        "give explain --free for serving-asia, raise max_nodes, or write fewer",
    ]
    of_others = ("--free", "training=8", "--free", "serving=8", "--without", "serving")
    assert answer(capsys, "--stack", "x", *of_others)["placements"]["train"] == undecided["placements"]["train"][1:]


def test_free_accelerators_come_first_and_then_what_can_be_added(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack(folder, {"policy": "spare-capacity"})
    asked = ("--stack", "x", "--free", "serving=1", "--free", "serving-asia=4")
    answered = answer(capsys, *asked, "--free", "training=8")["placements"]["train"]
    assert [(each["share"], each["reason"]) for each in answered] == [
        (1, "room for 2 after scale-up of l4, gets 1 of 3"),
        (2, "room for 2 now, 1 more after scale-up of l4, gets 2 of 3"),
        (0, "no pool has nvidia-l4"),
    ]
    alone = answer(capsys, *asked, "--without", "serving-asia", code=1)["problems"]["train"]
    assert alone == (
        "3 of Job train that each request 2 nvidia.com/gpu do not fit: serving has room for 2 after scale-up of l4; "
        "raise max_nodes, or write fewer"
    )
    assert geofed("explain", *asked) == 0
    assert capsys.readouterr().out.splitlines()[3].split()[:5] == ["serving-asia", "2", "2", "on", "l4"]


def test_a_bucket_is_where_it_is_said_to_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack(folder, {"policy": "nearest", "to": "gs://data"})
    reasons = [each["reason"] for each in answer(capsys, "--stack", "x")["placements"]["train"]]
    assert reasons[0] == "decided by the distance from gs://data once its location is known"
    for location, nearest in (("EUR5", "serving"), ("asia-east1", "serving-asia"), ("EU", "serving")):
        answered = answer(capsys, "--stack", "x", "--bucket", f"gs://data={location}")
        assert {name for name, share in shares(answered, "train").items() if share} == {nearest}


def test_limits_that_a_lost_cluster_breaks_are_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack(folder, {"policy": "spread", "limits": {"serving": {"max": 1}}})
    assert shares(answer(capsys, "--stack", "x"), "train") == {"serving": 1, "serving-asia": 2, "training": 0}
    problems = answer(capsys, "--stack", "x", "--without", "serving-asia", code=1)["problems"]
    assert problems == {"train": "the maxima are 1 (serving 1), but there are 3 to place; write larger maxima"}


def test_secrets_and_settings_as_json_are_no_hindrance(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    as_text = json.dumps(clusters())
    secrets = {"gcp:project": {"secure": "v1:x"}, "geo-federation:other": {"secure": "v1:x"}}
    stack(folder, {"policy": "spread"}, **{"geo-federation:clusters": as_text, "other:key": "a"}, **secrets)
    assert shares(answer(capsys, "--stack", "x"), "train") == {"serving": 2, "serving-asia": 1, "training": 0}


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--without", "servin"], ["--without servin", "write one of serving"]),
        (["--without=serving", "--without=serving-asia", "--without=training"], ["--without", "no cluster is left"]),
        (["--workload", "train"], ["--workload train", "finetune"]),
        (["--free", "serving"], ["--free serving", "equals sign"]),
        (["--free", "serving=few"], ["--free few", "whole number"]),
        (["--free", "serving=-1"], ["--free -1", "whole number"]),
        (["--free", "europe=1"], ["--free europe", "serving"]),
        (["--bucket", "gs://nobody=EU"], ["--bucket gs://nobody", "none is known"]),
    ],
)
def test_a_mistake_is_one_message(
    arguments: list[str], expected: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    message = refused(capsys, "--stack", "prod", *arguments)
    assert len(message.splitlines()) == 1
    assert all(each in message for each in expected), message


def test_a_stack_that_cannot_be_read_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack(folder, {"policy": "nearest", "to": "gs://data"})
    assert "no Pulumi.y.yaml in this folder; write x" in refused(capsys, "--stack", "y")
    assert "MOON" in refused(capsys, "--stack", "x", "--bucket", "gs://data=MOON")
    for content in ("a: [", "[]", "config: 1", "", "config:"):
        (folder / "Pulumi.x.yaml").write_text(content)
        assert "Pulumi.x.yaml" in refused(capsys, "--stack", "x")
    (folder / "Pulumi.x.yaml").write_text("config:\n  a: b: c\n")
    assert "Pulumi.x.yaml:2 cannot be read: mapping values are not allowed here" in refused(capsys, "--stack", "x")
    (folder / "Pulumi.x.yaml").write_bytes(b"\xff")
    assert "cannot be read" in refused(capsys, "--stack", "x")


@pytest.mark.parametrize(
    ("placement", "setting", "advice"),
    [
        ({"policy": "nearest"}, "placement.to", "required; write a Google Cloud region"),
        ({"policy": "nearest", "to": "us-wset1"}, "placement.to", "write us-west1, or another"),
        ({"policy": "nearest", "to": "gs://Data"}, "placement.to", "write gs:// and a name"),
        ({"policy": "nearest", "to": "gs://data/path"}, "placement.to", "without a path"),
        ({"policy": "nearest", "to": "gs://1.2.3.4"}, "placement.to", "write gs://"),
        ({"policy": "nearest", "to": f"gs://{'a' * 64}"}, "placement.to", "write gs://"),
        ({"policy": "nearest", "to": 7}, "placement.to", "write a Google Cloud region"),
        ({"policy": "nearest", "to": "us-west1", "count": 0}, "placement.count", "from 1 up"),
        ({"policy": "weighted"}, "placement.weights", "required; write a map"),
        ({"policy": "weighted", "weights": {}}, "placement.weights", "write a map"),
        ({"policy": "weighted", "weights": {"serving": 0}}, "placement.weights", "above 0"),
        ({"policy": "weighted", "weights": {"serving": -1}}, "placement.weights.serving", "from 0 up"),
        ({"policy": "weighted", "weights": {"serving": 0.5}}, "placement.weights.serving", "from 0 up"),
        (
            {"policy": "weighted", "weights": {"serving": 1, "servin": 1}},
            "placement.weights",
            "'servin': not a member",
        ),
        ({"policy": "spread", "limits": {"servin": {}}}, "placement.limits", "'servin': not a member"),
        ({"policy": "spread", "limits": {"serving": {"min": 2, "max": 1}}}, "placement.limits.serving", "min 2"),
        ({"policy": "spread", "limits": {"serving": {"max": -1}}}, "placement.limits.serving.max", "from 0 up"),
        ({"policy": "spread", "limits": {"serving": {"most": 1}}}, "placement.limits.serving.most", "unknown"),
        ({"policy": "spare-capacity", "count": 1}, "placement.count", "unknown"),
        ({"policy": "nearset", "to": "us-west1"}, "placement.policy", "write one of nearest"),
    ],
)
def test_a_mistake_in_a_placement_is_printed_as_it_is(
    placement: dict[str, Any], setting: str, advice: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stack(folder, placement)
    message = refused(capsys, "--stack", "x")
    assert message.startswith("1 mistake in the stack's settings")
    assert f"\n  workloads.train.{setting}:" in message
    assert advice in message


@pytest.mark.parametrize("bucket", ["data", "my-data_1.example.com", "123", f"{'a' * 63}.b"])
def test_good_buckets_are_taken(bucket: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack(folder, {"policy": "nearest", "to": f"gs://{bucket}"})
    assert answer(capsys, "--stack", "x", "--bucket", f"gs://{bucket}=us-west1")["problems"] == {}


def test_what_runs_whole_is_told_with_its_one_cluster(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stack(folder, {"policy": "spare-capacity"}, **{"geo-federation:clusters": clusters(6)})
    body = yaml.safe_load((folder / "job.yaml").read_text())
    body["spec"] |= {"completionMode": "Indexed", "completions": 3}
    (folder / "job.yaml").write_text(yaml.safe_dump(body))
    answered = answer(capsys, "--stack", "x", "--free", "serving=6", "--free", "serving-asia=13")
    assert shares(answered, "train") == {"serving": 0, "serving-asia": 3, "training": 0}
    reasons = {each["cluster"]: each["reason"] for each in answered["placements"]["train"]}
    assert reasons["serving-asia"] == "runs whole; room for 3 pods of 2 nvidia.com/gpu now"
    # Each has room for a part of it now, and for all of it with more nodes.
    answered = answer(capsys, "--stack", "x", "--free", "serving=5", "--free", "serving-asia=4")
    (reason,) = (each["reason"] for each in answered["placements"]["train"] if each["share"])
    assert reason == "runs whole; room for 3 pods of 2 nvidia.com/gpu after scale-up of l4"
