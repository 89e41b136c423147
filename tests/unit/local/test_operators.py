"""Operators of a stack's settings: which are built, and how their manifests are changed for this machine."""

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import operators
from local.node_agent import is_real
from local.operator_manifests import adapted
from local.operators import KNOWN, install_operators, named
from local.paths import Home
from placement.api.lookup import at
from tools.build import ToolError
from tools.modules import OPERATORS, TOOLS, Module

SERVICE = {"name": "webhook", "namespace": "system", "path": "/x"}
CONFIG = "leaderElection:\n  leaderElect: true\n  resourceName: x\nother: 1\n"
PUBLISHED: list[dict[str, Any]] = [
    {"kind": "Service", "metadata": {"name": "webhook"}, "spec": {"ports": [{"port": 443, "targetPort": 9443}]}},
    {"kind": "Service", "metadata": {"name": "metrics"}, "spec": {"ports": [{"port": 8443, "targetPort": 8443}]}},
    {"kind": "ConfigMap", "metadata": {"name": "config"}, "data": {"controller_manager_config.yaml": CONFIG}},
    {
        "kind": "Deployment",
        "metadata": {"name": "manager"},
        "spec": {
            "replicas": 2,
            "template": {
                "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
                "spec": {"containers": [{"image": "somewhere/manager:main", "args": ["--x"]}]},
            },
        },
    },
    {
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "converted"},
        "spec": {
            "conversion": {"strategy": "Webhook", "webhook": {"clientConfig": {"service": SERVICE}}},
            "versions": [
                {
                    "name": "v1",
                    "schema": {
                        "description": "a sentence",
                        "required": ["description"],
                        "properties": {"description": {"type": "string", "description": "a sentence"}},
                    },
                }
            ],
        },
    },
    {"kind": "CustomResourceDefinition", "metadata": {"name": "plain"}, "spec": {"versions": []}},
    {
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": "webhooks"},
        "webhooks": [
            {"name": f"{name}.kb.io", "clientConfig": {"service": SERVICE}}
            for name in ("vpod", "vjob", "vclusterqueue", "vpytorchjob")
        ],
    },
    {"kind": "APIService", "metadata": {"name": "v1.visibility"}},
]


def changed(name: str) -> dict[str, dict[str, Any]]:
    """The manifests above as those of an operator, by their names."""
    objects = adapted(name, "registry/image:v1", copy.deepcopy(PUBLISHED))
    return {each["metadata"]["name"]: each for each in objects}


def stack(**named: Any) -> dict[str, Any]:
    return {"config": {"geo-federation:federation": {"operators": named}}}


def test_webhooks_call_a_port_that_any_user_may_listen_on() -> None:
    objects = changed("jobset")
    assert objects["webhook"]["spec"]["ports"] == [{"port": 9443, "targetPort": 9443}]
    assert objects["metrics"]["spec"]["ports"] == [{"port": 8443, "targetPort": 8443}]
    assert {each["clientConfig"]["service"]["port"] for each in objects["webhooks"]["webhooks"]} == {9443}
    assert objects["converted"]["spec"]["conversion"]["webhook"]["clientConfig"]["service"]["port"] == 9443


def test_schemas_have_no_descriptions_and_a_field_of_that_name_stays() -> None:
    schema = {"required": ["description"], "properties": {"description": {"type": "string"}}}
    assert changed("jobset")["converted"]["spec"]["versions"] == [{"name": "v1", "schema": schema}]


