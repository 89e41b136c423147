"""JSON patches as KubeFed makes them of a copy: RFC 6902, with paths of RFC 6901."""

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
    """What is at a path. Raises LookupError where there is nothing."""
    for step in steps:
        if isinstance(body, dict):
            body = cast(dict[str, Any], body)[step]
        elif isinstance(body, list) and _INDEX.fullmatch(step):
            body = cast(list[Any], body)[int(step)]
        else:
            raise LookupError(step)
    return body


def takes(parent: Any, step: str) -> bool:
    """Whether something can be added to a value under a key or an index."""
    if isinstance(parent, list):
        end = len(cast(list[Any], parent))
        return step == _END or (_INDEX.fullmatch(step) is not None and int(step) <= end)
    return isinstance(parent, dict)


def patched(body: Mapping[str, Any], patches: Iterable[Patch]) -> dict[str, Any]:
    """A copy of a body with its patches made; one that finds no place is left out."""
    made = copy.deepcopy(dict(body))
    for patch in patches:
        with suppress(LookupError):
            patch_in_place(made, patch)
    return made


def patch_in_place(body: dict[str, Any], patch: Patch) -> None:
    """Makes one patch of an object. Raises LookupError where there is nothing to patch."""
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
