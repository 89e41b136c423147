"""Decides which members a placement could take, and why each other one is passed over.

It reads labels, whether the pods fit on empty nodes, and the placement's own names. It does not know what is free, nor
which of the candidates a policy then takes.
"""

from collections.abc import Mapping

from clusters.spec import selects
from placement.fit.judge import nearest
from placement.fit.room import verdict_on
from placement.fit.space import Space
from placement.policies.decision import NO_FACTS, Facts, Members
from placement.spec import ByClusters, InRegion, Placement, Weighted


def candidates(placement: Placement, members: Members, facts: Facts = NO_FACTS) -> list[str]:
    """The members that a placement could take, by name. A policy then takes all, the nearest, or those with room."""
    return [name for name, labels in sorted(members.items()) if not why_not(placement, name, labels, facts)]


def why_not(placement: Placement, name: str, labels: Mapping[str, str], facts: Facts) -> str:
    """Why a member is passed over; empty where it is a candidate."""
    for key, wanted in placement.select.items():
        if not selects(labels, key, wanted):
            return f"{key} is {_label(labels, key)}, not {wanted}"
    if isinstance(placement, ByClusters) and name not in placement.clusters:
        return f"not among the named clusters ({', '.join(placement.clusters)})"
    if isinstance(placement, InRegion) and labels["region"] != placement.region:
        return f"in {labels['region']}, not in {placement.region}"
    if isinstance(placement, Weighted) and not placement.weights.get(name):
        return "weight 0" if name in placement.weights else f"not among the weights ({', '.join(placement.weights)})"
    space = facts.space.get(name)
    return _miss(facts, space) if space and not space.has_pool_for(facts.pods) else ""


def why_no_room(name: str, facts: Facts) -> str:
    """Why a candidate has no room for what runs once in each cluster of a workload; empty where it has."""
    space = facts.space.get(name)
    if space is None or facts.beside is None or space.room(facts.beside.gang, 1):
        return ""
    return f"no room for {facts.beside.title}, which runs in each cluster, at its largest{beside_the_rest(space)}"


def beside_the_rest(space: Space) -> str:
    """Says that others of the stack take some of a member's room, as the end of a reason."""
    return " beside the rest of the stack" if space.left != space.largest else ""


def _miss(facts: Facts, space: Space) -> str:
    """Why the first pod that fits on no pool of a member does not."""
    pools = list(dict.fromkeys(each.pool for each in space.largest.bins))
    misses = (nearest([verdict_on(kind, each).misses for each in pools]) for kind in facts.pods.kinds)
    return next(filter(None, misses), "")


def _label(labels: Mapping[str, str], key: str) -> str:
    """The value of a label as text; of accelerator, which can have several, all of them."""
    if key == "accelerator":
        return ", ".join(sorted(each.partition("/")[2] for each in labels if each.startswith("accelerator/"))) or "none"
    return labels.get(key, "not set")
