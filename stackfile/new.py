"""The file of a new stack, in which every setting is explained."""

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, cast

from problems import Schema
from stackfile.describe import default, flow, meaning, of_each, policies, resolve, what_to_write
from stackfile.sample import SAMPLE, Example
from stackfile.schema import FIRST_LINE, settings_of, stack_schema

WIDTH = 116


def stack_text(name: str) -> str:
    """The content of the file of a new stack."""
    schema = stack_schema()
    head = (
        f"The stack {name}. Each setting is explained where it first appears, and those left out are shown in comments."
    )
    lines = _Writer(schema).settings(settings_of(schema), SAMPLE, 2)
    return "\n".join([FIRST_LINE, *_comment(head, 0), "config:", *lines, ""])


class _Writer:
    """Writes settings as lines of YAML, and explains those of each model once."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.explained: set[str] = set()

    def settings(self, model: Schema, values: Mapping[str, Any], indent: int) -> Iterator[str]:
        """The settings of a model, the required ones first."""
        title = str(model.get("title"))
        explain = title not in self.explained
        self.explained.add(title)
        for name in sorted(model["properties"], key=lambda name: name not in model.get("required", [])):
            node = model["properties"][name]
            if explain:
                yield from self._explanation(name, node, model, indent)
            value = values.get(name)
            if isinstance(value, Example) and explain:
                yield from self._shown(name, node, value, indent)
            elif value is not None and not isinstance(value, Example):
                yield from self._setting(name, node, value, indent)

    def _shown(self, name: str, node: Schema, value: Example, indent: int) -> Iterator[str]:
        """A setting in a comment."""
        yield from (f"{' ' * indent}# {line[indent:]}" for line in self._setting(name, node, value.value, indent))

    def _setting(self, name: str, node: Schema, value: Any, indent: int) -> Iterator[str]:
        start, model, each = " " * indent, resolve(node, self.schema), of_each(node)
        if "properties" in model:
            yield f"{start}{name}:"
            yield from self.settings(model, value, indent + 2)
        elif each and isinstance(value, Mapping) and self._has_settings(each):
            yield f"{start}{name}:"
            for key, inner in cast(Mapping[str, Any], value).items():
                write = self._shown if isinstance(inner, Example) else self._setting
                yield from write(key, each, inner, indent + 2)
        elif each and isinstance(value, list) and self._has_settings(each):
            yield f"{start}{name}:"
            for inner in cast(list[Any], value):
                lines = list(self.settings(resolve(each, self.schema), inner, indent + 4))
                first = next(number for number, line in enumerate(lines) if not line.lstrip().startswith("#"))
                lines[first] = f"{start}  - {lines[first].lstrip()}"
                yield from lines
        else:
            yield f"{start}{name}: {flow(value)}"

    def _has_settings(self, node: Schema) -> bool:
        model = resolve(node, self.schema)
        below = of_each(model)
        return "properties" in model or (below is not None and self._has_settings(below))

    def _explanation(self, name: str, node: Schema, model: Schema, indent: int) -> Iterator[str]:
        yield from _comment(_description(name, node, model), indent)
        explained: set[str] = set()
        for policy, variant in policies(node, self.schema).items():
            yield from _comment(f"policy: {policy}. {variant['description']}", indent, 2)
            for key, each in variant["properties"].items():
                if key == "policy":
                    continue
                text = "as above" if key in explained else _description(key, each, variant)
                yield from _comment(f"{key}: {text}", indent, 4)
                inner = resolve(of_each(each) or {}, self.schema)
                for below, limit in inner.get("properties", {}).items() if key not in explained else ():
                    yield from _comment(f"{below}: {_description(below, limit, inner)}", indent, 6)
                explained.add(key)


def _description(name: str, node: Schema, model: Schema) -> str:
    """What to write for a setting, its default and its meaning."""
    left_out = default(name, node, model)
    shown = {"required": " (required)", "none": ""}.get(left_out, f" (default: {left_out})")
    return f"{what_to_write(node)}{shown}. {meaning(node)}"


def _comment(text: str, indent: int, further: int = 0) -> list[str]:
    start = f"{' ' * indent}# {' ' * further}"
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)
