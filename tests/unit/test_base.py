"""Mistakes in the settings of operators and the base, reported before anything is created."""

import urllib.error
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch

import pulumi
import pytest
import yaml

from clusters.versions import is_older
from federation.base import _keep_definitions, is_joined  # pyright: ignore[reportPrivateUsage]
from federation.base_plan import Base, loaded, plan
from federation.base_sources import load, parsed
from federation.base_spec import OperatorSettings
from federation.operators import OPERATORS
from federation.spec import Federation
from placement.api.kinds import KNOWN
from placement.manifests.documents import ManifestError
from problems import SettingsError
from settings import parse
from tests.unit.api_server import api_server, kubeconfig
from tests.unit.program import stack_settings
from tests.unit.test_base_program import CLASSES, JOB_SET, JOB_SETS, QUEUES, crd, manager, write

JOBSET = {"version": "v0.10.1", "manifests": "jobset.yaml"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "jobset.yaml", *JOB_SETS)
    write(tmp_path / "kueue.yaml", *QUEUES)
    write(tmp_path / "classes.yaml", *CLASSES)
    write(tmp_path / "train.yaml", {**JOB_SET, "spec": {}})
    return tmp_path


def raw(**federation: Any) -> dict[str, Any]:
    found = stack_settings("dev")
    return {"clusters": found["clusters"], "federation": found["federation"] | federation}


def problems(folder: Path, **federation: Any) -> list[str]:
    try:
        parse(raw(**federation), folder)
    except SettingsError as error:
        return [str(each).removeprefix("federation.") for each in error.problems]
    return []


def test_a_version_alone_is_enough(folder: Path) -> None:
    settings = parse(raw(operators={"jobset": "v0.10.1", "trainer": "v2.1.0", "kuberay": "v1.5.0"}), folder)
    kuberay, jobset, trainer = (
        next(p for p in settings.base.parts if p.name == name) for name in ("kuberay", "jobset", "trainer")
    )
    assert jobset.where == "https://github.com/kubernetes-sigs/jobset/releases/download/v0.10.1/manifests.yaml"
    # Nothing is loaded before the program runs.
    assert jobset.manifests is None
    assert kuberay.release and trainer.release
    assert (kuberay.release.repo, kuberay.release.version) == ("https://ray-project.github.io/kuberay-helm/", "1.5.0")
    assert trainer.release.values == {"jobset": {"install": False}}
    assert jobset.members == ("serving", "training")


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_has_known_types_and_one_source(name: str) -> None:
    known = OPERATORS[name]
    assert set(known.types) <= set(KNOWN)
    assert bool(known.manifests) != bool(known.chart)
    assert set(known.needs) <= set(OPERATORS)
    assert OperatorSettings(version=known.oldest).version
    assert known.chart or "VERSION" in known.manifests


def test_versions_are_compared_by_their_numbers() -> None:
    assert is_older("v0.9.3", "v0.10.1") and not is_older("v0.10.1", "v0.9.3")
    # A release candidate has the types of its release, and a version without its last parts may be any of them.
    assert not is_older("v1.0.0-rc.1", "v1.0.0") and not is_older("1.36", "1.36.1")


