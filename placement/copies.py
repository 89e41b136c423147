"""Decides in which clusters each object of a workload is placed, and how its copies there differ.

It turns decisions (policies.py) into clusters, JSON patches and preferences for KubeFed. It does not decide shares, and
does not write the federated objects: federation/workloads.py does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from placement.api.ends import deleting_fields, without_fields
from placement.api.kinds import JOBS
from placement.autoscaling.autoscaled import place_objects, scaled_copies
from placement.manifests.manifest import Manifest
from placement.overrides import change_pods, overrides_of, patches_for
from placement.pods.demand import pods
from placement.pods.runs import counted, run_of
from placement.policies.candidates import candidates, why_no_room
from placement.policies.place import NO_FACTS, Decision, Facts, Members
from placement.policies.shares import split
from placement.preferences import preference
from placement.spec import Spread, Weighted
from placement.workload import Workload

MEMORY = "geo-federation/decision"
"""The annotation of a federated object that keeps what was decided by spare capacity."""


@dataclass(frozen=True)
class PlacedObject:
    """One object of a workload, with the clusters in which it is placed and the JSON patches for each.

    `preference` is set where KubeFed moves the replicas between them. Where `retains`, each copy keeps the replicas
    that an autoscaler has given it, and a new one starts with those of the manifest.
    """

    manifest: Manifest
    clusters: Sequence[str]
    overrides: Mapping[str, Sequence[Mapping[str, Any]]]
    preference: Mapping[str, Any] | None = None
    retains: bool = False


@dataclass(frozen=True)
class PlacedWorkload:
    """A workload whose placement is decided; `memory` is what a later run must know of the decision, if anything."""

    namespace: str
    decisions: Sequence[Decision]
    objects: Sequence[PlacedObject]
    memory: str = ""

    @property
    def clusters(self) -> list[str]:
        """The clusters in which its objects are placed: those taken, and those to which replicas may move."""
        return sorted({name for each in self.objects for name in each.clusters})

    @property
    def placements(self) -> list[dict[str, str | int]]:
        """The decisions as plain values, for the stack's output."""
        return [{"cluster": each.cluster, "share": each.share, "reason": each.reason} for each in self.decisions]


def place_workload(
    workload: Workload, manifests: Sequence[Manifest], members: Members, facts: Facts = NO_FACTS
) -> PlacedWorkload:
    """Decides where each object of a workload is placed. Raises NothingFits."""
    if workload.overrides:
        own = {name: overrides_of(workload, name, labels) for name, labels in members.items()}
        overridden = [name for name, overrides in own.items() if change_pods(manifests, overrides)]
        facts = replace(facts, overridden=frozenset(overridden))
    return copies(workload, manifests, members, place_objects(workload, members, manifests, facts), facts)


def copies(
    workload: Workload,
    manifests: Sequence[Manifest],
    members: Members,
    decisions: Sequence[Decision],
    facts: Facts = NO_FACTS,
) -> PlacedWorkload:
    """What a workload's decisions mean for its objects: divided ones are split, others placed with them.

    A member that is taken keeps its copies, with 0 replicas where its share is 0: what is scaled to 0 keeps its data.
    """
    run = run_of(manifests, workload.run)
    split_ones = counted(manifests)
    scaled = scaled_copies(manifests, decisions, run)
    parts = [
        dict(scaled[id(manifest)].shares) if id(manifest) in scaled else _shares_of(manifest, position, decisions)
        for position, manifest in enumerate(split_ones)
    ]
    taken = [each.cluster for each in decisions if each.taken]
    everywhere = taken
    if run == "divided":
        able = candidates(workload.placement, members, facts)
        possible = [name for name in able if not why_no_room(name, facts)]
        moving = any(manifest.type.movable and id(manifest) not in scaled for manifest in split_ones)
        kept = {name for part in parts for name in part} if split_ones else {*taken}
        everywhere = [
            each.cluster for each in decisions if each.cluster in kept or (moving and each.cluster in possible)
        ]
    own = {name: overrides_of(workload, name, labels) for name, labels in members.items()}
    objects: list[PlacedObject] = []
    for manifest in manifests:
        scaled_copy = scaled.get(id(manifest))
        shares = parts[split_ones.index(manifest)] if manifest in split_ones else {}
        patches: Mapping[str, Sequence[Mapping[str, Any]]] = {}
        annotations: Mapping[str, Sequence[Mapping[str, Any]]] = {}
        rules: dict[str, Any] | None = None
        if scaled_copy:
            patches, annotations = scaled_copy.patches, scaled_copy.annotations
        elif manifest.type.movable:
            limits = _limits(workload) if run == "divided" else _fixed(shares)
            rules = preference(manifest.type, {name: shares.get(name, 0) for name in everywhere}, limits)
        elif manifest in split_ones and run == "divided":
            patches = _share_patches(manifest, shares)
        own_share = run == "divided" and manifest in split_ones and not rules
        clusters = list(scaled_copy.shares) if scaled_copy else list(shares) if own_share else everywhere
        overrides = {
            name: [
                *patches.get(name, []),
                *_with_annotations(manifest, [*annotations.get(name, []), *patches_for(manifest, own[name])]),
            ]
            for name in clusters
        }
        overrides = {name: each for name, each in overrides.items() if each}
        retains = scaled_copy is not None and scaled_copy.retains
        copied = scaled_copy.manifest if scaled_copy else manifest
        objects.append(PlacedObject(copied, clusters, overrides, rules, retains))
    return PlacedWorkload(workload.namespace, decisions, objects)


