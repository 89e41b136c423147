"""Describes a setting as text, from the schema of the stacks' files."""

from collections.abc import Mapping
from typing import Any, cast

import yaml

from problems import Schema


def resolve(node: Schema, schema: Schema) -> Schema:
    """The model that a part of a schema refers to, also where it can be null; any other part itself."""
    for option in node.get("anyOf", []):
        if "$ref" in option:
            node = option
    return schema["$defs"][str(node["$ref"]).rpartition("/")[2]] if "$ref" in node else node


def of_each(node: Schema) -> Schema | None:
    """The schema of each value of a map or each item of a list; None for any other part of a schema."""
    below = [*node.get("patternProperties", {}).values(), node.get("additionalProperties"), node.get("items")]
    return next((cast(Schema, each) for each in below if isinstance(each, dict)), None)


def policies(node: Schema, schema: Schema) -> Mapping[str, Schema]:
    """The variants of a part of a schema, by policy; most parts have none."""
    return {
        name: resolve({"$ref": reference}, schema)
        for name, reference in node.get("discriminator", {}).get("mapping", {}).items()
    }


def what_to_write(node: Schema) -> str:
    """What to write for a setting, in a few words."""
    return str(node.get("description", "")).partition("\n")[0]


def meaning(node: Schema) -> str:
    """What a setting means, in sentences."""
    return " ".join(str(node.get("description", "")).partition("\n")[2].split())


def default(name: str, node: Schema, parent: Schema) -> str:
    """The default of a setting as text, or that it is required."""
    if name in parent.get("required", []):
        return "required"
    return flow(node["default"]) if node.get("default") not in (None, "") else "none"


def flow(value: Any) -> str:
    """A plain value as one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=float("inf"))
    return text.removesuffix("...\n").strip()
