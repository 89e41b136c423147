"""Judges whether a pod fits on an empty node of a pool, as the scheduler and GKE would, and if not, why.

What cannot be judged by the settings refuses nothing: it is a doubt, which is reported beside the decision. How many
pods fit is counted in packing.py.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from clusters.facts.gpu_networks import NETWORK_RESOURCE
from clusters.nodes.auto_nodes import is_made
from clusters.nodes.nodes import Nodes
from placement.fit import tolerations
from placement.fit.classes import COMPUTE_CLASS
from placement.fit.devices import on_devices, on_networks
from placement.fit.made import made_for
from placement.fit.misses import Miss, Stage, of_amount, of_label, of_queue, of_sharing, of_taint, of_zones
from placement.fit.needs import GPU, Needs, needs
from placement.fit.node_labels import CLIENTS, HOSTNAME, PARTITION, REGION, SHARING, ZONES, Met, met
from placement.fit.selectors import Requirement, holds
from placement.fit.slices import on_slice

# Resources that a pool without them surely lacks, as do nodes that exist. Another may be given by a device plugin.
_KNOWN_RESOURCES = ("cpu", "memory", "ephemeral-storage", "pods", GPU, "google.com/tpu")

_NO_TERM = Miss(Stage.ACCELERATOR, "terms", lambda: ("the pod's node affinity has no term that a node can match", ""))


class Verdict(NamedTuple):
    """Whether a pod fits on a node: if there are no misses.

    `doubts` are what this depends on and cannot be judged, those of the pod itself first. `zones` are those in which
    the node must then be, None where any will do.
    """

    misses: tuple[Miss, ...] = ()
    doubts: tuple[str, ...] = ()
    zones: frozenset[str] | None = None


_FITS = Verdict()


def judge(pod: Needs, nodes: Nodes, known: Collection[str] = ()) -> Verdict:
    """Whether a pod fits on an empty node of a pool.

    `known` has the keys of labels, and the resources, that only the settings give.
    """
    if is_made(nodes):
        nodes = made_for(pod, nodes)
    place = _best(_term(term, nodes, known) for term in pod.terms) if pod.terms else Verdict((_NO_TERM,))
    misses, doubts = list(place.misses), [*pod.doubts, *place.doubts, *nodes.doubts]
    of_node = (_taints(pod, nodes), _amounts(pod, nodes, known), _sharing(pod, nodes), on_slice(pod, nodes))
    for found in (*of_node, on_networks(pod, nodes), on_devices(pod, nodes)):
        for each in found:
            if isinstance(each, str):
                doubts.append(each)
            else:
                misses.append(each)
    return Verdict(tuple(misses), tuple(doubts), place.zones)


def miss(pod: Mapping[str, Any], nodes: Nodes, known: Collection[str] = ()) -> Miss | None:
    """Why a pod of this spec does not fit on an empty node of a pool; None where it fits."""
    return min(judge(needs(pod), nodes, known).misses, key=lambda each: each.rank, default=None)


def doubts(pod: Mapping[str, Any], pools: Iterable[Nodes], known: Collection[str] = ()) -> list[str]:
    """What cannot be judged where a pod fits but for these doubts; empty where it surely fits on some pool."""
    own = needs(pod)
    verdicts = [judge(own, pool, known) for pool in pools]
    return list(min((each.doubts for each in verdicts if not each.misses), key=len, default=()))


def nearest_miss(pod: Mapping[str, Any], pools: Sequence[Nodes], known: Collection[str] = ()) -> str:
    """Why a pod fits on no pool of a cluster, by the pool that comes closest; empty where it fits on one."""
    return nearest([judge(needs(pod), pool, known).misses for pool in pools])


def nearest(misses: Sequence[Sequence[Miss]]) -> str:
    """As nearest_miss, by the misses of each pool."""
    if not misses:
        return "no pool"
    if not all(misses):
        return ""
    firsts = [min(each, key=lambda one: one.rank) for each in misses]
    best, _ = max(zip(firsts, misses, strict=True), key=lambda pair: (pair[0].rank, -len(pair[1])))
    everywhere = best.of_all and all(any(one.check == best.check for one in each) for each in misses)
    return best.of_all if everywhere else best.text


def _best(verdicts: Iterable[Verdict]) -> Verdict:
    """Of the alternatives, those that hold, without doubts if there are such; else the one that comes closest."""
    found = list(verdicts)
    if len(found) == 1:
        return found[0]
    holding = [each for each in found if not each.misses]
    if not holding:
        return max(found, key=lambda each: (min(one.rank for one in each.misses), -len(each.misses)))
    sure = [each for each in holding if not each.doubts]
    if not sure:
        return holding[0]
    zones = [each.zones for each in sure]
    return Verdict((), (), frozenset[str]().union(*(each for each in zones if each)) if all(zones) else None)


def _term(requirements: Sequence[Requirement], nodes: Nodes, known: Collection[str]) -> Verdict:
    if not requirements:
        return _FITS
    misses: list[Miss] = []
    doubts: list[str] = []
    for requirement in requirements:
        if requirement.key not in ZONES or requirement.field:
            match met(requirement, nodes, known):
                case Met.NO:
                    misses.append(of_label(requirement, nodes))
                case Met.UNKNOWN:
                    doubts.append(_doubt(requirement, nodes))
                case Met.YES:
                    pass
    of_zone = [each for each in requirements if each.key in ZONES and not each.field]
    zones = None
    if of_zone and any(key in nodes.unsure for key in ZONES):
        doubts.append(f"the zones of pool {nodes.pool}")
    elif of_zone:
        zones = _zones(of_zone, nodes, misses, doubts)
    return Verdict(tuple(misses), tuple(doubts), zones)


def _zones(
    requirements: Sequence[Requirement], nodes: Nodes, misses: list[Miss], doubts: list[str]
) -> frozenset[str] | None:
    """The zones that are as required; None for all of them, or where Google chooses them."""
    given = nodes.labels.get(ZONES[0])
    zones = (given,) if given else nodes.zones
    if not zones:
        # Those of its region that are named, and another that is not.
        region = f"{nodes.labels.get(REGION, '')}-".lstrip("-")
        named = {value for each in requirements for value in each.values if value.startswith(region)}
        zones = (*sorted(named), f"{region}*")
    allowed = frozenset(zone for zone in zones if all(holds(each, zone) for each in requirements))
    if not allowed:
        shown = zones if given or nodes.zones else [f"zones of {nodes.labels.get(REGION, 'its region')}"]
        misses.append(of_zones(requirements, nodes, shown))
    if given or len(allowed) == len(zones):
        return None
    if not nodes.zones:
        doubts.append(f"the zones of pool {nodes.pool}, which Google chooses")
        return None
    return allowed


def _doubt(requirement: Requirement, nodes: Nodes) -> str:
    if requirement.field:
        return f"the node's {requirement}"
    if requirement.key in nodes.unsure:
        return f"label {requirement}, whose value on pool {nodes.pool} is not certain"
    return f"label {requirement}, which the settings do not give"


def _taints(pod: Needs, nodes: Nodes) -> Iterator[Miss | str]:
    for taint in nodes.taints:
        if tolerations.refuses(taint):
            tolerated = tolerations.tolerates(pod.tolerations, taint)
            if taint.key == tolerations.QUEUED and not pod.queued and not tolerated:
                yield of_queue(taint, nodes)
            elif taint.key == tolerations.QUEUED:
                # A pod that waits for no ProvisioningRequest can use a node, but makes none.
                if not pod.queued and HOSTNAME not in nodes.labels:
                    yield f"whether a ProvisioningRequest adds nodes to pool {nodes.pool}"
            elif tolerated is None or (not tolerated and _added_later(taint.key, pod)):
                yield _tolerated_later(taint.key, pod, nodes)
            elif not tolerated:
                yield of_taint(taint, nodes)


def _added_later(key: str, pod: Needs) -> bool:
    """Whether GKE may add a toleration: of a compute class to pods that select it."""
    return key == COMPUTE_CLASS and any(each.key == key for term in pod.terms for each in term)


def _tolerated_later(key: str, pod: Needs, nodes: Nodes) -> str:
    text = f"whether taint {key} of pool {nodes.pool} is tolerated"
    # Kueue compares a Job with its queue's flavors before GKE adds the toleration to the pods.
    return f"{text} when a queue reads it; write the toleration" if pod.queued and key == COMPUTE_CLASS else text


def _amounts(pod: Needs, nodes: Nodes, known: Collection[str]) -> Iterator[Miss | str]:
    for resource, amount in pod.requests:
        if resource.startswith(NETWORK_RESOURCE):
            continue
        if resource in nodes.unsure:
            yield f"how much {resource} pool {nodes.pool} has"
        elif amount > nodes.allocatable.get(resource, 0):
            if resource in nodes.allocatable or _is_known(resource, nodes, known):
                yield of_amount(resource, amount, nodes)
            else:
                yield f"{resource}, which the settings do not give"


def _is_known(resource: str, nodes: Nodes, known: Collection[str]) -> bool:
    """Whether nodes that do not list a resource surely have none of it."""
    own = resource in _KNOWN_RESOURCES or "/" not in resource
    return own or resource in known or HOSTNAME in nodes.labels


def _sharing(pod: Needs, nodes: Nodes) -> Iterator[Miss | str]:
    """Source: GKE's pages on time-sharing, on NVIDIA MPS and on multi-instance GPUs, read in November 2026."""
    amount = pod.gpus_of_container
    if amount < 2:
        return
    strategy = nodes.labels.get(SHARING, "").lower().replace("_", "-")
    if strategy == "time-sharing":
        yield of_sharing(GPU, amount, nodes, "shares")
    elif PARTITION in nodes.labels:
        yield of_sharing(GPU, amount, nodes, "partitions")
    elif strategy == "mps":
        # One GPU counts as often as it has clients; where there are several, a container can have one of them.
        clients = nodes.labels.get(CLIENTS, "")
        if not clients.isdecimal():
            yield f"how many GPUs pool {nodes.pool} shares"
        elif nodes.allocatable.get(GPU, 0) > int(clients):
            yield of_sharing(GPU, amount, nodes, "shares")
