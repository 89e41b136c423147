"""The part of JSONPath that waiting needs: fields, indices, wildcards and filters by equality."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, cast

_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\]\\])+)
    |\[(?P<index>-?\d+)\]
    |\[(?P<all>\*)\]
    |\[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]
    |\[\?\(@(?P<path>(?:\.[^.\[\]=\s]+)+)\s*==\s*(?P<value>"[^"]*"|'[^']*'|[^)\s]+)\)\]
    """,
    re.VERBOSE,
)

Select = Callable[[Any], list[Any]]
"""Finds the values at a path."""


def parse(path: str) -> Select:
    """Understands a path such as .status.conditions[?(@.type=="Ready")].status. Raises ValueError."""
    steps: list[re.Match[str]] = []
    position = 1 if path.startswith("$") else 0
    while position < len(path):
        step = _STEP.match(path, position)
        if not step:
            raise ValueError(f"{path!r} cannot be understood from {path[position:]!r} on")
        steps.append(step)
        position = step.end()
    if not steps:
        raise ValueError("the path is empty")

    def select(value: Any) -> list[Any]:
        values = [value]
        for step in steps:
            values = [found for each in values for found in _follow(step, each)]
        return values

    return select


def as_text(value: Any) -> str:
    """A value as it is compared with text."""
    return value if isinstance(value, str) else json.dumps(value)


def _follow(step: re.Match[str], value: Any) -> Iterator[Any]:
    field = step["key"] if step["quote"] else re.sub(r"\\(.)", r"\1", step["field"] or "")
    if isinstance(value, dict):
        properties = cast(dict[str, Any], value)
        if field == "*" or step["all"]:
            yield from properties.values()
        elif field in properties:
            yield properties[field]
    elif isinstance(value, list):
        items = cast(list[Any], value)
        if step["index"]:
            yield from [items[int(step["index"])]] if -len(items) <= int(step["index"]) < len(items) else []
        elif step["all"] or field == "*":
            yield from items
        elif step["path"]:
            wanted = step["value"].strip("\"'")
            yield from (each for each in items if any(as_text(found) == wanted for found in parse(step["path"])(each)))
