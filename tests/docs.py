"""The commands and settings of the docs, read from their pages, and commands that no test can run."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

ROOT = Path(__file__).parents[1]
# Those whose commands users type in.
GUIDES = ("README.md", "CONTRIBUTING.md", "docs/operations.md")
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
_PROGRAMS = ("gcloud", "git", "go", "kubectl", "make", "pip", "pulumi", "pytest", "python", "uv")
_LEFT_OUT = "..."

_GOOGLE = "it needs Google Cloud, and changes the machine"
_SETS_UP = "tests/e2e/test_setup.py runs it in a folder without an environment"
NOT_HERE = {
    "make test": "this is a part of it",
    "make unit": "`make test` runs it first",
    "make PYTHON=python3.12 unit": "it needs another Python, and the workflow of pull requests has several",
    "make pytest": "`make unit` runs it",
    "make check": "`make unit` runs it",
    "make status ARGS=--watch": "it needs a terminal, and goes on until Ctrl-C",
    "pytest": "it is what `make pytest` runs",
    ".venv/bin/python -m pytest tests/e2e/test_crds.py --timeout 600": "`make test` runs that file",
    "make up": "it has created the stack on which this runs, and what it printed then is checked",
    "make down": "it ends the stack on which this runs, after the last test",
    "make tools": "`make up` builds them",
    "make api-schemas": "it compiles for minutes, and tests/unit/test_api_schemas.py checks what it writes",
    "make lock": "it queries a package registry for the newest versions",
    "make lock LOCKFLAGS=--upgrade": "it queries a package registry for the newest versions",
    "git diff tests/inventory": "the copy of the project in which this runs is no checkout",
    "go get MODULE@VERSION && go mod tidy": "it changes a pin",
    "python -m geofed explain --stack ai --free serving=1 --free serving-asia=0": (
        "the stack is the README's own, and tests/unit/test_docs.py explains it"
    ),
    "pulumi destroy": "tests/e2e/test_leaving.py runs it, for it takes down the stack on which this runs",
    "make last-release": "it takes this program for the last release's",
    "python -m geofed forget --stack NAME CLUSTER": "tests/e2e/test_leaving.py runs it, for it takes a member out",
    "uv venv": _SETS_UP,
    "uv pip sync --require-hashes requirements-dev.lock": _SETS_UP,
    "touch .venv/ready": _SETS_UP,
    "gcloud components install gke-gcloud-auth-plugin": _GOOGLE,
    "gcloud auth application-default login": _GOOGLE,
    "gcloud container clusters resize CLUSTER --node-pool POOL --num-nodes N --region REGION": (
        "it needs Google Cloud; nodes of the local stack are simulated"
    ),
    "pip install -r requirements.txt": "the lock has the same and more, and is what `make` installs",
    "pip install -r requirements-dev.txt": "the lock is made from it, and is what `make` installs",
    "pulumi install": "it fetches Google Cloud's plugin",
}
"""Commands that the tests of the docs do not run as they are, each with the reason."""


@dataclass(frozen=True)
class Command:
    """A command, where it is, and the lines that the page shows below it."""

    page: str
    text: str
    shown: tuple[str, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether all of its output is shown."""
        return _LEFT_OUT not in self.shown

    @property
    def lines(self) -> list[str]:
        """The lines that are shown, as far as they say something."""
        return [line for line in map(plain, self.shown) if line and line != _LEFT_OUT]

    def __str__(self) -> str:
        return f"{self.page}: {self.text}"


@functools.cache
def commands() -> list[Command]:
    """Every command of the guides, each once: those of blocks, with what is shown, before those of sentences."""
    found = [each for page in GUIDES for each in _of_page(page, (ROOT / page).read_text(encoding="utf-8"))]
    shown = {each.text for each in found if each.shown}
    first = {each.text: each for each in reversed(found) if each.text not in shown}
    return [*dict.fromkeys(each for each in found if each.shown), *first.values()]


def plain(line: str) -> str:
    """A line without what differs from run to run: spaces, seconds and ages, and the hashes in pods' names."""
    line = re.sub(r"\b(\d+(\.\d+)?(ms|[smhd]))+\b", "TIME", " ".join(line.split()))
    return re.sub(r"\b([a-z]+)-[0-9a-z]{8,10}-[0-9a-z]{5}\b", r"\1-HASH", line)


def fences(text: str) -> Iterator[tuple[str, list[str]]]:
    """The language and the lines of each block of a page."""
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield found[1], found[2].splitlines()


def stack_of(page: str) -> tuple[dict[str, Any], dict[str, str]]:
    """The settings of a page, whose blocks are parts of one stack, and its manifests by their path.

    A block of manifests is the file that the text before it names last.
    """
    text, settings, files = (ROOT / page).read_text(encoding="utf-8"), dict[str, Any](), dict[str, str]()
    for found in re.finditer(r"^```yaml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if found[1].startswith("config:"):
            parts = yaml.safe_load(found[1])["config"]
            _merge(settings, {name.removeprefix("geo-federation:"): part for name, part in parts.items()})
        else:
            files[re.findall(r"`(workloads/[-\w]+\.yaml)`", text[: found.start()])[-1]] = found[1]
    return settings, files


def _merge(into: dict[str, Any], part: Mapping[str, Any]) -> None:
    for key, value in part.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], cast(dict[str, Any], value))
        else:
            into[key] = value


def spans(text: str) -> list[str]:
    """What is set as code in a page's sentences."""
    sentences = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", sentences)]


def _of_page(page: str, text: str) -> Iterator[Command]:
    for language, lines in fences(text):
        if language == "console":
            # Lines before the first command are the output of none.
            for part in re.split(r"^\$ ", "\n".join(lines), flags=re.MULTILINE)[1:]:
                first, *shown = part.splitlines()
                yield Command(page, re.sub(r"\s+# .*", "", first), tuple(shown))
    for span in spans(text):
        if span.split()[0] in _PROGRAMS:
            yield Command(page, span)
