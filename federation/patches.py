"""JSON patches as KubeFed makes them of a copy: RFC 6902, with paths of RFC 6901."""

import copy
import re
from collections.abc import Sequence
from typing import Any, cast

from federation.spec import Override

_INDEX = re.compile("0|[1-9][0-9]{0,8}")
_END = "-"


def steps_of(override: Override) -> list[str]:
    """The keys and indexes of an override's path."""
    return [step.replace("~1", "/").replace("~0", "~") for step in override.path.split("/")[1:]]


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


def patch_in_place(body: dict[str, Any], override: Override) -> None:
    """Makes one patch of an object. Raises LookupError where there is nothing to patch."""
    *above, last = steps_of(override)
    if above == ["metadata", "labels"]:
        # KubeFed gives every copy labels.
        body["metadata"].setdefault("labels", {})
    parent: Any = found(body, above)
    value = copy.deepcopy(override.value)
    if override.op != "add":
        found(parent, [last])
    elif not takes(parent, last):
        raise LookupError(last)
    if isinstance(parent, list):
        items = cast(list[Any], parent)
        index = len(items) if last == _END else int(last)
        items[index : index + (override.op != "add")] = [] if override.op == "remove" else [value]
    elif override.op == "remove":
        del parent[last]
    else:
        parent[last] = value
