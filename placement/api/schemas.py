"""Checks objects against the schemas of Kubernetes' own API, before they are sent anywhere.

It knows built-in kinds, and of all others the metadata. It does not know rules that no schema has (api_rules.py does).
"""

import base64
import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from placement.api.kinds import BUILT_IN, SECRETS, TargetType
from placement.api.pod_requests import is_extended
from placement.api.quantities import is_quantity
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
"""Mistakes of an object: the path of each, and as text the value there and what to write instead."""

_Schema = Mapping[str, Any]


def definition(target: TargetType) -> str:
    """The name of a built-in kind's definition."""
    return f"{(target.group or 'core').partition('.')[0]}.{target.version}.{target.kind}"


def fields_of(name: str) -> list[str]:
    """The fields that a definition has."""
    return [*_definition(name)["properties"]]


def version() -> str:
    """The version of Kubernetes whose API this is, such as 1.35."""
    return str(_file()["version"]).removeprefix("v").rpartition(".")[0]


def dotted(path: Steps) -> str:
    """A path as messages show it, such as spec.ports.0."""
    return ".".join(one_line(str(step)) for step in path)


def normal(body: Mapping[str, Any], target: TargetType) -> dict[str, Any]:
    """An object as the API reads it: a field of null is absent, and null in a map or a list is the empty value there.

    Of other kinds than the built-in ones, only the fields of metadata are known.
    """
    if target.config_name in BUILT_IN:
        return _normal(body, _definition(definition(target)))
    metadata = {"metadata": _normal(body["metadata"], _definition(METADATA))} if "metadata" in body else {}
    return {**body, **metadata}


def schema_mistakes(body: Mapping[str, Any], target: TargetType) -> Mistakes:
    """Yields where a normal object differs from the API's schema; only in metadata for a kind that is not built in."""
    private = target == SECRETS
    known = target.config_name in BUILT_IN
    validator: Any = _validator(definition(target) if known else METADATA)
    errors: Iterator[ValidationError] = validator.iter_errors(body if known else body.get("metadata", {}))
    above = () if known else ("metadata",)
    reported: set[Steps] = set()
    for error in errors:
        for path, text in _as_text((*above, *error.absolute_path), error, private):
            # Each required field that is missing is an error of its own with the same path.
            if path not in reported:
                reported.add(path)
                yield path, text


def _as_text(path: Steps, error: "ValidationError", private: bool) -> Mistakes:
    value, rule, schema = cast(Any, error.instance), cast(Any, error.validator_value), cast(_Schema, error.schema)
    # Messages must not show the data of a Secret.
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
                    yield (*path, key), f"required; write {_what_to_write(schema['properties'][key])}"
        case "type":
            yield path, f"{shown} is {_type_name(value)}; {_advice(schema, value)}"
        case "enum":
            # Where Kubernetes has a default, the empty text is allowed too.
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


def _what_to_write(schema: _Schema) -> str:
    """What to write for a missing value, such as a map with selector and template."""
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
    return f"write {_what_to_write(schema)}{', without quotes' if bare else ''}"


def _type_name(value: object) -> str:
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
            return {key: _normal_value(inner, cast(_Schema, each)) for key, inner in cast(_Schema, value).items()}
        items = [item for item in cast(_Schema, value).items() if item[0] not in fields or item[1] is not None]
        return {key: _normal(inner, fields.get(key, {})) for key, inner in items}
    if isinstance(value, list) and "items" in schema:
        return [_normal_value(inner, schema["items"]) for inner in cast(Sequence[Any], value)]
    if isinstance(value, float) and schema.get("type") == "integer" and value.is_integer():
        # YAML's 3.0 is the number 3 in JSON.
        return int(value)
    return cast(Any, value)


def _normal_value(value: Any, schema: _Schema) -> Any:
    """A value of a map or list, where null is read as Go's empty value of the type."""
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
    # Imported only when an object is checked: the import is slow, and many runs check none.
    from jsonschema import Draft202012Validator, FormatChecker

    formats = FormatChecker(formats=())
    for kind, check in _CHECKS.items():
        formats.checks(kind)(check)
    return Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": _file()["$defs"]}, format_checker=formats)


def _is_int32(value: object) -> bool:
    return not isinstance(value, int) or -(2**31) <= value < 2**31


def _is_base64(value: object) -> bool:
    try:
        # Go's decoder ignores line ends, and nothing else.
        base64.b64decode(re.sub("[\r\n]", "", value), validate=True) if isinstance(value, str) else b""
    except ValueError:
        return False
    return True


def _is_amount(value: object) -> bool:
    return not isinstance(value, str | int | float) or is_quantity(value)


# A value of another type passes here: its type is already reported.
_CHECKS: Mapping[str, Callable[[object], bool]] = {"int32": _is_int32, "byte": _is_base64, "quantity": _is_amount}
