"""Every command of the docs that can run here, run on a local stack as a user would, and held to what the docs show.

The rule: of a block without `...`, the output is what is shown, line by line. With `...`, which stands for lines that
are left out, each line that is shown is a part of one that is printed, in whatever order, since what is made side by
side ends in any. Spaces do not count, nor do seconds, ages and the hashes in pods' names (tests/docs.py).

Where Pulumi would ask for confirmation, `--yes` is added; NAME and the like are replaced.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import NOT_HERE, Command, commands, plain
from tests.e2e.project import ROOT, Done, Project
from tests.e2e.versions import shown_for

# What tools/build.py says while it builds, which it does where no cache has them.
BUILDING = re.compile(r"\[\d+/\d+\] ")
MEANINGS = {"kubefedcluster NAME": "kubefedcluster serving", "--stack NAME": "--stack local"}
# These are about a stack of the user's own, which has mistakes in one of them.
OWN_STACK = "pulumi stack select dev --create && pulumi config set gcp:project MY-PROJECT"
MISTAKES = {"region: europe-west1\n": "region: europe-west99\n", "{policy: spread,": "{policy: spraed,"}


def is_about_mistakes(command: Command) -> bool:
    return "mistakes in the stack's settings" in "\n".join(command.shown)


HERE = [each for each in commands() if each.text not in NOT_HERE and each.text != OWN_STACK]


@pytest.fixture(autouse=True)
def as_it_was(project: Project) -> Iterator[None]:
    """Puts back the files of the project that a command writes or changes, for other tests."""
    before = _files(project)
    yield
    for file, content in _files(project).items():
        if file not in before:
            file.unlink()
        elif content != before[file]:
            file.write_bytes(before[file])


def run(project: Project, command: str) -> Done:
    for word, meaning in MEANINGS.items():
        command = command.replace(word, meaning)
    command = re.sub(r"\bpulumi (up|refresh|cancel)\b", r"pulumi \1 --yes", command)
    # The project's copy shares the environment of the checkout.
    return project.shell(f"export VENV={ROOT / '.venv'}; {command}")


def check_shown(command: Command, output: str) -> None:
    printed = [line for line in map(plain, output.splitlines()) if line]
    lines = [shown_for(line) for line in command.lines if not BUILDING.match(line)]
    if command.whole:
        assert lines == printed
    for line in lines:
        assert any(line in each for each in printed), f"{line}\nis not in\n{output}"
        assert lines.count(line) <= sum(line in each for each in printed), line


@pytest.mark.parametrize("command", [each for each in HERE if not is_about_mistakes(each)], ids=str)
def test_a_command_of_the_docs_does_what_they_show(command: Command, project: Project) -> None:
    done = run(project, command.text).ok()
    if command.shown:
        check_shown(command, done.output)


def test_the_first_up_prints_what_the_docs_show(first_up: Done) -> None:
    (up,) = (each for each in commands() if each.text == "make up")
    assert up.lines
    check_shown(up, first_up.output)


def test_mistakes_in_a_stack_of_ones_own_are_told_as_the_docs_show(project: Project) -> None:
    (preview,) = filter(is_about_mistakes, HERE)
    assert OWN_STACK in [each.text for each in commands()]
    file = project.folder / "Pulumi.dev.yaml"
    try:
        run(project, f"unset PULUMI_STACK; {OWN_STACK}").ok()
        text = file.read_text()
        assert "gcp:project: MY-PROJECT\n" in text
        for good, bad in MISTAKES.items():
            assert text.count(good) == 1
            text = text.replace(good, bad)
        file.write_text(text)
        done = run(project, f"unset PULUMI_STACK; {preview.text}")
        assert done.code != 0
        for line in preview.lines:
            assert line in plain(done.output), f"{line}\nis not in\n{done.output}"
    finally:
        project.shell("pulumi stack rm dev --yes --preserve-config")


def _files(project: Project) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in project.folder.glob("*") if file.is_file()}
