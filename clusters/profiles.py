"""Defaults that a role sets, for training or serving; each can be overridden by its setting."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from clusters.facts.machines import BUILT_IN


@dataclass(frozen=True)
class Default:
    """A value for a setting that is left out, unless the pool has a setting that `unless` names."""

    value: Any
    reason: str
    unless: tuple[str, ...] = ()


@dataclass(frozen=True)
class Profile:
    """The defaults of a role's clusters, and of their pools with GPUs."""

    cluster: Mapping[str, Default] = field(default_factory=dict[str, Default])
    gpu_pool: Mapping[str, Default] = field(default_factory=dict[str, Default])


_STREAMED = Default(True, "images of gigabytes start in seconds")

PROFILES: Mapping[str, Profile] = {
    "training": Profile(
        cluster={
            "metrics": Default(["DCGM", "JOBSET", "POD", "CADVISOR"], "how busy GPUs are, and how long jobs take")
        },
        gpu_pool={
            "spot": Default(
                True, "a run with checkpoints survives the loss of its machine", ("flex_start", "queued", "reservation")
            ),
            "image_streaming": _STREAMED,
        },
    ),
    "serving": Profile(
        cluster={
            "metrics": Default(["DCGM", "DEPLOYMENT", "HPA", "POD", "CADVISOR"], "how busy GPUs and replicas are")
        },
        gpu_pool={
            "min_nodes": Default(1, "requests do not wait for a machine to start", ("spot", "flex_start", "queued")),
            "location_policy": Default(
                "BALANCED", "the loss of a zone takes only its part of the nodes", ("spot", "flex_start", "queued")
            ),
            "image_streaming": _STREAMED,
        },
    ),
}


def with_profile(raw: Any) -> Any:
    """The plain settings of a cluster with the defaults of its role; malformed ones are returned unchanged."""
    if not isinstance(raw, Mapping):
        return raw
    cluster = cast(Mapping[str, Any], raw)
    role = cluster.get("role")
    profile = PROFILES.get(role) if isinstance(role, str) else None
    if profile is None:
        return cluster
    filled = {name: each.value for name, each in profile.cluster.items()} | dict(cluster)
    pools: Any = cluster.get("node_pools")
    if isinstance(pools, Mapping):
        named = cast(Mapping[Any, Any], pools)
        filled["node_pools"] = {name: _with_defaults(pool, profile.gpu_pool) for name, pool in named.items()}
    return filled


def _with_defaults(raw: Any, defaults: Mapping[str, Default]) -> Any:
    if not isinstance(raw, Mapping):
        return raw
    pool = cast(Mapping[Any, Any], raw)
    if not pool.get("accelerator") and str(pool.get("machine_type")) not in BUILT_IN:
        return pool
    unset = {name: each.value for name, each in defaults.items() if not any(pool.get(other) for other in each.unless)}
    return {**unset, **pool}