@pytest.mark.parametrize(
    ("operators", "expected"),
    [
        ({"jobsets": "v0.10.1"}, "operators.jobsets: 'jobsets': not an operator that is known; write one of jobset,"),
        ({"jobset": "0.10.1"}, "operators.jobset.version: '0.10.1': write a released version of the operator, such as"),
        ({"jobset": 0.1}, "operators.jobset.version: 0.1: should be a valid string; write a released version"),
        (
            {"kueue": "v0.14.2"},
            "operators.kueue.version: 'v0.14.2': its types are not yet those that KubeFed would fed",
        ),
        ({"lws": "v0.0.9"}, "operators.lws.version: 'v0.0.9': its types are not yet those that KubeFed would federate"),
        (
            {"jobset": JOBSET, "trainer": "v2.0.0"},
            "operators.trainer.version: 'v2.0.0': it is published from v2.1.0 on; write that or a later version, or",
        ),
        ({"trainer": "v2.1.0"}, "operators.trainer: 'v2.1.0': it needs the operator jobset; write that, too"),
        ({"jobset": {**JOBSET, "queues": True}}, "operators.jobset.queues: True: only kueue has queues; remove it"),
        ({"jobset": {"manifests": "jobset.yaml"}}, "operators.jobset.version: required; write a released version"),
        (
            {"jobset": {**JOBSET, "manifests": "no.yaml"}},
            "operators.jobset: 'no.yaml': no such file; write the path of",
        ),
        ({"jobset": {**JOBSET, "manifests": "../a.yaml"}}, "operators.jobset: '../a.yaml': outside the project; write"),
        (
            {"jobset": {**JOBSET, "manifests": "http://a"}},
            "operators.jobset.manifests: 'http://a': write a path in the",
        ),
        (
            {"jobset": {**JOBSET, "manifests": "kueue.yaml"}},
            "operators.jobset: 'kueue.yaml': has no CustomResourceDefinition jobsets.jobset.x-k8s.io; write manifests",
        ),
    ],
)
def test_an_operator_that_cannot_be_is_refused(folder: Path, operators: Any, expected: str) -> None:
    (problem,) = problems(folder, operators=operators)
    assert problem.startswith(expected)


def test_a_release_that_is_not_published_can_be_had_from_a_file(folder: Path) -> None:
    trainer = {"version": "v2.0.0", "manifests": "trainer.yaml"}
    write(folder / "trainer.yaml", *(crd(name, "Any", "v1alpha1") for name in OPERATORS["trainer"].types))
    assert problems(folder, operators={"jobset": JOBSET, "trainer": trainer}) == []


def test_an_operator_of_another_version_than_is_federated_is_refused_with_what_it_serves(folder: Path) -> None:
    write(folder / "jobset.yaml", crd("jobsets.jobset.x-k8s.io", "JobSet", "v1beta1"))
    (problem,) = problems(folder, operators={"jobset": JOBSET})
    assert (
        "serves no v1alpha2 of jobsets.jobset.x-k8s.io, which KubeFed federates; write another release, or" in problem
    )
    assert "v1beta1 in federation.custom_types" in problem
    custom = {"jobsets.jobset.x-k8s.io": {"kind": "JobSet", "version": "v1beta1"}}
    assert problems(folder, operators={"jobset": JOBSET}, custom_types=custom) == []


