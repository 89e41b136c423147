"""Manifests are read as kubectl would read them, and refused with a message."""

import json
from pathlib import Path

import pytest

from placement.api.kinds import BUILT_IN, DEFAULT_TYPES
from placement.manifests.documents import ManifestError
from placement.manifests.manifest import Manifest, read_manifests
from tests.objects import deployment
from tests.unit.program import ROOT

DEFAULTS = [BUILT_IN[name] for name in DEFAULT_TYPES]
SERVICE = "{apiVersion: v1, kind: Service, metadata: {name: api}}"
DEPLOYMENT = json.dumps(deployment(replicas=3))


def read(folder: Path, text: str, types: tuple[str, ...] = DEFAULT_TYPES) -> list[Manifest]:
    (folder / "file.yaml").write_text(text)
    return read_manifests(folder, "file.yaml", "ai", [BUILT_IN[name] for name in types])


def refused(folder: Path, text: str, types: tuple[str, ...] = DEFAULT_TYPES) -> list[str]:
    with pytest.raises(ManifestError) as raised:
        read(folder, text, types)
    assert all(problem in str(raised.value) for problem in raised.value.problems)
    return raised.value.problems


def test_every_object_of_a_file_is_read_in_order(tmp_path: Path) -> None:
    objects = read(tmp_path, f"{SERVICE}\n---\n{DEPLOYMENT}\n")
    assert [(each.type.config_name, each.name) for each in objects] == [
        ("services", "api"),
        ("deployments.apps", "api"),
    ]
    assert objects[1].body == deployment(replicas=3)


def test_empty_documents_are_no_objects(tmp_path: Path) -> None:
    assert len(read(tmp_path, f"---\n# nothing\n---\n{SERVICE}\n---\n")) == 1


def test_json_is_yaml_too(tmp_path: Path) -> None:
    assert read(tmp_path, '{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api"}}')[0].name == "api"


def test_a_date_is_text_as_it_is_for_kubectl(tmp_path: Path) -> None:
    text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {day: 2026-01-31, none: 2026-99-99}}"
    assert read(tmp_path, text)[0].body["data"] == {"day": "2026-01-31", "none": "2026-99-99"}


def test_aliases_that_stay_small_are_read(tmp_path: Path) -> None:
    text = "{apiVersion: v1, kind: ConfigMap, metadata: {name: &name a, labels: &l {app: *name}}, data: {<<: *l, x: z}}"
    assert read(tmp_path, text)[0].body["data"] == {"app": "a", "x": "z"}


def test_a_file_in_a_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file.yaml").write_text(SERVICE)
    assert read_manifests(tmp_path, "deep/er/file.yaml", "ai", DEFAULTS)


def test_the_workloads_own_namespace_may_be_named(tmp_path: Path) -> None:
    assert read(tmp_path, "{apiVersion: v1, kind: Service, metadata: {name: api, namespace: ai}}")


def test_every_mistake_of_a_file_is_told_with_its_object(tmp_path: Path) -> None:
    text = f"{{kind: Service}}\n---\n{SERVICE}\n---\n{{apiVersion: v1, kind: Service}}\n---\n[]\n"
    problems = refused(tmp_path, text)
    assert [problem.partition(":")[0] for problem in problems] == [
        "object 1, line 1",
        "object 3, line 5",
        "object 4, line 7",
    ]


def test_the_line_of_a_mistake_in_yaml_is_reported(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, f"{SERVICE}\n---\nkind: 'Service\n")
    assert "line" in problem


def test_a_key_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    twice = DEPLOYMENT.replace('"replicas": 3', '"replicas": 3, "replicas": 4')
    (problem,) = refused(tmp_path, f"{SERVICE}\n---\n{twice}")
    assert problem.startswith("object 2")
    assert 'key "replicas" appears twice, in line 3; keep one' in problem


def test_types_are_told_apart_by_group_and_version(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "{apiVersion: extensions/v1beta1, kind: Deployment, metadata: {name: api}}")
    assert "Deployment of extensions/v1beta1" in problem


