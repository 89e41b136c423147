"""Who writes which field: the plugin's own field manager, and fields left to others."""

import copy
import hashlib
import re
from collections.abc import Sequence

from local.kubernetes.inputs import annotations_of
from local.kubernetes.values import rows, table
from local.plugin import Properties

MANAGER = "__fieldManager"
"""Where an object's state keeps the name under which its fields are written."""

FORCE = "pulumi.com/patchForce"
_NAMED = "pulumi.com/patchFieldManager"


def manager_of(urn: str, inputs: Properties, state: Properties) -> str:
    """The field manager of one resource: as annotated, as it was, or one of its own."""
    own = f"pulumi-kubernetes-{hashlib.sha256(urn.encode()).hexdigest()[:8]}"
    return str(annotations_of(inputs).get(_NAMED) or state.get(MANAGER) or own)


def without_ignored(inputs: Properties, ignored: Sequence[str], live: Properties, manager: str) -> Properties:
    """The inputs without the ignored fields that others write, and with the live values of the other ignored ones."""
    managed = rows(live, "metadata", "managedFields")
    others = [table(each, "fieldsV1") for each in managed if each["manager"] != manager]
    left = copy.deepcopy(inputs)
    for path in ignored:
        keys = re.findall(r"[^.\[\]\"]+", path)
        parent, current = table(left, *keys[:-1]), table(live, *keys[:-1])
        if keys[-1] not in parent:
            continue
        if any(_owns(fields, keys) for fields in others):
            del parent[keys[-1]]
        elif keys[-1] in current:
            parent[keys[-1]] = current[keys[-1]]
    return left


def conflict_hint(message: str) -> str:
    """How to go on after a conflict between managers; empty after any other error."""
    if "conflict with" not in message:
        return ""
    return f'. Annotate it with {FORCE}: "true", or set enable_patch_force on the provider, to take the fields over'


def _owns(fields: Properties, keys: Sequence[str]) -> bool:
    return f"f:{keys[-1]}" in table(fields, *(f"f:{key}" for key in keys[:-1]))
