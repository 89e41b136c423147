"""What a run would remove from the clusters, in words: copies, and namespaces with all that is in them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from placement.kinds import CLAIMS, NAMESPACES, STATEFUL_SETS

Object = Mapping[str, Any]
Key = tuple[str, str, str]
"""The federated kind, the namespace and the name of an object."""

DELETE_DATA = "geo-federation/delete-data"
"""The annotation of a federated object whose data may be deleted: "true", from its workload's settings."""
_SETTING = "delete_data: true"
# Every object of the program has it, and hardly one that somebody has made by hand.
_OWN = "pulumi.com/waitFor"
_CLAIM = CLAIMS.federated_kind
_WITH_DATA = (_CLAIM, STATEFUL_SETS.federated_kind)
_NAMED = 10


@dataclass(frozen=True)
class Federated:
    """A federated object on the host, and where its copies are; `delete_data` says that its data may go."""

    kind: str
    namespace: str
    name: str
    clusters: frozenset[str]
    delete_data: bool = False

    @property
    def key(self) -> Key:
        """What tells it from all others."""
        return self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind.removeprefix('Federated')} {self.name}"


@dataclass(frozen=True)
class Desired:
    """Where a run wants copies of each object, and which objects' data its settings allow to delete.

    The copies of a namespace are where it is federated; on the host it is as long as there is a copy at all.
    """

    copies: Mapping[Key, Collection[str]]
    delete_data: Collection[Key] = ()


@dataclass(frozen=True)
class Removal:
    """What goes from one namespace of one cluster; `whole` where the namespace goes, with all that is in it.

    `claims` is how many PersistentVolumeClaims were found in a namespace that goes, None where nobody could look.
    """

    cluster: str
    namespace: str
    objects: tuple[Federated, ...]
    whole: bool = False
    delete_data: bool = False
    claims: int | None = None

    @property
    def kept(self) -> bool:
        """Whether it holds data that nobody has allowed to delete."""
        if any(each.kind in _WITH_DATA and not each.delete_data for each in self.objects):
            return True
        return bool(self.claims) and not self.delete_data

    def __str__(self) -> str:
        named = [str(each) for each in self.objects if not (self.claims and each.kind == _CLAIM)]
        # What holds data first.
        named.sort(key=lambda name: f"Federated{name.partition(' ')[0]}" not in _WITH_DATA)
        if len(named) > _NAMED:
            named[_NAMED:] = [f"{len(named) - _NAMED} more objects"]
        if self.claims:
            named.append(f"{self.claims} PersistentVolumeClaim{'s' if self.claims > 1 else ''}")
        what = " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))
        if self.whole:
            return f"{self.cluster}: namespace {self.namespace} goes{f', with {what}' if what else ', with all in it'}"
        return f"{self.cluster}: {what} of namespace {self.namespace} {'go' if len(named) > 1 else 'goes'}"


def federated_objects(found: Iterable[Object]) -> list[Federated]:
    """The program's own federated objects, as the host's API server says, with the copies that KubeFed knows of."""
    objects: list[Federated] = []
    for each in found:
        metadata = each["metadata"]
        annotations: Mapping[str, str] = metadata.get("annotations") or {}
        where = frozenset(copy["name"] for copy in copies_of(each) if copy.get("status") != "WaitingForRemoval")
        if _OWN in annotations:
            may_go = annotations.get(DELETE_DATA) == "true"
            objects.append(Federated(each["kind"], metadata["namespace"], metadata["name"], where, may_go))
    return objects


def copies_of(federated: Object) -> Sequence[Object]:
    """What KubeFed says of each copy of a federated object: the cluster's name, and a status where it has a fault."""
    status: Object = federated.get("status") or {}
    return status.get("clusters") or []


def removals(found: Collection[Federated], desired: Desired, host: str) -> list[Removal]:
    """What a run removes from each namespace of each cluster, by cluster and namespace."""
    objects = [
        replace(each, delete_data=each.delete_data or each.key in desired.delete_data)
        for each in found
        if each.kind != NAMESPACES.federated_kind
    ]
    namespaces = {
        each.namespace: replace(each, delete_data=each.delete_data or each.key in desired.delete_data)
        for each in found
        if each.kind == NAMESPACES.federated_kind
    }
    gone = {
        (cluster, each.namespace)
        for each in namespaces.values()
        # The host has every federated namespace, be there copies in it or not.
        for cluster in ({*each.clusters, host} - {*desired.copies.get(each.key, ())})
        if cluster != host or each.key not in desired.copies
    }
    leaving: dict[tuple[str, str], list[Federated]] = {place: [] for place in gone}
    for each in objects:
        for cluster in each.clusters:
            place = (cluster, each.namespace)
            if place in gone or cluster not in desired.copies.get(each.key, ()):
                leaving.setdefault(place, []).append(each)
    return [
        Removal(
            cluster,
            namespace,
            tuple(sorted(leaving[cluster, namespace], key=lambda each: each.key)),
            whole=(cluster, namespace) in gone,
            delete_data=namespace in namespaces and namespaces[namespace].delete_data,
        )
        for cluster, namespace in sorted(leaving)
    ]


def refusal(found: Iterable[Removal]) -> str:
    """Why a run may not go on, with what to write instead; empty where it may."""
    kept = [f"\n  {each}" for each in found if each.kept]
    if not kept:
        return ""
    return (
        f"data would be deleted; nothing was changed.{''.join(kept)}\n"
        "To keep it, leave the placement, the objects and the clusters as they were. To delete it, write "
        f"{_SETTING} in its workload; where the workload, the object or the cluster is removed, run pulumi up with "
        "that first."
    )
