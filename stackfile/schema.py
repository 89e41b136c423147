"""Makes the JSON Schema of the stacks' files from the models of the settings; editors complete and check by it."""

import re
from typing import Any, cast

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import WithDefaultSchema

from problems import Schema
from settings import Stack

FILE = "stack.schema.json"
FIRST_LINE = f"# yaml-language-server: $schema={FILE}"
"""The first line of a stack's file, by which editors find the schema."""
PREFIX = "geo-federation:"
"""The prefix of the project's own settings in a stack's file."""

_GOOGLE_PROJECT = {
    "type": "string",
    "minLength": 1,
    "description": "the id of your Google Cloud project\n\nAll resources are made in it.",
}
# Other keys that Pulumi keeps in a stack's file.
_PULUMI = {
    "environment": {"description": "Pulumi ESC environments, with settings that are not in this file"},
    "secretsprovider": {"type": "string", "description": "what encrypts the secrets of this stack"},
    "encryptedkey": {"type": "string", "description": "written by Pulumi: the key of the secrets, encrypted"},
    "encryptionsalt": {"type": "string", "description": "written by Pulumi: the salt of the passphrase"},
}


class _Generator(GenerateJsonSchema):
    """Leaves out titles, which would repeat names, and adds the defaults that a function makes."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def get_default_value(self, schema: WithDefaultSchema) -> Any:
        factory = cast(Any, schema.get("default_factory"))
        return factory() if factory else super().get_default_value(schema)


def stack_schema() -> Schema:
    """The schema of Pulumi.STACK.yaml, in which only settings of other providers may be unknown."""
    stack: Schema = _tidy(Stack.model_json_schema(schema_generator=_Generator))
    settings = {"gcp:project": _GOOGLE_PROJECT} | {PREFIX + key: each for key, each in stack["properties"].items()}
    config = {
        "type": "object",
        "description": "the settings of the stack",
        "properties": settings,
        "propertyNames": {"anyOf": [{"enum": list(settings)}, {"pattern": f"^(?!{PREFIX})[^:]+:."}]},
    }
    required = ["gcp:project", *(PREFIX + key for key in stack["required"])]
    return {
        # The draft that editors support best.
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A stack of geo-federation",
        "description": "Made from the settings' models by `make schema`.",
        "type": "object",
        "properties": {"config": config} | _PULUMI,
        "additionalProperties": False,
        # An environment can have settings that the file lacks.
        "anyOf": [
            {"required": ["environment"]},
            {"required": ["config"], "properties": {"config": {"required": required}}},
        ],
        "$defs": stack["$defs"],
    }


def settings_of(schema: Schema) -> Schema:
    """The part of the stacks' schema that describes the settings, and which of them are required."""
    return schema["properties"]["config"] | schema["anyOf"][1]["properties"]["config"]


def _tidy(node: Any) -> Any:
    """A part of a schema with the lines of each paragraph joined, and maps that allow only keys of their pattern."""
    if isinstance(node, list):
        return [_tidy(each) for each in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    tidy = {key: _tidy(each) for key, each in cast(Schema, node).items()}
    if isinstance(tidy.get("description"), str):
        tidy["description"] = re.sub(r"(?<!\n)\n(?!\n)", " ", tidy["description"])
    # Pydantic allows other keys.
    return tidy | {"additionalProperties": False} if "patternProperties" in tidy else tidy
