"""The last of these tests, since it holds for all that the others have done to the stack."""

import pytest

from tests.e2e.project import Project

pytestmark = pytest.mark.timeout(3600)


def test_nothing_changes_by_itself(operated: Project) -> None:
    operated.check_unchanged("--refresh")
