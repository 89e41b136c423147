"""What differs between two versions of a resource's inputs."""

import re
from collections.abc import Iterator
from typing import Any, cast

from local.wire import Properties


def differences(old: Properties, new: Properties) -> list[str]:
    """The paths at which two versions of inputs differ, in Pulumi's notation."""
    return list(_compare(old, new, ""))


def _compare(old: Any, new: Any, path: str) -> Iterator[str]:
    # A map that comes or goes does so field by field, unless it is an empty one.
    if (isinstance(old, dict) and isinstance(new, dict)) or (
        (old is None or new is None) and isinstance(old or new, dict) and (old or new)
    ):
        before, after = cast(Properties, old or {}), cast(Properties, new or {})
        for key in sorted({*before, *after}):
            yield from _compare(before.get(key), after.get(key), _join(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        before, after = cast(list[Any], old), cast(list[Any], new)
        shared = min(len(before), len(after))
        for index in range(shared):
            yield from _compare(before[index], after[index], f"{path}[{index}]")
        yield from (f"{path}[{index}]" for index in range(shared, max(len(before), len(after))))
    elif old != new or isinstance(old, bool) != isinstance(new, bool):
        yield path


def _join(path: str, key: str) -> str:
    if not re.fullmatch(r"[A-Za-z_$][\w$-]*", key):
        quoted = key.replace("\\", "\\\\").replace('"', '\\"')
        return f'{path}["{quoted}"]'
    return f"{path}.{key}" if path else key
