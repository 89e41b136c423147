"""The stack with every option for accelerators, networks and compute classes, under mocks."""

from functools import cache
from typing import Any

import yaml

from tests.unit.program import PROJECT, ROOT, Run, run_program

FILE = ROOT / "tests/Pulumi.accelerators.yaml"


@cache
def settings() -> dict[str, Any]:
    """The settings of that stack, without the project's name before them."""
    config = yaml.safe_load(FILE.read_text(encoding="utf-8"))["config"]
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items()}


@cache
def run() -> Run:
    """A run of the program with them."""
    return run_program("accelerators", settings())


def test_every_cluster_is_made() -> None:
    made = [each.name for each in run().asked if each.type == "gcp:container/cluster:Cluster"]
    assert sorted(made) == sorted(settings()["clusters"])
