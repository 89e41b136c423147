"""Decides where each workload is placed, and queries what the settings do not say: a bucket's location, free GPUs."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

import pulumi
from pulumi_gcp import storage

from federation.api_client import NoAnswer
from federation.free_accelerators import Node, fitting, measure, without
from federation.queries import federated_annotation
from placement.autoscaled import counts_of
from placement.autoscalers import autoscalers
from placement.copies import MEMORY, PlacedWorkload, copies, facts_of, keeps_memory, place_workload
from placement.demand import UnitDemand, demands, pods, whole_demand
from placement.distance import origin_regions
from placement.manifests import Manifest
from placement.policies import SCALED_TO_0, Decision, Members, NothingFits, candidates, place
from placement.runs import counted, run_of
from placement.spec import BUCKET, Nearest, SpareCapacity
from placement.workload import Workload


def decide(
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
    host: str,
    members: Members,
    kubeconfigs: Mapping[str, pulumi.Output[str]],
) -> dict[str, pulumi.Output[PlacedWorkload]]:
    """Where each workload is placed; unknown in a preview before there is a cluster to query."""
    spare = {name: each for name, each in workloads.items() if isinstance(each.placement, SpareCapacity)}
    # Kubeconfigs are secret, but what is decided with them is to be shown.
    by_room = pulumi.Output.unsecret(
        pulumi.Output.all(**kubeconfigs).apply(
            lambda configs: by_spare_capacity(spare, manifests, host, members, configs)
        )
    )
    decided: dict[str, pulumi.Output[PlacedWorkload]] = {}
    for name, workload in workloads.items():
        if name in spare:
            decided[name] = by_room.apply(lambda placed, name=name: placed[name])
        elif isinstance(workload.placement, Nearest) and workload.placement.to.startswith(BUCKET):
            bucket = storage.get_bucket_output(name=workload.placement.to.removeprefix(BUCKET))
            own = manifests[name]
            decided[name] = bucket.location.apply(
                lambda location, workload=workload, own=own: placed_by_settings(
                    workload, own, members, origin_regions(location)
                )
            )
        else:
            decided[name] = pulumi.Output.from_input(placed_by_settings(workload, manifests[name], members))
    return decided


def placed_by_settings(
    workload: Workload, manifests: Sequence[Manifest], members: Members, origins: tuple[str, ...] = ()
) -> PlacedWorkload:
    """The placement of a workload that needs no measurement; `origins` are the regions of its data."""
    return place_workload(workload, manifests, members, facts_of(manifests, origins, workload.run))


def by_spare_capacity(
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
    host: str,
    members: Members,
    kubeconfigs: Mapping[str, str],
) -> dict[str, PlacedWorkload]:
    """Places one workload after the other, by name, each in what those before it left free. Raises pulumi.RunError."""
    placed: dict[str, PlacedWorkload] = {}
    free: dict[str, list[Node]] | None = None
    for name, workload in sorted(workloads.items()):
        own = manifests[name]
        try:
            text = _memory_text(workload, own, host, kubeconfigs[host])
            earlier = _still_valid(text, workload, own, members)
            at_0 = _scaled_to_0(text, workload, own, members)
            if at_0:
                # The memory stays as it was: once scaled up again, that decision is valid again.
                placed[name] = copies(workload, own, members, at_0, facts_of(own, chosen=workload.run))
                placed[name] = replace(placed[name], memory=text)
                continue
            if earlier is None:
                free = _measured(kubeconfigs) if free is None else free
                placed[name] = _place_by_room(workload, own, members, free)
                free = _free_after(free, placed[name], workload, own)
            else:
                placed[name] = copies(workload, own, members, earlier, facts_of(own, chosen=workload.run))
        except (NoAnswer, NothingFits) as error:
            raise pulumi.RunError(f"workloads.{name}.placement: {error}") from None
        placed[name] = replace(placed[name], memory=_memory(workload, own, placed[name].decisions))
    return placed


def _place_by_room(
    workload: Workload, manifests: Sequence[Manifest], members: Members, free: Mapping[str, Sequence[Node]]
) -> PlacedWorkload:
    fits = {
        member: [fitting(nodes, each) for each in _requested(workload, manifests)] for member, nodes in free.items()
    }
    facts = replace(facts_of(manifests, chosen=workload.run), free=fits)
    return place_workload(workload, manifests, members, facts)


def _requested(workload: Workload, manifests: Sequence[Manifest]) -> list[UnitDemand]:
    """What must find room: each unit of a divided workload, or all of it."""
    divided = run_of(manifests, workload.run) == "divided"
    return demands(manifests) if divided else [whole_demand(manifests)]


def _measured(kubeconfigs: Mapping[str, str]) -> dict[str, list[Node]]:
    """What is free in each member; one that does not answer has nothing."""

    def query(member: str) -> list[Node]:
        try:
            return measure(member, kubeconfigs[member])
        except NoAnswer as error:
            pulumi.log.warn(f"{error}; it is taken to have nothing free")
            return []

    with ThreadPoolExecutor() as pool:
        return dict(zip(kubeconfigs, pool.map(query, kubeconfigs), strict=True))


def _free_after(
    free: Mapping[str, list[Node]], placed: PlacedWorkload, workload: Workload, manifests: Sequence[Manifest]
) -> dict[str, list[Node]]:
    """What is still free in each member once a workload's pods run there."""
    left = dict(free)
    divided = run_of(manifests, workload.run) == "divided"
    for decision in placed.decisions:
        shares = decision.shares if divided else [int(decision.taken)]
        for each, share in zip(_requested(workload, manifests), shares, strict=True):
            left[decision.cluster] = without(left[decision.cluster], each, share)
    return left


