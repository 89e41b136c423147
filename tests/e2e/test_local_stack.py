"""The local stack, up: what it makes, and that nothing is made twice."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.project import Project, eventually

FEDERATION = "-n kube-federation-system"


def test_every_member_is_ready(project: Project) -> None:
    members = {each["metadata"]["name"]: each for each in project.objects("training", f"kubefedclusters {FEDERATION}")}
    assert members.keys() == project.outputs()["members"].keys() == {"training", "serving", "serving-asia"}
    for name, member in members.items():
        ready = {each["type"]: each["status"] for each in member["status"]["conditions"]}["Ready"]
        assert ready == "True", name


def test_each_member_is_its_own_control_plane(project: Project) -> None:
    uids = {name: _uid(project, name, "namespace kube-system") for name in project.outputs()["members"]}
    assert len(set(uids.values())) == 3


def test_nodes_have_what_the_pools_say(project: Project) -> None:
    pools = project.settings()["config"]["geo-federation:clusters"]["serving"]["node_pools"]
    (name, pool), *_ = pools.items()
    nodes = project.objects("serving", f"nodes -l cloud.google.com/gke-nodepool={name}")
    assert len(nodes) == pool["min_nodes"] > 0
    for node in nodes:
        assert node["status"]["allocatable"]["nvidia.com/gpu"] == str(pool["accelerator"]["count"])
        assert [taint["key"] for taint in node["spec"]["taints"]] == ["nvidia.com/gpu"]
        assert node["metadata"]["labels"]["topology.kubernetes.io/region"] == "europe-west1"


@pytest.mark.parametrize(("workload", "kind"), [("finetune", "Job"), ("inference", "Deployment")])
def test_pods_run_where_the_placement_says(project: Project, workload: str, kind: str) -> None:
    decisions = project.outputs()["placements"][workload]
    assert {each["cluster"] for each in decisions} == {"training", "serving", "serving-asia"}
    assert any(each["share"] for each in decisions)

    def check() -> None:
        for decision in decisions:
            pods = project.objects(decision["cluster"], "pods -n ai")
            owned = [pod for pod in pods if _owner(pod) == ("Job" if kind == "Job" else "ReplicaSet")]
            good = [pod for pod in owned if pod["status"]["phase"] in ("Running", "Succeeded")]
            assert len(good) == len(owned) == decision["share"], decision

    eventually(check, seconds=30)


def test_the_map_in_the_docs_is_what_the_stack_says(project: Project) -> None:
    project.make("map").ok()
    drawn = (project.folder / "map.svg").read_text()
    assert drawn == (project.folder / "docs" / "pictures" / "map.svg").read_text(), "redraw it: make map"
    (project.folder / "map.svg").unlink()


def test_every_preview_tells_every_decision(project: Project) -> None:
    preview = project.shell("pulumi preview --expect-no-changes").ok().output
    for decisions in project.outputs()["placements"].values():
        for each in decisions:
            assert re.search(rf"{each['cluster']} +{each['share']} +{re.escape(each['reason'])}", preview), each


def test_a_second_up_changes_nothing(project: Project) -> None:
    output = project.make("up").ok().output
    assert re.search(r"Resources:\n\s+\d+ unchanged\n", output), output


def test_a_preview_expects_no_changes(project: Project) -> None:
    project.check_unchanged()


def test_a_refresh_finds_no_drift(project: Project) -> None:
    project.shell("pulumi refresh --yes --skip-preview --expect-no-changes").ok()


def test_an_edit_by_hand_is_mended(project: Project) -> None:
    role = "clusterrole kubefed-controller-manager:serving-training"
    before = json.loads(project.kubectl("serving", f"get {role} -o json 2>/dev/null").ok().output)["rules"]
    patch = '[{"op": "replace", "path": "/rules/0/verbs/0", "value": "deletecollection"}]'
    project.kubectl("serving", f"patch {role} --type json -p '{patch}'").ok()
    project.shell("pulumi up --yes --skip-preview --refresh").ok()
    after = json.loads(project.kubectl("serving", f"get {role} -o json 2>/dev/null").ok().output)["rules"]
    assert after == before


def test_the_controller_runs_as_its_own_account(project: Project) -> None:
    running = [each for each in project.processes() if each.name() in ("hyperfed", "controller-manag")]
    assert len(running) == 2
    for process in running:
        kubeconfig = next(word for word in process.cmdline() if word.startswith("--kubeconfig=")).partition("=")[2]
        token = (Path(kubeconfig).parent / "token").read_text()
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert claims["sub"] == "system:serviceaccount:kube-federation-system:kubefed-controller"


def test_a_controller_that_dies_is_started_again(project: Project) -> None:
    before = {each.pid for each in project.processes() if each.name() in ("hyperfed", "controller-manag")}
    psutil.Process(min(before)).kill()

    def check() -> None:
        now = {each.pid for each in project.processes() if each.name() in ("hyperfed", "controller-manag")}
        assert len(now) == 2
        assert now != before
        pods = project.objects("training", f"pods {FEDERATION}")
        assert all(status["ready"] for pod in pods for status in pod["status"]["containerStatuses"])

    eventually(check, seconds=30)


def test_kubeconfigs_and_tokens_are_secret_everywhere(project: Project) -> None:
    outputs = project.outputs()
    secrets = [outputs[f"{name}_kubeconfig"] for name in outputs["members"]]
    for name in outputs["members"]:
        [secret] = project.objects("training", f"secret {FEDERATION} --field-selector metadata.name={name}-credentials")
        encoded = secret["data"]["token"]
        secrets += [encoded, base64.b64decode(encoded).decode()]
    assert len(secrets) == 9
    shown = project.shell("pulumi stack output --json").ok().output
    state = project.shell("pulumi stack export").ok().output
    again = project.make("up").ok().output
    for secret in secrets:
        for text in (shown, state, again):
            assert secret not in text
            assert json.dumps(secret)[1:-1] not in text


def test_a_cluster_comes_and_goes_without_touching_the_others(project: Project) -> None:
    settings = project.settings()
    before = _identities(project, ["training", "serving", "serving-asia"])
    clusters = settings["config"]["geo-federation:clusters"]
    clusters["serving-us"] = {"region": "us-east1", "slot": 5, "role": "edge"}
    project.write_settings(settings)
    project.make("up").ok()
    assert _uid(project, "serving-us", "namespace kube-federation-system")
    names = [each["metadata"]["name"] for each in project.objects("training", f"kubefedclusters {FEDERATION}")]
    assert sorted(names) == ["serving", "serving-asia", "serving-us", "training"]
    assert _identities(project, ["training", "serving", "serving-asia"]) == before

    del clusters["serving-us"]
    project.write_settings(settings)
    project.make("up").ok()
    names = [each["metadata"]["name"] for each in project.objects("training", f"kubefedclusters {FEDERATION}")]
    assert sorted(names) == ["serving", "serving-asia", "training"]
    assert _identities(project, ["training", "serving", "serving-asia"]) == before
    assert not [each for each in project.processes() if any("serving-us-" in word for word in each.cmdline())]


def test_bad_settings_end_the_run_before_anything_is_changed(project: Project) -> None:
    good = project.settings()
    bad = project.settings()
    bad["config"]["geo-federation:clusters"]["serving"]["region"] = "europe-west99"
    bad["config"]["geo-federation:federation"]["hots"] = "training"
    before = project.shell("pulumi stack export").ok().output
    project.write_settings(bad)
    try:
        done = project.make("up")
    finally:
        project.write_settings(good)
    assert done.code != 0
    assert "clusters.serving.region: 'europe-west99'" in done.output
    assert "federation.hots" in done.output
    assert "Traceback" not in done.output
    assert _resources(project.shell("pulumi stack export").ok().output) == _resources(before)


def test_settings_that_cannot_be_read_are_told_with_their_line(project: Project) -> None:
    file = project.folder / "Pulumi.local.yaml"
    good = file.read_text()
    file.write_text(f"{good}broken: [\n")
    try:
        done = project.make("up")
    finally:
        file.write_text(good)
    assert done.code != 0
    assert f"Pulumi.local.yaml:{good.count(chr(10)) + 2} cannot be read: " in done.output
    assert "Traceback" not in done.output


def _owner(pod: dict[str, Any]) -> str:
    return pod["metadata"]["ownerReferences"][0]["kind"]


def _uid(project: Project, cluster: str, what: str) -> str:
    return project.kubectl(cluster, f"get {what} -o jsonpath='{{.metadata.uid}}' 2>/dev/null").ok().output.strip()


def _identities(project: Project, clusters: list[str]) -> dict[str, object]:
    """What must stay the same in clusters that a change is not about: the objects and pods themselves."""
    registered = project.objects("training", f"kubefedclusters {FEDERATION}")
    found: dict[str, object] = {each["metadata"]["name"]: each["metadata"]["uid"] for each in registered}
    identities: dict[str, object] = {name: found[name] for name in clusters}
    for name in clusters:
        pods = project.objects(name, "pods -n ai")
        identities[f"{name} pods"] = sorted(pod["metadata"]["uid"] for pod in pods)
        identities[f"{name} account"] = _uid(project, name, f"serviceaccount {name}-training {FEDERATION}")
    return identities


def _resources(state: str) -> list[str]:
    # The default provider is registered by whatever asks for it first.
    return sorted(each["urn"] for each in json.loads(state)["deployment"]["resources"])
