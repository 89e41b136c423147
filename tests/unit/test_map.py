"""The map of the world: where the cards go, and what a mistake is answered with."""

import subprocess
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geofed import map as world
from geofed import outputs
from geofed.map import draw, land, shares, spots, write
from tests.commands import geofed

MEMBERS = {"training": "us-west1", "serving": "europe-west1", "serving-asia": "asia-southeast1"}
PLACEMENTS: dict[str, list[dict[str, Any]]] = {
    "finetune": [{"cluster": "training", "share": 1, "reason": ""}, {"cluster": "serving", "share": 0, "reason": ""}],
    "inference": [{"cluster": "serving", "share": 2.0, "reason": ""}],
}
WHOLE = (1800.0, 720.0)
points = st.tuples(st.floats(0, WHOLE[0]), st.floats(0, WHOLE[1]))


def test_shares_are_those_that_a_cluster_has() -> None:
    assert shares("serving", PLACEMENTS) == {"inference": 2}
    assert shares("training", PLACEMENTS) == {"finetune": 1}
    assert shares("serving-asia", PLACEMENTS) == {}


@pytest.mark.parametrize(
    ("place", "is_land"),
    [
        ((-101, 41), True),
        ((21, 5), True),
        ((135, -25), True),
        ((-41, 31), False),
        ((-21, 69), False),
        ((91, -21), False),
    ],
)
def test_land_is_where_it_is(place: tuple[float, float], is_land: bool) -> None:
    assert (place in set(land())) == is_land


@given(st.dictionaries(st.text("abc", min_size=1), points, max_size=12))
def test_no_card_covers_another_or_leaves_the_picture(where: Mapping[str, tuple[float, float]]) -> None:
    size = (160.0, 90.0)
    found = spots(where, dict.fromkeys(where, size), WHOLE)
    assert set(found) == set(where)
    for x, y in found.values():
        assert size[0] / 2 <= x <= WHOLE[0] - size[0] / 2
        assert size[1] / 2 <= y <= WHOLE[1] - size[1] / 2
    for one, other in combinations(found.values(), 2):
        assert abs(one[0] - other[0]) >= size[0] or abs(one[1] - other[1]) >= size[1]


def test_a_map_is_written_and_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg", "one.png"):
        write(draw(MEMBERS, PLACEMENTS), tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    write(draw(MEMBERS, {}), tmp_path / "empty.svg")
    assert (tmp_path / "empty.svg").read_bytes() != (tmp_path / "one.svg").read_bytes()


def test_a_picture_of_another_format_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert geofed("map", "--stack", "dev", "--output", "map.gif") == 2
    assert ".svg or .png" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def told(stack: str) -> dict[str, Any]:
        return {"members": {"training": {"region": "us-west1"}}, "placements": {}}

    monkeypatch.setattr(world, "stack_outputs", told)
    assert geofed("map", "--stack", "dev", "--output", str(tmp_path / "none" / "map.svg")) == 2
    assert "cannot be written: No such file" in capsys.readouterr().err


def test_a_machine_without_pulumi_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert geofed("map", "--stack", "dev", "--output", "map.svg") == 2
    assert "pulumi is not on PATH" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo no stack named dev found >&2; exit 255", "--stack dev: no stack named dev found"),
        ("echo '{}'", "run pulumi up --stack dev first"),
    ],
)
def test_a_stack_without_outputs_is_told(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "pulumi").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "pulumi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert geofed("map", "--stack", "dev", "--output", "map.svg") == 2
    assert said in capsys.readouterr().err


def test_secrets_are_asked_for_only_when_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(words: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        asked.append(words)
        return subprocess.CompletedProcess(words, 0, '{"placements": {}}', "")

    def which(name: str) -> str:
        return name

    monkeypatch.setattr(outputs.shutil, "which", which)
    monkeypatch.setattr(outputs.subprocess, "run", run)
    assert outputs.stack_outputs("dev") == outputs.stack_outputs("dev", secrets=True) == {"placements": {}}
    assert ["--show-secrets" in words for words in asked] == [False, True]
