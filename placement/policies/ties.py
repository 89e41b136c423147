"""Breaks ties between members, so that many workloads spread over them and none moves when another comes or goes."""

import hashlib
from collections.abc import Iterable


def in_order(workload: str, members: Iterable[str]) -> list[str]:
    """The members in an order of the workload's own, in which a member that comes or goes moves no other.

    By rendezvous hashing: each member is ranked by a hash of the workload's name and its own.
    """
    return sorted(members, key=lambda member: (hashlib.sha256(f"{member} {workload}".encode()).digest(), member))
