"""A document knows the line of each of its parts."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from federation.documents import Document, read_documents

TEXT = """\
# a comment
apiVersion: v1
metadata:
  name: a
  labels: &labels
    app: api
    tier: web
spec:
  ports:
    - name: http
      port: 80
    - {name: grpc,
       port: 90}
  selector: *labels
  merged:
    <<: *labels
    app: own
    list: [{<<: [{x: 1}, *labels]}]
---
second: 1

---

"third": |
  text
"""


def documents(folder: Path) -> list[Document]:
    (folder / "file.yaml").write_text(TEXT)
    return read_documents(folder, "file.yaml")


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ([], 2),
        (["apiVersion"], 2),
        (["metadata"], 3),
        (["metadata", "labels"], 5),
        (["metadata", "labels", "tier"], 7),
        (["metadata", "labels", "none"], 5),
        (["metadata", "none", "name"], 3),
        (["metadata", 0], 3),
        (["metadata", "name", "more"], 4),
        (["spec", "ports", 0], 10),
        (["spec", "ports", 0, "port"], 11),
        (["spec", "ports", 1], 12),
        (["spec", "ports", 1, "port"], 13),
        (["spec", "ports", 2], 9),
        (["spec", "ports", "port"], 9),
        (["spec", "selector"], 5),
        (["spec", "selector", "tier"], 7),
        (["spec", "merged", "app"], 17),
        (["spec", "merged", "tier"], 7),
        (["spec", "merged", "list", 0, "x"], 18),
        (["spec", "merged", "list", 0, "app"], 6),
        (["none"], 2),
    ],
)
def test_a_path_has_the_line_where_its_value_is_written(path: Sequence[str | int], line: int, tmp_path: Path) -> None:
    assert documents(tmp_path)[0].line(path) == line


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    _, second, third = documents(tmp_path)
    assert (second.value, second.line(), second.line(["second"])) == ({"second": 1}, 20, 20)
    assert (third.value, third.line(["third"])) == ({"third": "text\n"}, 24)


def test_an_empty_document_has_a_line(tmp_path: Path) -> None:
    (tmp_path / "file.yaml").write_text("a: 1\n---\n---\nb: 1\n")
    first, empty, last = read_documents(tmp_path, "file.yaml")
    assert (first.line(), empty.value, last.line(["b"])) == (1, None, 4)
    assert empty.line(["any"]) in (2, 3)
