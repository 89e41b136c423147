"""Divides autoscaled objects over clusters: each gets a part of the minimum and of the maximum.

Which clusters are taken, and which of them come first, is decided by the policy (policies.py); how an autoscaler's
copies then differ is said here too. What is not autoscaled is passed through as it is.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from placement.api.lookup import at
from placement.api.pod_kinds import Run
from placement.autoscaling.autoscalers import PAUSED_REPLICAS, Autoscaler, autoscalers
from placement.fit.space import Space
from placement.manifests.manifest import Manifest
from placement.pods.demand import pods
from placement.pods.runs import counted, run_of
from placement.policies.decision import NO_FACTS, Decision, Facts, Members, NothingFits
from placement.policies.place import impossible, place
from placement.policies.shares import split
from placement.spec import Limit, Placement, SpareCapacity, Spread, Weighted
from placement.workload import Workload

NO_ROOM: Mapping[str, int] = {}
Parts = tuple[dict[str, int], dict[str, int]]
"""The minimum and the maximum of each cluster that is taken."""


def counts_of(workload: Workload, manifests: Sequence[Manifest]) -> list[int]:
    """What a placement decides of each counted object: its pods, or the maximum of an autoscaled one.

    Where nothing is divided, and by spare capacity, it is the minimum: the maximum needs room only under load.
    """
    now = isinstance(workload.placement, SpareCapacity) or run_of(manifests, workload.run) != "divided"
    scaled = _by_position(manifests)
    return [
        (max(1, scaled[position].least) if now else scaled[position].most) if position in scaled else pods(each)
        for position, each in enumerate(counted(manifests))
    ]


def extremes_of(manifests: Sequence[Manifest]) -> list[int]:
    """What limits must allow of each counted object: its pods, or the minimum and the maximum of an autoscaled one."""
    scaled = _by_position(manifests)
    return [
        count
        for position, each in enumerate(counted(manifests))
        for count in ((scaled[position].least, scaled[position].most) if position in scaled else (pods(each),))
    ]


def place_objects(
    workload: Workload, members: Members, manifests: Sequence[Manifest], facts: Facts = NO_FACTS
) -> list[Decision]:
    """The decision for each member, by name, with its part of every counted object. Raises NothingFits."""
    placement, run = workload.placement, run_of(manifests, workload.run)
    for text in impossible(placement, members, extremes_of(manifests), facts, run):
        raise NothingFits(text)
    counts, scaled = counts_of(workload, manifests), _by_position(manifests)
    decisions = place(placement, members, counts, facts, run)
    if not scaled or not any(each.taken for each in decisions):
        return decisions
    if run != "divided":
        return [_with_all(each, scaled) for each in decisions]
    taken = [each for each in decisions if each.taken]
    space = _beside({*scaled}, taken, facts)
    parts: dict[int, Parts] = {}
    for position, each in scaled.items():
        judged = {} if isinstance(placement, SpareCapacity) else space
        room = {name: own.room(facts.units[position].gang, each.most) for name, own in judged.items()}
        parts[position] = parts_of(each, placement, {one.cluster: one.shares[position] for one in taken}, room)
        for name, most in parts[position][1].items() if room else ():
            space[name] = space[name].without(facts.units[position].gang, most)
    return [_with_parts(each, counts, scaled, parts, placement) for each in decisions]


def _beside(scaled: Collection[int], taken: Sequence[Decision], facts: Facts) -> dict[str, Space]:
    """What each taken cluster has room for beside the objects that are not autoscaled."""
    space = {name: own for name, own in facts.of_units.space.items() if name in {each.cluster for each in taken}}
    for each in taken:
        for position, share in enumerate(each.shares):
            if each.cluster in space and position not in scaled:
                space[each.cluster] = space[each.cluster].without(facts.units[position].gang, share)
    return space


def parts_of(
    autoscaler: Autoscaler, placement: Placement, shares: Mapping[str, int], room: Mapping[str, int] = NO_ROOM
) -> Parts:
    """The parts of an autoscaler's minimum and maximum, given what the policy gave each cluster of its count.

    `room` is how many replicas fit in each cluster, if that is judged: no maximum is larger.

    The parts of the maximum add up to it, and so do those of the minimum, unless that is less than 1 for each cluster
    that is taken; a minimum of 0 is 0 everywhere. Clusters that got more of the count come first.
    """
    limits = placement.limits if isinstance(placement, Spread | Weighted) else {}
    weights = placement.weights if isinstance(placement, Weighted) else dict.fromkeys(shares, 1)
    if isinstance(placement, SpareCapacity):
        weights = shares
    lowest = {name: max(1, limits[name].min if name in limits else 0) for name in shares}
    highest = {name: limits[name].max if name in limits else None for name in shares}
    limit = {name: autoscaler.most if most is None else most for name, most in highest.items()}
    fits = {name: min(free, limit[name]) for name, free in room.items()}
    if sum(fits.values()) >= autoscaler.most:
        highest, lowest = highest | fits, {name: min(lowest[name], fits.get(name, lowest[name])) for name in shares}
    taken = [name for name in shares if highest[name] != 0 and weights[name]]
    if sum(lowest[name] for name in taken) > autoscaler.most:
        taken = [name for name in taken if shares[name]]
    taken.sort(key=lambda name: -shares[name])
    own = {name: weights[name] for name in taken}
    most = split(autoscaler.most, own, {name: Limit(min=lowest[name], max=highest[name]) for name in taken})
    if not autoscaler.least:
        return dict.fromkeys(taken, 0), most
    least = max(autoscaler.least, sum(lowest[name] for name in taken))
    return split(least, own, {name: Limit(min=lowest[name], max=most[name]) for name in taken}), most


@dataclass(frozen=True)
class ScaledCopy:
    """How the copies of an autoscaled object, or of its autoscaler, differ.

    `shares` has the minimum of each cluster with a copy; `patches` and `annotations` are JSON patches of each. Where
    `retains`, KubeFed leaves the replicas of a copy alone.
    """

    manifest: Manifest
    shares: Mapping[str, int]
    patches: Mapping[str, Sequence[Mapping[str, Any]]]
    annotations: Mapping[str, Sequence[Mapping[str, Any]]]
    retains: bool = False


def scaled_copies(
    manifests: Sequence[Manifest], decisions: Sequence[Decision], run: Run = "divided"
) -> dict[int, ScaledCopy]:
    """The copies of each autoscaled object and of its autoscaler, by the id of the object."""
    copies: dict[int, ScaledCopy] = {}
    for position, each in _by_position(manifests).items():
        there = [one for one in decisions if one.most and one.most[position]]
        least = {one.cluster: one.shares[position] for one in there}
        most = {one.cluster: one.most[position] for one in there}
        divided = run == "divided"
        patches = _patches(each, (least, most)) if divided else {}
        annotations = _annotations(each, most) if divided else {}
        copies[id(each.manifest)] = ScaledCopy(each.manifest, least, patches, annotations)
        target = _starting(each.target, min(least.values(), default=0))
        copies[id(each.target)] = ScaledCopy(target, least, {}, {}, retains=True)
    return copies


def _starting(target: Manifest, replicas: int) -> Manifest:
    """An autoscaled object whose new copies start with so many replicas.

    KubeFed creates all from one template, and an override would undo the autoscaler's work. So they start with the
    smallest minimum; where another is larger, its autoscaler raises them without waiting for a metric.
    """
    return replace(target, body={**target.body, "spec": {**target.body["spec"], "replicas": replicas}})


def _patches(autoscaler: Autoscaler, parts: Parts) -> dict[str, list[dict[str, Any]]]:
    """The patches that give each cluster's copy of an autoscaler its part of every number of replicas."""
    least, most = parts
    kind, spec = autoscaler.kind, autoscaler.manifest.body["spec"]
    # A number that is left out is added.
    patches: dict[str, list[dict[str, Any]]] = {
        name: [
            {"path": f"/spec/{kind.least}", "op": "add", "value": least[name]},
            {"path": f"/spec/{kind.most}", "op": "add", "value": most[name]},
        ]
        for name in most
    }
    for path in kind.counts:
        count = at(spec, *path)
        for name, part in (split(count, most) if isinstance(count, int) else {}).items():
            patches[name].append({"path": f"/spec/{'/'.join(path)}", "op": "replace", "value": part})
    return patches


