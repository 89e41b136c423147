"""Pods of a deleted Job: the Job that replaces it starts when they have ended."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pulumi

from federation.api_client import NoAnswer, asking
from federation.outputs_by_name import outputs_by_name
from federation.queries import Object, has_ended, items
from placement.api.kinds import JOBS, KNOWN, TargetType

_SECONDS = 300.0
_PAUSE = 1.0
_JOB_NAME = "batch.kubernetes.io/job-name"
# Of a kind whose pods have no common label, KubeFed deletes the pods first, and nothing more is known.
_TYPES = {
    each.federated_kind: (each, _JOB_NAME if each == JOBS else each.pod_kind.label)
    for each in KNOWN.values()
    if each == JOBS or (each.pod_kind.ends is not None and each.pod_kind.label)
}


def after_earlier_pods(kubeconfigs: Mapping[str, pulumi.Output[str]]) -> pulumi.ResourceHook:
    """A hook for what runs to an end, which waits before it is created until no member runs pods of an earlier one.

    A Job is replaced by one of the same name; beside pods of the earlier one, it would train twice into one
    checkpoint. The run ends with an error after five minutes.
    """
    known = outputs_by_name(kubeconfigs)

    async def wait(hook: pulumi.ResourceHookArgs) -> None:
        metadata: Mapping[str, str] = (hook.new_inputs or {})["metadata"]
        namespace, name = metadata["namespace"], metadata["name"]
        kind = str((hook.new_inputs or {})["kind"])
        configs = await known.future() or {}
        if kind in _TYPES:
            target, label = _TYPES[kind]
            command = f"kubectl delete pods -n {namespace} -l {label}={name}"
            await asyncio.to_thread(
                await_ended,
                f"{target.kind} {namespace}/{name}",
                command,
                lambda: _pods_left(configs, namespace, name, target, label),
            )

    return pulumi.ResourceHook("after-earlier-pods", wait)


def await_ended(what: str, command: str, left: Callable[[], Mapping[str, int]], seconds: float = _SECONDS) -> None:
    """Waits until no member has pods left, and reports where some are; `command` deletes them.

    Raises pulumi.RunError after so many seconds.
    """
    deadline = time.monotonic() + seconds
    reported: Mapping[str, int] = {}
    while now := {member: count for member, count in left().items() if count}:
        text = ", ".join(f"{count} in {member}" for member, count in sorted(now.items()))
        if now != reported:
            pulumi.log.info(f"{what} starts when the pods of the one before have ended: {text}")
        reported = now
        if time.monotonic() > deadline:
            raise pulumi.RunError(
                f"{what} is not created: pods of the one before still run ({text}). Delete them there by {command}, "
                "and run pulumi up again"
            )
        time.sleep(_PAUSE)


def earlier_pods(pods: Iterable[Object], jobs: Iterable[Object], name: str = "", sets: Iterable[Object] = ()) -> int:
    """How many of a Job's pods have not ended and are owned by no Job, or by one that is being deleted.

    Pods of another kind have owners between: they are earlier ones unless one of the `sets` with this name stays.
    """
    if any(each["metadata"]["name"] == name and not each["metadata"].get("deletionTimestamp") for each in sets):
        return 0
    staying = {job["metadata"]["uid"] for job in jobs if not job["metadata"].get("deletionTimestamp")}
    return sum(not has_ended(pod) and not staying & {owner["uid"] for owner in _owners(pod)} for pod in pods)


def _owners(pod: Object) -> Sequence[Object]:
    return pod["metadata"].get("ownerReferences") or []


def _pods_left(
    kubeconfigs: Mapping[str, str], namespace: str, name: str, target: TargetType, label: str
) -> dict[str, int]:
    def query(member: str) -> int:
        try:
            with asking(member, kubeconfigs[member], retries=0) as (_, api):
                pods: list[Any] = items(api, f"/api/v1/namespaces/{namespace}/pods?labelSelector={label}%3D{name}")
                owners = (
                    items(api, f"/apis/{target.api_version}/namespaces/{namespace}/{target.plural}") if pods else []
                )
                return earlier_pods(pods, owners) if target == JOBS else earlier_pods(pods, [], name, owners)
        except NoAnswer as error:
            # Until it answers, KubeFed creates no copy there either.
            pulumi.log.warn(f"{error}; whether it runs pods of an earlier Job {namespace}/{name} is not known")
            return 0

    with ThreadPoolExecutor() as pool:
        return dict(zip(kubeconfigs, pool.map(query, kubeconfigs), strict=True))
