"""A local stack whose members have every operator that is known by name."""

from collections.abc import Iterator

import pytest

from local.operators import KNOWN
from tests.e2e.operated import with_operators
from tests.e2e.project import Project


@pytest.fixture(scope="session")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Such a stack. KubeRay's CRDs make its state long, so that it takes minutes to come up."""
    yield from with_operators(tmp_path_factory.mktemp("operators"), KNOWN)
