"""Looks up parts of plain values that users wrote, and that can be of any type.

What has another type than expected is treated as absent; whether that is a mistake is decided in schemas.py.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast


def at(value: Any, *path: str) -> Any:
    """The value at a path of keys, or None where there is none."""
    for key in path:
        value = cast(Mapping[Any, Any], value).get(key) if isinstance(value, Mapping) else None
    return value


def elements(value: Any) -> Sequence[Any]:
    """The value if it is a list; otherwise an empty one."""
    return cast(list[Any], value) if isinstance(value, list) else []


def entries(value: Any) -> Mapping[str, Any]:
    """The value if it is a map; otherwise an empty one."""
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}


def texts(value: Any) -> dict[str, str]:
    """The texts of a map by their keys, as of labels; otherwise none."""
    return {key: each for key, each in entries(value).items() if isinstance(each, str)}
