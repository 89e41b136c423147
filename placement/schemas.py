"""Holds objects against the schemas of Kubernetes' own API, before they are sent anywhere."""

import base64
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from placement.kinds import BUILT_IN, SECRETS, TargetType
from placement.pod_requests import is_extended
from placement.quantities import is_quantity
from problems import one_line, one_of, shorten

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

FILE = Path(__file__).with_name("api_schemas.json")
"""Made by make api-schemas: a JSON schema in which each kind and type of the API is a definition."""
METADATA = "meta.v1.ObjectMeta"
"""The definition of every object's metadata."""

Steps = tuple[str | int, ...]
"""A path inside an object: keys, and indexes of lists."""
Mistakes = Iterator[tuple[Steps, str]]
"""Mistakes of an object: the path of each, and in words the value there and what to write instead."""

_Schema = Mapping[str, Any]


def definition(target: TargetType) -> str:
    """The name of a built-in kind's definition."""
    return f"{(target.group or 'core').partition('.')[0]}.{target.version}.{target.kind}"


def version() -> str:
    """The version of Kubernetes whose API this is, such as 1.35."""
    return str(_file()["version"]).removeprefix("v").rpartition(".")[0]


def dotted(path: Steps) -> str:
    """A path as it can stand in a message, such as spec.ports.0."""
    return ".".join(one_line(str(step)) for step in path)


def normal(body: Mapping[str, Any], target: TargetType) -> dict[str, Any]:
    """An object as the API reads it: a field of null is absent, and null in a map or a list is the empty value there.

    Of a kind that is not built in, only the metadata's fields are known.
    """
    if target.config_name in BUILT_IN:
        return _normal(body, _definition(definition(target)))
    metadata = {"metadata": _normal(body["metadata"], _definition(METADATA))} if "metadata" in body else {}
    return {**body, **metadata}


def schema_mistakes(body: Mapping[str, Any], target: TargetType) -> Mistakes:
    """Yields where a normal object is not as the API's schema says; of a kind that is not built in, its metadata."""
    private = target == SECRETS
    known = target.config_name in BUILT_IN
    validator: Any = _validator(definition(target) if known else METADATA)
    errors: Iterator[ValidationError] = validator.iter_errors(body if known else body.get("metadata", {}))
    above = () if known else ("metadata",)
    told: set[Steps] = set()
    for error in errors:
        for path, text in _in_words((*above, *error.absolute_path), error, private):
            # Each required field that is missing is an error of its own, and they cannot be told apart.
            if path not in told:
                told.add(path)
                yield path, text


def _in_words(path: Steps, error: "ValidationError", private: bool) -> Mistakes:
    value, rule, schema = cast(Any, error.instance), cast(Any, error.validator_value), cast(_Schema, error.schema)
    # What is in a Secret is no one's to read.
    shown = "the value" if private and path[:1] in (("data",), ("stringData",)) else _shown(value)
    match error.validator:
        case "additionalProperties":
            fields: _Schema = schema["properties"]
            for key in value:
                if key not in fields:
                    advice = f"unknown field; write {one_of(key, fields)} (checked against Kubernetes {version()})"
                    yield (*path, key), advice
        case "required":
            for key in rule:
                if key not in value:
                    yield (*path, key), f"required; write {_wanted(schema['properties'][key])}"
        case "type":
            yield path, f"{shown} is {_what(value)}; {_advice(schema, value)}"
        case "enum":
            # What Kubernetes has a default for may be empty, too.
            if isinstance(value, str) and value:
                yield path, f"{shown}: write {one_of(value, rule)} (checked against Kubernetes {version()})"
        case _:
            scarce = rule == "quantity" and is_extended(path[-1])
            yield path, f"{shown}: write {'a whole number' if scarce else _FORMATS[rule]}"


_FORMATS = {
    "int32": "a whole number of 32 bits",
    "byte": "base64, or put the text itself under stringData",
    "quantity": "an amount of a resource, such as 500m, 16Gi or 1",
}
_TYPES = {
    "string": "text",
    "object": "a map",
    "array": "a list",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


def _wanted(schema: _Schema) -> str:
    """What to write where there is nothing, such as a map with selector and template."""
    schema = _resolved(schema)
    if "enum" in schema:
        return one_of("", filter(None, schema["enum"]))
    if schema.get("format") in _FORMATS and schema["type"] != "integer":
        return _FORMATS[schema["format"]]
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    words = " or ".join(_TYPES[each] for each in types)
    return f"{words} with {' and '.join(schema['required'])}" if schema.get("required") else words


def _advice(schema: _Schema, value: object) -> str:
    if schema["type"] == "string" and isinstance(value, bool | int | float):
        return "put it in quotes"
    bare = isinstance(value, str) and schema["type"] in ("integer", "number", "boolean")
    return f"write {_wanted(schema)}{', without quotes' if bare else ''}"


def _what(value: object) -> str:
    match value:
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case None:
            return "nothing"
        case list():
            return "a list"
        case _:
            return "a map"


def _shown(value: object) -> str:
    return json.dumps(value) if value is None or isinstance(value, bool) else shorten(value)


def _normal(value: Any, schema: _Schema) -> Any:
    schema = _resolved(schema)
    fields: _Schema = schema.get("properties", {})
    if isinstance(value, Mapping):
        each = schema.get("additionalProperties")
        if isinstance(each, Mapping):
            return {key: _part(inner, cast(_Schema, each)) for key, inner in cast(_Schema, value).items()}
        items = [item for item in cast(_Schema, value).items() if item[0] not in fields or item[1] is not None]
        return {key: _normal(inner, fields.get(key, {})) for key, inner in items}
    if isinstance(value, list) and "items" in schema:
        return [_part(inner, schema["items"]) for inner in cast(Sequence[Any], value)]
    if isinstance(value, float) and schema.get("type") == "integer" and value.is_integer():
        # YAML's 3.0 is the number 3 in JSON.
        return int(value)
    return cast(Any, value)


def _part(value: Any, schema: _Schema) -> Any:
    """A value of a map or list: null there is what Go has for a value of which nothing is said."""
    if value is not None:
        return _normal(value, schema)
    schema = _resolved(schema)
    empty: dict[str, Any] = {"string": "", "object": {}, "array": [], "integer": 0, "boolean": False}
    return 0 if schema.get("format") == "quantity" else empty.get(str(schema.get("type")))


def _resolved(schema: _Schema) -> _Schema:
    while "$ref" in schema:
        schema = _definition(str(schema["$ref"]).rpartition("/")[2])
    return schema


def _definition(name: str) -> _Schema:
    return _file()["$defs"][name]


@functools.cache
def _file() -> dict[str, Any]:
    return json.loads(FILE.read_text())


@functools.cache
def _validator(name: str) -> "Draft202012Validator":
    # Few runs of a module that imports this check an object, and it is not imported at once.
    from jsonschema import Draft202012Validator, FormatChecker

    formats = FormatChecker(formats=())
    for kind, check in _CHECKS.items():
        formats.checks(kind)(check)
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": _file()["$defs"]}, format_checker=formats)


def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


def _is_base64(value: object) -> bool:
    try:
        # Go's decoder passes over line ends, and nothing else.
        base64.b64decode(re.sub("[\r\n]", "", value), validate=True) if isinstance(value, str) else b""
    except ValueError:
        return False
    return True


def _is_amount(value: object) -> bool:
    return not isinstance(value, str | int | float) or is_quantity(value)


# Of what is of another type, its type is the mistake.
_CHECKS: Mapping[str, Callable[[object], bool]] = {"int32": _is_int32, "byte": _is_base64, "quantity": _is_amount}
