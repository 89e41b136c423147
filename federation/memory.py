"""What a run remembers of a decision by spare capacity, in an annotation of the federated object, for later runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from federation.digest import digest
from federation.queries import federated_annotation
from placement.autoscaling.autoscaled import counts_of
from placement.autoscaling.autoscalers import autoscalers
from placement.copies import MEMORY, keeps_memory
from placement.fit.packing import fits, fitting
from placement.fit.space import MANY
from placement.manifests.manifest import Manifest
from placement.pods.demand import pods
from placement.pods.runs import counted, run_of
from placement.policies.decision import SCALED_TO_0, Decision, Facts, Members, numbered
from placement.policies.place import candidates, place
from placement.workload import Workload

_ELSEWHERE = "was elsewhere before it was scaled to 0"


def recorded(workload: Workload, manifests: Sequence[Manifest], host: str, kubeconfig: str) -> str:
    """What the last run recorded of its decision; empty where there was none. Raises NoAnswer."""
    keepers = (manifest for manifest in manifests if keeps_memory(manifest, manifests))
    texts = (federated_annotation(host, kubeconfig, each, workload.namespace, MEMORY) for each in keepers)
    return next(filter(None, texts), "")


def still_valid(
    text: str, workload: Workload, manifests: Sequence[Manifest], members: Members, facts: Facts
) -> list[Decision] | None:
    """The recorded decision, while the workload requests the same, and its clusters exist and have room for it.

    Room is judged by the settings alone. What others of the stack take of it counts only where there is less than when
    it was decided: nothing that runs is moved for what comes later.
    """
    memory: dict[str, Any] = json.loads(text) if text else {}
    decisions = _decisions(memory)
    if memory.get("asked") != digest_of(workload, manifests, facts):
        return None
    if {each.cluster for each in decisions} != set(members):
        return None
    able, taken = candidates(workload.placement, members, facts), [each for each in decisions if each.taken]
    if not all(each.cluster in able for each in taken):
        return None
    earlier, run = memory.get("room", {}), run_of(manifests, workload.run)
    now = room_of(decisions, facts)
    for each in taken:
        space, counts = facts.space.get(each.cluster), earlier.get(each.cluster, [])
        less = any(one < other for one, other in zip(now.get(each.cluster, []), counts, strict=False))
        if space and not fits(space.left if less else space.largest, numbered(facts, each.shares, run)):
            return None
    return decisions


def room_of(decisions: Sequence[Decision], facts: Facts) -> dict[str, list[int]]:
    """How many of each unit the clusters that are taken have room for at their largest, with nothing else there."""
    taken = [each.cluster for each in decisions if each.taken and each.cluster in facts.space]
    return {name: [fitting(facts.space[name].largest, unit.gang, MANY) for unit in facts.units] for name in taken}


def scaled_to_0(
    text: str, workload: Workload, manifests: Sequence[Manifest], members: Members, facts: Facts
) -> list[Decision]:
    """The decision for a workload of no replicas: it stays where it was, if it still may; empty for any other."""
    counts = counts_of(workload, manifests)
    able = candidates(workload.placement, members, facts)
    earlier = {each.cluster for each in _decisions(json.loads(text) if text else {}) if each.taken} & set(able)
    run = run_of(manifests, workload.run)
    runs_pods = run != "divided" and any(any(unit.gang.counts) for unit in facts.units)
    if not counts or any(counts) or not earlier or runs_pods:
        return []
    return [
        replace(each, taken=True, reason=SCALED_TO_0)
        if each.cluster in earlier
        else replace(each, taken=False, reason=_ELSEWHERE if each.cluster in able else each.reason)
        for each in place(workload.placement, members, counts, facts, run)
    ]


def text_of(digest: str, decisions: Sequence[Decision], room: Mapping[str, Sequence[int]]) -> str:
    """What is recorded of a decision, and of the room that its clusters had for it."""
    plain = [asdict(each) for each in decisions]
    # Only what is autoscaled has more than its share to remember.
    found = [{key: value for key, value in each.items() if key != "most" or value} for each in plain]
    kept = {"asked": digest, "decisions": found, "room": room}
    return json.dumps(kept, sort_keys=True)


def digest_of(workload: Workload, manifests: Sequence[Manifest], facts: Facts) -> str:
    """A digest of what a decision depends on besides free capacity. A new image is no reason for another decision."""
    counts = [(each.name, pods(each)) for each in counted(manifests)]
    run = run_of(manifests, workload.run)
    inputs: list[Any] = [workload.placement.model_dump(), counts, [unit.requested for unit in facts.units]]
    # What is divided was all that an earlier release knew.
    inputs += [] if run == "divided" else [run]
    inputs += [(each.target.name, each.least, each.most) for each in autoscalers(manifests)]
    return digest(inputs)


def _decisions(memory: Mapping[str, Any]) -> list[Decision]:
    # An earlier release did not record `taken`: every cluster with a share was taken.
    return [
        Decision(
            **{"taken": bool(each["share"])}
            | each
            | {"shares": tuple(each["shares"]), "most": tuple(each.get("most", ()))}
        )
        for each in memory.get("decisions", [])
    ]
