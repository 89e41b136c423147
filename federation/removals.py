"""What a run would remove from the clusters, as text: copies, and namespaces with all that is in them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from federation.federated_objects import clusters_with_copies
from federation.queries import Object
from federation.waits import WAIT_FOR
from placement.api.kinds import CLAIMS, NAMESPACES, STATEFUL_SETS, VOLUMES

Key = tuple[str, str, str]
"""The federated kind, the namespace (empty where the object is cluster-scoped) and the name of an object."""

DELETE_DATA = "geo-federation/delete-data"
"""The annotation of a federated object whose data may be deleted: "true", from its workload's settings."""
_SETTING = "delete_data: true"
_CLAIM = CLAIMS.federated_kind
_WITH_DATA = (_CLAIM, STATEFUL_SETS.federated_kind, VOLUMES.federated_kind)
_MOST_NAMED = 10


@dataclass(frozen=True)
class Federated:
    """A federated object on the host, and where its copies are; `delete_data` says that its data may be deleted."""

    kind: str
    namespace: str
    name: str
    clusters: frozenset[str]
    delete_data: bool = False

    @property
    def key(self) -> Key:
        """What identifies it."""
        return self.kind, self.namespace, self.name

    def __str__(self) -> str:
        return f"{self.kind.removeprefix('Federated')} {self.name}"


@dataclass(frozen=True)
class Desired:
    """Where a run wants copies of each object, and which objects' data its settings allow to delete.

    The copies of a namespace are where it is federated; the host has it as long as there is any copy.
    """

    copies: Mapping[Key, Collection[str]]
    delete_data: Collection[Key] = ()


@dataclass(frozen=True)
class Removal:
    """What is removed from one namespace of one cluster: objects, or the whole namespace. Of no namespace: what is
    cluster-scoped.

    `claims` is how many PersistentVolumeClaims are in a namespace to be removed, None where they were not counted.
    """

    cluster: str
    namespace: str
    objects: tuple[Federated, ...]
    whole_namespace: bool = False
    delete_data: bool = False
    claims: int | None = None

    @property
    def kept(self) -> bool:
        """Whether it has data that the settings do not allow to delete, so that the run is refused."""
        if any(each.kind in _WITH_DATA and not each.delete_data for each in self.objects):
            return True
        return bool(self.claims) and not self.delete_data

    def __str__(self) -> str:
        named = [str(each) for each in self.objects if not (self.claims and each.kind == _CLAIM)]
        # What holds data first.
        named.sort(key=lambda name: f"Federated{name.partition(' ')[0]}" not in _WITH_DATA)
        if len(named) > _MOST_NAMED:
            named[_MOST_NAMED:] = [f"{len(named) - _MOST_NAMED} more objects"]
        if self.claims:
            named.append(f"{self.claims} PersistentVolumeClaim{'s' if self.claims > 1 else ''}")
        what = " and ".join(filter(None, [", ".join(named[:-1]), *named[-1:]]))
        if self.whole_namespace:
            return f"{self.cluster}: namespace {self.namespace} is removed, with {what or 'all that is in it'}"
        where = f" of namespace {self.namespace}" if self.namespace else ""
        return f"{self.cluster}: {what}{where} {'are' if len(named) > 1 else 'is'} removed"


def own_objects(found: Iterable[Object]) -> list[Federated]:
    """The program's own federated objects, out of those on the host, with the clusters that have copies."""
    objects: list[Federated] = []
    for each in found:
        metadata = each["metadata"]
        annotations: Mapping[str, str] = metadata.get("annotations") or {}
        # Every object of the program has it, and hardly any that somebody has created by hand.
        if WAIT_FOR in annotations:
            where = clusters_with_copies(each, except_status="WaitingForRemoval")
            deletable = annotations.get(DELETE_DATA) == "true"
            objects.append(Federated(each["kind"], metadata.get("namespace", ""), metadata["name"], where, deletable))
    return objects


def removals(found: Collection[Federated], desired: Desired, host: str) -> list[Removal]:
    """What a run removes from each namespace of each cluster, by cluster and namespace."""
    permitted = [replace(each, delete_data=each.delete_data or each.key in desired.delete_data) for each in found]
    namespaces = {each.namespace: each for each in permitted if each.kind == NAMESPACES.federated_kind}
    objects = [each for each in permitted if each.kind != NAMESPACES.federated_kind]
    gone = {
        (cluster, each.namespace)
        for each in namespaces.values()
        # The host has every federated namespace, whether or not there are copies in it.
        for cluster in ({*each.clusters, host} - {*desired.copies.get(each.key, ())})
        if cluster != host or each.key not in desired.copies
    }
    removed: dict[tuple[str, str], list[Federated]] = {place: [] for place in gone}
    for each in objects:
        for cluster in each.clusters:
            place = (cluster, each.namespace)
            if place in gone or cluster not in desired.copies.get(each.key, ()):
                removed.setdefault(place, []).append(each)
    return [
        Removal(
            cluster,
            namespace,
            tuple(sorted(removed[cluster, namespace], key=lambda each: each.key)),
            whole_namespace=(cluster, namespace) in gone,
            delete_data=namespace in namespaces and namespaces[namespace].delete_data,
        )
        for cluster, namespace in sorted(removed)
    ]


def refusal(found: Iterable[Removal]) -> str:
    """Why a run may not go on, with what to write instead; empty where it may."""
    kept = [f"\n  {each}" for each in found if each.kept]
    if not kept:
        return ""
    return (
        f"data would be deleted; nothing was changed.{''.join(kept)}\n"
        "To keep it, leave the placement, the objects, the clusters and the host as they were. To delete it, write "
        f"{_SETTING} in its workload; where the workload, the object or the cluster is removed, run pulumi up with "
        "that first."
    )