CHART = {"chart": "a", "repo": "https://charts.example.com", "version": "1.2.3", "namespace": "x"}


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({}, "base.0: write either manifests or chart"),
        ({"manifests": "classes.yaml", "chart": "a"}, "base.0: write either manifests or chart"),
        ({"manifests": "classes.yaml", "namespace": "a"}, "base.0: namespace is of a chart; remove it"),
        ({"manifests": "no.yaml"}, "base.0.manifests: 'no.yaml': no such file"),
        (
            {"manifests": "classes.yaml", "select": {"role": "servin"}},
            "base.0.select: 'role=servin': no member has these",
        ),
        ({"manifests": "classes.yaml", "select": {"continent": "EU"}}, "base.0.select"),
        ({**CHART, "repo": "http://a"}, "base.0.repo: 'http://a'"),
        ({**CHART, "version": None}, "base.0: a chart needs a version"),
        ({**CHART, "namespace": None}, "base.0: a chart needs a namespace"),
        ({**CHART, "repo": None}, "base.0: write its repo, oci:// and its address in chart, or the path of a folder"),
        ({**CHART, "chart": "oci://a/b"}, "base.0: a chart of a repository has a name without a slash"),
        ({**CHART, "namespace": "kube-system"}, "base.0.namespace: 'kube-system': exists in every cluster"),
        ({"chart": "./charts/a", "namespace": "x"}, "base.0.chart: './charts/a': no folder with a Chart.yaml"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(folder: Path, entry: dict[str, Any], expected: str) -> None:
    entry = {key: value for key, value in entry.items() if value is not None}
    (problem,) = problems(folder, base=[entry])
    assert problem.startswith(expected)


def test_a_chart_in_a_folder_is_taken(folder: Path) -> None:
    (folder / "charts" / "a").mkdir(parents=True)
    (folder / "charts" / "a" / "Chart.yaml").write_text("name: a")
    assert problems(folder, base=[{"chart": "./charts/a", "namespace": "x"}]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: [", "not YAML in line "),
        ("", "holds no object"),
        ("Not Found", "object 1: not a Kubernetes object, since it has no apiVersion"),
        (
            "{apiVersion: v1, kind: ConfigMap, metadata: {generateName: a}}",
            "object 1: not a Kubernetes object, since it has no metadata.name",
        ),
        (
            "{apiVersion: v1, kind: A, metadata: {name: a}}\n---\n{apiVersion: v1, kind: A, metadata: {name: a}}",
            "A a appears twice",
        ),
    ],
)
def test_manifests_that_cannot_be_loaded_are_refused(folder: Path, text: str, expected: str) -> None:
    (folder / "bad.yaml").write_text(text)
    (problem,) = problems(folder, base=[{"manifests": "bad.yaml"}])
    assert problem.startswith(f"base.0.manifests: 'bad.yaml': {expected}")


def test_what_yaml_1_1_has_no_value_for_is_taken() -> None:
    found = parsed(
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: a/v1, kind: A, metadata: {name: b, namespace: c}, op: =}\n"
    )
    assert found.objects == (("a", "A", "c", "b"),)


def test_an_object_is_in_one_place(folder: Path) -> None:
    write(folder / "more.yaml", *CLASSES, manager("more"))
    of_serving = {"manifests": "more.yaml", "select": {"role": "serving"}}
    assert problems(folder, base=[{"manifests": "classes.yaml"}, of_serving]) == [
        "base.1.manifests: 'PriorityClass high': federation.base.0.manifests has this object, too; remove one of them"
    ]
    of_training = {"manifests": "classes.yaml", "select": {"role": "training"}}
    assert problems(folder, base=[of_training, of_serving]) == []
    assert problems(folder, base=[CHART, {**CHART, "version": "1.2.4"}])[0].startswith(
        "base.1.chart: 'a': federation.base.0"
    )


