"""What KubeFed could not do for a workload, and why: pure functions of what the host's API server says."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from federation.federated_objects import copies_of
from federation.health import Placed, WorkloadHealth, federated_list_of
from federation.queries import Answer, ListPath, Object
from placement.api.kinds import SECRETS
from placement.manifests.manifest import Manifest

# What KubeFed says of a copy that is as it should be, or that it cannot see to now.
_NO_FAULT = ("", "WaitingForRemoval", "ClusterNotReady")


def host_lists(placed: Placed) -> set[ListPath]:
    """Where the host has what KubeFed says of a workload's objects, of Secrets excepted: that comes with their data."""
    kept = [manifest for manifest in placed.manifests if manifest.type != SECRETS]
    of_cluster = {_CLUSTER_WARNINGS for manifest in kept if not manifest.type.namespaced}
    return {federated_list_of(placed, manifest) for manifest in kept} | {_warnings(placed)} | of_cluster


def with_faults(health: WorkloadHealth, placed: Placed, host: Answer | str) -> WorkloadHealth:
    """The health of a workload, with what KubeFed could not do; one that has a fault is not ready."""
    faults = _faults(placed, host) if isinstance(host, Answer) else {}
    shares = {
        member: replace(share, fault="; ".join(faults.get(member, []))) for member, share in health.shares.items()
    }
    return WorkloadHealth(health.ready and not faults, shares)


def _faults(placed: Placed, host: Answer) -> dict[str, list[str]]:
    """What KubeFed could not do in each member, by its own account."""
    faults = defaultdict[str, list[str]](list)
    warnings = [each for path in (_warnings(placed), _CLUSTER_WARNINGS) for each in host.found.get(path, [])]
    for manifest in placed.manifests:
        found = host.found.get(federated_list_of(placed, manifest), [])
        for each in (one for one in found if one["metadata"]["name"] == manifest.name):
            for member, state in _states(each):
                why = _why(manifest, member, warnings) or state
                faults[member].append(f"{manifest.type.kind} {manifest.name}: {why}")
    return faults


def _states(federated: Object) -> Iterator[tuple[str, str]]:
    """The members in which an object is not as it should be, each with KubeFed's word for it."""
    for each in copies_of(federated):
        if each.get("status", "") not in _NO_FAULT:
            yield each["name"], each["status"]


def _why(manifest: Manifest, member: str, warnings: Sequence[Object]) -> str:
    """The last reason that KubeFed gave for what it could not do to a copy; empty where none is known."""
    about = (manifest.type.federated_kind, manifest.name)
    named = f'in cluster "{member}": '
    found = [
        (str(each.get("lastTimestamp")), str(each["message"]).partition(named)[2])
        for each in warnings
        if (each["involvedObject"].get("kind"), each["involvedObject"].get("name")) == about
        and named in str(each.get("message"))
    ]
    return " ".join(max(found)[1].split()) if found else ""


def _warnings(placed: Placed) -> ListPath:
    return _warnings_in(placed.namespace)


def _warnings_in(namespace: str) -> ListPath:
    return ListPath(f"/api/v1/namespaces/{namespace}/events?fieldSelector=type=Warning")


_CLUSTER_WARNINGS = _warnings_in("default")
"""Where Kubernetes keeps events about what is in no namespace."""
