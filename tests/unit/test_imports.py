"""Which folder may import which: the contracts are kept, and each is seen to fail."""

import shutil
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.unit.program import ROOT
from tools.check_imports import CONTRACTS, check_imports, link_packages

LAYERS = "Imports go down, and those side by side do not import each other"
PURE = "Decisions need neither Pulumi nor a client of Kubernetes"
LOCAL = "Only docs/ and the tests know of the local stack"
PROGRAM = "The program needs none of what people and workflows run"
CLUSTERS = "Inside clusters/, nodes follow from settings, and those from facts"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's own Python, in a folder in which it can be broken."""
    folder = tmp_path_factory.mktemp("imports")
    for file in [*ROOT.glob("*.py"), *ROOT.glob("[a-z]*/**/*.py"), ROOT / CONTRACTS]:
        copy = folder / file.relative_to(ROOT)
        if copy.parts[len(folder.parts)] != "tests":
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    return folder


def test_the_contracts_are_kept(project: Path) -> None:
    assert check_imports(project) == ""


def test_no_folder_is_left_out(tmp_path: Path) -> None:
    link_packages(ROOT, tmp_path)
    contracts = ConfigParser()
    contracts.read(ROOT / CONTRACTS)
    assert {each.name for each in tmp_path.iterdir()} == {*contracts["importlinter"]["root_packages"].split()}


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("problems.py", "import stack_file", LAYERS),
        ("stack_file.py", "import settings", LAYERS),
        ("clusters/spec.py", "import placement.kinds", LAYERS),
        ("clusters/pools/rules.py", "import clusters.spec", CLUSTERS),
        ("placement/api/kinds.py", "import federation.spec", LAYERS),
        ("federation/spec.py", "import settings", LAYERS),
        ("settings.py", "import stackfile.schema", LAYERS),
        ("ci/engine.py", "import geofed.stack", LAYERS),
        ("placement/policies/place.py", "import pulumi", PURE),
        ("placement/policies/place.py", "def later():\n    from kubernetes import client", PURE),
        # What a module imports is imported with it.
        ("problems.py", "import pulumi_gcp", PURE),
        ("clusters/spec.py", "import clusters.gke", PURE),
        ("geofed/stack.py", "import local.paths", LOCAL),
        ("tools/build.py", "import local.paths", LOCAL),
        ("__main__.py", "import local.paths", LOCAL),
        ("__main__.py", "import geofed.stack", PROGRAM),
        ("federation/workloads.py", "import ci.github", PROGRAM),
    ],
)
def test_a_broken_contract_is_named(file: str, line: str, contract: str, project: Path) -> None:
    text = (project / file).read_text()
    (project / file).write_text(f"{text}\n{line}\n")
    try:
        assert f"{contract} BROKEN" in check_imports(project)
    finally:
        (project / file).write_text(text)
