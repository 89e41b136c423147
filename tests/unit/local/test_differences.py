"""What differs between two versions of a resource's inputs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.differences import differences

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


def _exact(value: Any) -> Any:
    """A value in which True is not 1."""
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [_exact(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return (type(value).__name__, value)
