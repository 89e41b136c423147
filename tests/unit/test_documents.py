"""Files are read as kubectl reads them, and a document knows the line of each of its parts."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from placement.manifests.documents import Document, ManifestError, read_documents
from tests.readings import FILES, SCALARS, TEXTS

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


def of(folder: Path, text: str) -> list[Document]:
    (folder / "file.yaml").write_bytes(text.encode())
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
    assert of(tmp_path, TEXT)[0].line(path) == line


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    _, second, third = of(tmp_path, TEXT)
    assert (second.value, second.line(), second.line(["second"])) == ({"second": 1}, 20, 20)
    assert (third.value, third.line(["third"])) == ({"third": "text\n"}, 24)


def test_an_empty_document_has_a_line(tmp_path: Path) -> None:
    first, empty, last = of(tmp_path, "a: 1\n---\n---\nb: 1\n")
    assert (first.line(), empty.value, last.line(["b"])) == (1, None, 4)
    assert empty.line(["any"]) in (2, 3)


def exact(value: Any) -> str:
    """As text, in which 1 is neither 1.0 nor true."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("text", SCALARS)
def test_a_value_without_quotes_is_what_kubectl_takes_it_for(text: str, tmp_path: Path) -> None:
    (document,) = of(tmp_path, f"x: {text}\n")
    assert exact(document.value["x"]) == exact(SCALARS[text])


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_built_of_values_is_what_kubectl_makes_of_it(text: str, tmp_path: Path) -> None:
    (document,) = of(tmp_path, text)
    assert exact(document.value["x"]) == exact(TEXTS[text])


@pytest.mark.parametrize("text", FILES)
def test_a_file_has_the_objects_that_kubectl_reads(text: str, tmp_path: Path) -> None:
    objects = [each.value for each in of(tmp_path, text) if each.value]
    assert exact([each["x"] for each in objects]) == exact(FILES[text])
    assert {each["apiVersion"] for each in objects} == {"v1"}


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("limits: 1\nrequests: 2\nlimits: 3\n", [(3, 'key "limits" appears twice, in lines 1 and 3; keep one')]),
        ('a: {b: 1, "b": 2}\n', [(1, 'key "b" appears twice, in line 1; keep one')]),
        ("a: 1\na: 2\nb:\n- c: 1\n  c: 2\n", [(2, "twice"), (5, "lines 4 and 5")]),
        ("a: 1\na: 2\na: 3\n", [(2, "3 times, first in lines 1 and 2")]),
        ("a: &a {x: 1,\n x: 2}\nb: [*a, *a]\n", [(2, 'key "x"')]),
        ("a: &a {x: 1}\nb: {<<: *a, <<: *a, x: 2}\n", []),
        ("a: {x: 1}\nb: {x: 1}\n", []),
    ],
)
def test_a_key_that_is_twice_in_a_map_is_told_with_both_lines(
    text: str, repeated: list[tuple[int, str]], tmp_path: Path
) -> None:
    (document,) = of(tmp_path, text)
    assert [line for line, _ in document.repeated] == [line for line, _ in repeated]
    assert all(words in reported for (_, reported), (_, words) in zip(document.repeated, repeated, strict=True))


@pytest.mark.parametrize(
    "text",
    [r'x: "\ud83d"', r'x: "\ude00\ud83d"', r'x: "\ud83d\\ude00"', "x: {<<: 1}", "x: {<<: [1]}", "x: a: b", "x: \x7f"],
)
def test_what_kubectl_cannot_read_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"not YAML.+; fix the file"):
        of(tmp_path, text)
