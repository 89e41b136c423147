"""Says why a pod does not fit on the nodes of a pool, and how close it comes.

It does not judge that; fit.py does.
"""

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import NamedTuple

from clusters.facts.device_classes import device_classes
from clusters.facts.gpu_networks import NETWORK_RESOURCE, gpu_networks
from clusters.nodes.nodes import GPU, Nodes, Taint
from clusters.pools.accelerator import DRA_LABELS
from placement.api.interfaces import INTERFACES
from placement.api.quantities import as_text
from placement.api.queued import CONSUMES, QUEUE
from placement.fit.classes import classes_of
from placement.fit.node_labels import ACCELERATORS, MACHINE
from placement.fit.selectors import Requirement


class Stage(IntEnum):
    """Kinds of misses, from the one farthest from fitting to the closest: what is hardest to change comes first."""

    CLASS = -1
    ACCELERATOR = 0
    LABEL = 1
    ZONE = 2
    TAINT = 3
    COUNT = 4
    SIZE = 5


class Miss(NamedTuple):
    """One reason why a pod does not fit on a pool: the higher its rank, the closer it comes.

    `check` says which of the pod's needs is not met. Its texts are only made when they are read: most never are.
    """

    rank: float
    check: object
    texts: Callable[[], tuple[str, str]]

    @property
    def text(self) -> str:
        """The reason."""
        return self.texts()[0]

    @property
    def of_all(self) -> str:
        """The reason if no pool of the cluster meets this need; empty where `text` is as good."""
        return self.texts()[1]


def of_label(requirement: Requirement, nodes: Nodes) -> Miss:
    """A label of the pool is not as required."""
    if names := classes_of(requirement):
        return _of_class(requirement, names, nodes)
    of_accelerator = requirement.key in ACCELERATORS and requirement.operator == "In"
    stage = Stage.ACCELERATOR if of_accelerator else Stage.LABEL
    return Miss(stage, requirement, lambda: (_accelerator if of_accelerator else _label)(requirement, nodes))


def _accelerator(requirement: Requirement, nodes: Nodes) -> tuple[str, str]:
    value = nodes.labels.get(requirement.key)
    selected = " or ".join(requirement.values)
    named = f" ({nodes.pool} has {value})" if value else ""
    return f"pool {nodes.pool} has {value or 'none'}, the pod selects {selected}", f"no pool has {selected}{named}"


def _of_class(requirement: Requirement, names: tuple[str, ...], nodes: Nodes) -> Miss:
    """A pool is not of the compute class that is selected: farther from fitting than any pool that is."""
    selected = " or ".join(names)
    has = nodes.labels.get(requirement.key)
    text = f"pool {nodes.pool} is of {f'class {has}' if has else 'no compute class'}, the pod selects {selected}"
    return Miss(Stage.CLASS, requirement, lambda: (text, f"no compute class {selected} is defined"))


def _label(requirement: Requirement, nodes: Nodes) -> tuple[str, str]:
    key, value = requirement.key, nodes.labels.get(requirement.key)
    has = f"label {key}={value}" if value is not None else f"no label {key}"
    of_all = f"every pool has {has}" if requirement.met_by_absence else f"no pool has {requirement}"
    return f"pool {nodes.pool} has {has}, the pod selects {requirement}", of_all


def of_zones(requirements: Sequence[Requirement], nodes: Nodes, zones: Sequence[str]) -> Miss:
    """None of the pool's zones is as required."""
    first = requirements[0]
    named = f"zone {' or '.join(first.values)}" if len(requirements) == 1 and first.operator == "In" else ""
    wanted = named or f"a zone with {' and '.join(map(str, requirements))}"
    texts = f"pool {nodes.pool} is in {', '.join(zones)}, not in {wanted}", f"no pool is in {wanted}"
    return Miss(Stage.ZONE, wanted, lambda: texts)


def of_taint(taint: Taint, nodes: Nodes) -> Miss:
    """A taint of the pool is not tolerated."""
    named = f"{taint.key}={taint.value}" if taint.value else taint.key
    # Pods have such GPUs by claims, for which nothing adds the toleration that a request of nvidia.com/gpu gets.
    instead = f": write a toleration of {taint.key}" if taint.key == GPU and by_claims(nodes) else ""
    return Miss(Stage.TAINT, taint, lambda: (f"taint {named} of pool {nodes.pool} is not tolerated{instead}", ""))


def of_queue(taint: Taint, nodes: Nodes) -> Miss:
    """The pool adds nodes only for pods that wait for a ProvisioningRequest, and the pod does not."""
    instead = f"write label {QUEUE} on its object, or annotation {CONSUMES} on its pods"
    text = f"pool {nodes.pool} is queued, and the pod waits for no ProvisioningRequest: {instead}"
    return Miss(Stage.TAINT, taint, lambda: (text, ""))


