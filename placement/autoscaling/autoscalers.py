"""Finds the autoscalers among a workload's objects, what each of them scales, and between which numbers.

It does not check them (autoscaler_rules.py does), and does not divide them over clusters (autoscaled.py does).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from placement.api.lookup import at, entries
from placement.manifests.manifest import Manifest

_PAUSED = "autoscaling.keda.sh/paused"
PAUSED_REPLICAS = "autoscaling.keda.sh/paused-replicas"
"""KEDA's annotation of a ScaledObject whose target is kept at a number of replicas."""


@dataclass(frozen=True)
class AutoscalerKind:
    """Where an autoscaler's spec has its minimum and maximum, what they are where left out, and its default target.

    `counts` are further numbers of replicas in its spec, which are divided with the maximum.
    """

    least: str
    most: str
    least_default: int
    most_default: int | None = None
    target: tuple[str, str] = ("", "")
    counts: tuple[tuple[str, ...], ...] = ()


# By config name. Sources, read in August 2026: the API of Kubernetes 1.35 (autoscaling/v2), the CRD of KEDA 2.17.
KINDS: Mapping[str, AutoscalerKind] = {
    "horizontalpodautoscalers.autoscaling": AutoscalerKind("minReplicas", "maxReplicas", 1),
    "scaledobjects.keda.sh": AutoscalerKind(
        "minReplicaCount", "maxReplicaCount", 0, 100, ("apps/v1", "Deployment"), (("fallback", "replicas"),)
    ),
}


@dataclass(frozen=True)
class Autoscaler:
    """An autoscaler with the object of the same workload that it scales, between `least` and `most` replicas."""

    manifest: Manifest
    target: Manifest
    least: int
    most: int

    @property
    def kind(self) -> AutoscalerKind:
        """Where its numbers are."""
        return KINDS[self.manifest.type.config_name]

    @property
    def may_be_below(self) -> bool:
        """Whether it may keep fewer replicas than the minimum: while nothing is to do, or since it is paused."""
        annotations = entries(at(self.manifest.body, "metadata", "annotations"))
        idle = at(self.manifest.body, "spec", "idleReplicaCount") is not None
        return idle or any(key.startswith(_PAUSED) for key in annotations)


def is_autoscaler(manifest: Manifest) -> bool:
    """Whether an object is an autoscaler."""
    return manifest.type.config_name in KINDS


def target_of(autoscaler: Manifest) -> tuple[str, str, str]:
    """The group, kind and name of what an autoscaler scales; empty where it does not say it."""
    reference = at(autoscaler.body, "spec", "scaleTargetRef")
    default_version, default_kind = KINDS[autoscaler.type.config_name].target
    # The version does not matter: an autoscaler asks for the kind in the group.
    group = str(at(reference, "apiVersion") or default_version).rpartition("/")[0]
    return group, str(at(reference, "kind") or default_kind), str(at(reference, "name") or "")


def range_of(autoscaler: Manifest) -> tuple[Any, Any]:
    """The minimum and the maximum that are written in an autoscaler, or their defaults."""
    kind = KINDS[autoscaler.type.config_name]
    least, most = (at(autoscaler.body, "spec", field) for field in (kind.least, kind.most))
    return kind.least_default if least is None else least, kind.most_default if most is None else most


def scales(autoscaler: Manifest, target: Manifest) -> bool:
    """Whether an autoscaler names an object as its target."""
    return target_of(autoscaler) == (target.type.group, target.type.kind, target.name)


def autoscalers(manifests: Sequence[Manifest]) -> Iterator[Autoscaler]:
    """Yields the autoscalers whose target is among the objects and has replicas; others are refused by the checks."""
    for each in filter(is_autoscaler, manifests):
        least, most = range_of(each)
        target = next((one for one in manifests if has_replicas(one) and scales(each, one)), None)
        if target is not None and _number(least) and _number(most):
            yield Autoscaler(each, target, least, most)


def with_minima(manifests: Sequence[Manifest]) -> list[Manifest]:
    """The objects, of which autoscaled ones have the minimum for replicas: what they need room for from the start.

    Whatever else is written there is not used, as an autoscaler would not leave it so.
    """
    least = {id(each.target): max(1, each.least) for each in autoscalers(manifests)}
    return [
        replace(each, body={**each.body, "spec": {**each.body["spec"], "replicas": least[id(each)]}})
        if id(each) in least
        else each
        for each in manifests
    ]


def divided_fields(manifests: Sequence[Manifest]) -> set[str]:
    """The paths in autoscalers that a placement decides, as JSON pointers."""
    kinds = [each.kind for each in autoscalers(manifests)]
    paths = [path for kind in kinds for path in ((kind.least,), (kind.most,), *kind.counts)]
    return {f"/spec/{'/'.join(path)}" for path in paths}


def has_replicas(manifest: Manifest) -> bool:
    """Whether an object has replicas that KubeFed can leave to an autoscaler."""
    return manifest.type.counted[:1] == ("replicas",)


def is_autoscaled(manifest: Manifest, manifests: Sequence[Manifest]) -> bool:
    """Whether an autoscaler of the same workload decides the replicas of an object."""
    return any(each.target is manifest for each in autoscalers(manifests))


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
