"""What a program may write, the names that are chosen for it, and the provider's own inputs."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.kubernetes import inputs, settings
from local.kubernetes.ownership import manager_of, without_ignored
from local.kubernetes.plugin import KubernetesPlugin
from local.kubernetes.settings import Settings
from local.plugin import UNKNOWN, Refused, Resource

URN = "urn:pulumi:stack::project::kubernetes:core/v1:ConfigMap::settings"
RESOURCE = Resource(URN, "kubernetes:core/v1:ConfigMap", "settings")
SEED = bytes.fromhex("0123456789abcdef")
CONFIG_MAP: dict[str, Any] = {"apiVersion": "v1", "kind": "ConfigMap"}


def kubeconfig(server: str, namespace: str = "") -> str:
    context = {"cluster": "one", "user": "me"} | ({"namespace": namespace} if namespace else {})
    return yaml.safe_dump(
        {
            "current-context": "one",
            "clusters": [{"name": "one", "cluster": {"server": server}}],
            "contexts": [{"name": "one", "context": context}],
            "users": [{"name": "me", "user": {"token": "hunter22"}}],
        }
    )


def test_a_name_is_chosen_once() -> None:
    chosen = inputs.complete(RESOURCE, {}, CONFIG_MAP, SEED)
    assert chosen["metadata"]["name"] == "settings-01234567"
    assert inputs.is_autonamed(chosen)
    again = inputs.complete(RESOURCE, chosen, CONFIG_MAP, b"other")
    assert again == chosen


def test_a_name_of_the_programs_own_stays() -> None:
    named = CONFIG_MAP | {"metadata": {"name": "mine"}}
    assert inputs.complete(RESOURCE, {}, named, SEED) == named
    # The name that it had is not kept when the program gives it no name any more.
    assert inputs.complete(RESOURCE, named, CONFIG_MAP, SEED)["metadata"]["name"] == "settings-01234567"
    unknown = CONFIG_MAP | {"metadata": UNKNOWN}
    assert inputs.complete(RESOURCE, {}, unknown, SEED) == unknown


def test_what_the_api_server_fills_in_is_no_input() -> None:
    copied = CONFIG_MAP | {"metadata": {"name": "mine", "uid": "1", "resourceVersion": "2"}}
    assert inputs.complete(RESOURCE, {}, copied, SEED)["metadata"] == {"name": "mine"}


@pytest.mark.parametrize(
    ("token", "body", "property_"),
    [
        ("kubernetes:core/v1:ConfigMap", {"kind": "ConfigMap"}, "apiVersion"),
        ("kubernetes:core/v1:ConfigMap", {"apiVersion": "v1"}, "kind"),
        ("kubernetes:core/v1:ConfigMapList", {"apiVersion": "v1", "kind": "ConfigMapList"}, "kind"),
        ("kubernetes:core/v1:ConfigMap", CONFIG_MAP | {"metadata": "name"}, "metadata"),
        ("kubernetes:core/v1:ConfigMap", CONFIG_MAP | {"metadata": {"generateName": "x-"}}, "metadata.generateName"),
        ("kubernetes:core/v1:ConfigMapPatch", CONFIG_MAP, ""),
        ("kubernetes:helm.sh/v3:Release", {"chart": "x"}, ""),
    ],
)
def test_what_is_plainly_wrong_is_refused(token: str, body: dict[str, Any], property_: str) -> None:
    assert list(inputs.wrong(Resource(URN, token, "x"), body)) == [property_]


def test_a_definitions_own_fields_have_other_names_in_the_sdk() -> None:
    schema = {"x_kubernetes_preserve_unknown_fields": True, "properties": {"x_y": {"type": "string"}}}
    written = {"kind": "CustomResourceDefinition", "spec": {"versions": [{"schema": schema}]}}
    served = inputs.to_server(written)
    assert "x-kubernetes-preserve-unknown-fields" in json.dumps(served)
    assert "x_y" in json.dumps(served)
    assert inputs.to_program(served) == written


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        ({"clusterIdentifier": "a"}, {"clusterIdentifier": "b"}, ["clusterIdentifier"]),
        ({"clusterIdentifier": "a"}, {"clusterIdentifier": "a", "kubeconfig": kubeconfig("https://b")}, []),
        ({"clusterIdentifier": "a"}, {"clusterIdentifier": "a", "kubeconfig": UNKNOWN}, []),
        ({}, {"clusterIdentifier": "a"}, []),
        ({}, {"kubeconfig": kubeconfig("https://b")}, ["kubeconfig"]),
        ({}, {"kubeconfig": kubeconfig("https://a", namespace="other")}, []),
        ({}, {"kubeconfig": UNKNOWN}, ["kubeconfig"]),
        ({}, {"enablePatchForce": "true"}, []),
    ],
)
def test_only_another_cluster_replaces_the_provider(
    old: dict[str, Any], new: dict[str, Any], replaces: list[str]
) -> None:
    base = {"kubeconfig": kubeconfig("https://a")}
    found = settings.difference(base | old, base | new)
    assert found.replaces == replaces
    assert found.updates or found.replaces


def test_flags_come_as_text_or_from_the_environment() -> None:
    variables = {"PULUMI_K8S_DELETE_UNREACHABLE": "true"}
    assert Settings({}, variables).flag("deleteUnreachable")
    assert not Settings({"deleteUnreachable": "false"}, variables).flag("deleteUnreachable")
    assert Settings({"upsertExistingObjects": "true"}, {}).flag("upsertExistingObjects")
    assert Settings({"enableSecretMutable": "true"}, {}).mutable("Secret")
    assert not Settings({"enableSecretMutable": "true"}, {}).mutable("ConfigMap")


def test_the_namespace_is_the_providers_or_the_contexts() -> None:
    assert Settings({"kubeconfig": kubeconfig("https://a")}, {}).namespace == "default"
    assert Settings({"kubeconfig": kubeconfig("https://a", "team")}, {}).namespace == "team"
    assert Settings({"kubeconfig": kubeconfig("https://a", "team"), "namespace": "mine"}, {}).namespace == "mine"
    assert Settings({"kubeconfig": UNKNOWN}, {}).namespace is None


def test_kubeconfigs_come_from_a_file_a_list_of_files_or_a_text(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text(kubeconfig("https://a"))
    two.write_text(yaml.safe_dump({"clusters": [{"name": "two", "cluster": {"certificate-authority": "ca.crt"}}]}))
    assert Settings({"kubeconfig": str(one)}, {}).kubeconfig == yaml.safe_load(kubeconfig("https://a"))
    merged = Settings({}, {"KUBECONFIG": f"{one}:{two}:{tmp_path / 'none'}"}).kubeconfig or {}
    assert [each["name"] for each in merged["clusters"]] == ["one", "two"]
    assert merged["clusters"][1]["cluster"]["certificate-authority"] == str(tmp_path / "ca.crt")
    with pytest.raises(Refused, match="cannot be read"):
        _ = Settings({"kubeconfig": str(tmp_path / "none")}, {}).kubeconfig


def test_a_broken_kubeconfig_shows_nothing_of_itself() -> None:
    with pytest.raises(Refused) as refused:
        _ = Settings({"kubeconfig": "token: hunter22\n  : ["}, {}).kubeconfig
    assert "hunter22" not in str(refused.value)


def test_each_resource_writes_under_a_name_of_its_own() -> None:
    first = manager_of(URN, CONFIG_MAP, {})
    assert first.startswith("pulumi-kubernetes-")
    assert first != manager_of(URN + "2", CONFIG_MAP, {})
    assert manager_of(URN + "2", CONFIG_MAP, {"__fieldManager": first}) == first


def test_ignored_fields_are_left_to_whoever_writes_them() -> None:
    wanted = CONFIG_MAP | {"data": {"theirs": "2", "ours": "2", "other": "2"}}
    managed: list[dict[str, Any]] = [
        {"manager": "them", "fieldsV1": {"f:data": {"f:theirs": {}}}},
        {"manager": "us", "fieldsV1": {"f:data": {"f:ours": {}, "f:other": {}}}},
    ]
    live: dict[str, Any] = {"metadata": {"managedFields": managed}, "data": {"theirs": "1", "ours": "1", "other": "1"}}
    left = without_ignored(wanted, ["data.theirs", "data.ours", "data.none", "spec.none"], live, "us")
    assert left["data"] == {"ours": "1", "other": "2"}


def diff_of(
    old: dict[str, Any], new: dict[str, Any], namespace: str = "default", default: str = "default"
) -> tuple[list[str], bool]:
    plugin = KubernetesPlugin()
    plugin.configure({"kubeconfig": kubeconfig("https://a", default)})
    state = old | {"metadata": old["metadata"] | {"namespace": namespace}}
    found = plugin.diff(RESOURCE, old, state, new)
    return found.replaces, found.delete_before_replace


def test_naming_the_namespace_where_an_object_is_changes_nothing() -> None:
    named = CONFIG_MAP | {"metadata": {"name": "x"}}
    explicit = CONFIG_MAP | {"metadata": {"name": "x", "namespace": "default"}}
    assert diff_of(named, explicit) == ([], False)
    assert diff_of(explicit, named) == ([], False)
    assert diff_of(named, explicit, namespace="other") == (["metadata.namespace"], False)
    assert diff_of(named, named, default="other") == (["metadata.namespace"], False)


def test_what_keeps_its_name_is_deleted_first() -> None:
    named = CONFIG_MAP | {"metadata": {"name": "x", "namespace": "n"}}
    assert diff_of(named | {"data": {"a": "1"}}, named | {"data": {"a": "2"}}, "n") == (["data.a"], True)
    renamed = CONFIG_MAP | {"metadata": {"name": "y", "namespace": "n"}}
    assert diff_of(named, renamed, "n") == (["metadata.name"], False)
    chosen = inputs.complete(RESOURCE, {}, CONFIG_MAP | {"metadata": {"namespace": "n"}}, SEED)
    assert diff_of(chosen | {"data": {"a": "1"}}, chosen | {"data": {"a": "2"}}, "n") == (["data.a"], False)
