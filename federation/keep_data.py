"""Looks at what a run would remove from the clusters, says so, and ends a run that would delete data unasked."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pulumi

from clusters.gke import GkeCluster
from federation.api_client import NoAnswer, asking
from federation.fixed_fields import Patches, stuck_fields
from federation.gathered import gathered
from federation.queries import items
from federation.removals import Desired, Key, Object, Removal, copies_of, federated_objects, refusal, removals
from placement.copies import PlacedWorkload, template
from placement.kinds import CLAIMS, NAMESPACE, NAMESPACES
from placement.workload import Workload

_CONFIGS = f"/apis/core.kubefed.io/v1beta1/namespaces/{NAMESPACE}/federatedtypeconfigs"


def keep_data(
    workloads: Mapping[str, Workload],
    placed: Mapping[str, pulumi.Output[PlacedWorkload]],
    host: str,
    clusters: Mapping[str, GkeCluster],
) -> dict[str, pulumi.Output[PlacedWorkload]]:
    """The placed workloads, once it is known that they leave no data behind.

    A preview shows what goes from each cluster. Where StatefulSets or claims are among it that the settings do not let
    go, the output raises pulumi.RunError. `clusters` are all, members or not.
    """
    kubeconfigs = {name: cluster.kubeconfig for name, cluster in clusters.items()}
    everything = pulumi.Output.all(gathered(placed), gathered(kubeconfigs))
    checked = pulumi.Output.unsecret(everything.apply(lambda known: _check(workloads, known[0], host, known[1])))
    if pulumi.runtime.is_dry_run():
        # Before there is a cluster to ask, the decisions are known all the same.
        return dict(placed)
    return {name: pulumi.Output.all(each, checked).apply(lambda known: known[0]) for name, each in placed.items()}


def desired(workloads: Mapping[str, Workload], placed: Mapping[str, PlacedWorkload], host: str) -> Desired:
    """Where a run wants copies, of each object and each namespace."""
    copies: dict[Key, set[str]] = {}
    may_go: set[Key] = set()
    for name, each in placed.items():
        keys = {(one.manifest.type.federated_kind, each.namespace, one.manifest.name): one for one in each.objects}
        copies |= {key: set(one.clusters) for key, one in keys.items()}
        may_go |= {key for key in keys if workloads[name].delete_data}
        copies.setdefault((NAMESPACES.federated_kind, each.namespace, each.namespace), {host}).update(each.clusters)
    may_go |= {key for key in copies if key[0] == NAMESPACES.federated_kind and deletes_data(workloads, key[1])}
    return Desired(copies, may_go)


def deletes_data(workloads: Mapping[str, Workload], namespace: str) -> bool:
    """Whether all workloads of a namespace let their data go, so that it may go with what else is in it."""
    return all(each.delete_data for each in workloads.values() if each.namespace == namespace)


def stuck(found: Iterable[Object], placed: Mapping[str, PlacedWorkload]) -> list[str]:
    """Why changes could not reach copies that are there, with what to do instead."""
    before = {_key(each): each for each in found}
    texts: list[str] = []
    for name, workload in placed.items():
        for each in workload.objects:
            live = before.get((each.manifest.type.federated_kind, workload.namespace, each.manifest.name))
            if live is not None:
                where = {one["name"] for one in copies_of(live)} & {*each.clusters}
                spec: Object = live["spec"]
                was: tuple[Object, Patches] = (spec.get("template") or {}, _patches(spec))
                will = (template(each.manifest), each.overrides)
                why = stuck_fields(each.manifest.type, each.manifest.name, was, will, where)
                texts += (f"workloads.{name}: {text}" for text in why)
    return texts


def _check(
    workloads: Mapping[str, Workload], placed: Mapping[str, PlacedWorkload], host: str, kubeconfigs: Mapping[str, str]
) -> None:
    try:
        found = _federated(host, kubeconfigs[host])
    except NoAnswer as error:
        # Where it should answer, the rest of the run says why it does not.
        pulumi.log.warn(f"{error}; what the run removes from the clusters is not known")
        return
    wrong = stuck(found, placed)
    if wrong:
        raise pulumi.RunError("\n  ".join(["copies could not be changed; nothing was changed.", *wrong]))
    going = [
        replace(each, claims=_claims(each, kubeconfigs)) if each.whole else each
        for each in removals(federated_objects(found), desired(workloads, placed, host), host)
    ]
    for each in going:
        if not each.kept:
            pulumi.log.warn(str(each))
    if text := refusal(going):
        raise pulumi.RunError(text)


def _federated(host: str, kubeconfig: str) -> list[Object]:
    """Every federated object on the host. Raises NoAnswer."""
    with asking(host, kubeconfig, retries=0) as (_, api):
        found: list[Object] = []
        for config in items(api, _CONFIGS):
            each = config["spec"]["federatedType"]
            found += items(api, f"/apis/{each['group']}/{each['version']}/{each['pluralName']}")
        return found


def _claims(removal: Removal, kubeconfigs: Mapping[str, str]) -> int | None:
    """How many claims are in a namespace that goes; None where its cluster is not one to ask, or does not answer."""
    if removal.cluster not in kubeconfigs:
        return None
    try:
        with asking(removal.cluster, kubeconfigs[removal.cluster], retries=0) as (_, api):
            return len(items(api, f"/api/v1/namespaces/{removal.namespace}/{CLAIMS.plural}"))
    except NoAnswer as error:
        pulumi.log.warn(f"{error}; its claims in namespace {removal.namespace} are not counted")
        return None


def _key(each: Object) -> Key:
    return each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]


def _patches(spec: Mapping[str, Any]) -> Patches:
    overrides: Sequence[Mapping[str, Any]] = spec.get("overrides") or []
    return {each["clusterName"]: each.get("clusterOverrides") or [] for each in overrides}
