"""Reads from a pod's spec what it needs of its node, in the form in which it is compared with many nodes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from clusters.facts.gpu_networks import NETWORK_RESOURCE
from placement.api.claims import Claims, Device, claimed
from placement.api.interfaces import interfaces_of
from placement.api.lookup import at, elements, entries, texts
from placement.api.pod_requests import most_of_container, requested_of_node
from placement.fit.classes import beside_class
from placement.fit.node_labels import HOSTNAME
from placement.fit.selectors import Requirement, holds, of_labels, of_node
from placement.fit.tolerations import Toleration, of_pod

GPU = "nvidia.com/gpu"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@dataclass(frozen=True, eq=False)
class Needs:
    """What a pod needs of its node, and what keeps other pods from that node.

    `terms` are alternatives, of which a node must meet one. `avoids` are the selectors of pods, in the same namespace,
    that may not be on its node. `doubts` are what cannot be judged by any node. `queued` says that a
    ProvisioningRequest makes its node. `together` is how many pods use a slice of TPUs with it, 0 where it uses none or
    that is not known. `options` are devices of which a node must have one alternative of each, for all its pods. Each
    object is compared by identity, so that verdicts on it are found again.
    """

    requests: tuple[tuple[str, int], ...]
    gpus_of_container: int
    terms: tuple[tuple[Requirement, ...], ...]
    tolerations: tuple[Toleration, ...]
    ports: frozenset[tuple[str, int]]
    namespace: str
    labels: tuple[tuple[str, str], ...]
    avoids: tuple[tuple[Requirement, ...], ...]
    doubts: tuple[str, ...]
    queued: bool
    together: int = 0
    options: tuple[tuple[Device, ...], ...] = ()


class Group(Protocol):
    """Pods of one template: their spec, their labels and annotations, and how many are in each gang.

    `queued` says whether they wait for nodes, and `together` how many pods use a slice of TPUs with each of them.
    """

    @property
    def spec(self) -> Mapping[str, Any]: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def count(self) -> int: ...
    @property
    def queued(self) -> bool: ...
    @property
    def together(self) -> int: ...
    @property
    def annotations(self) -> Mapping[str, str]: ...


def needs_of(group: Group, namespace: str = "", claims: Claims | None = None) -> Needs:
    """What each pod of a group needs; `claims` are those that its workload has."""
    return needs(group.spec, group.labels, namespace, group.queued, group.together, group.annotations, claims)


def needs(
    pod: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
    namespace: str = "",
    queued: bool = False,
    together: int = 0,
    annotations: Mapping[str, str] | None = None,
    claims: Claims | None = None,
) -> Needs:
    """What a pod of this spec, with these labels and annotations, needs; `claims` are those that its workload has.

    What is malformed is passed over; other checks refuse it.
    """
    terms = of_node(pod)
    raw: Mapping[Any, Any] = entries(labels)
    own = {key: value for key, value in raw.items() if isinstance(key, str) and isinstance(value, str)}
    avoids = tuple(_avoided(pod))
    interfaces, devices = interfaces_of(texts(annotations)), claimed(pod, claims or {})
    networks = {f"{NETWORK_RESOURCE}{name}": 1 for name in interfaces.networks}
    doubts = [
        *devices.doubts,
        *interfaces.doubts,
        *_unjudged(pod),
        *_other_pods(pod, dict(own)),
        *_beside_class(terms),
    ]
    return Needs(
        tuple(sorted({**networks, **requested_of_node(pod), **devices.counted}.items())),
        most_of_container(pod, GPU),
        terms,
        of_pod(pod, terms, queued),
        frozenset(_ports(pod)),
        namespace,
        tuple(sorted(own.items())),
        avoids,
        tuple(dict.fromkeys(doubts)),
        queued,
        together,
        devices.options,
    )


def conflict(one: Needs, other: Needs) -> bool:
    """Whether two pods cannot be on the same node, however large it is."""
    if not one.ports.isdisjoint(other.ports):
        return True
    if one.namespace != other.namespace or not (one.avoids or other.avoids):
        return False
    return _avoids(one, other) or _avoids(other, one)


def _avoids(one: Needs, other: Needs) -> bool:
    labels = dict(other.labels)
    return any(all(holds(each, labels.get(each.key)) for each in selector) for selector in one.avoids)


def _ports(pod: Any) -> Iterator[tuple[str, int]]:
    """The ports that a pod takes of its node. Its addresses are not told apart."""
    sidecars = (each for each in elements(at(pod, "initContainers")) if at(each, "restartPolicy") == "Always")
    for container in (*elements(at(pod, "containers")), *sidecars):
        for port in elements(at(container, "ports")):
            number = at(port, "hostPort") or (at(port, "containerPort") if at(pod, "hostNetwork") is True else None)
            if type(number) is int and number:
                protocol = at(port, "protocol")
                yield protocol if isinstance(protocol, str) else "TCP", number


def _anti_affinity(pod: Any) -> list[Any]:
    return [*elements(at(pod, "affinity", "podAntiAffinity", _REQUIRED))]


def _elsewhere(term: Any) -> bool:
    return bool(at(term, "namespaces")) or at(term, "namespaceSelector") is not None


def _avoided(pod: Any) -> Iterator[tuple[Requirement, ...]]:
    for term in _anti_affinity(pod):
        # Without a selector it is about no pod, and with an empty one about all.
        if at(term, "topologyKey") == HOSTNAME and at(term, "labelSelector") is not None and not _elsewhere(term):
            yield of_labels(at(term, "labelSelector"))


def _other_pods(pod: Any, labels: Mapping[str, str]) -> Iterator[str]:
    """What depends on where other pods run."""
    for term in _anti_affinity(pod):
        selector = of_labels(at(term, "labelSelector"))
        own = all(holds(each, labels.get(each.key)) for each in selector)
        if at(term, "topologyKey") != HOSTNAME or _elsewhere(term) or not own:
            yield f"podAntiAffinity over {at(term, 'topologyKey')}"
    for term in elements(at(pod, "affinity", "podAffinity", _REQUIRED)):
        yield f"podAffinity over {at(term, 'topologyKey')}"
    for each in elements(at(pod, "topologySpreadConstraints")):
        # Kubernetes' own default is DoNotSchedule.
        if at(each, "whenUnsatisfiable") != "ScheduleAnyway":
            yield f"topologySpreadConstraints over {at(each, 'topologyKey')}"


def _beside_class(terms: tuple[tuple[Requirement, ...], ...]) -> Iterator[str]:
    if labels := beside_class(terms):
        yield f"label {' and '.join(labels)} beside a compute class, which decides it; leave it to the class"


def _unjudged(pod: Any) -> Iterator[str]:
    if at(pod, "nodeName"):
        yield f"nodeName {at(pod, 'nodeName')}"
    if elements(at(pod, "schedulingGates")):
        yield "schedulingGates"
    if at(pod, "schedulerName") not in (None, "", "default-scheduler"):
        yield f"schedulerName {at(pod, 'schedulerName')}"
    if at(pod, "runtimeClassName"):
        yield f"runtimeClassName {at(pod, 'runtimeClassName')}"
