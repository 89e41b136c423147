"""Members that leave: what they run runs elsewhere, and is gone from them, before they are unregistered."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

import pulumi

from federation.api_client import NoAnswer, answered, asking, listed
from federation.federated_objects import clusters_with_copies
from federation.health import Placed, condition, list_of, observed, workload_health
from federation.outputs_by_name import outputs_by_name
from federation.queries import Object, ask_members
from federation.workloads import FederatedWorkload
from placement.api.kinds import NAMESPACE, NAMESPACES, TargetType
from placement.copies import PlacedWorkload

_SECONDS = 300.0
_PAUSE = 1.0
_REQUEST_SECONDS = 20

Wanted = tuple[TargetType, str, str]
"""A type, and the namespace and the name of an object of it; the namespace is empty for one that is cluster-scoped."""


def drain_members(
    host: str,
    placed: Mapping[str, pulumi.Output[PlacedWorkload]],
    kubeconfigs: Mapping[str, pulumi.Output[str]],
    workloads: Iterable[FederatedWorkload],
) -> pulumi.Output[None]:
    """Waits until the members that are no longer in the settings are empty, and their share runs elsewhere.

    `kubeconfigs` are those of the members in the settings.
    Wait for it in the program: Pulumi unregisters them at the end of the run. One that does not answer is not waited
    for, as KubeFed leaves it alone. The output raises pulumi.RunError where there is no room for a share.
    """
    if pulumi.runtime.is_dry_run():
        return pulumi.Output.from_input(None)
    leaving = kubeconfigs[host].apply(lambda kubeconfig: _leaving(host, kubeconfig, kubeconfigs))
    done = pulumi.Output.all(
        leaving,
        outputs_by_name(kubeconfigs),
        outputs_by_name(placed),
        *(each.id for one in workloads for each in one.objects),
    )
    return pulumi.Output.unsecret(
        done.apply(lambda each: await_empty(each[0], lambda: _left(host, each[0], each[1], each[2])))
    )


def await_empty(leaving: Sequence[str], left: Callable[[], list[str]], seconds: float = _SECONDS) -> None:
    """Waits until nothing is left to do, and reports what is. Raises pulumi.RunError after so many seconds."""
    deadline = time.monotonic() + seconds
    names, reported = " and ".join(leaving), list[str]()
    while leaving and (now := left()):
        if now != reported:
            pulumi.log.info(f"{names} leaves when all is elsewhere: {'; '.join(now)}")
        reported = now
        if time.monotonic() > deadline:
            lacking = "\n  ".join(now)
            raise pulumi.RunError(
                f"{names} cannot leave yet, and stays a member; make room in the others, and run it again.\n  {lacking}"
            )
        time.sleep(_PAUSE)


def leaving_members(registrations: Iterable[Object], members: Collection[str]) -> list[str]:
    """The members that KubeFed knows and reaches, and that are to be members no longer."""
    return [
        each["metadata"]["name"]
        for each in registrations
        if each["metadata"]["name"] not in members and condition(each, "Ready") == "True"
    ]


def still_there(leaving: Iterable[str], found: Mapping[Wanted, Object]) -> list[str]:
    """What KubeFed has not yet taken from the members that leave, or not looked at since it was changed."""
    gone = set(leaving)
    left: list[str] = []
    for (target, namespace, name), each in found.items():
        where = sorted(clusters_with_copies(each) & gone)
        about = f"{target.kind} {namespace}/{name}" if target.namespaced else f"{target.kind} {name}"
        if where:
            left.append(f"{about} is still in {', '.join(where)}")
        elif each.get("status", {}).get("observedGeneration", 0) < each["metadata"]["generation"]:
            left.append(f"{about} is not yet propagated")
    return left


def _leaving(host: str, kubeconfig: str, members: Collection[str]) -> list[str]:
    try:
        with asking(host, kubeconfig, retries=0) as (client, api):
            where = ("core.kubefed.io", "v1beta1", NAMESPACE, "kubefedclusters")
            ask = client.CustomObjectsApi(api).list_namespaced_custom_object
            found = listed(ask(*where, _preload_content=False, _request_timeout=_REQUEST_SECONDS).data)
            return leaving_members(found, members)
    except NoAnswer:
        # A new host knows none. Where it should answer, the rest of the run says why it does not.
        return []


def _left(
    host: str, leaving: Sequence[str], kubeconfigs: Mapping[str, str], placed: Mapping[str, PlacedWorkload]
) -> list[str]:
    """What is not done yet, in words."""
    try:
        with asking(host, kubeconfigs[host]) as (client, api):
            found = {each: _read(client.CustomObjectsApi(api), each) for each in _wanted(placed)}
    except NoAnswer as error:
        return [str(error)]
    return [*still_there(leaving, found), *_not_running(host, kubeconfigs, placed)]


def _read(api: Any, wanted: Wanted) -> Object:
    """Its federated object on the host."""
    target, namespace, name = wanted
    group = ("types.kubefed.io", "v1beta1")
    options = {"_preload_content": False, "_request_timeout": _REQUEST_SECONDS}
    if target.federated_scope == "Cluster":
        return answered(api.get_cluster_custom_object(*group, target.federated_plural, name, **options).data)
    return answered(api.get_namespaced_custom_object(*group, namespace, target.federated_plural, name, **options).data)


def _not_running(host: str, kubeconfigs: Mapping[str, str], placed: Mapping[str, PlacedWorkload]) -> list[str]:
    moved = {
        name: Placed(
            each.namespace,
            [one.manifest for one in each.objects if one.manifest.type.counted],
            {one.cluster: one.share for one in each.decisions},
        )
        for name, each in placed.items()
        if any(one.manifest.type.movable for one in each.objects)
    }
    paths = {list_of(each, manifest) for each in moved.values() for manifest in observed(each)}
    answers = ask_members(kubeconfigs, host, paths)
    health = {name: workload_health(each, answers) for name, each in moved.items()}
    return [
        f"workload {name} has {each.ready_replicas} of {each.desired} replicas ready elsewhere"
        for name, each in health.items()
        if not each.ready
    ]


def _wanted(placed: Mapping[str, PlacedWorkload]) -> list[Wanted]:
    objects = [
        (each.manifest.type, workload.namespace if each.manifest.type.namespaced else "", each.manifest.name)
        for workload in placed.values()
        for each in workload.objects
    ]
    namespaces = sorted({workload.namespace for workload in placed.values()})
    return [*objects, *((NAMESPACES, name, name) for name in namespaces)]
