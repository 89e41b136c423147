"""The workflows and their own actions, read from their files."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))


@dataclass(frozen=True)
class Job:
    """A job of a workflow; every value is text, as it is in the file."""

    file: str
    name: str
    body: Mapping[str, Any]

    @property
    def steps(self) -> list[Mapping[str, Any]]:
        """Its steps, with those of the project's own actions in their place."""
        return list(_with_actions(self.body.get("steps", [])))

    @property
    def script(self) -> str:
        """All that its steps run."""
        return "\n".join(step.get("run", "") for step in self.steps)

    def __str__(self) -> str:
        return f"{self.file} {self.name}"


def read(file: Path) -> dict[str, Any]:
    # Its basic loader takes the key `on` for no truth value.
    return yaml.load(file.read_text(encoding="utf-8"), yaml.BaseLoader)


@functools.cache
def jobs() -> list[Job]:
    """Every job of every workflow."""
    return [Job(file.name, name, body) for file in WORKFLOWS for name, body in read(file)["jobs"].items()]


def job(file: str, name: str) -> Job:
    (found,) = (each for each in jobs() if (each.file, each.name) == (file, name))
    return found


def _with_actions(steps: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for step in steps:
        if step.get("uses", "").startswith("./.github/actions/"):
            yield from _with_actions(read(ROOT / step["uses"] / "action.yml")["runs"]["steps"])
        else:
            yield step
