"""A local stack whose members have operators."""

from collections.abc import Collection, Iterator
from pathlib import Path

from local.operators import KNOWN
from tests.e2e.project import Project
from tools.build import build

_BUILD_AND_UP_SECONDS = 1800


def with_operators(folder: Path, names: Collection[str]) -> Iterator[Project]:
    """A stack in a folder, up, with these operators, and a queue in Europe with a quota of one CPU."""
    build([KNOWN[name].module for name in names])
    project = Project.copy(folder)
    settings = project.settings()
    settings["config"]["geo-federation:federation"] |= {
        "operators": {
            name: {
                "version": KNOWN[name].version,
                "manifests": f".local/operators/{name}.yaml",
                "queues": name == "kueue",
            }
            for name in names
        },
        "base": [{"manifests": "tests/e2e/operators/quota.yaml", "select": {"region": "europe-west1"}}],
        "types": ["services"],
    }
    settings["config"]["geo-federation:workloads"] = {}
    project.write_settings(settings)
    with project.taken_down():
        project.run(*project.make_command("up"), timeout=_BUILD_AND_UP_SECONDS).ok()
        yield project


def check_ready(project: Project, member: str, manager: str) -> None:
    """Asserts that the Deployment of an operator, by its namespace/name, is ready in a member."""
    namespace, name = manager.split("/")
    deployment = project.api(member).get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    assert deployment["status"]["readyReplicas"] == 1
