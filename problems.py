"""Mistakes in the settings: how pydantic models find them in plain values, and how they are reported."""

import copy
import difflib
import functools
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

M = TypeVar("M", bound=BaseModel)
Schema = dict[str, Any]

# The most mistakes in the settings that are reported, and the most characters of each.
_MOST_REPORTED, _LONGEST = 100, 8000
# Finding similar names takes time by their lengths, and no name is longer than this.
_COMPARED = 300


class Model(BaseModel):
    """The base of every settings model: an unknown setting is an error, and a checked value cannot be changed.

    A field's docstring describes the setting: first what to write, as messages show it, then its meaning.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


@dataclass(frozen=True)
class Problem:
    """One mistake: the setting, its value (None where there is none) and what to write instead.

    `place` is the file and line, such as Pulumi.dev.yaml:12, where they are known.
    """

    setting: str
    value: Any
    advice: str
    place: str = ""

    def __str__(self) -> str:
        value = "" if self.value is None else f" {shorten(self.value)}:"
        advice = self.advice if len(self.advice) <= _LONGEST else f"{self.advice[:_LONGEST]}…"
        place = self.place and f" ({self.place})"
        return f"{self.setting}:{value} {advice}{place}"


class SettingsError(Exception):
    """The settings have mistakes; `problems` has every one that was found, and the message the first hundred."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = list(problems)
        count = "1 mistake" if len(problems) == 1 else f"{len(problems)} mistakes"
        lines = "".join(f"\n  {problem}" for problem in problems[:_MOST_REPORTED])
        lines += f"\n  and {len(problems) - _MOST_REPORTED} more" if len(problems) > _MOST_REPORTED else ""
        super().__init__(f"{count} in the stack's settings; nothing was changed.{lines}")


