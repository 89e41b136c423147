"""What policies decide from and what they return: facts, and one decision for each member.

It holds the values that all policies share and how they are written as text; which members are taken is not decided
here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from placement.api.pod_kinds import Run
from placement.fit.room import Gang
from placement.fit.space import Space

Members = Mapping[str, Mapping[str, str]]
"""The labels of every member, by its name."""

SCALED_TO_0 = "scaled to 0"
"""The reason for a share of 0 on a member that keeps the workload's objects."""


@dataclass(frozen=True)
class Unit:
    """What is placed together: a unit of a counted object, or all of a workload that is not divided.

    `title` names it in messages. `requested` says what each of its pods requests, such as "1 nvidia.com/gpu", and is
    empty where they request nothing scarce.
    """

    title: str
    gang: Gang
    requested: str = ""


NO_PODS = Gang((), ())


@dataclass(frozen=True)
class Facts:
    """What a placement is decided from besides the settings.

    `workload` is its name, by which ties are broken. `origins` are the regions of the bucket that a placement names;
    none while that is not known. `units` are those of each counted object of a divided workload, or the one of any
    other. `beside` are the pods of objects without a number, which run once wherever a divided workload is; None where
    there are none. A member must have pools for all `pods`. `space` is what each member has room for; where it is
    empty, fit is not judged. `doubts` are what cannot be judged in any of them, as text. The pods are judged as the
    manifests have them; in members that are `overridden`, they are others.
    """

    workload: str = ""
    origins: tuple[str, ...] = ()
    units: tuple[Unit, ...] = ()
    pods: Gang = NO_PODS
    beside: Unit | None = None
    space: Mapping[str, Space] = field(default_factory=dict[str, Space])
    doubts: tuple[str, ...] = ()
    overridden: frozenset[str] = frozenset()

    def measured(self, names: Iterable[str]) -> bool:
        """Whether it is known of any of these members what is free there now."""
        return any(name in self.space and self.space[name].now is not None for name in names)

    @property
    def of_units(self) -> "Facts":
        """The same, with what members have room for beside the pods that run once in each."""
        if self.beside is None:
            return self
        gang = self.beside.gang
        return replace(self, space={name: each.without(gang, 1) for name, each in self.space.items()})


NO_FACTS = Facts()


class NothingFits(Exception):
    """The pods do not fit into the pools, into what is free now or under the limits; the message has the numbers."""


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


def numbered(facts: Facts, shares: Sequence[int], run: Run) -> list[tuple[Gang, int]]:
    """The pods that a member runs if it is taken: its share of each unit, or 1 of what is not divided, and others."""
    counts = shares if run == "divided" else [1] * len(facts.units)
    beside = [(facts.beside.gang, 1)] if facts.beside else []
    return [*beside, *((unit.gang, count) for unit, count in zip(facts.units, counts, strict=False))]


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


def table(decisions: Sequence[Decision], pods: Mapping[str, str] | None = None) -> list[str]:
    """The decisions as the lines of a table, for people; `pods` says on which pools of a cluster they would run."""
    rows = [["CLUSTER", "SHARE", "PODS", "REASON"]]
    rows += [[each.cluster, str(each.share), (pods or {}).get(each.cluster, ""), each.reason] for each in decisions]
    if not pods:
        rows = [[cluster, share, reason] for cluster, share, _, reason in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        "  ".join([row[0].ljust(widths[0]), row[1].rjust(widths[1]), *map(str.ljust, row[2:-1], widths[2:]), row[-1]])
        for row in rows
    ]
