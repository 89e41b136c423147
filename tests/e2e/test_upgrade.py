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

from tests.e2e.project import Project, eventually

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


def install_last_release(project: Project) -> dict[Path, str]:
    """Has Pulumi run the last release's program, from a folder of its own.

    Returns the text of the changed files before the change. The stand-in for the cloud is the project's own.
    """
    last = project.folder / "last"
    with tarfile.open(RELEASE) as archive:
        archive.extractall(last, filter="data")
    files = [project.folder / name for name in ("Pulumi.yaml", "Pulumi.local.yaml")]
    now = {file: file.read_text() for file in files}
    for file in files:
        shutil.copy2(last / file.name, file)
    with files[0].open("a") as settings:
        settings.write("main: last\n")
    return now


def running(project: Project) -> dict[str, Any]:
    """The replicas of each member that are ready, and all its pods by their identity."""
    found: dict[str, Any] = {}
    for name in MEMBERS:
        api = project.api(name)
        (deployment,) = api.get(DEPLOYMENTS)["items"]
        pods = {each["metadata"]["uid"] for each in api.get(PODS)["items"]}
        found[name] = (deployment["status"].get("readyReplicas", 0), pods)
    return found


def test_the_last_releases_federation_is_taken_over(project: Project) -> None:
    now = install_last_release(project)
    project.make("up").ok()

    def check_all_run() -> None:
        assert [ready for ready, _ in running(project).values()] == [2, 1]

    eventually(check_all_run, seconds=30)
    before = running(project)
    for file, text in now.items():
        file.write_text(text)
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
    project.check_unchanged()
    project.check_unchanged("--refresh")
