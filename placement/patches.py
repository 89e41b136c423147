"""Applies JSON patches as KubeFed applies them to a copy: RFC 6902, with paths of RFC 6901.

It does not decide which patches apply (overrides.py does), and knows no schema.
"""

import copy
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

Patch = Mapping[str, Any]
"""A path, a value, and an op, which is replace where it is left out or empty."""

_INDEX = re.compile("0|[1-9][0-9]{0,8}")
_END = "-"


def steps_of(path: str) -> list[str]:
    """The keys and indexes of a JSON pointer."""
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def found(body: Any, steps: Sequence[str]) -> Any:
    """The value at a path. Raises LookupError where there is none."""
    for step in steps:
        if isinstance(body, dict):
            body = cast(dict[str, Any], body)[step]
        elif isinstance(body, list) and _INDEX.fullmatch(step):
            body = cast(list[Any], body)[int(step)]
        else:
            raise LookupError(step)
    return body


def takes(parent: Any, step: str) -> bool:
    """Whether a value can be added to the parent under a key or an index."""
    if isinstance(parent, list):
        end = len(cast(list[Any], parent))
        return step == _END or (_INDEX.fullmatch(step) is not None and int(step) <= end)
    return isinstance(parent, dict)


def patched(body: Mapping[str, Any], patches: Iterable[Patch]) -> dict[str, Any]:
    """A copy of a body with the patches applied; one whose path does not exist is left out."""
    result = copy.deepcopy(dict(body))
    for patch in patches:
        with suppress(LookupError):
            patch_in_place(result, patch)
    return result


def patch_in_place(body: dict[str, Any], patch: Patch) -> None:
    """Applies one patch to an object. Raises LookupError where its path does not exist."""
    *above, last = steps_of(patch["path"])
    op = patch.get("op") or "replace"
    if above == ["metadata", "labels"]:
        # KubeFed gives every copy labels.
        body.setdefault("metadata", {}).setdefault("labels", {})
    parent: Any = found(body, above)
    value = copy.deepcopy(patch.get("value"))
    if op != "add":
        found(parent, [last])
    elif not takes(parent, last):
        raise LookupError(last)
    if isinstance(parent, list):
        items = cast(list[Any], parent)
        index = len(items) if last == _END else int(last)
        items[index : index + (op != "add")] = [] if op == "remove" else [value]
    elif op == "remove":
        del parent[last]
    else:
        parent[last] = value
