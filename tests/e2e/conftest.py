"""What the end-to-end tests share: one running local stack, and one bare API server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.control_plane import ControlPlane
from tests.e2e.project import Project
from tools.build import MODULES, build, place


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A local stack that is up, for tests that leave it as they found it."""
    project = Project.copy(tmp_path_factory.mktemp("project"))
    try:
        project.make("up").ok()
        yield project
    finally:
        project.make("down").ok()
    assert list(project.processes()) == []
    assert not (project.folder / ".local").exists()


@pytest.fixture(scope="session")
def api_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane with nothing in it."""
    folder: Path = tmp_path_factory.mktemp("api-server")
    place(build(MODULES), folder / "bin")
    plane = ControlPlane("bare", folder / "clusters" / "bare", folder / "bin")
    plane.start()
    yield plane
    plane.delete()
    assert plane.processes() == []
