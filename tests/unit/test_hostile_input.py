"""What is meant to do harm is reported as a mistake, in one line of its own."""

from pathlib import Path

import pytest

from problems import SettingsError
from settings import parse
from tests.hostile import ALL

# tests/e2e/test_hostile_input.py tries them all, those that take longer too, under limits of time and memory.
QUICK = [case for case in ALL if not case.startswith(("1 MB", "thousands", "ten thousand", "a hundred thousand"))]


@pytest.mark.parametrize("case", QUICK)
def test_it_is_a_mistake_that_is_reported(case: str, tmp_path: Path) -> None:
    raw = ALL[case].prepare(tmp_path)
    with pytest.raises(SettingsError) as raised:
        parse(raw, tmp_path)
    lines = str(raised.value).splitlines()
    assert len(lines) == 1 + min(len(raised.value.problems), 101)
    assert any(ALL[case].message in line for line in lines), lines[:5]
    assert all(character.isprintable() for line in lines for character in line)
    assert max(map(len, lines)) < 10_000
