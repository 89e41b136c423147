"""Why a workload's placement is impossible with the clusters of its stack, and what to write instead."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from placement.autoscaling.autoscaled import extremes_of
from placement.facts import facts_of
from placement.fit.classes import COMPUTE_CLASS, selected
from placement.fit.room import Room
from placement.fit.space import Space
from placement.manifests.manifest import Manifest
from placement.pods.runs import check_run, contradiction, run_of, whole_because
from placement.policies.candidates import candidates, why_not
from placement.policies.decision import Facts, Members
from placement.policies.place import unmet_limits
from placement.spec import InRegion, Nearest, SpareCapacity, bucket_of, named_clusters
from placement.stack import Placed, place_more
from placement.workload import Workload
from problems import Problem, one_of


def check_placement(
    name: str, workload: Workload, manifests: Sequence[Manifest], members: Members, space: Mapping[str, Space]
) -> Iterator[Problem]:
    """Yields why a well-formed placement of known clusters is impossible with these members, if it were the only one.

    `space` is what each member has at its largest.
    """
    setting = f"workloads.{name}"
    placement, run = workload.placement, run_of(manifests, workload.run)
    yield from check_run(setting, workload.run, placement, manifests)
    if any(name not in members for _, name in named_clusters(placement)):
        return
    facts = facts_of(name, workload, manifests, space)
    counts = extremes_of(manifests)
    names = candidates(placement, members, facts)
    if not names:
        every = [(name, why_not(placement, name, labels, facts)) for name, labels in sorted(members.items())]
        nowhere = "; ".join(f"{name}: {reason}" for name, reason in every)
        advice = _undefined(facts, members, space) or "write a placement or pools that do"
        if isinstance(placement, InRegion):
            regions = {labels["region"] for labels in members.values()}
            advice = f"write a region that has a cluster: {', '.join(sorted(regions))}"
        yield Problem(f"{setting}.placement", None, f"no cluster fits ({nowhere}); {advice}")
    if run == "whole":
        wrong, value, text = contradiction(placement, names, *whole_because(manifests, workload.run))
        if text:
            yield Problem(f"{setting}.{wrong}", value, text)
            return
    if run != "duplicated":
        for text in unmet_limits(placement, members, counts, facts):
            yield Problem(f"{setting}.placement.limits", None, text)


def _undefined(facts: Facts, members: Members, space: Mapping[str, Space]) -> str:
    """What to write where the pods select a compute class that no member has; empty where one has it."""
    bins = [each for own in space.values() for each in own.largest.bins]
    defined = {each.pool.nodes.labels.get(COMPUTE_CLASS, "") for each in bins} - {""}
    chosen = [selected(kind.terms) for kind in facts.pods.kinds]
    missing = sorted(name for names in chosen if names.isdisjoint(defined) for name in names)
    if not missing:
        return ""
    other = f", or select {one_of(missing[0], defined)}" if defined else ""
    return f"write {missing[0]} in the compute_classes of a cluster, such as {min(members)}{other}"


def check_room(
    placed: Placed,
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
    members: Members,
) -> Iterator[Problem]:
    """Yields which of the stack's workloads have no room beside those before them, with what to raise.

    `placed` are those that the settings place. What is placed by free nodes is held against the pools at their largest,
    and what is placed near a bucket against those of each cluster, wherever the bucket is.
    """
    for name, workload in sorted(workloads.items()):
        if to := bucket_of(workload.placement):
            text = _fits_nowhere(name, to, placed, workloads, manifests, members)
            if text:
                yield Problem(f"workloads.{name}.placement", None, f"wherever {to} is: {text}")
    spare = [name for name, each in workloads.items() if isinstance(each.placement, SpareCapacity)]
    grown = {name: replace(each, now=Room(()), grown=each.left) for name, each in placed.space.items()}
    later = place_more(replace(placed, space=grown), spare, workloads, manifests, members)
    for name, text in sorted(later.problems.items()):
        yield Problem(f"workloads.{name}.placement", None, text)


def _fits_nowhere(
    name: str,
    bucket: str,
    placed: Placed,
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
    members: Members,
) -> str:
    """Why a workload fits in no clusters near its bucket, wherever that is; empty where it depends on the bucket.

    Of one object, or in one cluster, it does not: all the candidates are tried, from the nearest on.
    """
    workload = workloads[name]
    facts = facts_of(name, workload, manifests[name], placed.space)
    names = candidates(workload.placement, members, facts)
    several = isinstance(workload.placement, Nearest) and workload.placement.count > 1
    if not names or not facts.units or (several and len(facts.units) > 1):
        return ""
    # The message names the nearest: here, the one with the most room.
    first = max(names, key=lambda each: placed.space[each].room(facts.units[0].gang) if each in placed.space else 0)
    later = place_more(placed, [name], workloads, manifests, members, {bucket: (members[first]["region"],)})
    return later.problems.get(name, "")
