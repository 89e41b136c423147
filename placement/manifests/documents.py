"""Reads YAML files into plain values, and refuses those that are too large, too deep or not plain.

It does not know what the values mean (manifests.py does), nor how kubectl reads a scalar (scalars.py).
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast

import yaml

from placement.manifests.yaml_lines import line_of, repeated_keys
from placement.manifests.yaml_reader import Loader, with_pairs_joined, without_breaks, without_marks, without_pairs
from problems import shorten

# A cluster stores no object of more than 1.5 MiB, and each is wrapped in a federated one.
_FILE_BYTES = 2**20
# How large a file may be once its aliases are written out: characters, and so many more for each value.
_WEIGHT, _VALUE_WEIGHT = 2**21, 20
_DEPTH = 64
# The longest that Linux takes.
_PATH = 4095


class ManifestError(Exception):
    """A manifest file cannot be used; `problems` says why, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(problems))


@dataclass(frozen=True)
class Document:
    """One document of a YAML file: its plain value, and where in the file each part of it is written.

    `repeated` has a line and a sentence for each key that appears twice in one map.
    """

    value: Any
    repeated: Sequence[tuple[int, str]]
    _text: str
    _index: int

    def line(self, path: Sequence[str | int] = ()) -> int:
        """The line, from 1 up, of a path of map keys and list indexes, such as spec, ports, 0.

        It is the line of the deepest part that exists; of a merged value or an alias, where the value is written.
        """
        return line_of(self._text, self._index, path)


def read_documents(folder: Path, file: str) -> list[Document]:
    """Reads every document of a YAML file in `folder`, as kubectl would. Raises ManifestError."""
    # kubectl reads a last line without an end as if it had one; a block of text would lose its end otherwise.
    text = without_breaks(without_marks(read_text(folder, file))).removesuffix("\n") + "\n"
    try:
        plain = without_pairs(text)
        _check_bounds(plain)
        return list(_documents(text if plain == text else with_pairs_joined(text)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        what = shorten(str(why), 200)[1:-1]
        raise ManifestError([f"not YAML{where}: {what}; fix the file"]) from None


def _documents(text: str) -> Iterator[Document]:
    loader, index = Loader(text), 0
    while loader.check_node():
        node = loader.get_node()
        if node is not None:
            # Before the document is read, since reading puts merged values into it.
            repeated = list(repeated_keys(node))
            value = loader.construct_document(node)  # pyright: ignore[reportUnknownMemberType]
            yield Document(value, repeated, text, index)
        index += 1


def not_plain(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[Sequence[str | int], str]]:
    """Yields the path of each value that JSON, and so an API server, does not have, and what is wrong with it."""
    match value:
        case dict():
            for key, each in cast(dict[Any, Any], value).items():
                if isinstance(key, str):
                    yield from ((path, f"a key of {text}") for _, text in not_plain(key, path))
                    yield from not_plain(each, (*path, key))
                else:
                    also = ", as kubectl reads y, yes and on too" if key is True else ""
                    also = ", as kubectl reads n, no and off too" if key is False else also
                    yield path, f"{_dotted(path)} has the key {shorten(key)}{also}, which is not text; put it in quotes"
        case list():
            for index, each in enumerate(cast(list[Any], value)):
                yield from not_plain(each, (*path, index))
        case str() if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            yield path, f"{_dotted(path)} has half a character in {shorten(value)}; fix the text"
        case float() if not math.isfinite(value):
            yield path, f"{_dotted(path)} is {value}; write a number, or put it in quotes"
        case int() if abs(value) > 2**53:
            yield path, f"{_dotted(path)} is a number of more than 53 bits; put it in quotes"
        case None | bool() | str() | int() | float():
            pass
        case _:
            yield path, f"{_dotted(path)} is {shorten(value)}; put it in quotes"


def _dotted(path: Sequence[str | int]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{shorten(part)[1:-1]}" for part in path)
    return "".join(parts).removeprefix(".") or "it"


def read_text(folder: Path, file: str, most: int = _FILE_BYTES) -> str:
    """The text of a file below `folder`, of at most so many bytes. Raises ManifestError."""
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
            raise ManifestError(["a link to a file outside the project; write the path of a file inside it"])
        # Reading what is not a file, such as a pipe, could block forever.
        if whole.exists() and not whole.is_file():
            raise ManifestError(["cannot be read: not a file; write the path of one"])
        with whole.open("rb") as content:
            data = content.read(most + 1)
    except FileNotFoundError:
        raise ManifestError(["no such file; write the path of one, seen from the project's folder"]) from None
    except (OSError, ValueError, RuntimeError) as error:
        raise ManifestError([f"cannot be read: {getattr(error, 'strerror', None) or error}"]) from None
    if len(data) > most:
        advice = "split it, or keep its data in a bucket or an image"
        raise ManifestError([f"larger than {most // 2**20} MiB, which no cluster takes; {advice}"])
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ManifestError(["not UTF-8 text; save the file as UTF-8"]) from None


def _check_bounds(text: str) -> None:
    """Refuses what would grow or nest without bound, before any value is built.

    Raises ManifestError, and YAMLError for text that is not YAML.
    """
    whole, weights = 0, dict[str | None, int]()
    # The anchor of each open collection, and the weight before it.
    inside: list[tuple[str | None, int]] = []
    for event in yaml.parse(text, Loader=Loader):
        anchor: str | None = getattr(event, "anchor", None)
        if isinstance(event, yaml.AliasEvent):
            if any(anchor == outer for outer, _ in inside):
                raise ManifestError([f"alias {shorten(anchor)[1:-1]} is inside its own value; write it out"])
            # An undefined one is refused when the document is read.
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
        if tag not in (None, "tag:yaml.org,2002:str"):
            raise ManifestError([f"has the tag {shorten(tag)}, which Kubernetes objects do not have; remove it"])
        if len(inside) > _DEPTH:
            raise ManifestError([f"nested more than {_DEPTH} deep, as no Kubernetes object is; fix the file"])
        if whole > _WEIGHT:
            raise ManifestError(["is more than 2 MiB once its aliases are written out; split it"])