def _annotations(autoscaler: Autoscaler, most: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """The patches of the annotation that keeps the target at a number of replicas, which is divided like the others."""
    kept = at(autoscaler.manifest.body, "metadata", "annotations", PAUSED_REPLICAS)
    if not isinstance(kept, str) or not kept.isdigit():
        return {}
    path = f"/metadata/annotations/{PAUSED_REPLICAS.replace('/', '~1')}"
    parts = split(int(kept), most)
    return {name: [{"path": path, "op": "add", "value": str(part)}] for name, part in parts.items()}


def _by_position(manifests: Sequence[Manifest]) -> dict[int, Autoscaler]:
    """The autoscaler of each autoscaled object, by the object's place among the counted ones."""
    positions = {id(each): position for position, each in enumerate(counted(manifests))}
    return {positions[id(each.target)]: each for each in autoscalers(manifests)}


def _with_all(each: Decision, scaled: Mapping[int, Autoscaler]) -> Decision:
    """A decision for what is not divided, with the whole minimum and maximum where it is taken."""
    if not each.taken:
        return replace(each, most=tuple(0 for _ in each.shares))
    own = [scaled.get(position) for position in range(len(each.shares))]
    shares = tuple(one.least if one else share for one, share in zip(own, each.shares, strict=True))
    most = tuple(one.most if one else share for one, share in zip(own, each.shares, strict=True))
    reason = each.reason + "".join(f"; autoscaled from {one.least} to {one.most}" for one in scaled.values())
    return replace(each, share=sum(shares), shares=shares, most=most, reason=reason)


def _with_parts(
    each: Decision,
    counts: Sequence[int],
    scaled: Mapping[int, Autoscaler],
    parts: Mapping[int, Parts],
    placement: Placement,
) -> Decision:
    """A decision with its part of each minimum for a share, the parts of each maximum, and both in the reason."""
    name = each.cluster
    if not each.taken or not any(name in most for _, most in parts.values()):
        # Nothing autoscaled runs there; it is taken if something else does.
        shares = tuple(0 if position in scaled else share for position, share in enumerate(each.shares))
        stays = each.taken and len(scaled) < len(counts)
        return replace(each, share=sum(shares), shares=shares, most=tuple(0 for _ in shares), taken=stays)
    least, most = (
        tuple(parts[at][end].get(name, 0) if at in scaled else share for at, share in enumerate(each.shares))
        for end in (0, 1)
    )
    reason = _reason(each, counts, scaled, (least, most))
    if isinstance(placement, SpareCapacity):
        reason += "; there is room for the minimum"
    for position, (minima, _) in parts.items():
        if sum(minima.values()) > scaled[position].least:
            reason += f"; at least 1 in each cluster, {sum(minima.values())} in all"
    return replace(each, share=sum(least), shares=least, most=most, reason=reason)


# How the policies say what a cluster gets (decision.py, by_room.py).
_GETS = re.compile(r", (gets \d+ of \d+|but \d+ over \d+ clusters leaves it none)")


def _reason(
    each: Decision, counts: Sequence[int], scaled: Mapping[int, Autoscaler], parts: tuple[Sequence[int], Sequence[int]]
) -> str:
    """The reason, with what the cluster gets of the minimum and the maximum, such as "gets 2 to 6 of 3 to 12"."""
    least, most = parts
    gets = ", gets " + " and ".join(
        f"{least[position]} to {most[position]} of {scaled[position].least} to {scaled[position].most}"
        if position in scaled
        else f"{least[position]} of {count}"
        for position, count in enumerate(counts)
    )
    return _GETS.sub(gets, each.reason, count=1) if _GETS.search(each.reason) else f"{each.reason}{gets}"
