"""Decides which patches of a workload's overrides apply to which object in which cluster, and refuses others.

It does not decide where objects are placed, and does not write the copies: copies.py and KubeFed do.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any

from clusters.spec import selects
from placement.api.api_rules import check_object
from placement.api.claims import Claims
from placement.api.pod_kinds import Run
from placement.api.pod_templates import groups_of, units_of
from placement.api.schemas import dotted, normal
from placement.autoscaling.autoscalers import divided_fields
from placement.fit.needs import needs_of
from placement.manifests.manifest import Manifest
from placement.patches import found, patch_in_place, patched, steps_of, takes
from placement.pods.pods import claims_of, default_run
from placement.pods.runs import named, run_of
from placement.workload import Override, Workload
from problems import Problem, one_of

# KubeFed keeps those of each copy; from elsewhere, they would block or cause the deletion of copies.
_KEPT = ("/metadata/finalizers", "/metadata/ownerReferences")
# KubeFed gives every copy these (pkg/controller/util/overrides.go).
_IDENTITY = ("/apiVersion", "/kind", "/metadata/name", "/metadata/namespace", "/metadata/generateName", "/status")


def overrides_of(workload: Workload, cluster: str, labels: Mapping[str, str]) -> list[Override]:
    """The overrides of one cluster: those by its labels first, since the last one of a path is used."""
    by_label = [
        each
        for key, overrides in workload.overrides.items()
        if "=" in key and selects(labels, *key.split("=", 1))
        for each in overrides
    ]
    return [*by_label, *workload.overrides.get(cluster, [])]


def patches_for(manifest: Manifest, overrides: Sequence[Override]) -> list[dict[str, Any]]:
    """The overrides that apply to an object, as JSON patches."""
    return [each.model_dump(exclude_unset=True, exclude={"kind"}) for each in _used(manifest, overrides)]


def _used(manifest: Manifest, overrides: Sequence[Override]) -> list[Override]:
    """The overrides that are used for an object: KubeFed takes one patch for a path."""
    return list({each.path: each for each in overrides if _applies(manifest, each)}.values())


def count_in(manifest: Manifest, overrides: Sequence[Override]) -> int:
    """How many units a copy with these overrides runs side by side, of an object whose count no placement decides."""
    return units_of(_copy_of(manifest, overrides).body, manifest.type.counted)


def change_pods(manifests: Sequence[Manifest], overrides: Sequence[Override]) -> bool:
    """Whether copies with these overrides have other pods: what these need of their nodes, or how many they are."""
    if not any(_used(each, overrides) for each in manifests):
        return False
    copied = [_copy_of(each, overrides) for each in manifests]
    before, after = claims_of(manifests), claims_of(copied)
    pairs = zip(manifests, copied, strict=True)
    return any(_pods_of(one, before) != _pods_of(other, after) for one, other in pairs)


def _copy_of(manifest: Manifest, overrides: Sequence[Override]) -> Manifest:
    return replace(manifest, body=patched(manifest.body, [each.model_dump() for each in _used(manifest, overrides)]))


def _pods_of(manifest: Manifest, claims: Claims) -> list[tuple[Any, ...]]:
    units = units_of(manifest.body, manifest.type.counted)
    groups = groups_of(manifest.body, manifest.type)
    return [(units * each.count, astuple(needs_of(each, claims=claims))) for each in groups]


def check_overrides(
    setting: str, workload: Workload, manifests: Sequence[Manifest], members: Mapping[str, Mapping[str, str]]
) -> Iterator[Problem]:
    """Yields what is wrong with a workload's overrides, of a stack with these members and their labels."""
    valid: dict[int, str] = {}
    run = run_of(manifests, workload.run)
    for key, overrides in workload.overrides.items():
        path = f"{setting}.overrides"
        if "=" not in key and key not in members:
            advice = f"not a member of this stack; write {one_of(key, members)}, or a label such as role=serving"
            yield Problem(path, key, advice)
        elif "=" in key and not any(selects(labels, *key.split("=", 1)) for labels in members.values()):
            yield Problem(path, key, "no cluster has this label; write one that a cluster has, such as role=serving")
        for number, each in enumerate(overrides):
            mistakes = list(_override_mistakes(f"{path}.{key}.{number}", each, manifests, run))
            yield from mistakes
            if not mistakes:
                valid[id(each)] = f"{path}.{key}.{number}"
    checked: set[tuple[int, ...]] = set()
    for manifest in manifests:
        for name, labels in members.items():
            overrides = [each for each in overrides_of(workload, name, labels) if id(each) in valid]
            patches = _used(manifest, overrides)
            # The same patches in several clusters are reported once.
            same = (id(manifest), *map(id, patches))
            if patches and same not in checked:
                checked.add(same)
                settings = [valid[id(each)] for each in patches]
                yield from _result_mistakes(manifest, patches, settings, workload.run)


