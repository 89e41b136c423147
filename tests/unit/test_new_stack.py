"""The file of a new stack: good as it is written, with every setting explained, and never in another's place."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from settings import Settings, parse
from stackfile.new import SAMPLE, WIDTH, Example, stack_text
from stackfile.schema import FIRST_LINE, PREFIX
from tests.commands import geofed
from tests.unit.program import ROOT
from tests.unit.test_schema import mistakes, models


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(ROOT / "workloads", tmp_path / "workloads")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def checked(config: Mapping[str, Any]) -> Settings:
    """Settings that have passed the program's own checks."""
    raw = {key.removeprefix(PREFIX): value for key, value in config.items() if key.startswith(PREFIX)}
    return parse(raw, ROOT, config["gcp:project"])


def test_the_file_is_good_as_it_is_written(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert geofed("new-stack", "staging") == 0
    text = (folder / "Pulumi.staging.yaml").read_text()
    assert text.splitlines()[0] == FIRST_LINE
    whole = yaml.safe_load(text)
    assert mistakes(whole) == []
    settings = checked(whole["config"])
    assert len(settings.clusters) == 2
    assert {each.region for each in settings.clusters.values()} == {"us-west1", "europe-west1"}
    assert set(settings.workloads) == {"finetune", "inference"}
    assert "Pulumi.staging.yaml is written" in capsys.readouterr().out


def test_the_file_holds_what_the_sample_does_and_shows_the_rest() -> None:
    assert yaml.safe_load(stack_text("staging")) == {"config": plain(SAMPLE, with_examples=False)}


def test_what_is_shown_in_comments_is_good_too() -> None:
    config = plain(SAMPLE, with_examples=True)
    assert mistakes({"config": config}) == []
    settings = checked(config)
    assert settings.clusters["training"].deletion_protection
    assert settings.federation.custom_types
    assert settings.workloads["finetune"].overrides


def test_a_comment_that_is_taken_away_leaves_the_setting() -> None:
    text = stack_text("staging")
    for shown in ("      # labels: {tier: gold}\n", "      # deletion_protection: true\n"):
        assert shown in text
        text = text.replace(shown, shown.replace("# ", "", 1))
    training = yaml.safe_load(text)["config"][f"{PREFIX}clusters"]["training"]
    assert training["labels"] == {"tier": "gold"}
    assert training["deletion_protection"] is True
    start = "    # custom_types:\n"
    block = start + text.partition(start)[2].partition("    # a map of this stack's clusters")[0]
    settings = yaml.safe_load("".join(line.replace("    # ", "", 1) for line in block.splitlines(keepends=True)))
    assert settings["custom_types"]["podgroups.example.com"]["kind"] == "PodGroup"


def test_every_setting_is_explained() -> None:
    text = stack_text("staging")
    for model in models():
        for name, field in model.model_fields.items():
            words = (field.description or "policy: ").partition("\n")[0]
            assert " ".join(words.split()[:4]) in text, f"{model.__name__}.{name}"
    assert all(len(line) <= WIDTH + 6 for line in text.splitlines())


@pytest.mark.parametrize("name", ["", "a b", "../x", "a/b", "a\n", "ä", "x" * 101, "$(id)", "*"])
def test_a_bad_name_is_refused(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {*folder.iterdir()}
    assert geofed("new-stack", "--", name) == 2
    reported = capsys.readouterr()
    assert reported.err.startswith("NAME: ") and reported.err.count("\n") == 1
    assert "letters" in reported.err and not reported.out
    assert {*folder.iterdir()} == before


def test_a_name_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert geofed("new-stack") == 2
    assert "Missing argument 'NAME'" in capsys.readouterr().err


def test_a_file_that_is_there_stays_as_it_is(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = folder / "Pulumi.staging.yaml"
    file.write_text("mine")
    assert geofed("new-stack", "staging") == 2
    assert file.read_text() == "mine"
    reported = capsys.readouterr().err
    assert "Pulumi.staging.yaml exists already" in reported and reported.count("\n") == 1


def test_a_link_is_not_followed(folder: Path) -> None:
    (folder / "Pulumi.staging.yaml").symlink_to(folder / "elsewhere")
    assert geofed("new-stack", "staging") == 2
    assert not (folder / "elsewhere").exists()


def test_a_folder_that_cannot_be_written_is_reported(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "gone").mkdir()
    monkeypatch.chdir(folder / "gone")
    (folder / "gone").rmdir()
    assert geofed("new-stack", "staging") == 2
    assert "cannot be written: No such file" in capsys.readouterr().err


def plain(value: Any, with_examples: bool) -> Any:
    """A sample as plain values, with or without what is only shown."""
    if isinstance(value, Example):
        return plain(value.value, with_examples)
    if isinstance(value, Mapping):
        items = cast(Mapping[str, Any], value).items()
        return {
            key: plain(each, with_examples) for key, each in items if with_examples or not isinstance(each, Example)
        }
    return value
