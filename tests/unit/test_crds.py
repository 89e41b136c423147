"""The definitions of KubeFed's types hang together, as far as that shows without an API server."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from federation import crds
from placement.api.kinds import BUILT_IN, DEFAULT_TYPES, NAMESPACES, TargetType

_CORE = {each["metadata"]["name"]: each for each in crds.core_crds()}
_FEDERATED = {name: crds.federated_crd(target) for name, target in BUILT_IN.items()}
_ALL = [*_CORE.values(), *_FEDERATED.values()]


def _schemas(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and all those within it."""
    if isinstance(schema, dict):
        yield cast(dict[str, Any], schema)
        for inner in cast(dict[str, Any], schema).values():
            yield from _schemas(inner)
    elif isinstance(schema, list):
        for inner in cast(list[Any], schema):
            yield from _schemas(inner)


def _root(body: dict[str, Any]) -> dict[str, Any]:
    (version,) = body["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]


def test_the_core_types_are_all_there() -> None:
    assert set(_CORE) == {
        "clusterpropagatedversions.core.kubefed.io",
        "federatedservicestatuses.core.kubefed.io",
        "federatedtypeconfigs.core.kubefed.io",
        "kubefedclusters.core.kubefed.io",
        "kubefedconfigs.core.kubefed.io",
        "propagatedversions.core.kubefed.io",
        "replicaschedulingpreferences.scheduling.kubefed.io",
    }


def test_a_file_is_named_after_its_type() -> None:
    folder = Path(crds.__file__).parent
    assert {file.stem for file in folder.glob("*.yaml")} == {each["spec"]["names"]["plural"] for each in _CORE.values()}


@pytest.mark.parametrize("body", _ALL, ids=lambda body: body["metadata"]["name"])
def test_a_definition_is_named_and_shaped_as_the_api_server_wants(body: dict[str, Any]) -> None:
    spec = body["spec"]
    names = spec["names"]
    assert body["metadata"]["name"] == f"{names['plural']}.{spec['group']}"
    assert names["listKind"] == f"{names['kind']}List"
    assert names["singular"] == names["kind"].lower()
    root = _root(body)
    assert root["type"] == "object"
    assert root["properties"]
    # A required property that is not described would be pruned, and then missed.
    for schema in _schemas(root):
        required = schema.get("required", [])
        assert set(required) <= set(schema.get("properties", {})) or not isinstance(required, list)


def test_every_rule_says_what_to_write() -> None:
    rules = [
        rule for body in _ALL for schema in _schemas(_root(body)) for rule in schema.get("x-kubernetes-validations", [])
    ]
    assert len(rules) > 20
    assert all(rule["message"] for rule in rules)
    # The API server's own words for a pattern show the pattern.
    assert not [schema for body in _ALL for schema in _schemas(_root(body)) if isinstance(schema.get("pattern"), str)]


def test_a_text_that_a_rule_reads_is_bounded() -> None:
    """Otherwise the API server reckons that the rule may cost too much; sizes and times cost nothing."""
    for body in _ALL:
        for schema in _schemas(_root(body)):
            if schema.get("type") == "string" and "x-kubernetes-validations" in schema:
                assert {"maxLength", "enum", "format"} & set(schema), schema


def test_types_are_found_by_the_names_of_their_configs() -> None:
    assert all(target.config_name == name for name, target in BUILT_IN.items())
    assert set(DEFAULT_TYPES) <= set(BUILT_IN)
    assert len({target.kind for target in BUILT_IN.values()}) == len(BUILT_IN)
    assert NAMESPACES.config_name == "namespaces"


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ("services", ("services", "v1", "FederatedService", "federatedservices.types.kubefed.io")),
        (
            "deployments.apps",
            ("deployments.apps", "apps/v1", "FederatedDeployment", "federateddeployments.types.kubefed.io"),
        ),
        (
            "networkpolicies.networking.k8s.io",
            (
                "networkpolicies.networking.k8s.io",
                "networking.k8s.io/v1",
                "FederatedNetworkPolicy",
                "federatednetworkpolicies.types.kubefed.io",
            ),
        ),
    ],
)
def test_a_type_and_the_one_that_federates_it(target: str, names: tuple[str, ...]) -> None:
    found = BUILT_IN[target]
    definition = _FEDERATED[target]["metadata"]["name"]
    assert (found.config_name, found.api_version, found.federated_kind, definition) == names


@pytest.mark.parametrize(
    ("target", "scope"),
    [
        (BUILT_IN["secrets"], "Namespaced"),
        # A federated namespace lies in the namespace that it federates.
        (BUILT_IN["namespaces"], "Namespaced"),
        (TargetType("ClusterRole", "clusterroles", "rbac.authorization.k8s.io", "v1", namespaced=False), "Cluster"),
    ],
)
def test_a_federated_type_has_its_targets_scope(target: TargetType, scope: str) -> None:
    assert crds.federated_crd(target)["spec"]["scope"] == scope


def test_replicas_are_left_to_the_members_only_where_there_are_any() -> None:
    def properties(name: str) -> set[str]:
        return set(_root(_FEDERATED[name])["properties"]["spec"]["properties"])

    with_replicas = {name for name in _FEDERATED if "retainReplicas" in properties(name)}
    assert with_replicas == {"deployments.apps", "replicasets.apps", "statefulsets.apps"}
    assert {"template", "placement", "overrides"} <= properties("jobs.batch")


def test_the_status_is_apart_where_the_controller_writes_one() -> None:
    without = {name for name, body in _CORE.items() if "subresources" not in body["spec"]["versions"][0]}
    assert without == {
        "federatedservicestatuses.core.kubefed.io",
        "kubefedconfigs.core.kubefed.io",
        "replicaschedulingpreferences.scheduling.kubefed.io",
    }
    assert all("subresources" in body["spec"]["versions"][0] for body in _FEDERATED.values())


def test_what_a_preference_places_waits_for_its_status_and_nothing_else_does() -> None:
    ruled = {name for name, body in _FEDERATED.items() if "x-kubernetes-validations" in _root(body)}
    assert ruled == {"deployments.apps", "replicasets.apps"}
