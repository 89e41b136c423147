"""A local stack whose members have operators."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local.operators import KNOWN
from tests.e2e.operated import workloads
from tests.e2e.project import Project
from tools.build import build

_BUILD_AND_UP_SECONDS = 1800
# Pulumi writes the whole state after each of some thousand steps: 13 MB with the CRDs of KubeRay in three members.
_ONE_STATE = {"PULUMI_EXPERIMENTAL": "true", "PULUMI_SKIP_CHECKPOINTS": "true"}
# Of the member in Europe: a slice of TPUs, machines with networks between their GPUs, and a pool of a compute class.
_ZONES = ["europe-west1-b"]
_POOLS: dict[str, Any] = {
    "slice": {"machine_type": "ct5lp-hightpu-4t", "tpu": {"topology": "4x4"}, "min_nodes": 4, "zones": _ZONES},
    "mega": {"machine_type": "a3-megagpu-8g", "gpu_networks": "own", "min_nodes": 1, "zones": _ZONES},
    "classed": {"machine_type": "n2-standard-8", "compute_class": "fast", "min_nodes": 1, "zones": _ZONES},
}
_CLASSES = {"fast": {"priorities": [{"pools": ["classed"]}]}}


def with_operators(folder: Path) -> Iterator[Project]:
    """A stack in a folder, up from nothing in one run: every operator, a quota of one CPU and more pools in Europe, and
    the workloads.
    """
    build([each.module for each in KNOWN.values()])
    project = Project.copy(folder, **_ONE_STATE)
    settings = project.settings()
    settings["config"]["geo-federation:federation"] |= {
        "operators": {
            name: {
                "version": each.version,
                "manifests": f".local/operators/{name}.yaml",
                "queues": name == "kueue",
            }
            for name, each in KNOWN.items()
        },
        "base": [{"manifests": "tests/e2e/operated/objects/quota.yaml", "select": {"region": "europe-west1"}}],
        "types": ["services", "deployments.apps"],
    }
    settings["config"]["geo-federation:workloads"] = {}
    serving = settings["config"]["geo-federation:clusters"]["serving"]
    serving["node_pools"] |= _POOLS
    serving["compute_classes"] = _CLASSES
    project.write_settings(settings)
    workloads.declare(project)
    with project.taken_down():
        project.run(*project.make_command("up"), timeout=_BUILD_AND_UP_SECONDS).ok()
        yield project


def check_ready(project: Project, member: str, manager: str) -> None:
    """Asserts that the Deployment of an operator, by its namespace/name, is ready in a member."""
    namespace, name = manager.split("/")
    deployment = project.api(member).get(f"/apis/apps/v1/namespaces/{namespace}/deployments/{name}")
    assert deployment["status"]["readyReplicas"] == 1
