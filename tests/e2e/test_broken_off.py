"""An interrupted `make up` is repaired by the next one, and `make down` leaves nothing."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.e2e.project import Project, eventually


# Each run continues where the last one was interrupted: at the clusters, at KubeFed's installation, and at members.
@pytest.mark.parametrize(
    "breaks",
    [((signal.SIGINT, 8.0), (signal.SIGTERM, 9.0)), ((signal.SIGKILL, 4.0), (signal.SIGKILL, 11.0))],
    ids=("asked", "killed"),
)
def test_up_broken_off_twice_is_mended_by_up(tmp_path: Path, breaks: tuple[tuple[signal.Signals, float], ...]) -> None:
    project = Project.copy(tmp_path)
    with project.taken_down():
        for sign, after in breaks:
            process = project.start(*project.make_command("up"))
            time.sleep(after)
            assert process.poll() is None, "it ended before it could be interrupted"
            os.killpg(process.pid, sign)
            process.communicate(timeout=60)
            eventually(lambda: _check_no_plugin(project), seconds=20)
        project.make("up").ok()
        _check_ready(project)
        existing = {each.parent.name for each in (tmp_path / ".local" / "clusters").glob("*/ready")}
        assert len(existing) == 3, "a half-made cluster was left"


def test_down_in_the_middle_of_up_ends_clean(tmp_path: Path) -> None:
    project = Project.copy(tmp_path)
    process = project.start(*project.make_command("up"))
    time.sleep(7)
    project.make("down").ok()
    process.communicate(timeout=60)
    project.make("down").ok()
    assert list(project.processes()) == []
    assert not (tmp_path / ".local").exists()


def _check_ready(project: Project) -> None:
    members = project.objects("training", "kubefedclusters -n kube-federation-system")
    states = [{each["type"]: each["status"] for each in member["status"]["conditions"]} for member in members]
    assert [state.get("Ready") for state in states] == ["True"] * 3


def _check_no_plugin(project: Project) -> None:
    commands = [" ".join(process.cmdline()) for process in project.processes()]
    assert not [command for command in commands if "local.gcp" in command or "pulumi-resource-" in command]