def of_amount(resource: str, amount: int, nodes: Nodes) -> Miss:
    """A node of the pool has less of a resource than the pod requests."""
    has = nodes.allocatable.get(resource, 0)
    if resource == GPU and not has and by_claims(nodes):
        return Miss(
            Stage.ACCELERATOR + 0.5, (resource, nodes.pool), lambda: (_claims(resource, amount, nodes.pool), "")
        )
    if resource in device_classes() and not has:
        return Miss(Stage.ACCELERATOR, resource, lambda: _devices(resource, amount, nodes.pool))
    of_size = resource in ("cpu", "memory", "ephemeral-storage")
    stage = Stage.SIZE if of_size else Stage.COUNT if has else Stage.ACCELERATOR
    return Miss(stage + has / amount, resource, lambda: _amounts(resource, has, amount, nodes.pool, of_size))


def by_claims(nodes: Nodes) -> bool:
    """Whether the GPUs of a pool are allocated by DRA, to pods with resourceClaims."""
    return all(nodes.labels.get(key) == value for key, value in DRA_LABELS.items())


def _claims(resource: str, amount: int, pool: str) -> str:
    instead = "write resourceClaims in the pod, or dra: false for the pool"
    return f"{pool} has its GPUs by DRA and no {resource}, the pod requests {amount}: {instead}"


def _devices(resource: str, amount: int, pool: str) -> tuple[str, str]:
    instead = device_classes()[resource].instead
    text = f"{pool} has no devices of {resource}, the pod's claims request {amount}: {instead}"
    return text, f"no pool has devices of {resource}: {instead}"


def of_networks(named: Sequence[str], missing: Sequence[str], nodes: Nodes) -> Miss:
    """The pool's nodes are not attached to all networks that the pod's annotation names."""
    has = [name.removeprefix(NETWORK_RESOURCE) for name in nodes.allocatable if name.startswith(NETWORK_RESOURCE)]
    facts = gpu_networks().get(nodes.labels.get(MACHINE, ""))
    what = f"the networks {', '.join(has)}" if has else "no networks but the cluster's"
    instead = "write names of these" if has else "write gpu_networks: own for a pool that can have it"
    if not has and facts:
        instead = f"write gpu_networks: {'own' if facts.count else 'auto'} for it"
    text = f"pool {nodes.pool} has {what}, and annotation {INTERFACES} names {', '.join(missing)}: {instead}"
    stage = Stage.COUNT if has else Stage.LABEL
    part = (len(named) - len(missing)) / len(named) + (0.5 if facts else 0)
    return Miss(stage + part / 2, "networks", lambda: (text, ""))


def _amounts(resource: str, has: int, amount: int, pool: str, of_size: bool) -> tuple[str, str]:
    # As many digits as it takes to tell them apart.
    pairs = ((as_text(resource, has, digits), as_text(resource, amount, digits)) for digits in (1, 3, 6))
    had, requested = next((pair for pair in pairs if pair[0] != pair[1]), (str(has), str(amount)))
    if has or of_size:
        of_all = "" if of_size else f"no pool has {requested} {resource} on a node ({pool} has {had})"
        return f"{pool} has {had} {resource} on a node, the pod requests {requested}", of_all
    return f"{pool} has no {resource}, the pod requests {requested}", f"no pool has {resource}"


def of_part_of_node(resource: str, amount: int, has: int, nodes: Nodes) -> Miss:
    """The pool is a slice of several nodes, of which a pod has each node whole."""
    text = (
        f"pool {nodes.pool} is a slice, whose pods each request all {has} {resource} of a node; one requests {amount}"
    )
    return Miss(Stage.COUNT + amount / (has + 1), "part of a node", lambda: (text, ""))


def of_slice(together: int, nodes: Nodes, topology: str) -> Miss:
    """The pool is a slice of several nodes, for as many pods that run together, and there are others."""
    size = nodes.slice_nodes
    text = (
        f"pool {nodes.pool} is a slice of {topology} for {size} pods that run together, and {together} do: write "
        f"{size} (of a JobSet's Job, an Indexed Job or a LeaderWorkerSet), or select another topology"
    )
    return Miss(Stage.COUNT + min(together, size) / (max(together, size) + 1), "slice", lambda: (text, ""))


def of_sharing(resource: str, amount: int, nodes: Nodes, how: str) -> Miss:
    """The pool shares its GPUs, so that a container can have only one."""
    text = f"pool {nodes.pool} {how} its GPUs: a container can request 1 {resource}, and one requests {amount}"
    return Miss(Stage.COUNT + 1 / amount, how, lambda: (text, ""))
