"""Writes the reference of every setting as tables, from the schema of the stacks' files."""

from collections.abc import Iterator

from problems import Schema
from stackfile.describe import default, meaning, of_each, policies, resolve, what_to_write
from stackfile.schema import FIRST_LINE, PREFIX, settings_of

FILE = "docs/settings.md"

_HEAD = f"""\
# Settings

Made from the settings' models by `make schema`; edit their docstrings, not this page.

A stack's settings are in its file, `Pulumi.STACK.yaml`, under `config`. Unknown keys are errors, and every mistake is
reported at once, before anything is changed. `make new-stack NAME=staging` writes a file to start from. Editors with
the YAML language server complete and check the files by their first line, `{FIRST_LINE}`.
"""


def reference(schema: Schema) -> str:
    """The page, in Markdown."""
    return "\n".join([_HEAD, *_tables("", settings_of(schema), schema)])


def _tables(path: str, node: Schema, schema: Schema) -> Iterator[str]:
    """The table of a part, then those of the parts inside it."""
    yield from _table(node)
    for name, each in node["properties"].items():
        below, where = each, f"{path}.{name}".removeprefix(".").removeprefix(PREFIX)
        if policies(each, schema):
            yield from _policies(where, each, schema)
            continue
        while inner := of_each(below):
            where += ".NAME" if below["type"] == "object" else "[]"
            below = inner
        below = resolve(below, schema)
        if "properties" in below:
            yield f"## `{where}`\n\n{below['description']}\n"
            yield from _tables(where, below, schema)


def _policies(path: str, node: Schema, schema: Schema) -> Iterator[str]:
    yield f"## `{path}`\n\n{meaning(node)}\n"
    inner: dict[str, Schema] = {}
    for name, policy in policies(node, schema).items():
        parameters = {key: each for key, each in policy["properties"].items() if key != "policy"}
        yield f"### `policy: {name}`\n\n{policy['description']}\n"
        yield from _table(policy | {"properties": parameters})
        inner |= {key: each for key, each in parameters.items() if of_each(each)}
    for name, each in inner.items():
        model = resolve(of_each(each) or {}, schema)
        if "properties" in model:
            yield f"## `{path}.{name}.NAME`\n\n{model['description']}\n"
            yield from _table(model)


def _table(node: Schema) -> Iterator[str]:
    """One row for each setting, the required ones first."""
    yield "| setting | what to write | default | meaning |\n|---|---|---|---|"
    for name in sorted(node["properties"], key=lambda name: name not in node.get("required", [])):
        each = node["properties"][name]
        value = default(name, each, node)
        value = value if value in ("required", "none") else f"`{value}`"
        cells = f"`{name}`", what_to_write(each), value, meaning(each)
        yield f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
    yield ""
