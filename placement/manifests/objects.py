"""Splits a manifest file into objects: its documents, and the items of its lists, each with its line in the file.

It does not decide whether an object is valid (manifests.py does).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from placement.api.lookup import entries
from placement.manifests.documents import Document
from problems import one_line

Path = Sequence[str | int]
"""Map keys and list indexes, such as spec, ports, 0."""


@dataclass(frozen=True)
class Written:
    """One object as it is written in a file: its value, its place as messages name it, and its path in a document."""

    value: Any
    place: str
    document: Document
    path: tuple[str | int, ...] = ()

    def line(self, path: Path = ()) -> int:
        """The line, from 1 up, of a path of the object, or of the deepest part of it that exists."""
        return self.document.line((*self.path, *path))

    @property
    def body(self) -> Mapping[str, Any]:
        """The object, or an empty map if it is not a map."""
        return entries(self.value)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata, or an empty map if it has none."""
        return entries(self.body.get("metadata"))

    @property
    def title(self) -> str:
        """Its kind and name."""
        return one_line(f"{self.body.get('kind')} {self.metadata.get('name')}")


@dataclass(frozen=True)
class Mistake:
    """What is wrong with an object, at a path of it or in a line of the file."""

    written: Written
    text: str
    path: Path = ()
    line: int | None = None

    def __str__(self) -> str:
        line = self.written.line(self.path) if self.line is None else self.line
        return f"{self.written.place}, line {line}: {self.text}"


def objects(documents: Sequence[Document]) -> Iterator[Written]:
    """Yields every object of the documents, and in place of a list its items, which can be lists again."""
    for number, document in enumerate(documents, start=1):
        yield from _without_lists(Written(document.value, f"object {number}", document))


def _without_lists(written: Written) -> Iterator[Written]:
    kind, items = written.body.get("kind"), written.body.get("items")
    if not isinstance(kind, str) or not kind.endswith("List") or not isinstance(items, list):
        yield written
        return
    # The items of a ConfigMapList may leave out their kind.
    own = {"apiVersion": written.body.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
    for index, item in enumerate(cast(list[Any], items)):
        place, path = f"{written.place}, item {index + 1}", (*written.path, "items", index)
        yield from _without_lists(Written(_with_kind(item, own), place, written.document, path))


def _with_kind(item: Any, own: Mapping[str, Any]) -> Any:
    each = entries(item)
    return {**own, **each} if each and "kind" not in each else item