def check_model(setting: str, raw: Any, model: type[M], problems: list[Problem]) -> M | None:
    """Adds what is wrong with a plain value to `problems`. Returns its model, or None if it is invalid.

    An unknown key hides no other mistake: the rest is checked as if the key had the most similar known name.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        found, schema = error.errors(), _schema(model)
    unknown = [details for details in found if details["type"] == "extra_forbidden"]
    reported = unknown if len(unknown) <= _MOST_REPORTED else []
    problems.extend(_problem(setting, details, schema) for details in reported or found)
    return check_model(setting, _with_similar_keys(raw, reported, schema), model, problems) if reported else None


def _with_similar_keys(raw: Any, unknown: Iterable[ErrorDetails], schema: Schema) -> Any:
    """The value with each unknown key under the most similar known name, or without it."""
    meant = copy.deepcopy(raw)
    for details in unknown:
        (*parents, key), _, siblings = _walk(details["loc"], schema)
        node = functools.reduce(lambda above, part: above[part], parents, meant)
        value = node.pop(key)
        for name in difflib.get_close_matches(str(key)[:_COMPARED], siblings, n=1):
            node.setdefault(name, value)
    return meant


@functools.cache
def _schema(model: type[BaseModel]) -> Schema:
    return model.model_json_schema()


def check_models(setting: str, raw: Any, model: type[M], name: str, problems: list[Problem]) -> dict[str, M]:
    """Checks a map of models one by one, so that a mistake in one hides none in another.

    `name` is the pattern that the map's keys must match; mistakes in keys are reported separately from the values.
    """
    if not isinstance(raw, Mapping):
        problems.append(Problem(setting, raw, "write a map of names to settings"))
        return {}
    good: dict[str, M] = {}
    for key, value in cast(Mapping[str, Any], raw).items():
        if not re.fullmatch(name, key):
            problems.append(
                Problem(f"{setting}.{one_line(key)}", key, _TEXT_RULES.get(name, f"write a name that matches {name}"))
            )
        checked = check_model(f"{setting}.{one_line(key)}", value, model, problems)
        if checked is not None:
            good[key] = checked
    return good


def one_of(value: object, known: Iterable[str]) -> str:
    """The known names to write in place of a value, the most similar first; only that one if there are many."""
    names = sorted(known)
    text = value[:_COMPARED] if isinstance(value, str) else shorten(value)
    close = difflib.get_close_matches(text, names, n=1)
    if close and len(names) > 8:
        return f"{close[0]}, or another of the {len(names)} known"
    if close:
        names.sort(key=lambda name: name != close[0])
    if len(names) > 40:
        return f"one of {', '.join(names[:40])} and {len(names) - 40} more"
    return names[0] if len(names) == 1 else f"one of {', '.join(names)}" if names else "nothing (none is known)"


def shorten(value: object, length: int = 80) -> str:
    """A value as messages show it: control characters escaped, and no longer than `length` characters."""
    # Only the beginning of a large or deep value is converted.
    text = repr(value[: length + 1]) if isinstance(value, str) else _SHORT.repr(value)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def one_line(key: str) -> str:
    """A key as paths of settings show it: control characters escaped, and no longer than 300 characters."""
    return key[:300].encode("unicode_escape").decode()


def depth(value: object, most: int) -> int:
    """How deep plain values are nested, at most `most`."""
    level, below = 0, [value]
    while below and level < most:
        level += 1
        # A value in several places is visited once.
        distinct = {id(each): each for each in below}.values()
        below = [inner for each in distinct for inner in _children(each)]
    return level


def _children(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return cast(Mapping[object, object], value).values()
    return cast(list[object], value) if isinstance(value, list) else ()


_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxdict, _SHORT.maxlist, _SHORT.maxstring, _SHORT.maxlong = 4, 10, 20, 100, 100

# Names that Kubernetes or Google Cloud accepts, and what messages say of them.
NAME = r"^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$"
DNS_LABEL = r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$"
OBJECT_NAME = r"^(?!.{254})[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"
LABEL_KEY = r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
LABEL_VALUE = r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$"
_TEXT_RULES = {
    # GKE allows 40 characters in a cluster's name, and Pulumi adds a dash and seven of its own.
    NAME: "write 1 to 32 lower-case letters, digits and dashes, a letter first and no dash last",
    DNS_LABEL: "write 1 to 63 lower-case letters, digits and dashes, with no dash first or last",
    LABEL_KEY: "write a Kubernetes label key, such as tier or example.com/tier",
    LABEL_VALUE: "write a Kubernetes label value: up to 63 letters, digits, dashes, dots and underscores",
}


def _problem(setting: str, details: ErrorDetails, schema: Schema) -> Problem:
    # Where a map's key is wrong, pydantic's location has one more part after the key.
    location = details["loc"][:-1] if details["loc"][-1:] == ("[key]",) and len(details["loc"]) > 1 else details["loc"]
    path, wanted, siblings = _walk(location, schema)
    where = ".".join([setting, *(one_line(str(part)) for part in path)])
    kind, value, context = details["type"], details["input"], details.get("ctx", {})
    match kind:
        case "missing":
            return Problem(where, None, f"required; write {wanted}")
        case "extra_forbidden":
            return Problem(where, value, f"unknown setting; write {one_of(str(path[-1]), siblings)}")
        case "value_error":
            return Problem(where, value if isinstance(value, str | int) else None, str(context["error"]))
        case "union_tag_invalid" | "union_tag_not_found":
            tags = str(context.get("expected_tags", wanted)).replace("'", "")
            policy = cast(Mapping[str, Any], value).get("policy") if isinstance(value, Mapping) else value
            return Problem(f"{where}.policy", policy, f"write {one_of(policy, tags.split(', '))}")
        case "string_pattern_mismatch":
            return Problem(where, value, _TEXT_RULES.get(context["pattern"], f"write {wanted}"))
        case "literal_error":
            return Problem(where, value, f"write {context['expected']}")
        case _:
            return Problem(where, value, f"{details['msg'].removeprefix('Input ')}; write {wanted}")


def _walk(location: Sequence[int | str], schema: Schema) -> tuple[list[int | str], str, list[str]]:
    """Follows an error's location through a JSON schema.

    Returns the path in the user's own file, what the schema says to write there, and the names known in the same map.
    """
    path: list[int | str] = []
    siblings, node = list[str](), schema
    for part in location:
        node = _resolve(node, schema)
        variants: Mapping[str, str] = node.get("discriminator", {}).get("mapping", {})
        if part in variants:
            # The variant of a union is in pydantic's location, but not in the user's file.
            node = {"$ref": variants[str(part)], "description": node.get("description", "")}
            continue
        path.append(part)
        properties: dict[str, Schema] = node.get("properties", {})
        patterns: dict[str, Schema] = node.get("patternProperties", {})
        siblings = list(properties)
        below: list[Schema | bool | None] = [
            node.get("items") if isinstance(part, int) else properties.get(part),
            *patterns.values(),
            node.get("additionalProperties"),
        ]
        node = next((each for each in below if isinstance(each, Mapping)), Schema())
    found = str(node.get("description") or _resolve(node, schema).get("description") or "a value of another type")
    return path, found.partition("\n")[0].rstrip("."), siblings


def _resolve(node: Schema, schema: Schema) -> Schema:
    while True:
        options: list[Schema] = [option for option in node.get("anyOf", []) if option.get("type") != "null"]
        if "$ref" in node:
            node = schema["$defs"][str(node["$ref"]).rpartition("/")[2]]
        elif options:
            node = options[0]
        else:
            return node
