"""The messages on a machine that lacks something."""

import os
from pathlib import Path

from tests.e2e.project import Project


def test_no_go(tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "project")
    done = project.make("up", PATH=_path_without("go", tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.code != 0
    assert "Go is not on PATH. Install Go 1.26" in done.output
    assert "Traceback" not in done.output
    project.make("down").ok()


def test_go_too_old(tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "project")
    go = tmp_path / "old" / "go"
    go.parent.mkdir()
    go.write_text("#!/bin/sh\necho go1.20.1\n")
    go.chmod(0o755)
    path = f"{go.parent}{os.pathsep}{os.environ['PATH']}"
    done = project.make("up", PATH=path, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.code != 0
    assert "Go on PATH is 1.20.1. Install Go 1.26" in done.output
    assert "Traceback" not in done.output
    project.make("down").ok()


def test_no_python(tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "project")
    done = project.run("make", "-s", "up", "PYTHON=python-that-is-not-there")
    assert done.code != 0
    assert "Install Python 3.11 or newer" in done.output


def test_python_without_venv(tmp_path: Path) -> None:
    project = Project.copy(tmp_path / "project")
    python = tmp_path / "python3"
    python.write_text('#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\nexit 0\n')
    python.chmod(0o755)
    done = project.run("make", "-s", "up", f"PYTHON={python}")
    assert done.code != 0
    assert "Install its venv module" in done.output


def _path_without(program: str, folder: Path) -> str:
    """A PATH with links to everything that the present one has, but for one program."""
    links = folder / "links"
    links.mkdir()
    for part in os.environ["PATH"].split(os.pathsep):
        for name in os.listdir(part) if Path(part).is_dir() else []:  # noqa: PTH208
            if name != program and not (links / name).exists():
                (links / name).symlink_to(Path(part) / name)
    return str(links)
