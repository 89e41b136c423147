"""What members have before their workloads: on real API servers, from nothing to its removal."""

import re
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.project import Project
from tests.objects import definition

NAME = "gadgets.example.com"
UP = "pulumi up --yes --skip-preview"
CLASS: dict[str, Any] = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass"}
ROLE: dict[str, Any] = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole"}
DEFINITION = definition("Gadget", "gadgets")


def gadget(name: str, **metadata: str) -> dict[str, Any]:
    return {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": name, **metadata}, "spec": {}}


def operator(image: str) -> list[dict[str, Any]]:
    """An operator's manifests, in the order in which they could not be applied."""
    labels = {"app": "gadget"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "manager", "image": image}]}}
    manager = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "manager", "namespace": "gadget-system"},
        "spec": {"selector": {"matchLabels": labels}, "template": pod},
    }
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "gadget-system"}}
    return [gadget("first", namespace="gadget-system"), manager, DEFINITION, namespace]


def declared(project: Project) -> dict[str, Any]:
    """Writes the manifests of a base and of a workload; the settings with both."""
    settings, folder = project.settings(), project.folder
    _write(folder / "gadgets.yaml", *operator("gadget:1"))
    _write(
        folder / "more.yaml",
        {**CLASS, "metadata": {"name": "of-base"}, "value": 5},
        gadget("second", namespace="gadget-system"),
    )
    _write(
        folder / "workloads" / "gadget.yaml",
        gadget("federated"),
        {**CLASS, "metadata": {"name": "of-workload"}, "value": 6},
        {**ROLE, "metadata": {"name": "of-workload"}, "rules": [_rule("pods/log")]},
    )
    config = settings["config"]
    federation = config["geo-federation:federation"]
    federation["base"] = [{"manifests": "gadgets.yaml"}, {"manifests": "more.yaml", "select": {"role": "serving"}}]
    types = ["deployments.apps", "jobs.batch", "services", "configmaps", "serviceaccounts"]
    cluster_scoped = ["priorityclasses.scheduling.k8s.io", "clusterroles.rbac.authorization.k8s.io"]
    federation["types"] = [*types, NAME, *cluster_scoped]
    federation["custom_types"] = {NAME: {"kind": "Gadget", "version": "v1", "status": False}}
    placement = {"policy": "spread", "select": {"role": "serving"}}
    workload = {"manifests": "workloads/gadget.yaml", "namespace": "gadgets", "placement": placement}
    config["geo-federation:workloads"]["gadget"] = workload
    return settings


def test_members_have_the_base_before_workloads_and_keep_only_crds_after_it(tmp_path: Path) -> None:
    project = Project.copy(tmp_path)
    without, settings = project.settings(), declared(project)
    clusters, base = (
        settings["config"]["geo-federation:clusters"],
        settings["config"]["geo-federation:federation"]["base"],
    )
    asia = clusters.pop("serving-asia")
    project.write_settings(settings)
    with project.taken_down():
        output = project.make("up").ok().output
        assert _position(output, f"types-{NAME} created") > max(
            _position(output, f"{member}-base:gadget-system/manager created") for member in ("training", "serving")
        )
        assert _names(project, "serving", f"{NAME} -A") == ["federated", "first", "second"]
        assert _names(project, "training", f"{NAME} -A") == ["first"]
        assert {"of-base", "of-workload"} <= {*_names(project, "serving", "priorityclasses")}
        assert "of-workload" in _names(project, "serving", "clusterroles")
        assert not {"of-base", "of-workload"} & {*_names(project, "training", "priorityclasses,clusterroles")}

        # A member that joins has it before its first copy, and a file that is renamed is the same to Pulumi.
        clusters["serving-asia"] = asia
        (tmp_path / "more.yaml").rename(tmp_path / "other.yaml")
        base[1]["manifests"] = "other.yaml"
        project.write_settings(settings)
        assert "serving-base:of-base" not in project.make("up").ok().output
        assert _names(project, "serving-asia", f"{NAME} -A") == ["federated", "first", "second"]

        # A new version is for one member after the other, the host last.
        _write(tmp_path / "gadgets.yaml", *operator("gadget:2"))
        changed = re.findall(r"(\S+)-base:gadget-system/manager updated", project.shell(UP).ok().output)
        assert changed == ["serving", "serving-asia", "training"]
        _write(tmp_path / "gadgets.yaml", *operator(""))
        failed = project.shell(UP)
        assert failed.code != 0
        assert {*re.findall(r"([-a-z]+)-base:gadget-system/manager", failed.output)} == {"serving"}
        _write(tmp_path / "gadgets.yaml", *operator("gadget:2"))

        # What cannot be read is reported, and nothing is changed.
        (tmp_path / "other.yaml").rename(tmp_path / "more.yaml")
        refused = project.shell("pulumi preview")
        assert "federation.base.1.manifests: 'other.yaml': no such file" in refused.output

        project.write_settings(without)
        output = project.shell(UP).ok().output
        gone = [
            "gadget-gadgets-gadgets/federated deleted",
            f"types-{NAME} deleted",
            "serving-base:gadget-system/manager deleted",
        ]
        assert sorted(gone, key=lambda text: _position(output, text)) == gone
        for member in clusters:
            assert _names(project, member, f"{NAME} -A") == []
            assert not {"of-base", "of-workload"} & {*_names(project, member, "priorityclasses,clusterroles")}
            assert "gadget-system" not in _names(project, member, "namespaces")
        project.shell("pulumi destroy --yes --skip-preview").ok()


def _write(file: Path, *objects: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump_all(objects))


def _rule(resource: str) -> dict[str, Any]:
    return {"apiGroups": [""], "resources": [resource], "verbs": ["get"]}


def _position(output: str, text: str) -> int:
    assert text in output, f"{text} is not in\n{output}"
    return output.index(text)


def _names(project: Project, cluster: str, arguments: str) -> list[str]:
    return sorted(each["metadata"]["name"] for each in project.objects(cluster, arguments))
