"""A local stack whose members have operators."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from local.operators import KNOWN
from tests.e2e.project import Project
from tools.build import build

_BUILD_AND_UP_SECONDS = 1800


def with_operators(folder: Path, names: Collection[str], **federation: Any) -> Iterator[Project]:
    """A stack in a folder, up, with these operators; `federation` are more of its settings."""
    build([KNOWN[name].module for name in names])
    project = Project.copy(folder)
    settings = project.settings()
    settings["config"]["geo-federation:federation"] |= {
        "operators": {
            name: {"version": KNOWN[name].version, "manifests": f".local/operators/{name}.yaml"} for name in names
        },
        "base": [{"manifests": "tests/e2e/operators/quota.yaml", "select": {"region": "europe-west1"}}],
        "types": ["services"],
        **federation,
    }
    settings["config"]["geo-federation:workloads"] = {}
    project.write_settings(settings)
    with project.taken_down():
        project.run(*project.make_command("up"), timeout=_BUILD_AND_UP_SECONDS).ok()
        yield project
