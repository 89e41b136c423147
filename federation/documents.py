"""YAML files from anybody: read into plain values, and refused before they can do harm."""

import math
from collections.abc import Iterator, Sequence
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
# The longest that Linux takes.
_PATH = 4095


class ManifestError(Exception):
    """A manifest file cannot be used; `problems` says why, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(problems))


def read_documents(folder: Path, file: str) -> list[Any]:
    """Reads every document of a YAML file in `folder`, as kubectl would. Raises ManifestError."""
    text = _text(folder, file)
    try:
        _check_bounds(text)
        return list(yaml.load_all(text, Loader=_Loader))
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
