"""Overrides: which patches of a workload's settings apply to which object, in which cluster."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from clusters.spec import selects
from placement.api_rules import check_object
from placement.manifests import Manifest
from placement.patches import found, patch_in_place, steps_of, takes
from placement.schemas import dotted, normal
from placement.workload import Override, Workload
from problems import Problem, one_of

# It keeps those of each copy, and without it they would hold up or delete the copies.
_KEPT = ("/metadata/finalizers", "/metadata/ownerReferences")
# KubeFed gives every copy these (pkg/controller/util/overrides.go).
_IDENTITY = ("/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/metadata/generateName", "/status")


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
    return [each.model_dump(exclude_unset=True, exclude={"kind"}) for each in _made(manifest, overrides)]


def _made(manifest: Manifest, overrides: Sequence[Override]) -> list[Override]:
    """The overrides that are made of an object: KubeFed takes one patch for a path."""
    return list({each.path: each for each in overrides if _applies(manifest, each)}.values())


def check_overrides(
    setting: str, workload: Workload, manifests: Sequence[Manifest], members: Mapping[str, Mapping[str, str]]
) -> Iterator[Problem]:
    """Yields what is wrong with a workload's overrides, of a stack with these members and their labels."""
    good: dict[int, str] = {}
    for key, overrides in workload.overrides.items():
        place = f"{setting}.overrides"
        if "=" not in key and key not in members:
            advice = f"not a member of this stack; write {one_of(key, members)}, or a label such as role=serving"
            yield Problem(place, key, advice)
        elif "=" in key and not any(selects(labels, *key.split("=", 1)) for labels in members.values()):
            yield Problem(place, key, "no cluster has this label; write one that a cluster has, such as role=serving")
        for number, each in enumerate(overrides):
            wrong = list(_wrong(f"{place}.{key}.{number}", each, manifests))
            yield from wrong
            if not wrong:
                good[id(each)] = f"{place}.{key}.{number}"
    made: set[tuple[int, ...]] = set()
    for manifest in manifests:
        for name, labels in members.items():
            overrides = [each for each in overrides_of(workload, name, labels) if id(each) in good]
            patches = _made(manifest, overrides)
            # What is alike in several clusters is told once.
            alike = (id(manifest), *map(id, patches))
            if patches and alike not in made:
                made.add(alike)
                yield from _wrong_result(manifest, patches, [good[id(each)] for each in patches])


def _wrong_result(manifest: Manifest, patches: Sequence[Override], settings: Sequence[str]) -> Iterator[Problem]:
    """Yields what the API would refuse of an object once it is patched; the object as it is written is good."""
    body: Any = copy.deepcopy(manifest.body)
    for patch, setting in zip(patches, settings, strict=True):
        try:
            patch_in_place(body, patch.model_dump())
        except LookupError:
            advice = "not there any more once the patches before it are made; write one patch of what is above it"
            yield Problem(f"{setting}.path", patch.path, advice)
            return
    for path, text in check_object(normal(body, manifest.type), manifest.type):
        where = [str(step) for step in path]
        related = [index for index, each in enumerate(patches) if _overlap(steps_of(each.path), where)]
        setting = settings[related[-1] if related else -1]
        yield Problem(setting, None, f"{manifest.type.kind} {manifest.name}: {dotted(path)}: {text}")


def _overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one path is the beginning of the other."""
    return all(a == b for a, b in zip(one, other, strict=False))


def _wrong(setting: str, override: Override, manifests: Sequence[Manifest]) -> Iterator[Problem]:
    path = override.path
    if any(path == each or path.startswith(f"{each}/") for each in _IDENTITY):
        yield Problem(f"{setting}.path", path, "the same in every copy; write the path of something else")
    if any(path == each or path.startswith(f"{each}/") for each in _KEPT):
        yield Problem(f"{setting}.path", path, "what holds or deletes a copy is its cluster's own; take it out")
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
    steps = steps_of(override.path)
    if override.kind not in ("", manifest.type.kind):
        return False
    if override.op != "add":
        return _is_there(manifest.body, steps)
    # KubeFed gives every copy labels, and there is a map for annotations where the manifest has some.
    if steps[:2] == ["metadata", "labels"] and len(steps) == 3:
        return True
    return _is_there(manifest.body, steps[:-1]) and takes(found(manifest.body, steps[:-1]), steps[-1])


def _is_there(body: Any, steps: Sequence[str]) -> bool:
    try:
        found(body, steps)
    except LookupError:
        return False
    return True
