"""Objects that run to an end: what must not delete them then, since KubeFed would make and run them again.

What runs once is replaced where it changes (federation/fixed_fields.py), as a Job is.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from placement.api.kinds import TargetType
from placement.api.lookup import at, elements, entries
from placement.api.pod_kinds import Pointer

Steps = tuple[str | int, ...]


def deleting_fields(body: Mapping[str, Any], target: TargetType) -> list[Pointer]:
    """The fields of an object by which its controller would delete it after it has ended."""
    return [each for each in target.pod_kind.ends or () if at(body, *each.split("/")[1:]) is not None]


def without_fields(body: Mapping[str, Any], fields: list[Pointer] | tuple[Pointer, ...]) -> dict[str, Any]:
    """A copy of an object without these fields."""
    for field in fields:
        body = _without(body, field.split("/")[1:])
    return dict(body)


def _without(value: Mapping[str, Any], steps: list[str]) -> dict[str, Any]:
    first, *rest = steps
    kept = {key: each for key, each in value.items() if key != first}
    if not rest or first not in value:
        return kept
    return {key: _without(entries(each), rest) if key == first else each for key, each in value.items()}


# Source: DeletionStrategy of ray.io/v1, KubeRay 1.5.
_SELF = "DeleteSelf"


def deletes_itself(body: Mapping[str, Any], target: TargetType) -> Iterator[tuple[Steps, str]]:
    """Yields where a RayJob says that it is deleted with its Ray cluster, and what to write instead."""
    if target.config_name != "rayjobs.ray.io":
        return
    advice = f"'{_SELF}': KubeFed would run it again; write DeleteCluster, which ends its pods too"
    strategy = at(body, "spec", "deletionStrategy")
    for when in ("onSuccess", "onFailure"):
        if at(strategy, when, "policy") == _SELF:
            yield ("spec", "deletionStrategy", when, "policy"), advice
    for number, rule in enumerate(elements(at(strategy, "deletionRules"))):
        if at(rule, "policy") == _SELF:
            yield ("spec", "deletionStrategy", "deletionRules", number, "policy"), advice
