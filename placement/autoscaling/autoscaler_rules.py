"""Decides whether a workload's autoscalers can do what they say, each for one object of the workload.

It does not know metrics: whether an autoscaler scales by the right ones is seen in the clusters alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from placement.api.lookup import at, elements
from placement.autoscaling.autoscalers import (
    KINDS,
    PAUSED_REPLICAS,
    AutoscalerKind,
    has_replicas,
    is_autoscaler,
    range_of,
    scales,
    target_of,
)
from placement.manifests.manifest import Manifest
from problems import Problem, one_of, shorten

_KEDA = "scaledobjects.keda.sh"
# Metrics of a HorizontalPodAutoscaler that are not of the target's pods, and triggers of KEDA that are.
_SHARED = ("Object", "External")
_OWN = ("cpu", "memory")


def check_autoscalers(setting: str, manifests: Sequence[Manifest]) -> Iterator[Problem]:
    """Yields what is wrong with the autoscalers among a workload's objects."""
    for each in filter(is_autoscaler, manifests):
        texts = [*_range_mistakes(each), *_target_mistakes(each, manifests)]
        if each.type.config_name == _KEDA:
            texts += _keda_mistakes(each)
        yield from (Problem(f"{setting}.manifests", f"{each.type.kind} {each.name}", text) for text in texts)


def notes_on(manifests: Sequence[Manifest]) -> Iterator[str]:
    """Yields what is worth to know of a workload's autoscalers, though it is no mistake.

    A metric that is no average over the target's own pods, such as the length of a queue, is the same in every cluster.
    """
    for each in filter(is_autoscaler, manifests):
        spec = each.body.get("spec")
        shared = [at(one, "type") for one in elements(at(spec, "metrics")) if at(one, "type") in _SHARED]
        shared += [
            at(one, "type") for one in elements(at(spec, "triggers")) if at(one, "type") not in ("cpu", "memory")
        ]
        if shared:
            named = ", ".join(sorted({str(kind) for kind in shared}))
            yield (
                f"{each.type.kind} {each.name}: where what {named} measures is the same in several clusters, each of "
                "them scales for all of it, up to its part of the maximum"
            )


def _range_mistakes(autoscaler: Manifest) -> Iterator[str]:
    kind = KINDS[autoscaler.type.config_name]
    least, most = range_of(autoscaler)
    if not isinstance(least, int) or not isinstance(most, int):
        # The schema of its type says so, if there is one.
        yield from _not_a_number(kind, least, most)
        return
    lowest = kind.least_default
    if least < lowest:
        zero = ", or a ScaledObject (KEDA), which can scale to 0" if (least, lowest) == (0, 1) else ""
        yield f"{kind.least} {shorten(least)}: write {lowest} or more{zero}"
    if most < 1:
        yield f"{kind.most} {shorten(most)}: write 1 or more"
    elif least > most:
        yield f"{kind.least} {shorten(least)} is above {kind.most} {shorten(most)}; write a larger {kind.most}"


def _not_a_number(kind: AutoscalerKind, least: Any, most: Any) -> Iterator[str]:
    for field, value in ((kind.least, least), (kind.most, most)):
        if not isinstance(value, int):
            yield f"{field} {'is missing' if value is None else shorten(value)}; write a whole number"


def _target_mistakes(autoscaler: Manifest, manifests: Sequence[Manifest]) -> Iterator[str]:
    group, kind, name = target_of(autoscaler)
    written = f"scaleTargetRef {kind or 'of no kind'} {name or 'without a name'}"
    target = next((each for each in manifests if scales(autoscaler, each)), None)
    if target is None:
        yield f"{written}: {_instead(group, kind, name, manifests)}"
        return
    if not has_replicas(target):
        advice = "write a Deployment, ReplicaSet or StatefulSet"
        yield f"{written}: KubeFed would undo what is scaled, since it knows of no replicas of a {kind}; {advice}"
        return
    other = next(each for each in manifests if is_autoscaler(each) and scales(each, target))
    if other is not autoscaler:
        yield f"{written}: {other.type.kind} {other.name} scales it already; remove one of them"
    least, _ = range_of(autoscaler)
    if at(target.body, "spec", "replicas") == 0 and least != 0:
        off = "remove the autoscaler"
        if autoscaler.type.config_name == _KEDA:
            off = f'write the annotation {PAUSED_REPLICAS}: "0"'
        yield f"{written}: it has replicas: 0, which turns autoscaling off; leave replicas out, or {off} to scale to 0"


def _instead(group: str, kind: str, name: str, manifests: Sequence[Manifest]) -> str:
    """What to write for a target that is not among the objects."""
    others = [each for each in manifests if (each.type.kind, each.name) == (kind, name)]
    if others:
        return f"of {f'group {group}' if group else 'no group'}; write apiVersion: {others[0].type.api_version}"
    names = {each.name for each in manifests if each.type.kind == kind and each.type.group == group}
    if names:
        return f"not in the manifests, so that nothing would be scaled; write {one_of(name, names)}"
    able = [f"{each.type.kind} {each.name}" for each in manifests if has_replicas(each)]
    advice = f"write {one_of('', able)}" if able else "write the Deployment that it scales into the same manifests"
    return f"not in the manifests, so that nothing would be scaled; {advice}"


def _keda_mistakes(autoscaler: Manifest) -> Iterator[str]:
    """Yields mistakes in what KEDA alone has. Source: the checks of KEDA 2.17, and its reference of ScaledObject."""
    least, _ = range_of(autoscaler)
    idle = at(autoscaler.body, "spec", "idleReplicaCount")
    if idle not in (None, 0):
        yield f"idleReplicaCount {shorten(idle)}: KEDA knows no other than 0; write 0, or leave it out"
    elif idle == 0 and least == 0:
        yield "idleReplicaCount 0: not below minReplicaCount 0; leave it out, or write a larger minReplicaCount"
    annotations: Mapping[str, Any] = at(autoscaler.body, "metadata", "annotations") or {}
    paused = annotations.get(PAUSED_REPLICAS)
    if paused is not None and not (isinstance(paused, str) and paused.isascii() and paused.isdigit()):
        yield f'annotation {PAUSED_REPLICAS} {shorten(paused)}: write a whole number as text, such as "0"'
