"""The workflows' shell steps, run as they are in their files, as a runner would."""

import json
import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import ROOT, Done, Project, clean_environment
from tests.github import GitHub, github
from tests.workflows import Job, job, jobs

PULL_REQUEST = "7"
# What is not run here, and why.
NOT_HERE = {
    "Run the quick tests": "`make test`, of which this is a part, has just run them",
    "Run every test": "this test is one of them",
}
RUN_HERE = {
    "Make the virtual environment",
    "Make the stacks on stand-ins",
    "Preview dev and prod",
    "Preview prod",
    "Show the preview",
    "Comment on the pull request",
    "Update the stack",
    "Look for drift",
}


class Runner:
    """Runs steps of jobs in a folder, with the files by which a step passes values to later ones."""

    def __init__(self, folder: Path, scratch: Path, hub: GitHub, environment: Mapping[str, str]) -> None:
        self.folder, self.scratch, self.environment = folder, scratch, dict(environment) | hub.environment
        self.known = {"github.token": hub.environment["GITHUB_TOKEN"], "github.event.pull_request.number": PULL_REQUEST}
        self.files = {name: scratch / name for name in ("GITHUB_STEP_SUMMARY", "GITHUB_PATH", "GITHUB_ENV")}
        for file in self.files.values():
            file.touch()

    def run(self, each: Job, name: str, **variables: str) -> Done:
        """Runs one step of a job; `variables` are those of the job that differ here."""
        (step,) = (step for step in each.steps if step.get("name") == name)
        script = self.scratch / "step.sh"
        script.write_text(step["run"])
        environment = self.environment | dict(map(_pair, self._lines("GITHUB_ENV")))
        environment["PATH"] = ":".join([*reversed(self._lines("GITHUB_PATH")), environment["PATH"]])
        environment |= {name: str(file) for name, file in self.files.items()}
        started = time.monotonic()
        done = subprocess.run(
            ["bash", *(["--noprofile", "--norc", "-o", "pipefail"] if "shell" in step else []), "-e", script],
            cwd=self.folder,
            env=environment | self._variables(each, step) | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        return Done(done.returncode, done.stdout, time.monotonic() - started)

    def _lines(self, name: str) -> list[str]:
        return self.files[name].read_text().splitlines()

    def _variables(self, each: Job, step: Mapping[str, Any]) -> dict[str, str]:
        """The environment of a job and its step; variables of the repository are in that of the runner already."""
        written: dict[str, str] = {**each.body.get("env", {}), **step.get("env", {})}
        return {
            name: re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self.known[found[1]], value)
            for name, value in written.items()
            if value not in (f"${{{{ vars.{name} }}}}", "${{ matrix.stack }}")
        }


@pytest.fixture
def hub() -> Iterator[GitHub]:
    with github() as here:
        yield here


def test_every_step_is_run_here_or_is_known_not_to_be() -> None:
    steps = [(each, step) for each in jobs() for step in each.steps if "run" in step]
    names = {step.get("name", f"a step of {each} without a name") for each, step in steps}
    assert names == RUN_HERE | NOT_HERE.keys()
    # A step that is run here in one job covers those of its name in others.
    for name in names:
        assert len({step["run"] for _, step in steps if step["name"] == name}) == 1, name


def test_a_pull_request_is_previewed_on_stand_ins(tmp_path: Path, hub: GitHub) -> None:
    project = Project.copy(tmp_path / "project")
    (project.folder / ".venv").symlink_to(ROOT / ".venv")
    for file in project.folder.glob("requirements*.txt"):
        # What they install exists, and no test installs it again.
        os.utime(file, (0, 0))
    runner = Runner(project.folder, tmp_path, hub, clean_environment())
    stand_ins = job("pull-request.yml", "preview-on-stand-ins")
    names = [step["name"] for step in stand_ins.steps if "run" in step]
    assert names[-1] == "Comment on the pull request"
    try:
        printed = "".join(runner.run(stand_ins, name).ok().output for name in [*names, names[-1]])
        (comment,) = hub.comments
        page = (project.folder / "preview.md").read_text()
        assert comment["body"].partition("\n")[2] == page == runner.files["GITHUB_STEP_SUMMARY"].read_text()
        assert len(comment["body"]) < 65_536
        assert re.findall(r"^### (.*?): \+ \d\d+ to create$", page, re.MULTILINE) == ["dev", "prod"]
        assert "| serving-asia | 1 | 1 on l4 | one of 2 candidates, gets 1 of 3 |" in page
        assert page.count("<details>") == page.count("</details>") == 2
        # The policy pack has run, and is content.
        assert "geo-federation|local|policy/pack" in printed
        assert "[mandatory]" not in printed

        prod = project.folder / "Pulumi.prod.yaml"
        prod.write_text(prod.read_text().replace("deletion_protection: true", "deletion_protection: false", 1))
        assert runner.run(job("prod.yml", "preview"), "Preview prod").code == 1
        page = (project.folder / "preview.md").read_text()
        assert page.startswith("### prod: the preview fails\n")
        reasons = page.partition("<details>")[0]
        assert "cluster training can be deleted; write deletion_protection: true for it in Pulumi.prod.yaml" in reasons
    finally:
        project.make("down").ok()


def test_drift_is_told_in_one_issue_until_it_is_mended(project: Project, tmp_path: Path, hub: GitHub) -> None:
    runner = Runner(project.folder, tmp_path, hub, clean_environment() | local_environment(project))
    look = job("drift.yml", "look")

    def verbs(value: str) -> None:
        patch = json.dumps([{"op": "replace", "path": "/rules/0/verbs/0", "value": value}])
        role = "clusterrole kubefed-controller-manager:serving-training"
        project.kubectl("serving", f"patch {role} --type json -p '{patch}'").ok()

    assert runner.run(look, "Look for drift", STACK="local").code == 0
    assert hub.issues == []
    verbs("deletecollection")
    try:
        for _ in range(2):
            assert runner.run(look, "Look for drift", STACK="local").code == 1
        (issue,) = hub.issues
        assert issue["title"] == "Drift in the stack local"
        assert "~ 1 to update" in issue["body"]
        assert "kubefed-controller-manager:serving-training" in issue["body"]
        assert "deletecollection" in issue["body"]
    finally:
        verbs("get")
    assert runner.run(look, "Look for drift", STACK="local").code == 0
    assert [each["state"] for each in hub.issues] == ["closed"]


def test_what_cannot_be_looked_at_is_no_drift(project: Project, tmp_path: Path, hub: GitHub) -> None:
    runner = Runner(project.folder, tmp_path, hub, clean_environment() | local_environment(project))
    done = runner.run(job("drift.yml", "look"), "Look for drift", STACK="nowhere")
    assert done.code == 1
    assert "no stack named 'nowhere' found" in done.output
    assert hub.issues == []


def test_the_stack_is_updated(project: Project, tmp_path: Path, hub: GitHub) -> None:
    runner = Runner(project.folder, tmp_path, hub, clean_environment() | local_environment(project))
    done = runner.run(job("dev.yml", "up"), "Update the stack", STACK="local").ok()
    assert re.search(r"Resources:\n +\d+ unchanged\n", done.output), done.output
    assert "Loading policy packs...: done" in done.output


def local_environment(project: Project) -> dict[str, str]:
    """The values of the repository's variables: the local stack's."""
    exports = shlex.split(project.make("env").ok().output)
    return dict(_pair(word) for word in exports if word != "export")


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value
