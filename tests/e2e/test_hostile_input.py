"""What is meant to do harm is told within 5 s and 500 MB: each in a process of its own, under limits."""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.project import ROOT, Project
from tests.hostile import ALL, MANIFESTS

SECONDS = 5
MEGABYTES = 500


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """What became of each: the message, the seconds and the megabytes."""
    file = tmp_path_factory.mktemp("hostile") / "tried.json"
    subprocess.run([sys.executable, "-m", "tests.e2e.test_hostile_input", file], cwd=ROOT, check=True, timeout=300)
    return json.loads(file.read_text())


@pytest.mark.parametrize("case", ALL)
def test_it_is_told_in_time_and_memory(case: str, tried: dict[str, dict[str, Any]]) -> None:
    became = tried[case]
    assert any(ALL[case].message in line for line in became["message"].splitlines()), became
    assert became["seconds"] < SECONDS
    assert became["megabytes"] < MEGABYTES


def test_a_whole_run_tells_it_too(project: Project) -> None:
    file = project.folder / "workloads" / "inference.yaml"
    good = file.read_bytes()
    bomb = MANIFESTS["a bomb of maps"]
    bomb.prepare(file.parent)
    file.write_bytes((file.parent / "job.yaml").read_bytes())
    try:
        done = project.shell("pulumi preview")
    finally:
        file.write_bytes(good)
    assert done.code != 0
    output = " ".join(done.output.split())
    assert f"workloads.inference.manifests: 'workloads/inference.yaml': is {bomb.message}" in output
    assert "Traceback" not in output


def _try_all(file: Path) -> None:
    """Tries each in a child of a process that has imported everything already."""
    import settings

    tried: dict[str, dict[str, Any]] = {}
    for case, hostile in ALL.items():
        with tempfile.TemporaryDirectory() as folder:
            message = Path(folder) / "message"
            work = Path(folder) / "work"
            work.mkdir()
            child = os.fork()
            if child == 0:
                try:
                    resource.setrlimit(resource.RLIMIT_DATA, (MEGABYTES * 10**6, MEGABYTES * 10**6))
                    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
                    settings.parse(hostile.prepare(work), work)
                    message.write_text("it was taken")
                except settings.SettingsError as error:
                    message.write_text(str(error))
                except BaseException as error:
                    message.write_text(f"{type(error).__name__}: {error}")
                finally:
                    os._exit(0)
            _, status, usage = os.wait4(child, 0)
            tried[case] = {
                "message": message.read_text() if message.exists() else f"it ended with {status}",
                # Of the processor: other tests run beside this one.
                "seconds": usage.ru_utime + usage.ru_stime,
                "megabytes": usage.ru_maxrss / 1000,
            }
    file.write_text(json.dumps(tried))


if __name__ == "__main__":
    _try_all(Path(sys.argv[1]))
