"""Reads YAML as kubectl does: merges, scalars, byte order marks and characters that JSON escapes.

It does not limit the size of a file (documents.py does), and does not know lines of values (yaml_lines.py does).
"""

import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import yaml

from placement.manifests.scalars import read_scalar

if TYPE_CHECKING:
    _Reader = yaml.SafeLoader
else:
    # Many times faster; missing if PyYAML was built without it.
    _Reader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TEXT, _LIST, _MAP, MERGE = (f"tag:yaml.org,2002:{kind}" for kind in ("str", "seq", "map", "merge"))
PLAIN = "!plain"


class Loader(_Reader):
    """Reads plain values; a value without quotes becomes what kubectl reads."""

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: tuple[bool, bool]) -> str:
        """The tag of a value that has none."""
        if kind is not yaml.ScalarNode:
            return _MAP if kind is yaml.MappingNode else _LIST
        if not implicit[0]:
            return _TEXT
        return MERGE if value == "<<" else PLAIN

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Replaces each merge by the entries that it merges, which override entries before it, as for kubectl."""
        flat: list[tuple[yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            if key.tag != MERGE:
                flat.append((key, value))
                continue
            # Of several merged maps, the first counts.
            for each in reversed(merged(value)):
                if not isinstance(each, yaml.MappingNode):
                    raise yaml.MarkedYAMLError(None, None, "<< takes a map, or a list of maps", each.start_mark)
                self.flatten_mapping(each)
                flat.extend(each.value)
        node.value = flat


Loader.add_constructor(PLAIN, lambda _, node: read_scalar(node.value))
Loader.add_constructor(MERGE, lambda _, node: node.value)


def merged(value: yaml.Node) -> Sequence[yaml.Node]:
    """The maps that << merges: one, or a list of them."""
    return value.value if isinstance(value, yaml.SequenceNode) else [value]


def without_marks(text: str) -> str:
    """The text without the byte order marks that editors put before documents."""
    return re.sub(r"^(---[^\n]*\n)\ufeff", r"\1", text.removeprefix("\ufeff"), flags=re.MULTILINE)


_BREAKS = {ord(character): f"\\u{ord(character):04x}" for character in "\x7f\x85\u2028\u2029"}


def without_breaks(text: str) -> str:
    """JSON with escapes for the characters that end a line in YAML, or are refused; any other text as it is."""
    escaped = text.translate(_BREAKS)
    if escaped == text:
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return escaped


# How JSON escapes a character of more than 16 bits. After an odd number of backslashes, it is not an escape.
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")


def without_pairs(text: str) -> str:
    """The text with other characters in place of surrogate pairs, which YAML refuses; positions do not change."""
    return _PAIR.sub(lambda found: found[1] + "_" * (found.end() - found.end(1)), text)


def with_pairs_joined(text: str) -> str:
    """The text with each surrogate pair as the one character that JSON means by it.

    Only between double quotes, where escapes are read. Raises YAMLError.
    """
    parts, last = list[str](), 0
    for event in yaml.parse(without_pairs(text), Loader=Loader):
        if isinstance(event, yaml.ScalarEvent) and event.style == '"' and event.start_mark and event.end_mark:
            start, end = event.start_mark.index, event.end_mark.index
            parts += [text[last:start], _PAIR.sub(_joined, text[start:end])]
            last = end
    return "".join([*parts, text[last:]])


def _joined(found: re.Match[str]) -> str:
    high, low = int(found[2], 16), int(found[3], 16)
    return found[1] + chr(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00)
