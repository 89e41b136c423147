"""What the end-to-end tests share: one running local stack, and one bare API server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from local.control_plane import ControlPlane
from tests.e2e.project import Done, Project
from tools.build import build, place
from tools.modules import MODULES


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Done]]:
    """A local stack, and the `make up` that has started it."""
    project = Project.copy(tmp_path_factory.mktemp("project"))
    with project.taken_down():
        yield project, project.make("up").ok()
    assert not (project.folder / ".local").exists()


@pytest.fixture(scope="session")
def project(started: tuple[Project, Done]) -> Project:
    """A local stack that is up, for tests that leave it as they found it."""
    return started[0]


@pytest.fixture(scope="session")
def first_up(started: tuple[Project, Done]) -> Done:
    """The `make up` that has started the local stack."""
    return started[1]


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
