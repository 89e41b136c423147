"""Replicas that KubeFed may move: which types, and what a preference says of where they should run."""

from collections.abc import Mapping, Sequence
from typing import Any

from placement.kinds import TargetType

MEMBER_LABEL = "geo-federation/member"
"""A label of every registration, by which a preference can name members."""

# So much that, of what a preferred member takes, none is rounded away to a mere stand-by.
_PREFERRED = 1000


def preference(
    target: TargetType, shares: Mapping[str, int], limits: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    """The spec of a ReplicaSchedulingPreference.

    Members run their share as long as they can; what does not fit, or whose member is gone, runs on any member that has
    a share here, be it 0. `limits` hold the least and most replicas (min, max) of some.
    """
    names = {"min": "minReplicas", "max": "maxReplicas"}
    return {
        "targetKind": target.federated_kind,
        "totalReplicas": sum(shares.values()),
        "rebalance": True,
        # Without it, an empty copy would go to every member of the federation.
        "intersectWithClusterSelector": True,
        "clusters": {
            name: {
                "weight": share * _PREFERRED or 1,
                **{names[key]: value for key, value in limits.get(name, {}).items()},
            }
            for name, share in shares.items()
        },
    }


def selector(members: Sequence[str]) -> dict[str, Any]:
    """The cluster selector that finds the named members."""
    return {"matchExpressions": [{"key": MEMBER_LABEL, "operator": "In", "values": sorted(members)}]}
