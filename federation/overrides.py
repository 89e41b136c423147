"""Overrides: which patches of a workload's settings apply to which object, in which cluster."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from clusters.spec import selects
from federation.manifests import Manifest
from federation.spec import Override, Workload
from problems import Problem, one_of

# KubeFed gives every copy these (pkg/controller/util/overrides.go).
_IDENTITY = ("/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/metadata/generateName", "/status")
# Of an element of a list: RFC 6901.
_INDEX = re.compile("0|[1-9][0-9]{0,8}")


def overrides_of(workload: Workload, cluster: str, labels: Mapping[str, str]) -> list[Override]:
    """The overrides of one cluster: those by its labels first, since of several of one path the last holds."""
    by_label = [
        each
        for key, overrides in workload.overrides.items()
        if "=" in key and selects(labels, *key.split("=", 1))
        for each in overrides
    ]
    return [*by_label, *workload.overrides.get(cluster, [])]


def patches_for(manifest: Manifest, overrides: Sequence[Override]) -> list[dict[str, Any]]:
    """The overrides that apply to an object, as JSON patches."""
    # KubeFed takes one patch for a path.
    last = {each.path: each for each in overrides if _applies(manifest, each)}
    return [each.model_dump(exclude_unset=True, exclude={"kind"}) for each in last.values()]


def check_overrides(
    setting: str, workload: Workload, manifests: Sequence[Manifest], members: Mapping[str, Mapping[str, str]]
) -> Iterator[Problem]:
    """Yields what is wrong with a workload's overrides, of a stack with these members and their labels."""
    for key, overrides in workload.overrides.items():
        place = f"{setting}.overrides"
        if "=" not in key and key not in members:
            advice = f"not a member of this stack; write {one_of(key, members)}, or a label such as role=serving"
            yield Problem(place, key, advice)
        elif "=" in key and not any(selects(labels, *key.split("=", 1)) for labels in members.values()):
            yield Problem(place, key, "no cluster has this label; write one that a cluster has, such as role=serving")
        for number, each in enumerate(overrides):
            yield from _wrong(f"{place}.{key}.{number}", each, manifests)


def _wrong(setting: str, override: Override, manifests: Sequence[Manifest]) -> Iterator[Problem]:
    path = override.path
    if any(path == each or path.startswith(f"{each}/") for each in _IDENTITY):
        yield Problem(f"{setting}.path", path, "the same in every copy; write the path of something else")
    counted = {f"/spec/{field}" for manifest in manifests for field in manifest.type.counted}
    if path in counted:
        yield Problem(f"{setting}.path", path, "the placement decides it; write weights or limits there instead")
    if override.kind and override.kind not in {manifest.type.kind for manifest in manifests}:
        kinds = sorted({manifest.type.kind for manifest in manifests})
        yield Problem(f"{setting}.kind", override.kind, f"no kind of the manifests; write {one_of('', kinds)}")
    elif manifests and not any(_applies(manifest, override) for manifest in manifests):
        advice = "in none of the manifests; write a path that one has, or op: add with one whose parent is there"
        yield Problem(f"{setting}.path", path, advice)


def _applies(manifest: Manifest, override: Override) -> bool:
    """Whether a patch can be made: an addition needs what it is added to, anything else what it replaces or removes."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in override.path.split("/")[1:]]
    if override.kind not in ("", manifest.type.kind):
        return False
    if override.op != "add":
        return _is_there(manifest.body, steps)
    # KubeFed gives every copy labels, and there is a map for annotations where the manifest has some.
    return steps == ["metadata", "labels", *steps[2:]] or _is_there(manifest.body, steps[:-1])


def _is_there(body: Any, steps: Sequence[str]) -> bool:
    for step in steps:
        if isinstance(body, Mapping) and step in body:
            body = cast(Mapping[str, Any], body)[step]
        elif isinstance(body, list) and _INDEX.fullmatch(step) and int(step) < len(cast(list[Any], body)):
            body = cast(list[Any], body)[int(step)]
        else:
            return False
    return True
