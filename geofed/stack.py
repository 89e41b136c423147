"""A stack of this folder, as its file has it: its settings without what is encrypted."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from geofed.mistake import Mistake
from problems import one_of
from settings import Settings, parse
from stack_file import Unreadable, misspelt, read_stack_file

PREFIX = "geo-federation:"


def read_settings(stack: str) -> Settings:
    """The settings in a stack's file of this folder, without what is encrypted. Raises Mistake or SettingsError."""
    # A stack's full name has its owner and project in front.
    file = Path(f"Pulumi.{stack.rpartition('/')[2]}.yaml")
    if not file.exists():
        known = [each.name.split(".")[1] for each in Path().glob("Pulumi.*.yaml")]
        raise Mistake(f"--stack: there is no {file} in this folder; write {one_of(stack, known)}")
    try:
        content = read_stack_file(file)
    except Unreadable as error:
        raise Mistake(str(error)) from None
    config = cast(Any, content).get("config") if isinstance(content, Mapping) else None
    if not isinstance(config, Mapping):
        raise Mistake(f"{file} has no config; write one, as the README shows")
    values = {str(key): value for key, value in cast(Mapping[Any, Any], config).items()}
    raw = {key.removeprefix(PREFIX): _without_secrets(values[key]) for key in values if key.startswith(PREFIX)}
    raw |= dict.fromkeys(misspelt(values, PREFIX.removesuffix(":")), "")
    # Of the project, only whether there is one is looked at.
    return parse({key: value for key, value in raw.items() if value is not None}, Path.cwd(), values.get("gcp:project"))


def _without_secrets(value: Any) -> Any:
    """A setting without what is encrypted; Pulumi keeps maps and lists as they are, or as JSON."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return _open(value)


def _open(value: Any) -> Any:
    if isinstance(value, Mapping):
        items = cast(Mapping[Any, Any], value).items()
        return None if _is_secret(value) else {str(key): _open(each) for key, each in items if not _is_secret(each)}
    return (
        [_open(each) for each in cast(list[Any], value) if not _is_secret(each)] if isinstance(value, list) else value
    )


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and list(cast(Mapping[Any, Any], value)) == ["secure"]
