"""The stack that these tests share."""

from collections.abc import Iterator

import pytest

from tests.e2e.operated.stack import with_operators
from tests.e2e.project import Project
from tests.e2e.versions import HAS_POLICIES, WITHOUT_POLICIES


@pytest.fixture(scope="package")
def operated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A local stack whose members have every operator that is known by name, with workloads of each."""
    if not HAS_POLICIES:
        pytest.skip(WITHOUT_POLICIES)
    yield from with_operators(tmp_path_factory.mktemp("operators"))
