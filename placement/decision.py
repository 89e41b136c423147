"""What policies decide from and what they return: facts, and one decision for each member.

It holds the values that all policies share and how they are written as text; which members are taken is not decided
here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Members = Mapping[str, Mapping[str, str]]
"""The labels of every member, by its name."""

SCALED_TO_0 = "scaled to 0"
"""The reason for a share of 0 on a member that keeps the workload's objects."""


@dataclass(frozen=True)
class Facts:
    """What a placement is decided from besides the settings.

    A member must have one accelerator of each set in `accelerators`. `origins` are the regions of the bucket that a
    placement names; none while that is not known.

    For spare capacity, `requested` says what each pod of each counted object requests, such as "1 nvidia.com/gpu", and
    is empty for an object that requests nothing scarce. `free` says how many pods of each counted object would fit now,
    in each member that was measured, if it were the only object; it is None before anything is measured.
    """

    accelerators: frozenset[frozenset[str]] = frozenset()
    origins: tuple[str, ...] = ()
    free: Mapping[str, Sequence[int]] | None = None
    requested: tuple[str, ...] = ()


NO_FACTS = Facts()


class NothingFits(Exception):
    """The pods do not fit into what is free now, or under the limits; the message has the numbers."""


@dataclass(frozen=True)
class Decision:
    """What one member gets of a workload, and the reason as text.

    `shares` are its replicas of each counted object, in the order of the counts. `share` is their sum,
    0 where the member is passed over; where nothing is counted it is 1 on each member that is taken. One that is
    `taken` keeps the workload's objects even with a share of 0. Where something is autoscaled, its share is its part of
    the minimum, and `most` says what each counted object may grow to there; it is empty where nothing is.
    """

    cluster: str
    share: int
    reason: str
    shares: tuple[int, ...] = ()
    taken: bool = False
    most: tuple[int, ...] = ()


def decision(name: str, shares: Sequence[int], taken: bool, reason: str) -> Decision:
    """The decision for one member, whose share is the sum of its shares."""
    return Decision(name, sum(shares) if shares else int(taken), reason, tuple(shares), taken)


def with_share(reason: str, share: int, total: int, taken: int, counts: Sequence[int]) -> str:
    """The reason for taking a member, with its share of the total that is split over so many taken members."""
    if not counts:
        return reason
    if not total:
        return f"{reason}, {SCALED_TO_0}"
    if not share:
        return f"{reason}, but {total} over {taken} clusters leaves it none"
    return f"{reason}, gets {share} of {total}"


def table(decisions: Sequence[Decision]) -> list[str]:
    """The decisions as the lines of a table, for people."""
    rows = [("CLUSTER", "SHARE", "REASON")]
    rows += [(each.cluster, str(each.share), each.reason) for each in decisions]
    name_width, share_width = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [f"{cluster:<{name_width}}  {share:>{share_width}}  {reason}" for cluster, share, reason in rows]
