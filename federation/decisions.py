"""Decides where every workload goes, and asks what the settings do not say: where a bucket is, and what is free now."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

import pulumi
from pulumi_gcp import storage

from federation.capacity import CannotMeasure, Node, federated_annotation, fitting, measure, without
from federation.copies import MEMORY, PlacedWorkload, copies, facts_of, place_workload
from federation.demand import demands, pods
from federation.distance import origin_regions
from federation.manifests import Manifest
from federation.placement import Decision, Members, NothingFits
from federation.spec import BUCKET, Nearest, SpareCapacity, Workload
from settings import Settings


def decide(
    settings: Settings, members: Members, kubeconfigs: Mapping[str, pulumi.Output[str]]
) -> dict[str, pulumi.Output[PlacedWorkload]]:
    """Where each workload goes; unknown in a preview before there is a cluster to ask."""
    spare = {name: each for name, each in settings.workloads.items() if isinstance(each.placement, SpareCapacity)}
    # Kubeconfigs are secret, but what is decided with them is to be seen.
    by_room = pulumi.Output.unsecret(
        pulumi.Output.all(**kubeconfigs).apply(
            lambda configs: by_spare_capacity(settings, members, configs, sorted(spare))
        )
    )
    decided: dict[str, pulumi.Output[PlacedWorkload]] = {}
    for name, workload in settings.workloads.items():
        if name in spare:
            decided[name] = by_room.apply(lambda placed, name=name: placed[name])
        elif isinstance(workload.placement, Nearest) and workload.placement.to.startswith(BUCKET):
            bucket = storage.get_bucket_output(name=workload.placement.to.removeprefix(BUCKET))
            decided[name] = bucket.location.apply(
                lambda location, name=name: placed_by_settings(settings, name, members, origin_regions(location))
            )
        else:
            decided[name] = pulumi.Output.from_input(placed_by_settings(settings, name, members))
    return decided


def placed_by_settings(
    settings: Settings, name: str, members: Members, origins: tuple[str, ...] = ()
) -> PlacedWorkload:
    """Where a workload goes whose placement needs no measurement; `origins` are the regions of its data."""
    manifests = settings.manifests[name]
    return place_workload(settings.workloads[name], manifests, members, facts_of(manifests, origins))


def by_spare_capacity(
    settings: Settings, members: Members, kubeconfigs: Mapping[str, str], names: Sequence[str]
) -> dict[str, PlacedWorkload]:
    """Decides one workload after the other, each by what those before it leave. Raises pulumi.RunError."""
    host = settings.federation.host
    placed: dict[str, PlacedWorkload] = {}
    free: dict[str, list[Node]] | None = None
    for name in names:
        workload, manifests = settings.workloads[name], settings.manifests[name]
        try:
            kept = _kept(workload, manifests, members, host, kubeconfigs[host])
            if kept is None:
                free = _measured(kubeconfigs) if free is None else free
                placed[name] = _place_by_room(workload, manifests, members, free)
                free = _left(free, placed[name], manifests)
            else:
                placed[name] = copies(workload, manifests, members, kept, facts_of(manifests))
        except (CannotMeasure, NothingFits) as error:
            raise pulumi.RunError(f"workloads.{name}.placement: {error}") from None
        placed[name] = replace(placed[name], memory=_memory(workload, manifests, placed[name].decisions))
    return placed


def _place_by_room(
    workload: Workload, manifests: Sequence[Manifest], members: Members, free: Mapping[str, Sequence[Node]]
) -> PlacedWorkload:
    fits = {member: [fitting(nodes, pod) for pod in demands(manifests)] for member, nodes in free.items()}
    return place_workload(workload, manifests, members, replace(facts_of(manifests), free=fits))


def _measured(kubeconfigs: Mapping[str, str]) -> dict[str, list[Node]]:
    """What is free in each member; one that does not answer has nothing."""

    def ask(member: str) -> list[Node]:
        try:
            return measure(member, kubeconfigs[member])
        except CannotMeasure as error:
            pulumi.log.warn(f"{error}; it is taken to have nothing free")
            return []

    with ThreadPoolExecutor() as pool:
        return dict(zip(kubeconfigs, pool.map(ask, kubeconfigs), strict=True))


def _left(
    free: Mapping[str, list[Node]], placed: PlacedWorkload, manifests: Sequence[Manifest]
) -> dict[str, list[Node]]:
    left = dict(free)
    for decision in placed.decisions:
        for pod, share in zip(demands(manifests), decision.shares, strict=True):
            left[decision.cluster] = without(left[decision.cluster], pod, share)
    return left


def _kept(
    workload: Workload, manifests: Sequence[Manifest], members: Members, host: str, kubeconfig: str
) -> list[Decision] | None:
    """What was decided when the workload was made, while it asks for the same and its clusters are there."""
    for manifest in _counted(manifests):
        text = federated_annotation(host, kubeconfig, manifest, workload.namespace, MEMORY)
        memory: dict[str, Any] = json.loads(text) if text else {}
        if memory.get("asked") == _asked(workload, manifests):
            decisions = [Decision(**each | {"shares": tuple(each["shares"])}) for each in memory["decisions"]]
            if {each.cluster for each in decisions} == set(members):
                return decisions
    return None


def _memory(workload: Workload, manifests: Sequence[Manifest], decisions: Sequence[Decision]) -> str:
    kept = {"asked": _asked(workload, manifests), "decisions": [asdict(each) for each in decisions]}
    return json.dumps(kept, sort_keys=True)


def _asked(workload: Workload, manifests: Sequence[Manifest]) -> str:
    """A digest of what a decision rests on besides what is free. A new image is no reason for another decision."""
    counts = [(each.name, pods(each)) for each in _counted(manifests)]
    rests_on = [workload.placement.model_dump(), counts, [str(each) for each in demands(manifests)]]
    return hashlib.sha256(json.dumps(rests_on, sort_keys=True).encode()).hexdigest()[:16]


def _counted(manifests: Sequence[Manifest]) -> Iterator[Manifest]:
    return (manifest for manifest in manifests if manifest.type.counted)
