"""Lists are their items, types are reported with what to write, and a file's namespace gives way to the workload's."""

from pathlib import Path

import pytest

from placement.api.kinds import BUILT_IN, DEFAULT_TYPES, KNOWN, TargetType
from placement.manifests.documents import ManifestError
from placement.manifests.manifest import Manifest, read_manifests

DEFAULTS = [BUILT_IN[name] for name in DEFAULT_TYPES]
ALL = list(KNOWN.values())


def read(folder: Path, text: str, types: list[TargetType] = ALL) -> tuple[list[Manifest], list[str]]:
    (folder / "file.yaml").write_text(text)
    notes: list[str] = []
    return read_manifests(folder, "file.yaml", "ai", types, notes), notes


def refused(folder: Path, text: str, types: list[TargetType] = ALL) -> list[str]:
    with pytest.raises(ManifestError) as raised:
        read(folder, text, types)
    return raised.value.problems


def config_map(name: str, namespace: str = "") -> str:
    return f"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}{namespace and f', namespace: {namespace}'}}}}}"


# Lists.


def test_the_items_of_a_list_are_objects(tmp_path: Path) -> None:
    inner = f"{{apiVersion: v1, kind: List, items: [{config_map('c')}, {config_map('d')}]}}"
    text = f"apiVersion: v1\nkind: List\nitems:\n- {config_map('a')}\n- {inner}\n---\n{config_map('e')}\n"
    manifests, _ = read(tmp_path, text)
    assert [(each.type.kind, each.name) for each in manifests] == [("ConfigMap", name) for name in "acde"]


def test_the_items_of_a_typed_list_need_not_say_what_they_are(tmp_path: Path) -> None:
    text = "{apiVersion: v1, kind: ConfigMapList, metadata: {resourceVersion: '1'}, items: [{metadata: {name: a}}]}"
    ((manifest,), _) = read(tmp_path, text)
    assert manifest.body == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}


def test_a_mistake_in_an_item_is_told_with_its_item_and_line(tmp_path: Path) -> None:
    text = (
        "apiVersion: v1\nkind: List\nitems:\n"
        f"- {config_map('a')}\n"
        "- apiVersion: v1\n  kind: List\n  items:\n"
        "  - apiVersion: v1\n    kind: Service\n    metadata:\n      name: b\n    spec:\n      type: None\n"
        "  - no object\n"
    )
    assert refused(tmp_path, text) == [
        "object 1, item 2, item 1, line 13: Service b: spec.type: 'None': write one of ClusterIP, ExternalName, "
        "LoadBalancer, NodePort (checked against Kubernetes 1.36)",
        "object 1, item 2, item 2, line 14: not a Kubernetes object; write a map with apiVersion, kind and metadata",
    ]


@pytest.mark.parametrize("items", ["", ", items: 3", ", items: {}"])
def test_a_list_has_items(items: str, tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, f"{{apiVersion: v1, kind: List{items}}}")
    assert "List has no list of items; write one" in problem


def test_a_list_of_nothing_is_no_object(tmp_path: Path) -> None:
    assert "the file holds no object" in refused(tmp_path, "{apiVersion: v1, kind: List, items: []}")[0]


def test_two_of_one_name_are_told_with_both_lines(tmp_path: Path) -> None:
    text = f"{config_map('a')}\n---\n{{apiVersion: v1, kind: List, items: [\n{config_map('a')}]}}\n"
    assert refused(tmp_path, text) == [
        "object 2, item 1, line 4: ConfigMap a appears twice, first in object 1, line 1; rename one"
    ]


def test_a_generated_name_is_no_name(tmp_path: Path) -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata:\n  labels: {}\n  generateName: train-\n"
    (problem,) = refused(tmp_path, text)
    assert problem.startswith("object 1, line 5: Secret has metadata.generateName and no name; write metadata.name")
    assert "one name, in every cluster and every run" in problem
    named = text.replace("labels: {}", "name: a")
    assert read(tmp_path, named)[0][0].name == "a"


# Versions.


@pytest.mark.parametrize(
    ("api_version", "kind", "instead"),
    [
        ("autoscaling/v1", "HorizontalPodAutoscaler", "autoscaling/v2, with spec.metrics in place of"),
        ("autoscaling/v2beta1", "HorizontalPodAutoscaler", "autoscaling/v2, with a target"),
        ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "autoscaling/v2"),
        ("kueue.x-k8s.io/v1alpha1", "LocalQueue", "kueue.x-k8s.io/v1beta1"),
        ("extensions/v1beta1", "Deployment", "apps/v1, with a spec.selector"),
        ("apps/v1beta2", "Deployment", "apps/v1"),
        ("v1", "Deployment", "apps/v1"),
        ("apps/v1", "Service", "v1"),
        ("batch/v1beta1", "CronJob", "batch/v1"),
        ("policy/v1beta1", "PodDisruptionBudget", "policy/v1"),
        ("networking.k8s.io/v1beta1", "Ingress", "networking.k8s.io/v1, with backend.service"),
        ("extensions/v1beta1", "Ingress", "networking.k8s.io/v1, with backend.service"),
        ("extensions/v1beta1", "NetworkPolicy", "networking.k8s.io/v1"),
        ("rbac.authorization.k8s.io/v1beta1", "RoleBinding", "rbac.authorization.k8s.io/v1"),
        ("ray.io/v1alpha1", "RayCluster", "ray.io/v1"),
    ],
)
def test_a_known_kind_in_another_version_is_told_which_to_write(
    api_version: str, kind: str, instead: str, tmp_path: Path
) -> None:
    text = f"{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: a}}}}"
    (problem,) = refused(tmp_path, text)
    assert problem.startswith(f"object 1, line 1: {kind} of {api_version} is not an enabled type; write apiVersion: ")
    assert f"write apiVersion: {instead}" in problem
    assert "federation.types" not in problem


