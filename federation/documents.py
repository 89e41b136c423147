"""YAML files from anybody: read into plain values, and refused before they can do harm."""

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, cast

import yaml

from problems import shorten

if TYPE_CHECKING:
    _Reader = yaml.SafeLoader
else:
    # Many times faster, and there unless PyYAML was built without it.
    _Reader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

# A cluster stores no object of more than 1.5 MiB, and each comes wrapped in a federated one.
_FILE_BYTES = 2**20
# What a file may come to once its aliases are written out: characters, and so many more for each value.
_WEIGHT, _VALUE_WEIGHT = 2**21, 20
_DEPTH = 64
_MERGE = "tag:yaml.org,2002:merge"
# The longest that Linux takes.
_PATH = 4095


class ManifestError(Exception):
    """A manifest file cannot be used; `problems` says why, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True)
class Document:
    """One document of a YAML file: its plain value, and where in the file each part of it is written."""

    value: Any
    _text: str
    _index: int

    def line(self, path: Sequence[str | int] = ()) -> int:
        """The line, from 1 up, of a path of map keys and list indexes, such as spec, ports, 0.

        It is that of the deepest part that is there. What is merged or an alias is where its value is written.
        """
        return _line(_nodes(self._text)[self._index], path)


def read_documents(folder: Path, file: str) -> list[Document]:
    """Reads every document of a YAML file in `folder`, as kubectl would. Raises ManifestError."""
    text = _text(folder, file)
    try:
        _check_bounds(text)
        return [Document(value, text, index) for index, value in enumerate(yaml.load_all(text, Loader=_Loader))]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = shorten(str(getattr(error, "problem", None) or "it cannot be read"), 200)[1:-1]
        raise ManifestError([f"not YAML{where}: {what}; mend the file"]) from None
    except ValueError as error:
        raise ManifestError([f"holds a value that cannot be read ({error}); put it in quotes"]) from None


def not_plain(value: Any, path: str = "") -> Iterator[str]:
    """Yields what of a document no JSON can say, which is what an API server takes."""
    match value:
        case dict():
            for key, each in cast(dict[Any, Any], value).items():
                if isinstance(key, str):
                    yield from not_plain(key, path or "a key")
                    yield from not_plain(each, f"{path}.{shorten(key)[1:-1]}")
                else:
                    yield f"{path or 'it'} has the key {shorten(key)}, which is no text; put it in quotes"
        case list():
            for index, each in enumerate(cast(list[Any], value)):
                yield from not_plain(each, f"{path}[{index}]")
        case str() if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            yield f"{path} has half a character in {shorten(value)}; mend the text"
        case float() if not math.isfinite(value):
            yield f"{path} is {value}; write a number, or put it in quotes"
        case int() if abs(value) > 2**53:
            yield f"{path} is a number of more than 53 bits; put it in quotes"
        case None | bool() | str() | int() | float():
            pass
        case _:
            yield f"{path} is {shorten(value)}; put it in quotes"


def _text(folder: Path, file: str) -> str:
    if len(file) > _PATH:
        raise ManifestError(["cannot be read: the path is too long; write that of a file in the project's folder"])
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        raise ManifestError(
            ["outside the project; write a path below the project's folder, such as workloads/job.yaml"]
        )
    try:
        whole = (folder / path).resolve()
        if not whole.is_relative_to(folder.resolve()):
            raise ManifestError(["a link that leads out of the project; write the path of a file inside it"])
        # What is no file, such as a pipe, could be waited for without end.
        if whole.exists() and not whole.is_file():
            raise ManifestError(["cannot be read: not a file; write the path of one"])
        with whole.open("rb") as content:
            data = content.read(_FILE_BYTES + 1)
    except FileNotFoundError:
        raise ManifestError(["no such file; write the path of one, seen from the project's folder"]) from None
    except (OSError, ValueError, RuntimeError) as error:
        raise ManifestError([f"cannot be read: {getattr(error, 'strerror', None) or error}"]) from None
    if len(data) > _FILE_BYTES:
        raise ManifestError(
            ["larger than 1 MiB, which no cluster takes; split it, or keep its data in a bucket or an image"]
        )
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ManifestError(["not UTF-8 text; save the file as UTF-8"]) from None


class _Loader(_Reader):
    """Reads plain values; a date is the text that is written there, as kubectl has it."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


# Composed again only where a mistake is told: the nodes of a file take many times the room of its values.
@functools.lru_cache(maxsize=1)
def _nodes(text: str) -> Sequence[yaml.Node]:
    return list(yaml.compose_all(text, Loader=_Loader))


def _line(node: yaml.Node, path: Sequence[str | int]) -> int:
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
    """Where a part of a map or list is, and what is there: of a map, its own keys before merged ones."""
    if isinstance(node, yaml.SequenceNode):
        found = isinstance(part, int) and 0 <= part < len(node.value)
        return (node.value[part], node.value[part]) if found else None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in reversed(node.value):
        if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE and key.value == part:
            return key, value
    for key, value in reversed(node.value):
        if key.tag == _MERGE:
            for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                entry = _entry(each, part)
                if entry:
                    return entry
    return None


def _check_bounds(text: str) -> None:
    """Refuses what would grow or nest without bound, before anything is built of it.

    Raises ManifestError, and YAMLError for what is none.
    """
    whole, weights = 0, dict[str | None, int]()
    # The anchors of what is open, and what came before each.
    inside: list[tuple[str | None, int]] = []
    for event in yaml.parse(text, Loader=_Loader):
        anchor: str | None = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == outer for outer, _ in inside):
                raise ManifestError([f"alias {shorten(anchor)[1:-1]} is inside of what it stands for; write it out"])
            # Undefined, it is refused when it is read.
            whole += weights.get(anchor, 0)
        elif isinstance(event, yaml.ScalarEvent):
            weights[anchor] = _VALUE_WEIGHT + len(event.value)
            whole += weights[anchor]
        elif isinstance(event, yaml.CollectionStartEvent):
            inside.append((anchor, whole))
            whole += _VALUE_WEIGHT
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = inside.pop()
            weights[anchor] = whole - before
        tag: str | None = getattr(event, "tag", None)
        if tag not in (None, "!", "tag:yaml.org,2002:str"):
            raise ManifestError([f"has the tag {shorten(tag)}, which Kubernetes objects do without; take it out"])
        if len(inside) > _DEPTH:
            raise ManifestError([f"nested more than {_DEPTH} deep, as no Kubernetes object is; mend the file"])
        if whole > _WEIGHT:
            raise ManifestError(["comes to more than 2 MiB once its aliases are written out; split it"])
