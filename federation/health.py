"""The health of members and workloads: pure functions of what was decided and of what the members' API servers say."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from federation.copy_health import CopyHealth, conditions, copy_health
from federation.free_nodes import free_nodes
from federation.queries import Answer, ListPath, Object
from placement.api.lookup import at
from placement.autoscaling.autoscalers import autoscalers, is_autoscaled
from placement.fit.node_labels import ACCELERATORS
from placement.manifests.manifest import Manifest

# What GKE's nodes offer that is counted; a node without a label of its accelerator has this for a name.
_RESOURCES = ("nvidia.com/gpu", "google.com/tpu")


@dataclass(frozen=True)
class Placed:
    """A workload as it was decided: the share of each cluster, 0 for one that is passed over, and its objects."""

    namespace: str
    manifests: Sequence[Manifest]
    shares: Mapping[str, int]


@dataclass(frozen=True)
class Count:
    """How many there are, and how many of them are free, or Ready."""

    total: int
    good: int


@dataclass(frozen=True)
class MemberHealth:
    """The health of a member: `reason` says why it is not Ready. What it does not answer is None."""

    ready: bool
    reason: str
    version: str | None = None
    nodes: Count | None = None
    accelerators: Mapping[str, Count] | None = None
    """By type, such as nvidia-l4: all, and those that are free on nodes which take pods."""


@dataclass(frozen=True)
class Share:
    """How many replicas are desired in a member and ready in it, None where it does not answer.

    `note` says what else is known. `fault` says what KubeFed could not do there, and why: what runs is then not what
    is desired.
    """

    desired: int
    ready_replicas: int | None
    note: str = ""
    fault: str = ""


@dataclass(frozen=True)
class WorkloadHealth:
    """The health of a workload over all members.

    Replicas that KubeFed may move count wherever they are, others only where they were placed.
    """

    ready: bool
    shares: Mapping[str, Share]

    @property
    def desired(self) -> int:
        """The replicas that are desired, over all members."""
        return sum(each.desired for each in self.shares.values())

    @property
    def ready_replicas(self) -> int:
        """The replicas that are known to be ready, over all members."""
        return sum(each.ready_replicas or 0 for each in self.shares.values())


def members_health(names: Collection[str], host: str, answers: Mapping[str, Answer | str]) -> dict[str, MemberHealth]:
    """The health of each member, by its own answer and by its registration on the host."""
    at_host = answers[host]
    registered: dict[str, Object] | None = None
    if isinstance(at_host, Answer):
        registered = {each["metadata"]["name"]: each for each in at_host.registrations}
    return {name: _member(answers[name], _unready(name, host, registered)) for name in names}


def workload_health(placed: Placed, answers: Mapping[str, Answer | str]) -> WorkloadHealth:
    """The health of a workload, by what its members have of it."""
    shares: dict[str, Share] = {}
    all_well = True
    for member, share in placed.shares.items():
        answer = answers.get(member)
        # Why a member does not answer is reported where members are.
        ready, well, note = _ready(placed, answer) if isinstance(answer, Answer) else (None, True, "")
        desired = _desired(placed, share, answer) if isinstance(answer, Answer) else share
        # Nothing is amiss where nothing should run.
        shares[member] = Share(desired, ready, note if desired or ready else "")
        all_well = all_well and (well or not desired)
    health = WorkloadHealth(False, shares)
    if any(each.type.movable and not is_autoscaled(each, placed.manifests) for each in placed.manifests):
        return WorkloadHealth(all_well and health.ready_replicas >= health.desired, shares)
    enough = all((each.ready_replicas or 0) >= each.desired for each in shares.values())
    return WorkloadHealth(all_well and enough, shares)


def list_of(placed: Placed, manifest: Manifest) -> ListPath:
    """Where the copies of a workload's object are, in a member."""
    prefix = "apis" if manifest.type.group else "api"
    # Members need not serve every version that means the same: the one that the manifest has is likely to be served.
    written = manifest.body.get("apiVersion")
    version = written if written in manifest.type.api_versions else manifest.type.api_version
    path = f"/{prefix}/{version}/{_where(placed, manifest)}{manifest.type.plural}"
    return ListPath(path, names_alone=not manifest.type.runs_pods)


