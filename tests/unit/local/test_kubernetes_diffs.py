"""What differs between two versions of an object, what of it needs a new one, and what has drifted."""

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.kubernetes.diffs import differences, drifted, needs_replacement

DEPLOYMENT = {"apiVersion": "apps/v1", "kind": "Deployment"}

plain = st.recursive(
    st.booleans() | st.integers(-9, 9) | st.text("ab.", max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("ab./", min_size=1, max_size=3), inner, max_size=3)
    ),
)
bodies = st.dictionaries(st.sampled_from(["spec", "data", "metadata"]), plain, max_size=3)


@given(bodies)
def test_nothing_differs_from_itself(body: dict[str, Any]) -> None:
    assert differences(body, body) == []


@given(bodies, bodies)
def test_any_change_is_found_whichever_way_it_goes(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert bool(differences(one, other)) == (_exact(one) != _exact(other))
    assert differences(one, other) == differences(other, one)


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ({"a": {"b": 1}}, {"a": {"b": 2}}, ["a.b"]),
        ({"a": {"b": 1}}, {}, ["a.b"]),
        ({}, {"a": {}}, ["a"]),
        ({"a": [1, 2]}, {"a": [1, 3, 4]}, ["a[1]", "a[2]"]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, ["a[0].b"]),
        ({"a": {"x.test/y": "1"}}, {"a": {"x.test/y": "2"}}, ['a["x.test/y"]']),
        ({"a": 1}, {"a": True}, ["a"]),
        ({"a": None}, {}, []),
        ({"a": 1, "b": 1}, {"a": 2, "b": 2}, ["a", "b"]),
    ],
)
def test_paths_are_in_pulumis_notation(old: dict[str, Any], new: dict[str, Any], paths: list[str]) -> None:
    assert differences(old, new) == paths


@pytest.mark.parametrize(
    ("body", "path", "replaces"),
    [
        (DEPLOYMENT, "metadata.name", True),
        (DEPLOYMENT, "metadata.namespace", True),
        (DEPLOYMENT, "metadata.labels.name", False),
        (DEPLOYMENT, "apiVersion", True),
        (DEPLOYMENT, "spec.selector.matchLabels.app", True),
        (DEPLOYMENT, "spec.selectors", False),
        (DEPLOYMENT, "spec.template.spec.containers[0].image", False),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, "data.key", True),
        ({"apiVersion": "v1", "kind": "ConfigMap"}, 'binaryData["a.b"]', True),
        ({"apiVersion": "v1", "kind": "Secret"}, "stringData.key", True),
        ({"apiVersion": "v1", "kind": "Secret"}, "type", True),
        ({"apiVersion": "v1", "kind": "Service"}, "spec.clusterIP", True),
        ({"apiVersion": "v1", "kind": "Service"}, "spec.clusterIPs", False),
        ({"apiVersion": "v1", "kind": "Pod"}, "spec.containers[0].image", True),
        ({"apiVersion": "batch/v1", "kind": "Job"}, "spec.template.spec.restartPolicy", True),
        ({"apiVersion": "batch/v1", "kind": "Job"}, "spec.suspend", False),
        ({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding"}, "roleRef.name", True),
        ({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding"}, "subjects[0].name", False),
        # A kind of someone else's with a familiar name.
        ({"apiVersion": "example.test/v1", "kind": "Secret"}, "data.key", False),
    ],
)
def test_what_needs_a_new_object(body: dict[str, Any], path: str, replaces: bool) -> None:
    assert needs_replacement(path, body) is replaces


def test_data_is_changed_in_place_where_the_provider_says_so() -> None:
    secret: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret"}
    assert not needs_replacement("data.key", secret, mutable=True)
    assert needs_replacement("type", secret, mutable=True)
    assert needs_replacement("data.key", secret | {"immutable": True}, mutable=True)


@given(bodies, bodies)
def test_what_applying_again_would_not_change_has_not_drifted(inputs: dict[str, Any], live: dict[str, Any]) -> None:
    assert drifted(inputs, live, live) == inputs


def test_only_what_was_changed_shows_and_in_the_live_objects_words() -> None:
    inputs = {"spec": {"cpu": "0.5", "pods": "4", "gone": "1"}, "metadata": {"labels": {"a": "1"}}}
    live = {"spec": {"cpu": "500m", "pods": "9", "added": "1"}, "metadata": {}}
    applied = {"spec": {"cpu": "500m", "pods": "4", "gone": "1", "added": "1"}, "metadata": {"labels": {"a": "1"}}}
    assert drifted(inputs, live, applied) == {"spec": {"cpu": "0.5", "pods": "9"}, "metadata": {"labels": {}}}


def test_lists_drift_by_item_unless_their_length_has_changed() -> None:
    def body(*images: str) -> dict[str, Any]:
        return {"spec": [{"image": image} for image in images]}

    assert drifted(body("a", "b"), body("a", "x"), body("a", "b")) == body("a", "x")
    assert drifted(body("a", "b"), body("a"), body("a", "b")) == body("a")
    assert drifted({"a": ["0.5", "x"]}, {"a": ["500m", "y"]}, {"a": ["500m", "x"]}) == {"a": ["0.5", "y"]}


def test_maps_in_another_order_have_not_drifted() -> None:
    one, other, third = ({"cluster": name} for name in "abc")
    inputs = {"spec": [one, other]}
    assert drifted(inputs, {"spec": [other, one]}, inputs) == inputs
    assert drifted(inputs, {"spec": [other, third]}, inputs) == {"spec": [other, third]}
    assert drifted({"args": ["a", "b"]}, {"args": ["b", "a"]}, {"args": ["a", "b"]}) == {"args": ["b", "a"]}


def test_texts_of_a_secret_drift_as_texts() -> None:
    def data(**texts: str) -> dict[str, Any]:
        return {"data": {key: base64.b64encode(text.encode()).decode() for key, text in texts.items()}}

    inputs = {"stringData": {"kept": "1", "changed": "1", "gone": "1"}}
    applied = data(kept="1", changed="1", gone="1")
    live = data(kept="1", changed="2")
    assert drifted(inputs, live, applied) == {"stringData": {"kept": "1", "changed": "2"}}
    # Where the API server could not be queried.
    assert drifted(inputs, live, inputs) == {"stringData": {"kept": "1", "changed": "2"}}


def _exact(value: Any) -> Any:
    """A value in which True is not 1."""
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_exact(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return (type(value).__name__, value)