def _result_mistakes(
    manifest: Manifest, patches: Sequence[Override], settings: Sequence[str], run: Run | None
) -> Iterator[Problem]:
    """Yields what the API would refuse of a valid object once it is patched, and how it would no longer run as placed.

    `run` is how the settings say that it runs.
    """
    body: Any = copy.deepcopy(manifest.body)
    for patch, setting in zip(patches, settings, strict=True):
        try:
            patch_in_place(body, patch.model_dump())
        except LookupError:
            advice = "no longer exists after the patches before it; write one patch of its parent"
            yield Problem(f"{setting}.path", patch.path, advice)
            return

    def setting_of(path: Sequence[str]) -> str:
        related = [index for index, each in enumerate(patches) if _overlap(steps_of(each.path), path)]
        return settings[related[-1] if related else -1]

    for path, text in check_object(normal(body, manifest.type), manifest.type):
        setting = setting_of([str(step) for step in path])
        yield Problem(setting, None, f"{manifest.type.kind} {manifest.name}: {dotted(path)}: {text}")
    now = default_run(replace(manifest, body=body))
    if now != default_run(manifest) and (run is None or (run == "divided" and now == "whole")):
        how, instead = "Indexed", "write run: whole, or run: duplicated for all of its indexes in each cluster"
        if now != "whole":
            how, instead = "not Indexed", "write completionMode in the manifest, or run: whole"
        text = f"makes {named(manifest)} {how}, which is placed in another way; {instead}"
        yield Problem(setting_of(["spec", "completionMode"]), None, text)


def _overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one path is the beginning of the other."""
    return all(a == b for a, b in zip(one, other, strict=False))


def _override_mistakes(setting: str, override: Override, manifests: Sequence[Manifest], run: Run) -> Iterator[Problem]:
    path = override.path
    if any(path == each or path.startswith(f"{each}/") for each in _IDENTITY):
        yield Problem(f"{setting}.path", path, "the same in every copy; write another path")
    if any(path == each or path.startswith(f"{each}/") for each in _KEPT):
        yield Problem(f"{setting}.path", path, "what holds or deletes a copy belongs to its cluster; remove it")
    yield from _count_mistakes(f"{setting}.path", override, manifests, run)
    if override.kind and override.kind not in {manifest.type.kind for manifest in manifests}:
        kinds = sorted({manifest.type.kind for manifest in manifests})
        yield Problem(f"{setting}.kind", override.kind, f"not a kind of the manifests; write {one_of('', kinds)}")
    elif manifests and not any(_applies(manifest, override) for manifest in manifests):
        advice = "in none of the manifests; write a path that one has, or op: add with one whose parent exists"
        yield Problem(f"{setting}.path", path, advice)


def _count_mistakes(setting: str, override: Override, manifests: Sequence[Manifest], run: Run) -> Iterator[Problem]:
    """Yields why a patch would change a count that is decided: of what is divided, and of what KubeFed moves."""
    path = override.path
    decided = {
        f"/spec/{field}"
        for manifest in manifests
        for field in manifest.type.counted
        if override.kind in ("", manifest.type.kind) and (run == "divided" or manifest.type.movable)
    }
    decided |= divided_fields(manifests) if run == "divided" else set()
    if path in decided:
        advice = "write weights or limits there instead" if run == "divided" else "write the number in the manifest"
        yield Problem(setting, path, f"the placement decides it; {advice}")
    above = sorted(each for each in decided if each.startswith(f"{path}/"))
    if above:
        yield Problem(setting, path, f"the placement decides {above[0]} in it; write one override of each other path")


def _applies(manifest: Manifest, override: Override) -> bool:
    """Whether a patch applies to an object: add needs the parent, replace and remove need the value itself."""
    steps = steps_of(override.path)
    if override.kind not in ("", manifest.type.kind):
        return False
    if override.op != "add":
        return _exists(manifest.body, steps)
    # KubeFed gives every copy labels; a copy has a map for annotations if its manifest has some.
    if steps[:2] == ["metadata", "labels"] and len(steps) == 3:
        return True
    return _exists(manifest.body, steps[:-1]) and takes(found(manifest.body, steps[:-1]), steps[-1])


def _exists(body: Any, steps: Sequence[str]) -> bool:
    try:
        found(body, steps)
    except LookupError:
        return False
    return True