def federated_list_of(placed: Placed, manifest: Manifest) -> ListPath:
    """Where the federated objects of a workload's object's type are, on the host."""
    where = _where(placed, manifest)
    return ListPath(f"/apis/types.kubefed.io/v1beta1/{where}{manifest.type.federated_plural}")


def _where(placed: Placed, manifest: Manifest) -> str:
    """The part of a path that says in which namespace an object is; empty for one that is cluster-scoped."""
    return f"namespaces/{placed.namespace}/" if manifest.type.namespaced else ""


def observed(placed: Placed) -> list[Manifest]:
    """The objects of a workload that its health is read from: those that run pods, or all where none is known to."""
    return [manifest for manifest in placed.manifests if manifest.type.runs_pods] or list(placed.manifests)


def _member(answer: Answer | str, unready: str) -> MemberHealth:
    if not isinstance(answer, Answer):
        return MemberHealth(False, "; ".join(filter(None, [answer, unready])))
    nodes = Count(len(answer.nodes), sum(condition(node, "Ready") == "True" for node in answer.nodes))
    return MemberHealth(not unready, unready, answer.version, nodes, _accelerators(answer))


def _unready(name: str, host: str, registered: Mapping[str, Object] | None) -> str:
    """Why KubeFed does not take a member for Ready; empty where it does."""
    if registered is None:
        return f"KubeFed's view is not known: {host}, which has it, does not answer"
    if name not in registered:
        return "not registered; run pulumi up"
    if condition(registered[name], "Ready") == "True":
        return ""
    reported = [each for each in conditions(registered[name]) if each.get("type") in ("Ready", "Offline")]
    words = [str(each.get("message") or each.get("reason") or "") for each in reported]
    return f"KubeFed: {next(filter(None, words), 'not looked at yet')}"


def _accelerators(answer: Answer) -> dict[str, Count]:
    total, free = defaultdict[str, int](int), defaultdict[str, int](int)
    for node in answer.nodes:
        for name, amount in _counted(node["metadata"].get("labels", {}), node["status"].get("allocatable", {})):
            total[name] += amount
    for node in free_nodes(answer.nodes, answer.pods):
        for name, amount in _counted(node.labels, node.allocatable):
            free[name] += amount
    return {name: Count(total[name], free[name]) for name in sorted(total)}


def _counted(labels: Mapping[str, str], amounts: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for label, resource in zip(ACCELERATORS, _RESOURCES, strict=True):
        if int(amounts.get(resource, 0)):
            yield labels.get(label) or resource, int(amounts[resource])


def _desired(placed: Placed, share: int, answer: Answer) -> int:
    """How many replicas are desired in a member: its share, or more where an autoscaler has scaled a copy up.

    What an autoscaler may hold below its minimum is desired as it is.
    """
    scalers = list(autoscalers(placed.manifests))
    if not scalers:
        return share
    found = [(each.type.counted[0], _copy(placed, each, answer)) for each in observed(placed)]
    written = [copy["spec"].get(field, 1) for field, copy in found if copy]
    below = any(each.may_be_below for each in scalers) and len(written) == len(found)
    return sum(written) if below else max(share, sum(written))


def _copy(placed: Placed, manifest: Manifest, answer: Answer) -> Object | None:
    """The copy of an object in a member; None where there is none."""
    found = answer.found.get(list_of(placed, manifest), [])
    return next((each for each in found if each["metadata"]["name"] == manifest.name), None)


def _ready(placed: Placed, answer: Answer) -> tuple[int, bool, str]:
    """How many replicas are ready in a member, whether what is not counted runs there as it should, and what else is.

    Where nothing is counted, 1 is ready where all of it runs as it should.
    """
    pods = [each for each in answer.pods if at(each, "metadata", "namespace") == placed.namespace]
    counts, well, notes = 0, True, list[str]()
    for manifest in observed(placed):
        copy = _copy(placed, manifest, answer)
        health = CopyHealth(note="not there") if copy is None else copy_health(manifest, copy, pods)
        counts += health.ready_replicas
        well = well and (health.well or bool(manifest.type.counted))
        notes += [f"{manifest.type.kind} {manifest.name}: {health.note}"] if health.note else []
    counted = any(manifest.type.counted for manifest in placed.manifests)
    return counts if counted else int(well), well, "; ".join(notes)


def condition(each: Object, kind: str) -> str:
    return next((str(one.get("status")) for one in conditions(each) if one.get("type") == kind), "")
