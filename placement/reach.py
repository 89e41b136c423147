"""What is at a place inside a value in which anything may be written."""

from collections.abc import Mapping, Sequence
from typing import Any, cast


def at(value: Any, *path: str) -> Any:
    """What is at the end of a path of keys, or None where there is none."""
    for key in path:
        value = cast(Mapping[Any, Any], value).get(key) if isinstance(value, Mapping) else None
    return value


def elements(value: Any) -> Sequence[Any]:
    """The elements of a list; of anything else, none."""
    return cast(list[Any], value) if isinstance(value, list) else []


def entries(value: Any) -> Mapping[str, Any]:
    """A map itself; of anything else, an empty one."""
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}