def _memory_text(workload: Workload, manifests: Sequence[Manifest], host: str, kubeconfig: str) -> str:
    """What the last run recorded of its decision; empty where there was none."""
    keepers = (manifest for manifest in manifests if keeps_memory(manifest, manifests))
    texts = (federated_annotation(host, kubeconfig, each, workload.namespace, MEMORY) for each in keepers)
    return next(filter(None, texts), "")


def _still_valid(
    text: str, workload: Workload, manifests: Sequence[Manifest], members: Members
) -> list[Decision] | None:
    """The recorded decision, while the workload requests the same and its clusters exist."""
    memory: dict[str, Any] = json.loads(text) if text else {}
    decisions = _decisions(memory)
    if memory.get("asked") != _request_digest(workload, manifests) or {each.cluster for each in decisions} != set(
        members
    ):
        return None
    return decisions


def _scaled_to_0(text: str, workload: Workload, manifests: Sequence[Manifest], members: Members) -> list[Decision]:
    """The decision for a workload of no replicas: it stays where it was, if it still may; empty for any other."""
    counts = counts_of(workload, manifests)
    facts = facts_of(manifests, chosen=workload.run)
    able = candidates(workload.placement, members, facts)
    earlier = {each.cluster for each in _decisions(json.loads(text) if text else {}) if each.taken} & set(able)
    if not counts or any(counts) or not earlier or whole_demand(manifests).pods:
        return []
    return [
        replace(each, taken=True, reason=SCALED_TO_0)
        if each.cluster in earlier
        else replace(each, taken=False, reason=_ELSEWHERE if each.cluster in able else each.reason)
        for each in place(workload.placement, members, counts, facts, run_of(manifests, workload.run))
    ]


_ELSEWHERE = "was elsewhere before it was scaled to 0"


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


def _memory(workload: Workload, manifests: Sequence[Manifest], decisions: Sequence[Decision]) -> str:
    plain = [asdict(each) for each in decisions]
    # Only what is autoscaled has more than its share to remember.
    found = [{key: value for key, value in each.items() if key != "most" or value} for each in plain]
    kept = {"asked": _request_digest(workload, manifests), "decisions": found}
    return json.dumps(kept, sort_keys=True)


def _request_digest(workload: Workload, manifests: Sequence[Manifest]) -> str:
    """A digest of what a decision depends on besides free capacity. A new image is no reason for another decision."""
    counts = [(each.name, pods(each)) for each in counted(manifests)]
    run = run_of(manifests, workload.run)
    inputs: list[Any] = [
        workload.placement.model_dump(),
        counts,
        [str(each) for each in _requested(workload, manifests)],
    ]
    # What is divided was all that an earlier release knew.
    inputs += [] if run == "divided" else [run]
    inputs += [(each.target.name, each.least, each.most) for each in autoscalers(manifests)]
    return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
