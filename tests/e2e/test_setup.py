"""Setting up by uv as CONTRIBUTING.md has it; by pip, `make` does it, as in every other test."""

import os
from pathlib import Path

from tests.docs import commands
from tests.e2e.project import ROOT, Project

STEPS = ("uv venv", "uv pip sync --require-hashes requirements-dev.lock", "touch .venv/ready")


def test_uv_sets_up_what_make_would(tmp_path: Path) -> None:
    project = Project.copy(tmp_path)
    told = [each.text for each in commands() if each.page == "CONTRIBUTING.md"]
    assert set(STEPS) <= set(told)
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    assert project.run("make", "--question", ".venv/ready").code == 1
    for step in STEPS:
        project.run("bash", "-c", step, environment={"PATH": path, "VIRTUAL_ENV": ""}).ok()
    project.run(".venv/bin/python", "-c", "import pulumi, pulumi_gcp, pulumi_kubernetes, pytest").ok()
    project.run("make", "--question", ".venv/ready").ok()
