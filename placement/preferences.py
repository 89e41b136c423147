"""Writes the preference by which KubeFed moves replicas between members.

Shares and limits are decided before (policies.py); which replicas are moved, and when, is KubeFed's decision.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from placement.api.kinds import TargetType
from placement.api.lookup import at, elements

MEMBER_LABEL = "geo-federation/member"
"""A label of every registration, by which a preference can name members."""

# So large that no replica of a member with a share is rounded to a candidate with a share of 0.
_PREFERRED = 1000


def preference(
    target: TargetType, shares: Mapping[str, int], limits: Mapping[str, Mapping[str, int]]
) -> dict[str, Any]:
    """The spec of a ReplicaSchedulingPreference.

    Members run their share as long as they can. Replicas that do not fit, or whose member is gone, run on any member
    that is listed here, also with a share of 0. `limits` are the minimum and maximum replicas (min, max) of some.
    """
    names = {"min": "minReplicas", "max": "maxReplicas"}
    return {
        "targetKind": target.federated_kind,
        "totalReplicas": sum(shares.values()),
        "rebalance": True,
        # Without it, KubeFed would make an empty copy in every member of the federation.
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
    """The cluster selector of the named members."""
    return {"matchExpressions": [{"key": MEMBER_LABEL, "operator": "In", "values": sorted(members)}]}


def selected(cluster_selector: Any) -> list[str]:
    """The members that a selector names, as it is made here."""
    return [
        name for each in elements(at(cluster_selector, "matchExpressions")) for name in elements(at(each, "values"))
    ]