def test_one_process_runs_without_leader_election() -> None:
    objects = changed("jobset")
    spec = objects["manager"]["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert spec["template"]["spec"]["containers"] == [{"image": "registry/image:v1", "args": ["--x"]}]
    config = yaml.safe_load(objects["config"]["data"]["controller_manager_config.yaml"])
    assert config == {"leaderElection": {"leaderElect": False}, "other": 1}


def test_its_pods_are_run_by_the_node_agent_and_others_are_not() -> None:
    template = changed("jobset")["manager"]["spec"]["template"]
    assert is_real(template)
    assert template["metadata"]["annotations"]["c"] == "d"
    assert not is_real(PUBLISHED[3]["spec"]["template"])
    assert not is_real({"metadata": {}})
    assert is_real({"metadata": {"labels": {"kubefed-control-plane": "controller-manager"}}})


def test_kueue_intercepts_what_it_queues_alone() -> None:
    objects = changed("kueue")
    webhooks = {each["name"]: each for each in objects["webhooks"]["webhooks"]}
    assert [*webhooks] == ["vpod.kb.io", "vjob.kb.io", "vclusterqueue.kb.io"]
    assert [name for name, each in webhooks.items() if "matchConditions" in each] == ["vpod.kb.io"]
    config = yaml.safe_load(objects["config"]["data"]["controller_manager_config.yaml"])
    assert "batch/job" in config["integrations"]["frameworks"]
    assert (
        "--feature-gates=VisibilityOnDemand=false"
        in at(objects["manager"], "spec", "template", "spec")["containers"][0]["args"]
    )
    assert "v1.visibility" not in objects


def test_trainer_is_in_a_namespace_of_its_own() -> None:
    objects = changed("trainer")
    assert objects["manager"]["metadata"]["namespace"] == "kubeflow-system"
    assert objects["kubeflow-trainer-webhook-cert"]["kind"] == "Secret"
    services = [each["clientConfig"]["service"] for each in objects["webhooks"]["webhooks"]]
    assert {each["namespace"] for each in services} == {"kubeflow-system"}


def test_the_settings_name_what_is_built() -> None:
    file = ".local/operators/jobset.yaml"
    settings = stack(
        jobset={"version": "v0.10.1", "manifests": file},
        # From the internet, or the user's own file: nothing of the local stack's.
        kueue="v0.17.0",
        lws={"version": "v0.1.0", "manifests": "mirror/lws.yaml"},
        other={"version": "v1", "manifests": "https://example.com/a.yaml"},
    )
    assert named(settings) == {"jobset": Path(file)}


@pytest.mark.parametrize("settings", [None, {}, {"config": []}, stack(), stack(jobset=None)])
def test_no_operators_are_named(settings: Any) -> None:
    assert named(settings) == {}


def test_an_operator_that_cannot_be_built_is_reported_before_anything_is() -> None:
    settings = stack(
        jobset={"version": "v0.9.0", "manifests": ".local/operators/jobset.yaml"},
        volcano={"version": "v1", "manifests": ".local/operators/volcano.yaml"},
    )
    with pytest.raises(ToolError) as error:
        named(settings)
    assert "federation.operators.jobset.version: v0.9.0: the local stack builds v0.10.1" in str(error.value)
    assert "federation.operators.volcano" in str(error.value)


def test_an_operator_is_put_in_place_with_its_manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, asked = tmp_path / "cache", list[str]()
    cache.mkdir()
    (cache / "jobset").write_text("a program")
    (cache / "jobset.yaml").write_text(yaml.safe_dump_all(PUBLISHED))

    def build(modules: Sequence[Module]) -> dict[str, Path]:
        asked.extend(module.name for module in modules)
        return {file.name: file for file in cache.iterdir()} if modules else {}

    monkeypatch.setattr(operators, "build", build)
    home = Home(tmp_path / ".local")
    install_operators(home, {})
    assert not home.root.exists() or [*home.root.rglob("*.yaml")] == []
    install_operators(home, {"jobset": Path(".local/operators/jobset.yaml")})
    assert asked == ["jobset"]
    assert [file.name for file in home.binaries.iterdir()] == ["jobset"]
    objects: list[Mapping[str, Any]] = list(yaml.safe_load_all((home.root / "operators" / "jobset.yaml").read_text()))
    (deployment,) = (each for each in objects if each["kind"] == "Deployment")
    assert at(deployment, "spec", "template", "spec")["containers"][0]["image"] == KNOWN["jobset"].image


@pytest.mark.parametrize("module", OPERATORS, ids=lambda module: module.name)
def test_the_version_of_an_operator_is_that_of_its_pins(module: Module) -> None:
    assert module.manifests
    text = (TOOLS / module.name / "go.mod").read_text()
    assert f"\t{module.manifests[0]} {KNOWN[module.name].version} " in text or (
        f"require {module.manifests[0]} {KNOWN[module.name].version}" in text
    )
    # What is built is what upstream tests.
    assert "replace" not in text
