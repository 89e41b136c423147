"""A base that is loaded from addresses, and from the folder of a chart: on real API servers, by Pulumi and Helm."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.project import Done, Project
from tests.e2e.published import Site, chart, publish_chart, published, write_chart

# The templates of charts.
_SETTINGS = """
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}", namespace: "{{ .Release.Namespace }}"}
data: {mode: "{{ .Values.mode }}"}
"""
_PRIORITY = """
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: of-chart}
value: 7
"""


class Loading:
    """A stack without workloads, and the site from which its base is loaded."""

    def __init__(self, project: Project, site: Site) -> None:
        self.project, self.site = project, site

    def make_up(self) -> Done:
        return self.project.run(*self.project.make_command("up"), environment=self.site.variables)

    def pulumi(self, command: str) -> Done:
        exports = "".join(f"export {name}={value}\n" for name, value in self.site.variables.items())
        return self.project.shell(f"{exports}pulumi {command}")

    def publish(self, path: str, *objects: dict[str, Any]) -> None:
        self.site.answers[path] = (200, yaml.safe_dump_all(objects).encode())

    def set_base(self, *sources: dict[str, Any]) -> None:
        settings = self.project.settings()
        settings["config"]["geo-federation:federation"]["base"] = [*sources]
        self.project.write_settings(settings)

    def found(self) -> dict[str, dict[str, str]]:
        """What each member has of the sources: the modes of ConfigMaps, and what is cluster-scoped."""
        return {member: self._of(member) for member in ("serving", "serving-asia", "training")}

    def _of(self, member: str) -> dict[str, str]:
        everything = self.project.objects(member, "configmaps,priorityclasses,clusterroles -A")
        modes = {each["metadata"]["name"]: each.get("data", {}).get("mode") for each in everything}
        kinds = {each["metadata"]["name"]: each["kind"] for each in everything}
        return {
            name: mode or kinds[name] for name, mode in sorted(modes.items()) if mode or name in ("of-url", "of-chart")
        }


@pytest.fixture
def loading(tmp_path: Path) -> Iterator[Loading]:
    folder = tmp_path / "project"
    folder.mkdir()
    project = Project.copy(folder)
    settings = project.settings()
    settings["config"]["geo-federation:workloads"] = {}
    project.write_settings(settings)
    with published(tmp_path) as site, project.taken_down():
        yield Loading(project, site)


def of_url(mode: str) -> list[dict[str, Any]]:
    """What is at the address, in an order in which it could not be applied."""
    settings = {"name": "loaded", "namespace": "published"}
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": settings, "data": {"mode": mode}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "of-url"}},
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "published"}},
    ]


def test_members_have_what_is_published_and_nothing_is_changed_where_it_is_not(loading: Loading) -> None:
    project, site = loading.project, loading.site
    publish_chart(site, "charts", chart("beacon", "1.2.3", _SETTINGS))
    write_chart(project.folder / "charts" / "probe", chart("probe", "0.1.0", _SETTINGS, _PRIORITY))
    loading.publish("/base.yaml", *of_url("first"))
    url = {"manifests": f"{site.url}/base.yaml", "select": {"role": "serving"}}
    beacon: dict[str, Any] = {"chart": "beacon", "repo": f"{site.url}/charts", "version": "1.2.3"}
    beacon |= {"namespace": "beacons", "values": {"mode": "fast"}, "select": {"region": "asia-southeast1"}}
    probe: dict[str, Any] = {"chart": "./charts/probe", "namespace": "probes", "values": {"mode": "slow"}}

    # What cannot be loaded is reported, all of it, before anything is created.
    loading.set_base({**url, "manifests": f"{site.url}/none.yaml"}, {**beacon, "version": "1.2.4"}, probe)
    refused = loading.make_up()
    assert refused.code != 0
    for text in (
        f"federation.base.0.manifests: '{site.url}/none.yaml': cannot be loaded: the server answers 404 Not Found",
        f"federation.base.1.chart: 'beacon': no version 1.2.4 in {site.url}/charts; write 1.2.3",
    ):
        assert text in refused.output
    assert list((project.folder / ".local" / "clusters").glob("*")) == []

    loading.set_base(url, beacon, probe)
    loading.make_up().ok()
    everywhere, serving = {"of-chart": "PriorityClass", "probe": "slow"}, {"of-url": "ClusterRole", "loaded": "first"}
    before = {
        "serving": everywhere | serving,
        "serving-asia": everywhere | serving | {"beacon": "fast"},
        "training": everywhere,
    }
    assert loading.found() == before
    loading.pulumi("preview --refresh --expect-no-changes").ok()

    # In a federation that is up, the other changes wait, too.
    loading.set_base(url, beacon, {**probe, "values": {"mode": "quick"}})
    del site.answers["/base.yaml"]
    refused = loading.pulumi("up --yes --skip-preview")
    assert refused.code != 0
    assert f"'{site.url}/base.yaml': cannot be loaded: the server answers 404 Not Found" in refused.output
    assert loading.found() == before

    # What is at the address by then is what the members get.
    loading.publish("/base.yaml", *of_url("second"))
    loading.pulumi("up --yes --skip-preview").ok()
    assert loading.found()["serving"] == everywhere | serving | {"loaded": "second", "probe": "quick"}

    loading.set_base()
    loading.pulumi("up --yes --skip-preview").ok()
    assert loading.found() == {"serving": {}, "serving-asia": {}, "training": {}}
    namespaces = [each["metadata"]["name"] for name in before for each in project.objects(name, "namespaces")]
    assert not {"published", "beacons", "probes"} & {*namespaces}
    loading.pulumi("destroy --yes --skip-preview").ok()