def test_a_type_is_refused_until_it_is_enabled(tmp_path: Path) -> None:
    text = json.dumps(deployment("agent", kind="DaemonSet"))
    # The default ones are in the list too, for what is written takes their place.
    assert f"write federation.types: [{', '.join(DEFAULT_TYPES)}, daemonsets.apps]" in refused(tmp_path, text)[0]
    assert read(tmp_path, text, (*DEFAULT_TYPES, "daemonsets.apps"))[0].type is BUILT_IN["daemonsets.apps"]


def test_a_namespace_is_left_out(tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, "{apiVersion: v1, kind: Namespace, metadata: {name: ai}}")
    assert "leave it out: the program makes the namespace ai" in problem


def test_the_same_name_of_another_type_is_another_object(tmp_path: Path) -> None:
    assert len(read(tmp_path, f"{SERVICE}\n---\n{DEPLOYMENT}")) == 2


@pytest.mark.parametrize("text", ["{a: &a [*a]}", "!!python/object/apply:os.getcwd []", "{? [a] : b}"])
def test_yaml_that_no_manifest_needs_does_no_harm(text: str, tmp_path: Path) -> None:
    assert refused(tmp_path, text)


@pytest.mark.parametrize("name", ["finetune", "inference"])
def test_the_projects_workloads_ask_for_gpus_as_kubernetes_wants_it(name: str) -> None:
    objects = read_manifests(ROOT, f"workloads/{name}.yaml", "ai", DEFAULTS)
    by_kind = {each.type.kind: each.body for each in objects}
    assert len(by_kind) == len(objects) == 3
    (main,) = (each.body for each in objects if each.type.counted)
    pod = main["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert pod["serviceAccountName"] == by_kind["ServiceAccount"]["metadata"]["name"]
    assert not container["image"].endswith(":latest")
    assert ":" in container["image"]


def test_the_service_of_the_inference_leads_to_its_pods() -> None:
    objects = read_manifests(ROOT, "workloads/inference.yaml", "ai", DEFAULTS)
    service, deployment = (
        next(each.body["spec"] for each in objects if each.type.kind == kind) for kind in ("Service", "Deployment")
    )
    template = deployment["template"]
    assert template["metadata"]["labels"].items() >= service["selector"].items()
    assert template["metadata"]["labels"].items() >= deployment["selector"]["matchLabels"].items()
    ports = {port["name"] for port in template["spec"]["containers"][0]["ports"]}
    assert {port["targetPort"] for port in service["ports"]} <= ports


MISTAKEN = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
  labels:
    version: 15.2
spec:
  selector: {matchLabels: {app: api}}
  template:
    metadata: {labels: {app: api}}
    spec:
      containers:
        - name: web
          image: nginx
          imagePullPolic: Always
"""


def test_a_mistake_in_an_object_is_told_with_its_object_field_and_line(tmp_path: Path) -> None:
    assert refused(tmp_path, f"{SERVICE}\n---{MISTAKEN}") == [
        "object 2, line 8: Deployment api: metadata.labels.version: 15.2 is a number; put it in quotes",
        "object 2, line 17: Deployment api: spec.template.spec.containers.0.imagePullPolic: unknown field; write "
        "imagePullPolicy, or another of the 25 known (checked against Kubernetes 1.36)",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: }",
        "{apiVersion: v1, kind: Service, metadata: {name: a, annotations: [a]}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a, labels: {version: 15.2}}}",
        "{apiVersion: v1, kind: Service, metadata: {name: a}, sepc: {}}",
    ],
)
def test_what_the_api_would_refuse_or_leave_out_is_refused(text: str, tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, text)
    assert problem.startswith("object 1, line 1: ")
    assert "; write" in problem or "put it in quotes" in problem


def test_objects_are_kept_as_the_api_reads_them(tmp_path: Path) -> None:
    text = "{apiVersion: v1, kind: Service, metadata: {name: a, labels: , annotations: {b: }}, spec: , status: }"
    assert read(tmp_path, text)[0].body == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "a", "annotations": {"b": ""}},
    }


def test_mistakes_without_number_are_told_in_part(tmp_path: Path) -> None:
    fields = ", ".join(f"f{index}: 1" for index in range(1000))
    problems = refused(tmp_path, f"{{apiVersion: v1, kind: Service, metadata: {{name: a}}, spec: {{{fields}}}}}")
    assert len(problems) == 21
    assert "more mistakes are in the file" in problems[-1]
