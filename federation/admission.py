"""The specs of admission policies by which KubeFed leaves to controllers in a cluster what is theirs.

Each mutates what KubeFed's own account writes, and nobody else's writes. Pure: admission_policies.py creates them.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from clusters.versions import is_older
from federation.unfolded import unfolded
from placement.api.kinds import BUILT_IN, KNOWN, NAMESPACE, TargetType
from placement.api.owners import AUTOSCALED_GROUPS, QUEUED_FIELDS
from placement.api.pod_kinds import Pointer
from placement.api.queued import QUEUE
from placement.patches import steps_of

OLDEST = "1.36"
"""The version of Kubernetes from which admissionregistration.k8s.io/v1 has MutatingAdmissionPolicy, on by default."""

_QUEUED = f'oldObject.metadata[?"labels"][?"{QUEUE}"].hasValue()'
# Labels that controllers have added stay. The checker takes the keys of an unknown map for numbers.
_LABELS = (
    'oldObject.metadata[?"labels"].orValue({}).map(key, !object.metadata[?"labels"][?key].hasValue(), '
    'JSONPatch{op: "add", path: "/metadata/labels/" + jsonpatch.escapeKey(dyn(key)), '
    "value: oldObject.metadata.labels[key]})"
)


def has_policies(version: str) -> bool:
    """Whether clusters of a version, as the settings write it, surely have mutating admission policies."""
    return bool(version) and not is_older(version, OLDEST)


def in_order(types: Sequence[TargetType], account: str) -> dict[str, Any]:
    """Keeps the overrides of federated objects in the order of their clusters' names.

    KubeFed writes them in any order (OverridesMap.ToUnstructuredSlice of v0.10.0), which a preview would show as a
    change.
    """
    return _policy(
        "types.kubefed.io",
        ["v1beta1"],
        [target.federated_plural for target in types],
        account,
        ['[JSONPatch{op: "replace", path: "/spec/overrides", value: object.spec.overrides.sortBy(o, o.clusterName)}]'],
        {"has-overrides": 'object.spec[?"overrides"].hasValue()'},
    )


def left_alone(target: TargetType, account: str, retained: Sequence[Pointer] = ()) -> dict[str, Any] | None:
    """Leaves fields of a type's copies as they are there; None for a type of which KubeFed may write all.

    What has an end of its own is never changed: a changed one replaces it. KubeFed's write lacks what the API and
    webhooks have filled in, and would be refused, or takes away what a queue has written.
    """
    mutations: list[str] = []
    values = _values_of(target)
    kind = target.pod_kind
    if kind.ends is not None:
        whole = values('[JSONPatch{op: "replace", path: "/spec", value: oldObject.spec}]')
        if kind.suspend:
            whole += f" + ({_QUEUED} ? [] : {_as_written(kind.suspend)})"
        mutations += [whole, _LABELS]
    queued = QUEUED_FIELDS.get(target.config_name, ())
    mutations += [f"{_QUEUED} ? {_as_it_was(field, values)} : []" for field in queued]
    if target.config_name in AUTOSCALED_GROUPS:
        mutations += _groups(*AUTOSCALED_GROUPS[target.config_name])
    mutations += [_as_it_was(field, values) for field in retained]
    versions = [target.version, *target.also]
    return _policy(target.group, versions, [target.plural], account, mutations) if mutations else None


def account_name(account: str) -> str:
    """The user name of one of KubeFed's accounts."""
    return f"system:serviceaccount:{NAMESPACE}:{account}"


def _policy(
    group: str,
    versions: Sequence[str],
    plurals: Sequence[str],
    account: str,
    mutations: Sequence[str],
    conditions: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    own = {"is-kubefed": f'request.userInfo.username == "{account_name(account)}"', **(conditions or {})}
    rule = {"apiGroups": [group], "apiVersions": versions, "resources": plurals, "operations": ["UPDATE"]}
    return {
        "matchConstraints": {"resourceRules": [rule]},
        "matchConditions": [{"name": name, "expression": text} for name, text in own.items()],
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": text}} for text in mutations],
        # A write that cannot be judged is refused, and KubeFed says so; none is let through unchanged.
        "failurePolicy": "Fail",
        "reinvocationPolicy": "Never",
    }


def _values_of(target: TargetType) -> Callable[[str], str]:
    """How patches with whatever values a type's objects have are written. Custom kinds have maps, which stay whole."""
    return str if target.config_name in KNOWN.keys() - BUILT_IN.keys() else unfolded


def _as_it_was(field: Pointer, values: Callable[[str], str]) -> str:
    """The patches that put a field back."""
    return _set(field, "oldObject", "object", values)


def _as_written(field: Pointer) -> str:
    """The patches that give a spec that was put back the field that KubeFed writes, a single value."""
    return _set(field, "object", "oldObject", str)


def _set(field: Pointer, source: str, other: str, values: Callable[[str], str]) -> str:
    path = _at(field)
    return (
        f"({source}{path}.hasValue() ? ({values(_added(field, source, other))}) "
        f': ({other}{path}.hasValue() ? [JSONPatch{{op: "remove", path: "{field}"}}] : []))'
    )


def _added(field: Pointer, source: str, other: str) -> str:
    """The patch that adds a field, or the outermost object above it that the other lacks."""
    above, _, _ = field.rpartition("/")
    patch = f'[JSONPatch{{op: "add", path: "{field}", value: {source}{_at(field)}.value()}}]'
    return f"{other}{_at(above)}.hasValue() ? {patch} : {_added(above, source, other)}" if above else patch


def _at(field: Pointer) -> str:
    """The expression of a field that may be absent, after that of its object."""
    return "".join(f'[?"{step}"]' for step in steps_of(field))


def _groups(flag: Pointer, groups: Pointer, fields: Sequence[str]) -> list[str]:
    """The patches that put back fields of groups that have the same name, where an autoscaler is switched on."""
    on, there = _at(flag), _at(groups)
    old = f"oldObject{there}.orValue([])"
    return [
        f"object{on}.orValue(false) ? object{there}.orValue([]).transformList(i, group, "
        f'{old}.exists(each, each.groupName == group.groupName && each[?"{field}"].hasValue()), '
        f'JSONPatch{{op: "add", path: "{groups}/" + string(i) + "/{field}", '
        f"value: {old}.filter(each, each.groupName == group.groupName)[0].{field}}}) : []"
        for field in fields
    ]