@pytest.mark.parametrize(
    ("body", "owner"),
    [
        (
            {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}},
            "workloads.train",
        ),
        ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ai"}}, "workloads.train"),
        ({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-federation-system"}}, "KubeFed"),
    ],
)
def test_the_base_has_nothing_that_a_workload_has(folder: Path, body: Mapping[str, Any], owner: str) -> None:
    write(folder / "own.yaml", body)
    write(folder / "train.yaml", *CLASSES)
    settings = raw(base=[{"manifests": "own.yaml"}], types=["priorityclasses.scheduling.k8s.io"])
    placement = {"policy": "spread"}
    settings["workloads"] = {"train": {"manifests": "train.yaml", "namespace": "ai", "placement": placement}}
    with pytest.raises(SettingsError) as error:
        parse(settings, folder)
    (problem,) = error.value.problems
    assert str(problem).endswith(f": {owner} has this object, too; rename one of them")


def test_two_workloads_have_no_cluster_scoped_object_both(folder: Path) -> None:
    settings = raw(types=["priorityclasses.scheduling.k8s.io"])
    for name in ("one", "two"):
        workload = {"manifests": "classes.yaml", "namespace": name, "placement": {"policy": "spread"}}
        settings.setdefault("workloads", {})[name] = workload
    with pytest.raises(SettingsError) as error:
        parse(settings, folder)
    assert (
        "workloads.two.manifests: 'PriorityClass high': workload one already has this object of the whole cluster"
        in str(error.value)
    )


# What is loaded.


def load_base(folder: Path, answer: Any, **federation: Any) -> Base:
    members = {"serving": {"role": "serving"}}
    found = Federation.model_validate({"host": "serving", **federation})
    base = plan(folder, found, members, [])
    with patch("urllib.request.urlopen", side_effect=answer):
        return loaded(base, found, {}, {})


class Answer:
    """What a server answers."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(self, most: int) -> bytes:
        return self.text.encode()[:most]


def test_manifests_are_loaded_once_for_all_members(folder: Path) -> None:
    base = load_base(folder, [Answer(yaml.safe_dump_all(JOB_SETS))], operators={"jobset": "v0.10.1"})
    (part,) = base.parts
    assert part.manifests and part.manifests.text == yaml.safe_dump_all(JOB_SETS)
    definition = base.types(["serving"])["jobsets.jobset.x-k8s.io"]
    assert definition and definition["versions"] == [{"name": "v1alpha2", "served": True}]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            urllib.error.HTTPError("https://a", 404, "Not Found", Message(), None),
            "cannot be loaded: the server answers 404",
        ),
        (urllib.error.URLError("no route to host"), "cannot be loaded: no route to host"),
        (TimeoutError("timed out"), "cannot be loaded: timed out"),
        # It would remove everything from the members.
        (Answer(""), "holds no object"),
        (Answer("<html>sign in</html>"), "object 1: not a Kubernetes object"),
        (Answer(yaml.safe_dump_all(QUEUES)), "has no CustomResourceDefinition jobsets.jobset.x-k8s.io"),
    ],
)
def test_an_operator_that_cannot_be_loaded_is_reported_before_anything_is_changed(
    folder: Path, answer: Any, expected: str
) -> None:
    with pytest.raises(SettingsError) as error:
        load_base(folder, [answer], operators={"jobset": "v0.10.1"})
    (problem,) = error.value.problems
    assert problem.setting == "federation.operators.jobset" and problem.advice.startswith(expected)


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        ("entries: {b: []}", "not in https://charts.example.com; write b"),
        ("entries: {a: [{version: 1.2.2}]}", "no version 1.2.3 in https://charts.example.com; write 1.2.2"),
        ("a: [", "https://charts.example.com has no index of charts"),
        ("entries: {a: [{version: v1.2.3}]}", ""),
    ],
)
def test_a_chart_that_its_repository_does_not_have_is_refused(folder: Path, index: str, expected: str) -> None:
    if expected:
        with pytest.raises(SettingsError) as error:
            load_base(folder, [Answer(index)], base=[CHART])
        assert error.value.problems[0].advice.startswith(expected)
    else:
        assert load_base(folder, [Answer(index)], base=[CHART]).has_charts


def test_only_so_much_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("federation.base_sources._MOST_BYTES", 4)
    with patch("urllib.request.urlopen", return_value=Answer("a: bc")), pytest.raises(ManifestError, match="more than"):
        load("https://a")


# What Pulumi is asked for.


def test_definitions_stay_in_the_members() -> None:
    def kept(type_: str) -> bool:
        args = pulumi.ResourceTransformArgs(True, type_, "a", {}, pulumi.ResourceOptions(protect=True))
        result = _keep_definitions(args)
        return bool(result and result.opts.retain_on_delete and result.opts.protect)

    assert kept("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition")
    assert not kept("kubernetes:apps/v1:Deployment")


@pytest.mark.parametrize(
    ("items", "expected"), [("[]", False), ('[{"metadata": {"name": "kube-federation-system"}}]', True)]
)
def test_a_member_is_new_where_it_has_not_kubefeds_namespace(items: str, expected: bool) -> None:
    with api_server({"/api/v1/namespaces": (200, f'{{"kind": "NamespaceList", "items": {items}}}'.encode())}) as url:
        assert is_joined("serving", kubeconfig(url)) is expected
    assert is_joined("serving", kubeconfig("http://127.0.0.1:1")) is True
