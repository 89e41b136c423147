"""Says why a pod does not fit on the nodes of a pool, and how close it comes.

It does not judge that; fit.py does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from clusters.nodes import Nodes, Taint
from placement.node_labels import ACCELERATORS
from placement.quantities import as_text
from placement.selectors import Requirement


class Stage(IntEnum):
    """Kinds of misses, from the one farthest from fitting to the closest: what is hardest to change comes first."""

    ACCELERATOR = 0
    LABEL = 1
    ZONE = 2
    TAINT = 3
    COUNT = 4
    SIZE = 5


@dataclass(frozen=True)
class Miss:
    """One reason why a pod does not fit on a pool: the higher its rank, the closer it comes.

    `check` says which of the pod's needs is not met. If no pool of the cluster meets it, `of_all` says so; it is empty
    where `text` is as good.
    """

    text: str
    rank: float
    check: str
    of_all: str = ""


def of_label(requirement: Requirement, nodes: Nodes) -> Miss:
    """A label of the pool is not as required."""
    key, value = requirement.key, nodes.labels.get(requirement.key)
    if key in ACCELERATORS and requirement.operator == "In":
        wanted = " or ".join(requirement.values)
        has = f"has {value}" if value else "has none"
        named = f" ({nodes.pool} has {value})" if value else ""
        text = f"pool {nodes.pool} {has}, the pod selects {wanted}"
        return Miss(text, Stage.ACCELERATOR, str(requirement), f"no pool has {wanted}{named}")
    has = f"label {key}={value}" if value is not None else f"no label {key}"
    text = f"pool {nodes.pool} has {has}, the pod selects {requirement}"
    of_all = f"every pool has {has}" if requirement.met_by_absence else f"no pool has {requirement}"
    return Miss(text, Stage.LABEL, str(requirement), of_all)


def of_zones(requirements: Sequence[Requirement], nodes: Nodes, zones: Sequence[str]) -> Miss:
    """None of the pool's zones is as required."""
    first = requirements[0]
    named = f"zone {' or '.join(first.values)}" if len(requirements) == 1 and first.operator == "In" else ""
    wanted = named or f"a zone with {' and '.join(map(str, requirements))}"
    text = f"pool {nodes.pool} is in {', '.join(zones)}, not in {wanted}"
    return Miss(text, Stage.ZONE, wanted, f"no pool is in {wanted}")


def of_taint(taint: Taint, nodes: Nodes) -> Miss:
    """A taint of the pool is not tolerated."""
    named = f"{taint.key}={taint.value}" if taint.value else taint.key
    return Miss(f"taint {named} of pool {nodes.pool} is not tolerated", Stage.TAINT, f"taint {named}")


def of_amount(resource: str, amount: int, nodes: Nodes) -> Miss:
    """A node of the pool has less of a resource than the pod requests."""
    has = nodes.allocatable.get(resource, 0)
    # As many digits as it takes to tell them apart.
    has_text, wanted = next(
        (pair for digits in (1, 3, 6) if (pair := _pair(resource, has, amount, digits))), (str(has), str(amount))
    )
    text = f"{nodes.pool} has {has_text} {resource} on a node, the pod requests {wanted}"
    if resource in ("cpu", "memory", "ephemeral-storage"):
        return Miss(text, Stage.SIZE + has / amount, resource)
    if not has:
        text = f"{nodes.pool} has no {resource}, the pod requests {wanted}"
        return Miss(text, Stage.ACCELERATOR, resource, f"no pool has {resource}")
    of_all = f"no pool has {wanted} {resource} on a node ({nodes.pool} has {has_text})"
    return Miss(text, Stage.COUNT + has / amount, resource, of_all)


def of_sharing(resource: str, amount: int, nodes: Nodes, how: str) -> Miss:
    """The pool shares its GPUs, so that a container can have only one."""
    text = f"pool {nodes.pool} {how} its GPUs: a container can request 1 {resource}, and one requests {amount}"
    return Miss(text, Stage.COUNT + 1 / amount, f"sharing {resource}")


def _pair(resource: str, has: int, amount: int, digits: int) -> tuple[str, str] | None:
    pair = as_text(resource, has, digits), as_text(resource, amount, digits)
    return pair if pair[0] != pair[1] else None
