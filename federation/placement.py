"""Where a workload goes, and why: pure functions of the settings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from federation.spec import ByClusters, InRegion, Placement

Members = Mapping[str, Mapping[str, str]]
"""The labels of every member, by its name."""


@dataclass(frozen=True)
class Decision:
    """What one member gets of a workload, and the reason in words.

    `shares` are its replicas of each counted object, in the order in which they were asked for. `share` is their sum,
    0 where the member is passed over; where nothing is counted it is 1 on each member that is taken.
    """

    cluster: str
    share: int
    reason: str
    shares: tuple[int, ...] = ()


def place(placement: Placement, members: Members, counts: Sequence[int]) -> list[Decision]:
    """Splits each count over the members that the placement takes; one decision for each member, by name.

    What cannot be split evenly goes one by one to the first of them in the order of their names.
    """
    why_not = {name: _why_not(placement, name, labels) for name, labels in sorted(members.items())}
    taken = [name for name, reason in why_not.items() if not reason]
    splits = [split(count, dict.fromkeys(taken, 1)) for count in counts]
    decisions: list[Decision] = []
    for name, reason in why_not.items():
        shares = tuple(part.get(name, 0) for part in splits)
        share = sum(shares) if counts else int(name in taken)
        decisions.append(
            Decision(name, share, reason or _why(placement, share, sum(counts), len(taken), bool(counts)), shares)
        )
    return decisions


def candidates(placement: Placement, members: Members) -> list[str]:
    """The members that a placement could take, by name."""
    return [name for name, labels in sorted(members.items()) if not _why_not(placement, name, labels)]


def split(count: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Splits a count by weights, in whole numbers that add up to it.

    Each part is its exact share rounded down, and what is left over goes to the largest remainders, the first in order
    where they are equal.
    """
    total = sum(weights.values())
    if not total:
        return dict.fromkeys(weights, 0)
    parts = {name: count * weight // total for name, weight in weights.items()}
    by_remainder = sorted(weights, key=lambda name: -(count * weights[name] % total))
    for name in by_remainder[: count - sum(parts.values())]:
        parts[name] += 1
    return parts


def _why_not(placement: Placement, name: str, labels: Mapping[str, str]) -> str:
    """Why a member is passed over; empty where it is a candidate."""
    for key, wanted in placement.select.items():
        if not _selects(labels, key, wanted):
            return f"{key} is {_shown(labels, key)}, not {wanted}"
    if isinstance(placement, ByClusters) and name not in placement.clusters:
        return f"not among the named clusters ({', '.join(placement.clusters)})"
    if isinstance(placement, InRegion) and labels["region"] != placement.region:
        return f"in {labels['region']}, not in {placement.region}"
    return ""


def _selects(labels: Mapping[str, str], key: str, wanted: str) -> bool:
    # A member has a label for each kind of accelerator, so that several can be there.
    return f"accelerator/{wanted}" in labels if key == "accelerator" else labels.get(key) == wanted


def _shown(labels: Mapping[str, str], key: str) -> str:
    if key == "accelerator":
        return ", ".join(sorted(each.partition("/")[2] for each in labels if each.startswith("accelerator/"))) or "none"
    return labels.get(key, "not set")


def _why(placement: Placement, share: int, total: int, taken: int, counted: bool) -> str:
    match placement:
        case ByClusters():
            chosen = "named by the placement"
        case InRegion():
            chosen = f"in {placement.region}"
        case _:
            chosen = f"one of {taken} candidates" if taken > 1 else "the only candidate"
    if not counted:
        return chosen
    if not share:
        return f"{chosen}, but {total} over {taken} clusters leaves it none"
    return f"{chosen}, gets {share} of {total}"
