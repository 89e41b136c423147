"""The one entry of the commands: help, the codes that they end with, completion, and how quickly they start."""

import shlex
import subprocess
import sys

import pytest

from geofed import forget
from tests.commands import geofed
from tests.unit.program import ROOT

COMMANDS = ("status", "explain", "map", "forget", "new-stack")
PYTHON = shlex.quote(sys.executable)


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert geofed("--help") == 0
    text = capsys.readouterr().out
    assert "Usage: python -m geofed" in text
    assert all(f"\n  {command} " in text for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert geofed(command, "--help") == 0
    assert f"Usage: python -m geofed {command}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        "",
        "bogus",
        "--bogus",
        *(command for command in COMMANDS),
        "status --stack prod --output xml",
        "status --stack prod --output json --watch",
        "explain --stack prod --without serving serving-asia",
        "map --stack prod more",
        "forget serving",
        "new-stack one two",
    ],
)
def test_a_wrong_call_ends_with_2(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert geofed(*words.split()) == 2
    printed = capsys.readouterr()
    assert not printed.out
    assert "Usage: python -m geofed" in printed.err and "Traceback" not in printed.err


def test_the_host_is_not_forgotten(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert geofed("forget", "--stack", "prod", "training") == 2
    assert capsys.readouterr().err.startswith("training: the federation's host")


def test_what_is_left_behind_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def forgotten(stack: str, member: str) -> list[str]:
        return [f"Namespace of {member} in {stack}"]

    monkeypatch.setattr(forget, "forget", forgotten)
    assert geofed("forget", "serving", "--stack", "prod") == 0
    assert "\n  Namespace of serving in prod\n" in capsys.readouterr().out


def test_what_is_no_mistake_of_the_call_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> list[str]:
        raise KeyError("ours")

    monkeypatch.setattr(forget, "forget", broken)
    with pytest.raises(KeyError, match="ours"):
        geofed("forget", "serving", "--stack", "prod")


def test_help_imports_nothing_that_takes_long() -> None:
    program = """
import sys
from geofed.__main__ import main
try:
    main(["--help"])
finally:
    slow = {"pulumi", "settings", "kubernetes", "matplotlib", "rich", "yaml"} & {*sys.modules}
    assert not slow, slow
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["-m", "geofed", "st"], ["status"]),
        (["-m", "geofed", ""], [*COMMANDS]),
        (["-m", "geofed", "explain", "--wi"], ["--without"]),
        (["-m", "geofed", "explain", "--output", "j"], ["json"]),
        # Another use of Python completes as it did.
        (["-m", "pytest", "st"], []),
        (["st"], []),
    ],
)
def test_bash_completes_python_m_geofed(typed: list[str], offered: list[str]) -> None:
    words = " ".join(shlex.quote(word) for word in [sys.executable, *typed])
    script = f"""
eval "$({PYTHON} -m geofed --show-completion)"
complete -p python > /dev/null
COMP_WORDS=({words}); COMP_CWORD={len(typed)}
_geofed_completion {PYTHON}
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "--norc", "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert sorted(done.stdout.split()) == sorted(offered), done.stderr
