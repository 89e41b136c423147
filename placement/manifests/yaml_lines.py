"""Finds the line of a value in a YAML file, and keys that appear twice in one map.

It does not decide what a value means, and builds no values (yaml_reader.py does).
"""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from placement.manifests.scalars import read_scalar
from placement.manifests.yaml_reader import MERGE, PLAIN, Loader, merged
from problems import shorten


def repeated_keys(root: yaml.Node) -> Iterator[tuple[int, str]]:
    """Yields a line and a message for each key that appears twice in one map, of which only the last would count."""
    seen, inside = set[int](), [root]
    while inside:
        node = inside.pop()
        # An alias is the same node again.
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if not isinstance(node, yaml.MappingNode):
            inside.extend(reversed(node.value))
            continue
        lines: dict[Any, list[int]] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != MERGE:
                text = read_scalar(key.value) if key.tag == PLAIN else key.value
                lines.setdefault((type(text), text), []).append(key.start_mark.line + 1)
        for (_, key), each in lines.items():
            if len(each) > 1:
                often = "twice, in" if len(each) == 2 else f"{len(each)} times, first in"
                first, second = each[:2]
                where = f"lines {first} and {second}" if first != second else f"line {first}"
                yield second, f'key "{shorten(key)[1:-1]}" appears {often} {where}; keep one'
        inside.extend(value for _, value in reversed(node.value))


# Composed again only to report a mistake: the nodes of a file take many times the memory of its values.
@functools.lru_cache(maxsize=1)
def _nodes(text: str) -> Sequence[yaml.Node]:
    return list(yaml.compose_all(text, Loader=Loader))


def line_of(text: str, index: int, path: Sequence[str | int]) -> int:
    """The line, from 1 up, of the deepest part of a path that a document of a text has, by the document's index."""
    node = _nodes(text)[index]
    line = node.start_mark.line
    for part in path:
        entry = _entry(node, part)
        if entry is None:
            break
        key, node = entry
        # A value that is written before its key is an alias.
        line = min(key.start_mark.line, node.start_mark.line)
    return line + 1


def _entry(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The key (or item) and the value of a part of a map or list; of a repeated key, the one that the loader uses."""
    if isinstance(node, yaml.SequenceNode):
        inside = isinstance(part, int) and 0 <= part < len(node.value)
        return (node.value[part], node.value[part]) if inside else None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in reversed(node.value):
        if key.tag == MERGE:
            found = next(filter(None, (_entry(each, part) for each in merged(value))), None)
            if found:
                return found
        elif isinstance(key, yaml.ScalarNode) and key.value == part:
            return key, value
    return None
