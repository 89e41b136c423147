"""A type of the members' own: a member that lacks it is named, and stops nothing else."""

from pathlib import Path
from typing import Any

import yaml

from tests.e2e.project import Project, eventually
from tests.objects import definition

NAME = "trainjobs.example.com"
DEFINITION = definition("TrainJob", "trainjobs")
TRAIN: dict[str, Any] = {
    "apiVersion": "example.com/v1",
    "kind": "TrainJob",
    "metadata": {"name": "train"},
    "spec": {"epochs": 3},
}


def test_a_type_is_federated_once_every_member_serves_it(tmp_path: Path) -> None:
    project = Project.copy(tmp_path)
    settings = project.settings()
    workloads = settings["config"]["geo-federation:workloads"]
    workloads["custom"] = {
        "manifests": "workloads/custom.yaml",
        "namespace": "ai",
        "placement": {"policy": "spread", "select": {"role": "serving"}},
    }
    (tmp_path / "workloads" / "custom.yaml").write_text(yaml.safe_dump(TRAIN))
    (tmp_path / "definition.yaml").write_text(yaml.safe_dump(DEFINITION))
    with project.taken_down():
        project.make("up").ok()
        for member in ("training", "serving"):
            project.kubectl(member, "apply -f definition.yaml").ok()
        federation = settings["config"]["geo-federation:federation"]
        federation["types"] = ["deployments.apps", "jobs.batch", "services", "configmaps", "serviceaccounts", NAME]
        federation["custom_types"] = {NAME: {"kind": "TrainJob", "version": "v1", "status": False}}
        project.write_settings(settings)

        done = project.shell("pulumi up --yes --skip-preview")
        assert done.code != 0
        assert f"{NAME}-in-serving-asia" in done.output, done.output
        assert f"{NAME}-in-serving:" not in done.output
        _check_propagated(project, "federateddeployments")
        # That could be from before: only a controller that still runs makes a copy again.
        project.kubectl("serving", "delete deployment inference -n ai").ok()
        eventually(lambda: _check_copied(project, "serving", "inference"), seconds=60)

        project.kubectl("serving-asia", "apply -f definition.yaml").ok()
        project.shell("pulumi up --yes --skip-preview").ok()
        eventually(lambda: _check_propagated(project, "federatedtrainjobs"), seconds=30)
        for member, copies in (("training", 0), ("serving", 1), ("serving-asia", 1)):
            found = project.objects(member, f"{NAME} -n ai")
            assert [each["spec"] for each in found] == [TRAIN["spec"]] * copies, member


def _check_copied(project: Project, member: str, name: str) -> None:
    assert [each["metadata"]["name"] for each in project.objects(member, "deployments -n ai")] == [name]


def _check_propagated(project: Project, plural: str) -> None:
    (found,) = project.objects("training", f"{plural} -n ai")
    assert {each["type"]: each["status"] for each in found["status"]["conditions"]}["Propagation"] == "True"
