"""Workloads that are placed by what is read at run time: where data is, and what is free."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.project import Project

SERVING = {"role": "serving"}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project.copy(tmp_path_factory.mktemp("placement"))
    with project.taken_down():
        declare(project, near=(job("near"), {"policy": "nearest", "to": "gs://data-asia-east1"}))
        project.make("up").ok()
        yield project


def job(name: str, gpus: int = 0, parallelism: int = 1, image: str = "train:1") -> dict[str, Any]:
    # It never ends: kwok ends a pod whose owner is a Job, and a pod that has ended holds no GPU.
    container: dict[str, Any] = {"name": "train", "image": image}
    if gpus:
        container["resources"] = {"limits": {"nvidia.com/gpu": str(gpus)}}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    spec: dict[str, Any] = {"parallelism": parallelism, "completions": parallelism, "template": template}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec}


def deployment(name: str, replicas: int) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "serve", "image": "serve:1", "resources": {"limits": {"nvidia.com/gpu": "1"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec: dict[str, Any] = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def declare(project: Project, **workloads: tuple[dict[str, Any], dict[str, Any]]) -> None:
    settings = project.settings()
    settings["config"]["geo-federation:workloads"] = {
        name: {"manifests": f"workloads/{name}.yaml", "namespace": "ai", "placement": placement}
        for name, (_, placement) in workloads.items()
    }
    project.write_settings(settings)
    for name, (body, _) in workloads.items():
        (Path(project.folder) / "workloads" / f"{name}.yaml").write_text(yaml.safe_dump(body))


def shares(project: Project, workload: str) -> dict[str, int]:
    return {each["cluster"]: each["share"] for each in project.outputs()["placements"][workload] if each["share"]}


def reasons(project: Project, workload: str) -> dict[str, str]:
    return {each["cluster"]: each["reason"] for each in project.outputs()["placements"][workload]}


def test_the_nearest_to_a_bucket_is_taken(project: Project) -> None:
    assert shares(project, "near") == {"serving-asia": 1}
    assert " km" in reasons(project, "near")["serving-asia"]
    assert len(project.objects("serving-asia", "jobs -n ai")) == 1
    assert project.objects("serving", "jobs -n ai") == []


def test_spare_capacity_is_where_accelerators_are_free_and_a_job_stays(project: Project) -> None:
    spare = {"policy": "spare-capacity", "select": SERVING}
    busy = (deployment("busy", 2), {"policy": "clusters", "clusters": ["serving"]})
    declare(project, busy=busy)
    project.shell("pulumi up --yes --skip-preview").ok()
    declare(project, busy=busy, train=(job("train", 1, 2), spare))
    preview = project.shell("pulumi preview").ok().output
    project.shell("pulumi up --yes --skip-preview").ok()
    assert shares(project, "train") == {"serving-asia": 2}
    assert reasons(project, "train")["serving-asia"] in preview
    (before,) = project.objects("serving-asia", "jobs -n ai")

    # Now the other one has room, and this one has none.
    declare(project, train=(job("train", 1, 2), spare))
    project.shell("pulumi up --yes --skip-preview").ok()
    project.check_unchanged()
    assert shares(project, "train") == {"serving-asia": 2}
    (after,) = project.objects("serving-asia", "jobs -n ai")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]


def test_what_fits_nowhere_is_told_and_nothing_is_made(project: Project) -> None:
    huge = (job("huge", 1, 11), {"policy": "spare-capacity"})
    declare(project, huge=huge)
    before = project.shell("pulumi stack export").ok().output
    done = project.shell("pulumi up --yes --skip-preview")
    assert done.code != 0
    assert "Traceback" not in done.output
    assert "workloads.huge.placement" in done.output and "nvidia.com/gpu" in done.output, done.output
    for name in ("training", "serving", "serving-asia"):
        assert name in done.output
    assert '"huge' not in before + project.shell("pulumi stack export").ok().output
