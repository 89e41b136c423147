"""Reports what a run would remove from the clusters, and ends a run that would delete data without permission."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pulumi

from clusters.gke import GkeCluster
from federation.api_client import NoAnswer, asking
from federation.federated_objects import clusters_with_copies, query_federated_objects
from federation.fixed_fields import Patches, impossible_field_changes
from federation.outputs_by_name import outputs_by_name
from federation.queries import Object, items
from federation.removals import Desired, Key, Removal, own_objects, refusal, removals
from placement.api.kinds import CLAIMS, NAMESPACES
from placement.copies import PlacedWorkload, template
from placement.manifests.manifest import Manifest
from placement.workload import Workload


def keep_data(
    workloads: Mapping[str, Workload],
    placed: Mapping[str, pulumi.Output[PlacedWorkload]],
    host: str,
    clusters: Mapping[str, GkeCluster],
) -> dict[str, pulumi.Output[PlacedWorkload]]:
    """The placed workloads, once it is known that the run deletes no data that it may not delete.

    A preview shows what is removed from each cluster. If that includes StatefulSets or claims that the settings do not
    allow to delete, the output raises pulumi.RunError. `clusters` are all, members or not.
    """
    kubeconfigs = {name: cluster.kubeconfig for name, cluster in clusters.items()}
    everything = pulumi.Output.all(outputs_by_name(placed), outputs_by_name(kubeconfigs))
    checked = pulumi.Output.unsecret(everything.apply(lambda known: _check(workloads, known[0], host, known[1])))
    if pulumi.runtime.is_dry_run():
        # The decisions are known even before there is a cluster to query.
        return dict(placed)
    return {name: pulumi.Output.all(each, checked).apply(lambda known: known[0]) for name, each in placed.items()}


def desired(workloads: Mapping[str, Workload], placed: Mapping[str, PlacedWorkload], host: str) -> Desired:
    """Where a run wants copies of each object and each namespace, and whose data it may delete."""
    copies: dict[Key, set[str]] = {}
    deletable: set[Key] = set()
    for name, each in placed.items():
        keys = {_key_of(one.manifest, each.namespace): one for one in each.objects}
        copies |= {key: set(one.clusters) for key, one in keys.items()}
        deletable |= {key for key in keys if workloads[name].delete_data}
        copies.setdefault((NAMESPACES.federated_kind, each.namespace, each.namespace), {host}).update(each.clusters)
    deletable |= {key for key in copies if key[0] == NAMESPACES.federated_kind and deletes_data(workloads, key[1])}
    return Desired(copies, deletable)


def deletes_data(workloads: Mapping[str, Workload], namespace: str) -> bool:
    """Whether all workloads of a namespace allow to delete their data, so that the namespace may be deleted with it."""
    return all(each.delete_data for each in workloads.values() if each.namespace == namespace)


def impossible_changes(found: Iterable[Object], placed: Mapping[str, PlacedWorkload]) -> list[str]:
    """Why changes could not reach existing copies, with what to do instead."""
    before = {_key(each): each for each in found}
    texts: list[str] = []
    for name, workload in placed.items():
        for each in workload.objects:
            live = before.get(_key_of(each.manifest, workload.namespace))
            if live is not None:
                where = clusters_with_copies(live) & {*each.clusters}
                spec: Object = live["spec"]
                was: tuple[Object, Patches] = (spec.get("template") or {}, _patches(spec))
                will = (template(each.manifest), each.overrides)
                why = impossible_field_changes(each.manifest.type, each.manifest.name, was, will, where)
                texts += (f"workloads.{name}: {text}" for text in why)
    return texts


def _check(
    workloads: Mapping[str, Workload], placed: Mapping[str, PlacedWorkload], host: str, kubeconfigs: Mapping[str, str]
) -> None:
    try:
        found = query_federated_objects(host, kubeconfigs[host])
    except NoAnswer as error:
        # Where it should answer, the rest of the run says why it does not.
        pulumi.log.warn(f"{error}; what the run removes from the clusters is not known")
        return
    wrong = impossible_changes(found, placed)
    if wrong:
        raise pulumi.RunError("\n  ".join(["copies could not be changed; nothing was changed.", *wrong]))
    wanted = desired(workloads, placed, host)
    removed = removals(own_objects(found), wanted, host)
    for former, objects in _of_former_hosts(host, kubeconfigs).items() if not found else ():
        # Another host knows nothing of them, and with the control plane that did, all copies are removed.
        removed += removals(own_objects(objects), Desired({}, wanted.delete_data), former)
    removed = [
        replace(each, claims=_count_claims(each, kubeconfigs)) if each.whole_namespace else each for each in removed
    ]
    for each in removed:
        if not each.kept:
            pulumi.log.warn(str(each))
    if text := refusal(removed):
        raise pulumi.RunError(text)


def _of_former_hosts(host: str, kubeconfigs: Mapping[str, str]) -> dict[str, list[Object]]:
    """The federated objects of each cluster that carries a control plane and is not the host."""
    found: dict[str, list[Object]] = {}
    for name in sorted({*kubeconfigs} - {host}):
        with suppress(NoAnswer):
            found[name] = query_federated_objects(name, kubeconfigs[name])
    return found


def _count_claims(removal: Removal, kubeconfigs: Mapping[str, str]) -> int | None:
    """How many claims a namespace to be removed has; None if its cluster is not in the settings or does not answer."""
    if removal.cluster not in kubeconfigs:
        return None
    try:
        with asking(removal.cluster, kubeconfigs[removal.cluster], retries=0) as (_, api):
            return len(items(api, f"/api/v1/namespaces/{removal.namespace}/{CLAIMS.plural}"))
    except NoAnswer as error:
        pulumi.log.warn(f"{error}; its claims in namespace {removal.namespace} are not counted")
        return None


def _key(each: Object) -> Key:
    return each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]


def _key_of(manifest: Manifest, namespace: str) -> Key:
    """The key of the object that federates a manifest of a workload in this namespace."""
    return manifest.type.federated_kind, namespace if manifest.type.namespaced else "", manifest.name


def _patches(spec: Mapping[str, Any]) -> Patches:
    overrides: Sequence[Mapping[str, Any]] = spec.get("overrides") or []
    return {each["clusterName"]: each.get("clusterOverrides") or [] for each in overrides}
