"""Decides where each workload is placed, and queries what the settings do not say: a bucket's location, free nodes."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pulumi
from pulumi_gcp import storage

from federation.api_client import NoAnswer
from federation.free_nodes import Measured, measure
from federation.memory import digest_of, recorded, room_of, scaled_to_0, still_valid, text_of
from placement.copies import PlacedWorkload, copies, place_workload
from placement.facts import after, facts_of
from placement.fit.space import Space, measured, unreachable
from placement.manifests.manifest import Manifest
from placement.pods.runs import run_of
from placement.policies.decision import Members, NothingFits
from placement.policies.distance import origin_regions
from placement.spec import BUCKET, SpareCapacity, bucket_of
from placement.stack import Placed, place_more
from placement.starting import yet_to_start
from placement.workload import Workload


def decide(
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
    host: str,
    first: Placed,
    members: Members,
    kubeconfigs: Mapping[str, pulumi.Output[str]],
) -> dict[str, pulumi.Output[PlacedWorkload]]:
    """Where each workload is placed; unknown in a preview before there is a cluster to query.

    `first` are those that the settings decide; then come those near a bucket, and those by spare capacity. Each has the
    room that those before it leave.
    """
    decided = {name: pulumi.Output.from_input(placed) for name, placed in first.workloads.items()}
    near = {name: to for name, each in workloads.items() if (to := bucket_of(each.placement))}
    second = pulumi.Output.from_input(first)
    if near:
        locations = {to: storage.get_bucket_output(name=to.removeprefix(BUCKET)).location for to in near.values()}
        second = pulumi.Output.all(**locations).apply(
            lambda found: _checked(place_more(first, near, workloads, manifests, members, _origins(found)))
        )
        decided |= {name: second.apply(lambda placed, name=name: placed.workloads[name]) for name in near}
    spare = {name: each for name, each in workloads.items() if isinstance(each.placement, SpareCapacity)}
    if spare:
        # Kubeconfigs are secret, but what is decided with them is to be shown.
        third = pulumi.Output.unsecret(
            pulumi.Output.all(second, pulumi.Output.all(**kubeconfigs)).apply(
                lambda found: by_spare_capacity(workloads, manifests, host, members, found[1], found[0])
            )
        )
        decided |= {name: third.apply(lambda placed, name=name: placed[name]) for name in spare}
    return {name: decided[name] for name in workloads}


def _origins(locations: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    return {to: origin_regions(location) for to, location in locations.items()}


def _checked(placed: Placed) -> Placed:
    for name, text in placed.problems.items():
        raise pulumi.RunError(f"workloads.{name}.placement: {text}")
    return placed


def by_spare_capacity(
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
    host: str,
    members: Members,
    kubeconfigs: Mapping[str, str],
    before: Placed,
) -> dict[str, PlacedWorkload]:
    """Places one workload after the other, by name, each in what those before it left free. Raises pulumi.RunError.

    `before` are those that are placed in other ways. What of them does not run yet is not free.
    """
    placed: dict[str, PlacedWorkload] = {}
    live: dict[str, Measured | None] | None = None
    space = before.space
    for name, workload in sorted(workloads.items()):
        if not isinstance(workload.placement, SpareCapacity):
            continue
        own = manifests[name]
        facts = facts_of(name, workload, own, space)
        try:
            text = recorded(workload, own, host, kubeconfigs[host])
            at_0 = scaled_to_0(text, workload, own, members, facts)
            if at_0:
                # The memory stays as it was: once scaled up again, that decision is valid again.
                placed[name] = replace(copies(workload, own, members, at_0, facts), memory=text)
                continue
            earlier = still_valid(text, workload, own, members, facts)
            if earlier is None:
                if live is None:
                    live = _measured(kubeconfigs)
                    for member, found in live.items():
                        starting = yet_to_start(before, member, found.running if found else {}, workloads, manifests)
                        space = {**space, member: _with_free(space[member], found).starting(starting)}
                    facts = replace(facts, space=space)
                placed[name] = place_workload(workload, own, members, facts)
            else:
                placed[name] = copies(workload, own, members, earlier, facts)
        except (NoAnswer, NothingFits) as error:
            raise pulumi.RunError(f"workloads.{name}.placement: {error}") from None
        space = after(facts, workload, placed[name], run_of(own, workload.run), earlier is not None)
        decisions = placed[name].decisions
        memory = text_of(digest_of(workload, own, facts), decisions, room_of(decisions, facts))
        placed[name] = replace(placed[name], memory=memory)
    return placed


def _with_free(space: Space, live: Measured | None) -> Space:
    return unreachable(space) if live is None else measured(space, live.free, live.existing)


def _measured(kubeconfigs: Mapping[str, str]) -> dict[str, Measured | None]:
    """What is free in each member; None of one that does not answer."""

    def query(member: str) -> Measured | None:
        try:
            return measure(member, kubeconfigs[member])
        except NoAnswer as error:
            pulumi.log.warn(f"{error}; it is taken to have nothing free")
            return None

    with ThreadPoolExecutor() as pool:
        return dict(zip(kubeconfigs, pool.map(query, kubeconfigs), strict=True))
