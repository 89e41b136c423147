"""The line of each setting in a stack's file."""

from pathlib import Path

import pytest

from problems import Problem
from stack_file import find_lines, locate, stack_file
from tests.unit.program import ROOT

PREFIX = "geo-federation:"
TEXT = """\
# A comment.
config:
  gcp:project: my-project
  geo-federation:clusters:
    training:
      region: us-west1
      labels: {tier: gold, example.com/team: a.b}
      node_pools:
        l4:
          machine_type: g2-standard-8
  geo-federation:federation:
    types:
      - services
      - jobs.batch
    custom_types:
      jobsets.jobset.x-k8s.io:
        kind: JobSet
  geo-federation:workloads:
    train:
      overrides:
        role=serving:
          - path: /spec/suspend
            value: {secure: v1:abcdef}
          - {path: /a,
             value: 1}
  other:clusters: 1
"""


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("gcp:project", 3),
        ("clusters", 4),
        ("clusters.training", 5),
        ("clusters.training.region", 6),
        ("clusters.training.labels.tier", 7),
        ("clusters.training.labels.example.com/team", 7),
        ("clusters.training.node_pools.l4.machine_type", 10),
        ("federation.types", 12),
        ("federation.types.1", 14),
        ("federation.custom_types.jobsets.jobset.x-k8s.io", 16),
        ("federation.custom_types.jobsets.jobset.x-k8s.io.kind", 17),
        ("workloads.train.overrides.role=serving", 21),
        ("workloads.train.overrides.role=serving.0", 22),
        ("workloads.train.overrides.role=serving.1.value", 25),
    ],
)
def test_a_setting_has_the_line_of_its_key(setting: str, line: int) -> None:
    assert find_lines(TEXT, PREFIX, [setting]) == {setting: line}


@pytest.mark.parametrize(
    "setting",
    [
        "",
        ".",
        "secretsprovider",
        "config",
        "cluster",
        "clusters.",
        "clusters.serving",
        "clusters.train",
        "clusters.training.slot",
        "clusters.training.region.us-west1",
        "federation.types.2",
        "federation.types.-1",
        "federation.types.services",
        "gcp",
    ],
)
def test_what_is_not_in_the_file_has_no_line(setting: str) -> None:
    assert find_lines(TEXT, PREFIX, [setting]) == {}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "[]",
        "config:",
        "config: text",
        "config: [1]",
        "config: {geo-federation:clusters: text}",
        "config: {geo-federation:clusters: [1, 2]}",
        "config: {[a]: b, {c: d}: e, geo-federation:clusters: null}",
        "config: [",
        "\tconfig: 1",
        "config: 1\n---\nconfig: 2",
        "config: *nowhere",
        "config: &a {geo-federation:clusters: *a}",
        "\0",
        "[" * 900,
    ],
)
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert find_lines(text, PREFIX, ["clusters.training.region", "clusters.clusters.clusters.training"]) == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("training: {region: a}\n    training:\n      region: b", 5),
        ("training:\n      region: a\n      region: b", 5),
        ("base: &base {slot: 1,\n      region: a}\n    training: *base", 4),
        ("base: &base {slot: 1,\n      region: a}\n    training: {<<: *base}", 4),
        ("base: &base {region: a}\n    training:\n      <<: *base\n      region: b", 6),
        ("a: &a {region: a}\n    b: &b {region: b}\n    training:\n      <<: [*b, *a]", 4),
        ("training: &training\n      <<: *training\n      region: b", 5),
        ("training: &training\n      <<: [*training, *training]\n      region: b", 5),
    ],
)
def test_keys_that_stand_twice_anchors_and_merges(text: str, line: int) -> None:
    text = f"config:\n  geo-federation:clusters:\n    {text}\n"
    assert find_lines(text, PREFIX, ["clusters.training.region"]) == {"clusters.training.region": line}


def test_merges_of_merges_take_no_time() -> None:
    maps = "".join(f"  m{number}: &m{number} {{<<: [{f'*m{number - 1}, ' * 9}]}}\n" for number in range(1, 40))
    text = f"config:\n  m0: &m0 {{a: b}}\n{maps}  geo-federation:clusters: *m39\n"
    assert find_lines(text, PREFIX, ["clusters.a"]) == {"clusters.a": 2}


def test_a_key_that_would_break_a_line_is_found_as_it_is_reported() -> None:
    assert find_lines('config:\n  geo-federation:clusters:\n    "a\\nb": 1', PREFIX, ["clusters.a\\nb"])


def test_the_file_of_a_stack_is_beside_the_project_or_where_it_says(tmp_path: Path) -> None:
    assert stack_file(ROOT, "dev") == Path("Pulumi.dev.yaml")
    assert stack_file(tmp_path, "dev") == Path("Pulumi.dev.yaml")
    (tmp_path / "Pulumi.yaml").write_text("name: a\nstackConfigDir: stacks\n")
    assert stack_file(tmp_path, "dev") == Path("stacks/Pulumi.dev.yaml")
    (tmp_path / "Pulumi.yaml").write_text("[")
    assert stack_file(tmp_path, "dev") == Path("Pulumi.dev.yaml")


def places(folder: Path, *problems: Problem) -> list[str]:
    return [each.place for each in locate(problems, folder, "dev", PREFIX)]


BAD, MISSING = Problem("clusters.training.region", "x", "write"), Problem("clusters.training.slot", None, "required")


def test_a_problem_is_told_with_its_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(TEXT)
    assert places(tmp_path, BAD) == ["Pulumi.dev.yaml:6"]
    assert str(locate([BAD], tmp_path, "dev", PREFIX)[0]).endswith(" write (Pulumi.dev.yaml:6)")


def test_a_missing_setting_has_the_line_of_what_lacks_it(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.dev.yaml").write_text(TEXT)
    assert places(tmp_path, MISSING) == ["Pulumi.dev.yaml:5"]
    nowhere = Problem("workloads.other.namespace", None, "required"), Problem("typo", None, "required")
    assert places(tmp_path, *nowhere) == ["", ""]
    # That of a setting with a value is another file's.
    assert places(tmp_path, Problem("clusters.training.slot", 99, "write")) == [""]


def test_a_file_below_the_project_is_told_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").write_text("stackConfigDir: stacks")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.dev.yaml").write_text(TEXT)
    assert places(tmp_path, BAD) == ["stacks/Pulumi.dev.yaml:6"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00", b"config: ["])
def test_a_file_that_cannot_be_read_has_no_lines(content: bytes | None, tmp_path: Path) -> None:
    if content is None:
        (tmp_path / "Pulumi.dev.yaml").mkdir()
    else:
        (tmp_path / "Pulumi.dev.yaml").write_bytes(content)
    assert places(tmp_path, BAD, MISSING) == ["", ""]
