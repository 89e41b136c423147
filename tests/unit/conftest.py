"""Fixtures of tests that run the real program with the project's own settings."""

from collections.abc import Iterator

import pytest

from tests.unit.program import ROOT, Run, run_of


@pytest.fixture(scope="module")
def project_folder() -> Iterator[None]:
    """Runs a module's tests in the project's folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


@pytest.fixture(scope="module", params=["dev", "prod", "local"])
def run(request: pytest.FixtureRequest, project_folder: None) -> Run:
    """A run of the program, for each stack."""
    return run_of(request.param)
