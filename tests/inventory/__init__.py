"""The golden inventory: what the program registers for a stack, in text that is checked in.

A reviewer sees from it what a change does to every resource: its parent, provider, inputs and options. No choice of
inputs is kept by hand, so that a new one cannot be missed: all are there but secrets, and the schemas of CRDs and long
texts are told by a digest.
"""

import hashlib
import json
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from tests.unit.program import Asked, Run, run_of

FOLDER = Path(__file__).parent
STACKS = ("dev", "prod", "local")
COMMAND = "make inventory"

# Of a line, and of a text in characters.
_WIDTH, _LONG = 160, 200


def inventory(stack: str) -> str:
    """The text for a stack, each resource after its parent, in an order that no run changes."""
    run = run_of(stack)
    paths = _paths(run)
    blocks = ["\n".join(_block(each, paths)) for each in sorted(run.asked, key=lambda each: paths[each.urn])]
    outputs = [f"  {name}{' (secret)' if name in run.secret_outputs else ''}" for name in sorted(run.outputs)]
    head = f"# What the program registers for the stack {stack}. Do not edit: `{COMMAND}` writes it."
    return "\n\n".join([head, *blocks, "\n".join(["outputs", *outputs])]) + "\n"


def file_of(stack: str) -> Path:
    """Where the text for a stack is kept."""
    return FOLDER / f"{stack}.txt"


def _paths(run: Run) -> dict[str, list[tuple[str, str]]]:
    """What each resource is sorted by: types and names from its outermost parent down to itself."""
    by_urn = {each.urn: each for each in run.asked}

    def path(each: Asked) -> list[tuple[str, str]]:
        above = path(by_urn[each.parent]) if each.parent in by_urn else []
        return [*above, (each.type, each.name)]

    return {urn: path(each) for urn, each in by_urn.items()}


def _block(each: Asked, paths: Mapping[str, list[tuple[str, str]]]) -> Iterator[str]:
    """A line for the resource, and one for each thing that is said of it; its options come in brackets."""
    parent = f", child of {paths[each.urn][-2][1]}" if len(paths[each.urn]) > 1 else ""
    # A provider is named by its URN and its id.
    provider = f", by {_named(each.provider.rpartition('::')[0])}" if each.provider else ""
    yield f"{each.type} {each.name}{parent}{provider}"
    if each.dependencies:
        yield from textwrap.wrap(
            f"  [dependsOn] {' '.join(sorted(map(_named, each.dependencies)))}",
            _WIDTH,
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    options = dict(each.options) | {
        "deletedWith": _named(each.deleted_with),
        "protect": each.protect,
        "additionalSecretOutputs": sorted(each.additional_secrets),
    }
    for name, value in sorted(options.items()):
        if value:
            yield f"  [{name}] {value if isinstance(value, str) else _flow(value)}"
    inputs = dict(each.inputs)
    if each.type.startswith("kubernetes:"):
        metadata = dict(inputs.pop("metadata"))
        yield f"  object: {'/'.join(filter(None, (metadata.pop('namespace', ''), metadata.pop('name'))))}"
        # Its apiVersion and kind are in its type.
        inputs = {key: value for key, value in inputs.items() if key not in ("apiVersion", "kind")}
        inputs |= {f"metadata.{key}": value for key, value in metadata.items()}
    for name, value in sorted(inputs.items()):
        if name.partition(".")[0] in each.secrets:
            yield f"  {name}: (secret)"
        else:
            yield from _lines(f"  {name}", value)


def _named(urn: str) -> str:
    return urn.rpartition("::")[2]


def _lines(path: str, value: Any) -> Iterator[str]:
    """A value in one line where there is room, else in one for each of its parts, each with its whole path."""
    parts = _parts(value)
    line = f"{path}: {_flow(value)}"
    if parts and len(line) > _WIDTH:
        for step, part in parts:
            yield from _lines(f"{path}{step}", part)
    else:
        yield line


def _parts(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [(f".{key}", each) for key, each in sorted(cast(dict[str, Any], value).items())]
    if isinstance(value, list):
        return [(f"[{position}]", each) for position, each in enumerate(cast(list[Any], value))]
    return []


def _flow(value: Any) -> str:
    return json.dumps(_short(value), sort_keys=True, ensure_ascii=False)


def _short(value: Any) -> Any:
    """A value in which what is long is told by its digest, and no whole number has a fraction."""
    if isinstance(value, dict):
        found = cast(dict[str, Any], value)
        return {key: _digest(each) if key == "openAPIV3Schema" else _short(each) for key, each in found.items()}
    if isinstance(value, list):
        return [_short(each) for each in cast(list[Any], value)]
    if isinstance(value, str) and len(value) > _LONG:
        return f"{value.splitlines()[0][:40]}... {_digest(value)}"
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _digest(value: Any) -> str:
    return "digest " + hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
