"""A federation that the last release has made is taken over by the program as it is now.

last_release.tar.gz has that release's program; CONTRIBUTING.md says how it is renewed.
"""

import json
import shutil
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import ROOT, Project, eventually

RELEASE = Path(__file__).with_name("last_release.tar.gz")
MEMBERS = ("serving", "serving-asia")
DEPLOYMENTS = "/apis/apps/v1/namespaces/ai/deployments"
PODS = "/api/v1/namespaces/ai/pods"
NO_REPLACEMENT = {"create", "update", "delete", "same", "read", "refresh", "read-discard"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project.copy(tmp_path_factory.mktemp("upgrade"))
    with project.taken_down():
        yield project


def install(project: Project, program: Path) -> None:
    """Puts another version of the program in the place of the project's."""
    for each in program.iterdir():
        there = project.folder / each.name
        if each.is_dir():
            shutil.rmtree(there, ignore_errors=True)
            shutil.copytree(each, there, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(each, there)


def released(folder: Path) -> Path:
    with tarfile.open(RELEASE) as archive:
        archive.extractall(folder, filter="data")
    return folder


def current(folder: Path, names: list[str]) -> Path:
    folder.mkdir()
    for name in names:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, folder / name)
    return folder


def running(project: Project) -> dict[str, Any]:
    """The replicas of each member that are ready, and all its pods by their identity."""
    found: dict[str, Any] = {}
    for name in MEMBERS:
        api = project.api(name)
        (deployment,) = api.get(DEPLOYMENTS)["items"]
        pods = {each["metadata"]["uid"] for each in api.get(PODS)["items"]}
        found[name] = (deployment["status"].get("readyReplicas", 0), pods)
    return found


def test_the_last_releases_federation_is_taken_over(project: Project, tmp_path: Path) -> None:
    last = released(tmp_path / "last")
    now = current(tmp_path / "now", [each.name for each in last.iterdir()])
    install(project, last)
    project.make("up").ok()

    def check_all_run() -> None:
        assert [ready for ready, _ in running(project).values()] == [2, 1]

    eventually(check_all_run, seconds=30)
    before = running(project)
    install(project, now)
    planned = json.loads(project.shell("pulumi preview --json 2>/dev/null").ok().output)
    steps = {each["urn"]: each["op"] for each in planned["steps"]}
    assert {urn: op for urn, op in steps.items() if op not in NO_REPLACEMENT} == {}
    # Roles move, and whatever else is made in a new way; nothing of the clusters goes.
    assert [urn for urn, op in steps.items() if op == "delete"] == []

    environment = " ".join(project.make_command("env"))
    process = project.start("bash", "-c", f'eval "$({environment})"; pulumi up --yes --skip-preview')
    looks = 0
    while process.poll() is None:
        assert running(project) == before
        looks += 1
        time.sleep(0.1)
    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert looks > 10
    time.sleep(2)
    assert running(project) == before
    project.shell("pulumi preview --expect-no-changes").ok()
