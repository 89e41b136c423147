"""Types that not every cluster serves: known by name or described, and looked for in every member."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from problems import SettingsError
from settings import parse
from tests.unit.program import run_program, stack_settings

JOB_SET: dict[str, Any] = {
    "apiVersion": "jobset.x-k8s.io/v1alpha2",
    "kind": "JobSet",
    "metadata": {"name": "train"},
    "spec": {"replicatedJobs": []},
}


def settings_with(**federation: Any) -> dict[str, Any]:
    settings = stack_settings("dev")
    settings["federation"] = settings["federation"] | federation
    return settings


def problems(**federation: Any) -> str:
    with pytest.raises(SettingsError) as told:
        raw = settings_with(**federation)
        parse({"clusters": raw["clusters"], "federation": raw["federation"]}, Path())
    return str(told.value)


def test_every_member_is_asked_for_a_type_before_it_is_enabled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "train.yaml").write_text(yaml.safe_dump(JOB_SET))
    monkeypatch.chdir(tmp_path)
    settings = settings_with(types=["deployments.apps", "jobsets.jobset.x-k8s.io"])
    placement = {"policy": "clusters", "clusters": ["serving"]}
    settings["workloads"] = {"train": {"manifests": "train.yaml", "namespace": "ai", "placement": placement}}
    run = run_program("dev", settings)
    asked_in = {each.provider.rpartition("::")[0]: each for each in run.read}
    assert len(asked_in) == len(run.read) == len(run.clusters) == 2
    assert {each.inputs["id"] for each in run.read} == {"jobsets.jobset.x-k8s.io"}
    enabled = run.one("FederatedTypeConfig", "jobsets.jobset.x-k8s.io")
    assert {each.urn for each in run.read} <= enabled.dependencies
    assert not {each.urn for each in run.read} & run.needs(run.one("FederatedTypeConfig", "deployments.apps"))
    spec = run.one("FederatedJobSet", "train").inputs["spec"]
    assert spec["placement"]["clusters"] == [{"name": "serving"}]
    assert spec["template"]["spec"] == JOB_SET["spec"]


def test_a_described_type_is_enabled_as_described() -> None:
    raw = settings_with(
        types=["trainjobs.example.com"],
        custom_types={"trainjobs.example.com": {"kind": "TrainJob", "version": "v1", "status": False}},
    )
    settings = parse({"clusters": raw["clusters"], "federation": raw["federation"]}, Path())
    (target,) = settings.federation.targets()
    assert (target.kind, target.api_version, target.plural, target.has_status) == (
        "TrainJob",
        "example.com/v1",
        "trainjobs",
        False,
    )


def test_a_type_that_is_not_known_is_to_be_described() -> None:
    assert "'trainjobs.example.com'" in problems(types=["trainjobs.example.com"])
    assert "federation.custom_types" in problems(types=["trainjobs.example.com"])


def test_two_types_of_one_plural_cannot_be_told_apart() -> None:
    told = problems(
        types=["jobs.batch", "jobs.example.com"], custom_types={"jobs.example.com": {"kind": "Job", "version": "v1"}}
    )
    assert "jobs.example.com" in told and "jobs.batch" in told


@pytest.mark.parametrize(
    ("name", "described"),
    [
        ("trainjobs", {"kind": "TrainJob", "version": "v1"}),
        ("TrainJobs.example.com", {"kind": "TrainJob", "version": "v1"}),
        ("trainjobs.example.com", {"kind": "trainjob", "version": "v1"}),
        ("trainjobs.example.com", {"kind": "TrainJob", "version": "1"}),
        ("trainjobs.example.com", {"kind": "TrainJob"}),
        ("deployments.apps", {"kind": "Deployment", "version": "v1"}),
    ],
)
def test_a_description_that_cannot_be_is_refused(name: str, described: dict[str, str]) -> None:
    assert "federation.custom_types" in problems(custom_types={name: described})


def test_claims_come_with_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    warned: list[str] = []

    def warn(text: str, *_: object) -> None:
        warned.append(text)

    monkeypatch.setattr(pulumi.log, "warn", warn)
    run_program(
        "dev",
        settings_with(
            types=[
                "deployments.apps",
                "jobs.batch",
                "services",
                "configmaps",
                "serviceaccounts",
                "persistentvolumeclaims",
            ]
        ),
    )
    assert [text for text in warned if "persistentvolumeclaim" in text]
