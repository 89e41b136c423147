"""tests/readings.py says what kubectl, as the local stack has it, reads."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.readings import FILES, HEAD, SCALARS, TEXTS
from tools.build import build
from tools.modules import MODULES

Read = Callable[[str], list[Any]]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """What kubectl reads in a file: the value of x in each object."""
    folder = tmp_path_factory.mktemp("readings")
    kubectl = build([each for each in MODULES if each.name == "kubernetes"])["kubectl"]
    return lambda text: _read(kubectl, folder / "file.yaml", text)


def _read(kubectl: Path, file: Path, text: str) -> list[Any]:
    file.write_bytes(text.encode())
    # It sends no request to a cluster, as create --dry-run would.
    command = [kubectl, "annotate", "--local", "-o", "json", "-f", file, "by=test"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found, decoder, output = list[Any](), json.JSONDecoder(), done.stdout.strip()
    while output:
        each, end = decoder.raw_decode(output)
        found.append(each.get("x"))
        output = output[end:].strip()
    return found


def _exact(value: Any) -> str:
    """As text, in which 1 is neither 1.0 nor true."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("table", [{f"x: {text}\n": value for text, value in SCALARS.items()}, TEXTS])
def test_texts_are_what_kubectl_reads(table: dict[str, Any], read: Read) -> None:
    ended = [text if text.endswith("\n") else f"{text}\n" for text in table]
    values = read("---\n".join(HEAD + text for text in ended))
    assert {text: _exact(value) for text, value in zip(table, values, strict=True)} == {
        text: _exact(value) for text, value in table.items()
    }


@pytest.mark.parametrize("file", [*FILES, *(HEAD + text for text in TEXTS if not text.endswith("\n"))])
def test_files_are_what_kubectl_reads(file: str, read: Read) -> None:
    expected = FILES[file] if file in FILES else [TEXTS[file.removeprefix(HEAD)]]
    assert _exact(read(file)) == _exact(expected)
