"""JSON patches, as KubeFed makes them on a copy (RFC 6902: add, remove and replace)."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any, cast


def steps_of(path: str) -> list[str]:
    """The keys that a JSON pointer leads through."""
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def patched(body: Mapping[str, Any], patches: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """A copy of a body with its patches made; one that finds no place is left out, for KubeFed to refuse."""
    made = copy.deepcopy(dict(body))
    for patch in patches:
        *above, last = steps_of(patch["path"])
        node: Any = made
        for step in above:
            node = _below(node, step)
        _patch(node, last, patch.get("op") or "replace", copy.deepcopy(patch.get("value")))
    return made


def _below(node: Any, step: str) -> Any:
    if isinstance(node, dict):
        return cast(dict[str, Any], node).get(step)
    if isinstance(node, list) and step.isdecimal() and int(step) < len(cast(list[Any], node)):
        return cast(list[Any], node)[int(step)]
    return None


def _patch(node: Any, key: str, op: str, value: Any) -> None:
    if isinstance(node, dict):
        fields = cast(dict[str, Any], node)
        if op == "remove":
            fields.pop(key, None)
        else:
            fields[key] = value
    elif isinstance(node, list):
        items = cast(list[Any], node)
        index = len(items) if key == "-" else int(key) if key.isdecimal() else -1
        if op == "add" and 0 <= index <= len(items):
            items.insert(index, value)
        elif op == "replace" and 0 <= index < len(items):
            items[index] = value
        elif op == "remove" and 0 <= index < len(items):
            del items[index]