def test_of_a_kind_that_is_not_enabled_both_are_reported(tmp_path: Path) -> None:
    text = "{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {name: a}}"
    (problem,) = refused(tmp_path, text, DEFAULTS)
    types = ", ".join([*DEFAULT_TYPES, "poddisruptionbudgets.policy"])
    assert problem.endswith(f"write apiVersion: policy/v1, and federation.types: [{types}]")


@pytest.mark.parametrize(("api_version", "kind"), [("batch.volcano.sh/v1alpha1", "Job"), ("v1", "Node")])
def test_a_kind_of_another_group_is_another_kind(api_version: str, kind: str, tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, f"{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: a}}}}", DEFAULTS)
    assert "enabled are one of" in problem


def test_a_version_that_the_federation_has_is_taken_before_the_known_one(tmp_path: Path) -> None:
    own = TargetType("LocalQueue", "localqueues", "kueue.x-k8s.io", "v1beta2")
    text = "{apiVersion: kueue.x-k8s.io/v1beta1, kind: LocalQueue, metadata: {name: a}}"
    assert refused(tmp_path, text, [*DEFAULTS, own])[0].endswith("write apiVersion: kueue.x-k8s.io/v1beta2")
    assert read(tmp_path, text.replace("v1beta1", "v1beta2"), [own])[0][0].type is own


def test_both_versions_of_a_local_queue_are_the_same_type(tmp_path: Path) -> None:
    queue = KNOWN["localqueues.kueue.x-k8s.io"]
    for version in ("v1beta1", "v1beta2"):
        text = f"{{apiVersion: kueue.x-k8s.io/{version}, kind: LocalQueue, metadata: {{name: a}}}}"
        assert read(tmp_path, text, [queue])[0][0].type is queue
        assert "federation.types: " in refused(tmp_path, text, DEFAULTS)[0]
        assert "apiVersion:" not in refused(tmp_path, text, DEFAULTS)[0]


def test_what_is_cluster_scoped_is_taken_where_its_type_is_enabled(tmp_path: Path) -> None:
    text = "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 5}"
    (found,), _ = read(tmp_path, text)
    assert (found.name, found.type.namespaced) == ("high", False)
    (problem,) = refused(tmp_path, text, DEFAULTS)
    assert "write federation.types: [" in problem and "priorityclasses.scheduling.k8s.io]" in problem


@pytest.mark.parametrize(
    "text",
    [
        "{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: cluster-admin}}",
        "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: system-node-critical}, value: 1}",
    ],
)
def test_what_every_cluster_has_of_its_own_is_not_overwritten(tmp_path: Path, text: str) -> None:
    (problem,) = refused(tmp_path, text)
    assert problem.endswith("every cluster has one of its own, which KubeFed would overwrite; write another name")


# Namespaces.


BINDING = """
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: a, namespace: default}
roleRef: {kind: Role, name: a}
subjects:
- {kind: ServiceAccount, name: a, namespace: default}
- {kind: ServiceAccount, name: b, namespace: other}
- {kind: User, name: c}
"""


def test_the_namespace_that_a_file_names_gives_way_to_the_workloads(tmp_path: Path) -> None:
    manifests, notes = read(tmp_path, f"{config_map('a', 'default')}\n---\n{config_map('b')}\n---{BINDING}")
    assert [each.body["metadata"].get("namespace") for each in manifests] == ["ai", None, "ai"]
    assert [each.get("namespace") for each in manifests[2].body["subjects"]] == ["ai", "other", None]
    assert notes == ["namespace default in the manifests is replaced by ai"]


@pytest.mark.parametrize("namespace", ["", "ai", "''", "null"])
def test_nothing_is_told_of_the_workloads_own_namespace(namespace: str, tmp_path: Path) -> None:
    assert read(tmp_path, config_map("a", namespace))[1] == []


def test_two_namespaces_are_refused_with_both_and_their_lines(tmp_path: Path) -> None:
    text = "\n---\n".join(
        [config_map("a", "default"), config_map("b", "ai"), config_map("c", "ai"), config_map("d", "x")]
    )
    problems = refused(tmp_path, text)
    assert [each.partition(";")[0] for each in problems] == [
        "object 2, line 3: names namespace ai, and object 1 names default in line 1",
        "object 4, line 7: names namespace x, and object 1 names default in line 1",
    ]
    assert all("leave them out, since all are placed in the workload's namespace ai" in each for each in problems)


def test_addresses_in_the_old_namespace_are_reported(tmp_path: Path) -> None:
    text = f"{config_map('a', 'default')}\n---\n{config_map('b')[:-1]}, data: {{url: 'http://api.default.svc:80'}}}}\n"
    (note,) = read(tmp_path, text)[1]
    assert note.endswith("is replaced by ai, but addresses in default stay as they are in ConfigMap b")