def _shares_of(manifest: Manifest, position: int, decisions: Sequence[Decision]) -> dict[str, int]:
    """The share of each member that has a counted object; `position` is its place among the counted ones."""
    parts = {each.cluster: each.shares[position] for each in decisions if each.taken}
    if manifest.type == JOBS and any(parts.values()):
        # A Job without pods would complete at once, and be of no use.
        return {name: part for name, part in parts.items() if part}
    return parts


def _fixed(shares: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Limits by which KubeFed moves no replica of what is whole or duplicated to another member."""
    return {name: {"min": share, "max": share} for name, share in shares.items()}


def keeps_memory(manifest: Manifest, manifests: Sequence[Manifest]) -> bool:
    """Whether an object's federated one keeps what was decided: the counted ones do, or what else runs pods."""
    return bool(manifest.type.counted or (not counted(manifests) and manifest.type.runs_pods))


def template(manifest: Manifest) -> dict[str, Any]:
    """What KubeFed makes the copies from: the object without its name, namespace, apiVersion and kind."""
    metadata = {key: value for key, value in manifest.body["metadata"].items() if key not in ("name", "namespace")}
    body = {
        key: value for key, value in manifest.body.items() if key not in ("apiVersion", "kind", "metadata", "status")
    }
    if metadata.get("annotations"):
        # KubeFed drops them, and the patches that add them again need a map.
        metadata["annotations"] = {}
    if manifest.type.counted:
        # An override can only replace an existing field.
        body["spec"] = {manifest.type.counted[0]: pods(manifest), **body.get("spec", {})}
    body = without_fields(body, deleting_fields(body, manifest.type))
    return {"metadata": metadata, **body} if metadata else body


def _with_annotations(manifest: Manifest, overrides: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The overrides after the patches by which an object's annotations reach its copies (KubeFed issue 1215)."""
    annotations: Mapping[str, Any] = manifest.body["metadata"].get("annotations") or {}
    patches: dict[str, Mapping[str, Any]] = {}
    for key, value in annotations.items():
        path = f"/metadata/annotations/{key.replace('~', '~0').replace('/', '~1')}"
        patches[path] = {"path": path, "op": "add", "value": value}
    for patch in overrides:
        path = patch["path"]
        # An annotation that is overridden is not in the copy until its patch adds it.
        if path not in patches:
            patches[path] = patch
        elif patch.get("op") == "remove":
            del patches[path]
        else:
            patches[path] = {**patch, "op": "add"}
    return list(patches.values())


def _limits(workload: Workload) -> dict[str, dict[str, int]]:
    """The minimum and maximum of each cluster that the placement limits."""
    placement = workload.placement
    limits = placement.limits if isinstance(placement, Spread | Weighted) else {}
    return {name: limit.model_dump(exclude_none=True, exclude_defaults=True) for name, limit in limits.items()}


def _share_patches(manifest: Manifest, shares: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """The patches that give each cluster its share of every counted field."""
    patches: dict[str, list[dict[str, Any]]] = {name: [] for name in shares}
    for position, key in enumerate(manifest.type.counted):
        whole = pods(manifest) if position == 0 else manifest.body.get("spec", {}).get(key)
        if whole is not None:
            for name, part in split(whole, shares if any(shares.values()) else dict.fromkeys(shares, 1)).items():
                patches[name].append({"path": f"/spec/{key}", "op": "replace", "value": part})
    return patches
