"""Reads a stack's file: values, keys that are misspelt, and the line of a setting, which mistakes are reported with."""

import difflib
import functools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import yaml

from problems import Problem, one_line

MERGE = "tag:yaml.org,2002:merge"
DEPTH = 64
"""So deep no setting is nested; far below Python's limit of recursion."""
_TOO_DEEP = functools.reduce(lambda inner, _: [inner], range(DEPTH), list[Any]())


def stack_file(folder: Path, stack: str) -> Path:
    """The path, from the project's folder, at which Pulumi keeps a stack's settings by default."""
    try:
        project: Any = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        project = None
    below = cast(Mapping[str, Any], project).get("stackConfigDir") if isinstance(project, Mapping) else None
    return Path(str(below or "")) / f"Pulumi.{stack}.yaml"


class Unreadable(Exception):
    """A stack's file cannot be read or is not YAML; the message says where and why."""


def read_stack_file(file: Path) -> Any:
    """The content of a stack's file. Raises Unreadable."""
    try:
        return yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        mark, why = getattr(error, "problem_mark", None), getattr(error, "problem", None) or error
        line = f":{mark.line + 1}" if mark else ""
        raise Unreadable(f"{file}{line} cannot be read: {' '.join(str(why).split())}") from None


def plain_value(text: str | None) -> Any:
    """A setting, as Pulumi keeps it, as plain values; text that is not JSON is returned unchanged.

    What is nested too deep to be read is returned as something else that is too deep.
    """
    try:
        return json.loads(text or "null")
    except ValueError:
        return text
    except RecursionError:
        return _TOO_DEEP


def locate(problems: Sequence[Problem], folder: Path, stack: str, prefix: str) -> list[Problem]:
    """The problems, each with the file and line of its setting where the stack's file has it.

    A missing setting is reported with the line of what lacks it. `prefix` is the start of the project's own keys in the
    file, such as "geo-federation:".
    """
    file = stack_file(folder, stack)
    try:
        text = (folder / file).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return list(problems)
    above = {each.setting: each.setting.rpartition(".")[0] for each in problems if each.value is None}
    lines = find_lines(text, prefix, [*(each.setting for each in problems), *filter(None, above.values())])
    found = [lines.get(each.setting) or lines.get(above.get(each.setting, "")) for each in problems]
    return [
        replace(each, place=f"{file.as_posix()}:{line}") if line else each
        for each, line in zip(problems, found, strict=True)
    ]


def find_lines(text: str, prefix: str, settings: Iterable[str]) -> dict[str, int]:
    """The lines, from 1 up, of those settings that the text of a stack's file has; none if it is not YAML.

    The settings are dotted paths, as problems have them.
    """
    try:
        root: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return {}
    config = _entries(root).get("config")
    below = _entries(config[1]) if config else {}
    own = {key.removeprefix(prefix): entry for key, entry in below.items()}
    found = ((setting, _find(own, setting)) for setting in settings)
    return {setting: line for setting, line in found if line is not None}


Entries = dict[str, tuple[yaml.Node, yaml.Node]]
"""The node of each key of a map or index of a list, and the node of its value."""


def _find(entries: Entries, path: str) -> int | None:
    if path in entries:
        return entries[path][0].start_mark.line + 1
    # A key can contain dots.
    for key, (_, below) in entries.items():
        if path.startswith(f"{key}."):
            line = _find(_entries(below), path.removeprefix(f"{key}."))
            if line is not None:
                return line
    return None


def _entries(node: yaml.Node | None, seen: set[int] | None = None) -> Entries:
    """The direct entries of a map or a list: its own keys override merged ones, the last of equal keys is used."""
    if isinstance(node, yaml.SequenceNode):
        return {str(index): (each, each) for index, each in enumerate(node.value)}
    # A map can be merged into itself.
    seen = set() if seen is None else seen
    if not isinstance(node, yaml.MappingNode) or id(node) in seen:
        return {}
    seen.add(id(node))
    merged, own = Entries(), Entries()
    for key, value in node.value:
        if key.tag == MERGE:
            for each in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                merged = _entries(each, seen) | merged
        elif isinstance(key, yaml.ScalarNode):
            own[one_line(key.value)] = (key, value)
    return merged | own


def misspelt(keys: Collection[str], project: str) -> list[str]:
    """The keys of a stack's file whose project is misspelt: nearly this one's name.

    They would be ignored, and the resources of the settings in them deleted.
    """
    owners = {key.partition(":")[0] for key in keys} - {project}
    misspelt_names = difflib.get_close_matches(project, owners, n=len(owners) or 1, cutoff=0.85)
    return [key for key in keys if key.partition(":")[0] in misspelt_names]
