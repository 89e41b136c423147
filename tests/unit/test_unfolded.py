"""Which patches of admission policies are written part by part; tests/e2e/test_admission.py has what they do."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from federation.admission import left_alone
from federation.unfolded import LEVELS, unfolded
from placement.api.kinds import BUILT_IN, KNOWN, TargetType
from placement.api.pod_kinds import PodKind
from placement.api.schemas import FILE, definition

DEFINITIONS: Mapping[str, Any] = json.loads(FILE.read_text())["$defs"]
PATCH = '[JSONPatch{op: "replace", path: "/spec", value: oldObject.spec}]'
UNKNOWN = TargetType("Thing", "things", "example.com", "v1", own_pods=PodKind(ends=(), suspend="/spec/suspend"))


def left_whole(target: TargetType) -> str:
    """The policy's expressions without those patches that are written part by part."""
    spec = left_alone(target, "x", ["/spec/a", "/spec/a/b/c"])
    assert spec
    text = " ".join(each["jsonPatch"]["expression"] for each in spec["mutations"])
    return re.sub(r"\[\[\[\], .*?\]\]\.map\(pair, ", "", text).replace("oldObject.metadata.labels[key]", "")


@pytest.mark.parametrize("target", [*BUILT_IN.values(), UNKNOWN], ids=lambda each: each.config_name)
def test_no_struct_is_the_value_of_a_patch(target: TargetType) -> None:
    assert "value: oldObject" not in left_whole(target)


def test_custom_kinds_that_are_known_keep_short_policies() -> None:
    for name in KNOWN.keys() - BUILT_IN.keys():
        assert "pair" not in left_whole(KNOWN[name])
        assert "value: oldObject" in left_whole(KNOWN[name])


def test_each_level_is_a_step_after_the_patches_themselves() -> None:
    text = unfolded(PATCH)
    assert text.startswith(f"[[[], {PATCH}]].map(pair, ")
    assert text.count(".flatten()") == LEVELS


def levels(schema: Mapping[str, Any]) -> int:
    """How many objects and lists lie within each other in what a schema describes."""
    if "$ref" in schema:
        return levels(DEFINITIONS[schema["$ref"].rpartition("/")[2]])
    if schema.get("type") not in ("object", "array"):
        return 0
    return 1 + max((levels(each) for each in parts(schema)), default=0)


def parts(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from schema.get("properties", {}).values()
    yield from (schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict))


def test_there_are_as_many_levels_as_in_the_deepest_built_in_kind() -> None:
    kinds = [DEFINITIONS[definition(target)]["properties"] for target in BUILT_IN.values()]
    assert max(levels(kind[field]) for kind in kinds for field in ("spec", "data") if field in kind) == LEVELS
