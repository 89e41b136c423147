"""The objects of a manifest file: its documents, and the items of its lists."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from placement.documents import Document
from problems import one_line

Path = Sequence[str | int]
"""Map keys and list indexes, such as spec, ports, 0."""


@dataclass(frozen=True)
class Written:
    """One object as a file has it: its value, how messages call its place, and where in a document it is."""

    value: Any
    place: str
    document: Document
    path: tuple[str | int, ...] = ()

    def line(self, path: Path = ()) -> int:
        """The line, from 1 up, of a path of the object, or of the deepest part of it that is there."""
        return self.document.line((*self.path, *path))

    @property
    def body(self) -> Mapping[str, Any]:
        """The object, or an empty map where it is none."""
        return mapping(self.value)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """Its metadata, or an empty map where it has none."""
        return mapping(self.body.get("metadata"))

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


def mapping(value: Any) -> Mapping[str, Any]:
    """The value, or an empty map where it is no map."""
    return cast(Mapping[str, Any], value) if isinstance(value, Mapping) else {}


def objects(documents: Sequence[Document]) -> Iterator[Written]:
    """Yields every object; that of a list are its items, and those of the lists among them."""
    for number, document in enumerate(documents, start=1):
        yield from _objects(Written(document.value, f"object {number}", document))


def _objects(written: Written) -> Iterator[Written]:
    kind, items = written.body.get("kind"), written.body.get("items")
    if not isinstance(kind, str) or not kind.endswith("List") or not isinstance(items, list):
        yield written
        return
    # The items of a ConfigMapList may leave out what they are.
    own = {"apiVersion": written.body.get("apiVersion"), "kind": kind.removesuffix("List")} if kind != "List" else {}
    for index, item in enumerate(cast(list[Any], items)):
        place, path = f"{written.place}, item {index + 1}", (*written.path, "items", index)
        yield from _objects(Written(_with_kind(item, own), place, written.document, path))


def _with_kind(item: Any, own: Mapping[str, Any]) -> Any:
    each = mapping(item)
    return {**own, **each} if each and "kind" not in each else item
