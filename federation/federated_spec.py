"""What a federated object declares of a placed one, and what about it re-creates the copies: plain values."""

from collections.abc import Sequence
from typing import Any

from federation.fixed_fields import another_run, replacement_trigger
from placement.copies import PlacedObject, template
from placement.preferences import selector


def federated_spec(placed: PlacedObject) -> dict[str, Any]:
    """The spec of the object that federates a placed one."""
    # A preference fills an empty list, whose entries Pulumi then leaves alone.
    moved: dict[str, Any] = {"clusters": [], "clusterSelector": selector(placed.clusters)}
    spec: dict[str, Any] = {
        "template": template(placed.manifest),
        "placement": moved if placed.preference else {"clusters": named(placed.clusters)},
    }
    if placed.retains:
        spec["retainReplicas"] = True
    if placed.overrides:
        # KubeFed adds the replicas of every cluster: where all have an entry from the start, each stays in its place.
        names = {*placed.overrides, *(placed.clusters if placed.preference else ())}
        spec["overrides"] = [
            {"clusterName": name, "clusterOverrides": list(placed.overrides.get(name, ()))} for name in sorted(names)
        ]
    return spec


def trigger_of(placed: PlacedObject, suspends: bool) -> str | None:
    """What re-creates the copies when it changes; `suspends` where every copy can be suspended in place."""
    target, body = placed.manifest.type, template(placed.manifest)
    again = another_run(target, body, placed.overrides, placed.clusters, suspends)
    return again or replacement_trigger(target, body, placed.overrides)


def named(clusters: Sequence[str]) -> list[dict[str, str]]:
    """The list by which a federated object names its clusters."""
    return [{"name": name} for name in clusters]
