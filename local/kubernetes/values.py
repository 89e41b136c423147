"""Reads plain values of which any part may be missing."""

from typing import Any, cast

from local.plugin import Properties


def table(value: Any, *keys: str) -> Properties:
    """The map at a path of keys; an empty one when there is none."""
    for key in keys:
        value = table(value).get(key)
    return cast(Properties, value) if isinstance(value, dict) else {}


def rows(value: Any, *keys: str) -> list[Any]:
    """The list at a path of keys; an empty one when there is none."""
    found = table(value, *keys[:-1]).get(keys[-1]) if keys else value
    return cast(list[Any], found) if isinstance(found, list) else []
