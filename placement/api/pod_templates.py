"""Reads the pods that an object runs: their specs, their labels, and how many of each run side by side.

It reads what is written, by the table of kinds (pod_kinds.py), and what some operators make pods from
(operator_pods.py). It does not know in which clusters an object is placed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, cast

from placement.api.kinds import TargetType
from placement.api.lookup import at, elements, entries, texts
from placement.api.operator_pods import OPERATOR_PODS
from placement.api.pod_kinds import NO_PODS, POD_KINDS, Count, PodsAt, Pointer
from placement.api.queued import is_queued

Steps = tuple[str | int, ...]


@dataclass(frozen=True)
class PodGroup:
    """Pods of one template, in each unit of an object.

    `spec` is the pods' spec, `count` how many of them run side by side in each unit, and `path` that of the template in
    the object, or of what an operator makes the pods from. `queued` says that a ProvisioningRequest makes their nodes,
    and `together` how many pods use a slice of TPUs with each of them (pods/slice_pods.py).
    """

    spec: Mapping[str, Any]
    labels: Mapping[str, str]
    count: int
    path: Steps
    queued: bool = False
    together: int = 0
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


def groups_of(body: Mapping[str, Any], target: TargetType) -> list[PodGroup]:
    """The pods of one unit of an object; of what is malformed none, since other checks refuse it."""
    kind = target.pod_kind
    # What the settings say of a type replaces what is known of it.
    known = kind.pods == POD_KINDS.get(target.config_name, NO_PODS).pods
    name = target.config_name if known else ""
    read = OPERATOR_PODS.get(name)
    if read is not None:
        groups = [PodGroup(spec, labels, count, path) for spec, labels, count, path in read(body)]
    else:
        groups = [group for where in kind.pods for group in _groups_at(body, name, where)]
    own = at(body, "metadata", "name")
    label: Mapping[str, str] = {kind.label: own} if kind.label and isinstance(own, str) else {}
    made = ((group, value_in(body, group.path)) for group in groups)
    return [
        replace(group, labels=group.labels or label, queued=is_queued(body, each), annotations=_annotations(each))
        for group, each in made
    ]


def _annotations(template: Any) -> dict[str, str]:
    """Those of the pods of a template, or beside what an operator makes pods from, as of KServe and Spark."""
    return texts(at(template, "metadata", "annotations")) or texts(at(template, "annotations"))


def templates_of(body: Mapping[str, Any], target: TargetType) -> Iterator[tuple[Any, Steps]]:
    """Yields each pod template of an object, and its path."""
    for where in target.pod_kind.pods:
        yield from ((value, path) for value, path, _ in _found(body, where.template))


def value_in(body: Mapping[str, Any], path: Steps) -> Any:
    """The value at the path of a template."""
    value: Any = body
    for step in path:
        value = _inside(value, step)
    return value


def number(value: Any, default: int = 0) -> int:
    """A count as it is written, or the default in place of what is none."""
    return max(0, value) if isinstance(value, int) and not isinstance(value, bool) else default


def value_at(body: Mapping[str, Any], pointer: Pointer, chosen: Sequence[str | int] = ()) -> Any:
    """The value at a path, where each * is the chosen key or index of its place; None where there is none."""
    left, value = list(chosen), cast(Any, body)
    for step in pointer.split("/")[1:]:
        value = _inside(value, left.pop(0) if step == "*" and left else step)
    return value


def units_of(body: Mapping[str, Any], counted: Sequence[str]) -> int:
    """How many units an object runs side by side, by the fields of its spec; Kubernetes' own default is 1."""
    return _count(body, Count(tuple(f"/spec/{field}" for field in counted)), ()) if counted else 1


def _groups_at(body: Mapping[str, Any], name: str, where: PodsAt) -> Iterator[PodGroup]:
    for template, path, chosen in _found(body, where.template):
        spec = at(template, "spec")
        if isinstance(spec, Mapping):
            count = prod(_count(body, each, chosen) for each in where.counts)
            count = _EXCEPTIONS.get(name, _as_counted)(body, path, count)
            labels = texts(at(template, "metadata", "labels"))
            yield PodGroup(cast(Mapping[str, Any], spec), labels, count, path)


def _as_counted(body: Mapping[str, Any], path: Steps, count: int) -> int:
    return count


def _ray_workers(body: Mapping[str, Any], path: Steps, count: int) -> int:
    """Workers of a group: between its minimum and maximum, each on some hosts; 0 of one that is suspended.

    Source: GetWorkerGroupDesiredReplicas of KubeRay 1.5.
    """
    if "workerGroupSpecs" not in path:
        return count
    group = value_in(body, path[:-1])
    if at(group, "suspend") is True:
        return 0
    least, most = number(at(group, "minReplicas")), number(at(group, "maxReplicas"), 2**31 - 1)
    return min(max(number(at(group, "replicas")), least), most) * number(at(group, "numOfHosts"), 1)


def _group_workers(body: Mapping[str, Any], path: Steps, count: int) -> int:
    """The size of a LeaderWorkerSet's groups counts the leader, which is made from the workers' template by default."""
    has_leader = at(body, "spec", "leaderWorkerTemplate", "leaderTemplate") is not None
    return max(0, count - 1) if has_leader and path[-1] == "workerTemplate" else count


def _mpi_workers(body: Mapping[str, Any], path: Steps, count: int) -> int:
    """Source: the defaults of Kubeflow's MPI operator 0.6: without replicas, there are no workers."""
    role = entries(value_at(body, "/spec/mpiReplicaSpecs/*", path[2:3]))
    return count if role.get("replicas") is not None or path[2] != "Worker" else 0


_EXCEPTIONS = {
    "leaderworkersets.leaderworkerset.x-k8s.io": _group_workers,
    "mpijobs.kubeflow.org": _mpi_workers,
    "rayclusters.ray.io": _ray_workers,
    "rayjobs.ray.io": _ray_workers,
    "rayservices.ray.io": _ray_workers,
}


def _count(body: Mapping[str, Any], count: Count, chosen: Sequence[str | int]) -> int:
    first, *others = (value_at(body, path, chosen) for path in count.paths)
    return min([number(first, count.default), *(number(each) for each in others if each is not None)])


def _found(body: Mapping[str, Any], pointer: Pointer) -> Iterator[tuple[Any, Steps, Steps]]:
    """Yields each value at a path, with its own path and what its * were."""
    found: list[tuple[Any, Steps, Steps]] = [(body, (), ())]
    for step in pointer.split("/")[1:]:
        found = [
            (value, (*path, key), (*chosen, key) if step == "*" else chosen)
            for above, path, chosen in found
            for key, value in (_items(above) if step == "*" else [(step, _inside(above, step))])
            if value is not None
        ]
    yield from found


def _inside(value: Any, step: str | int) -> Any:
    if isinstance(step, int):
        items = elements(value)
        return items[step] if step < len(items) else None
    return entries(value).get(step)


def _items(value: Any) -> Sequence[tuple[str | int, Any]]:
    return list(enumerate(elements(value))) or [(key, each) for key, each in entries(value).items()]
