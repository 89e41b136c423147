"""Where a workload goes, and why: pure functions of the settings, and of facts that are measured elsewhere."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from clusters.spec import selects
from placement.distance import nearest_distance
from placement.shares import split
from placement.spec import BUCKET, ByClusters, InRegion, Limit, Nearest, Placement, SpareCapacity, Spread, Weighted

Members = Mapping[str, Mapping[str, str]]
"""The labels of every member, by its name."""


SCALED_TO_0 = "scaled to 0"
"""The reason for a share of 0 on a member that keeps the workload's objects."""


@dataclass(frozen=True)
class Facts:
    """What a placement rests on besides the settings.

    A member must have one accelerator of each set in `accelerators`. `origins` are the regions of the bucket that a
    placement names; none, where that is not known yet.

    For spare capacity, `requested` says what each pod of each counted object asks for, such as "1 nvidia.com/gpu", and
    is empty for an object that asks for nothing scarce. `free` says how many pods of each counted object would fit now,
    in each member that was measured, if there were no other; it is None before anything is measured.
    """

    accelerators: frozenset[frozenset[str]] = frozenset()
    origins: tuple[str, ...] = ()
    free: Mapping[str, Sequence[int]] | None = None
    requested: tuple[str, ...] = ()


NO_FACTS = Facts()


class NothingFits(Exception):
    """What is asked for does not fit into what is free now, or under the limits; the message has the numbers."""


@dataclass(frozen=True)
class Decision:
    """What one member gets of a workload, and the reason in words.

    `shares` are its replicas of each counted object, in the order in which they were asked for. `share` is their sum,
    0 where the member is passed over; where nothing is counted it is 1 on each member that is taken. One that is
    `taken` keeps the workload's objects whatever its share is, be it 0.
    """

    cluster: str
    share: int
    reason: str
    shares: tuple[int, ...] = ()
    taken: bool = False


def place(placement: Placement, members: Members, counts: Sequence[int], facts: Facts = NO_FACTS) -> list[Decision]:
    """Splits each count over the members that the placement takes; one decision for each member, by name.

    The shares of an object add up to its count, unless there is no candidate or `undecided` says why nothing can be
    decided: then they are all 0. What cannot be split evenly goes one by one to the nearest, or to the first in order
    of names. Raises NothingFits.
    """
    for text in unmet_limits(placement, members, counts, facts):
        raise NothingFits(text)
    why_not = {name: _why_not(placement, name, members[name], facts) for name in sorted(members)}
    able = [name for name, reason in why_not.items() if not reason]
    waiting = undecided(placement, counts, facts)
    if waiting:
        placed = {name: _decision(name, [0] * len(counts), False, waiting) for name in able}
    elif isinstance(placement, Nearest):
        placed = _by_distance(placement, {name: members[name]["region"] for name in able}, counts, facts)
    elif isinstance(placement, SpareCapacity) and able and _is_scarce(counts, facts):
        placed = _by_room(able, counts, facts)
    else:
        placed = _by_weight(placement, able, counts)
    return [placed.get(name) or _decision(name, [0] * len(counts), False, why_not[name]) for name in why_not]


def table(decisions: Sequence[Decision]) -> list[str]:
    """The decisions as the lines of a table, for people."""
    rows = [("CLUSTER", "SHARE", "REASON")]
    rows += [(each.cluster, str(each.share), each.reason) for each in decisions]
    wide, high = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [f"{cluster:<{wide}}  {share:>{high}}  {reason}" for cluster, share, reason in rows]


def candidates(placement: Placement, members: Members, facts: Facts = NO_FACTS) -> list[str]:
    """The members that a placement could take, by name; the nearest and those with room are some of them."""
    return [name for name, labels in sorted(members.items()) if not _why_not(placement, name, labels, facts)]


def undecided(placement: Placement, counts: Sequence[int], facts: Facts = NO_FACTS) -> str:
    """Why a placement cannot be decided before more is known; empty where it can."""
    if isinstance(placement, SpareCapacity) and facts.free is None and _is_scarce(counts, facts):
        return "decided by free accelerators when it is applied"
    if isinstance(placement, Nearest) and not _origins(placement, facts):
        return f"decided by the distance from {placement.to} once its location is known"
    return ""


def unmet_limits(
    placement: Placement, members: Members, counts: Sequence[int], facts: Facts = NO_FACTS
) -> Iterator[str]:
    """Yields why a placement's limits cannot hold for what is counted, with the numbers and what to write instead.

    Limits of what is no member are left to others, and so is a placement without candidates.
    """
    if not isinstance(placement, Spread | Weighted) or not counts:
        return
    limits = {name: limit for name, limit in sorted(placement.limits.items()) if name in members}
    able = candidates(placement, members, facts)
    if not able:
        return
    for name, limit in limits.items():
        if limit.min and name not in able:
            reason = _why_not(placement, name, members[name], facts)
            yield f"{name} has a minimum of {limit.min}, but is passed over ({reason}); write no minimum for it"
    least = {name: limit.min for name, limit in limits.items() if limit.min and name in able}
    most = {name: limit.max for name, limit in limits.items() if limit.max is not None and name in able}
    for count in sorted(set(counts)):
        if sum(least.values()) > count:
            yield f"the minima are {_sum(least)}, but there are only {count} to place; write smaller minima"
        if len(most) == len(able) and sum(most.values()) < count:
            yield f"the maxima are {_sum(most)}, but there are {count} to place; write larger maxima"


def _by_weight(placement: Placement, able: Sequence[str], counts: Sequence[int]) -> dict[str, Decision]:
    weights = {name: placement.weights[name] if isinstance(placement, Weighted) else 1 for name in able}
    limits = placement.limits if isinstance(placement, Spread | Weighted) else {}
    splits = [split(count, weights, limits) for count in counts]
    decisions: dict[str, Decision] = {}
    for name in able:
        shares = [part[name] for part in splits]
        bound = ""
        for count, share in zip(counts, shares, strict=True):
            bound = bound or _bound(limits.get(name), share, split(count, weights)[name])
        why = _why(placement, weights, name)
        decisions[name] = _decision(name, shares, True, _gets(why, sum(shares), sum(counts), len(able), counts) + bound)
    return decisions


def _bound(limit: Limit | None, share: int, wanted: int) -> str:
    """How a limit has kept a share from what it would be."""
    if limit and share > wanted and share == limit.min:
        return f", its minimum of {limit.min}"
    if limit and share < wanted and share == limit.max:
        return f", its maximum of {limit.max}"
    return ""


def _by_distance(
    placement: Nearest, regions: Mapping[str, str], counts: Sequence[int], facts: Facts
) -> dict[str, Decision]:
    far = {name: nearest_distance(_origins(placement, facts), region) for name, region in regions.items()}
    order = sorted(far, key=lambda name: (far[name], name))
    taken, passed = order[: placement.count], order[placement.count :]
    splits = [split(count, dict.fromkeys(taken, 1)) for count in counts]
    whence = "the data" if placement.to.startswith(BUCKET) else placement.to
    decisions: dict[str, Decision] = {}
    for name in taken:
        why = f"{_km(far[name])} from {whence}"
        if passed and far[passed[0]] == far[name]:
            why += f"; {passed[0]} is as far, and later by name"
        elif passed:
            why += f"; {regions[passed[0]]} is {_km(far[passed[0]])} away"
        shares = [part[name] for part in splits]
        if len(taken) > 1:
            why = _gets(why, sum(shares), sum(counts), len(taken), counts)
        decisions[name] = _decision(name, shares, True, why)
    for name in passed:
        those = " and ".join(f"{each} ({_km(far[each])})" for each in taken)
        nearer = "nearer" if far[taken[-1]] < far[name] else "no farther, and first by name"
        why = f"{_km(far[name])} from {whence}; {those} {'is' if len(taken) == 1 else 'are'} {nearer}"
        decisions[name] = _decision(name, [0] * len(counts), False, why)
    return decisions


def _by_room(able: Sequence[str], counts: Sequence[int], facts: Facts) -> dict[str, Decision]:
    """Fills the member with the most room first, for each object that asks for something scarce; others go along.

    Such objects ask for the same, so that one of them takes of another's room the part that it fills of its own.
    """
    free = facts.free or {}
    scarce = [position for position in range(len(counts)) if _asks(facts, position)]
    left = dict.fromkeys(able, Fraction(1))
    shares = {name: [0] * len(counts) for name in able}
    for position in scarce:
        whole = {name: free[name][position] if name in free else 0 for name in able}
        room = {name: int(whole[name] * left[name]) for name in able}
        if sum(room.values()) < counts[position]:
            raise NothingFits(_too_little(counts[position], room, facts, position))
        rest = counts[position]
        for name in sorted(able, key=lambda name: (-room[name], name)):
            part = min(rest, room[name])
            if part:
                shares[name][position] = part
                left[name] -= Fraction(part, whole[name])
                rest -= part
    asked = {name: sum(shares[name]) for name in able}
    for position in set(range(len(counts))) - {*scarce}:
        parts = split(counts[position], asked if any(asked.values()) else dict.fromkeys(able, 1))
        for name, part in parts.items():
            shares[name][position] = part
    decisions: dict[str, Decision] = {}
    for name in able:
        what = " and ".join(str(free[name][position]) for position in scarce) if name in free else ""
        why = f"room for {what} now" if what else "not measured"
        share = sum(shares[name])
        why += f", gets {share} of {sum(counts)}" if share else _why_no_room(name, able, scarce, facts, asked)
        # Where there is something to place, a member without room for it has nothing to keep.
        decisions[name] = _decision(name, shares[name], bool(share) or not any(counts), why)
    return decisions


def _why_no_room(name: str, able: Sequence[str], scarce: Sequence[int], facts: Facts, asked: Mapping[str, int]) -> str:
    free = facts.free or {}
    if name not in free or not any(free[name][position] for position in scarce):
        return ""
    those = " and ".join(f"{each} ({asked[each]})" for each in able if asked[each])
    return f", but all of it goes to {those}" if those else ", but there is nothing to place"


def _too_little(count: int, room: Mapping[str, int], facts: Facts, position: int) -> str:
    each = f" that each ask for {facts.requested[position]}" if facts.requested else ""
    free = facts.free or {}
    rooms = ", ".join(
        f"{name} has room for {room[name]}" if name in free else f"{name} is not measured" for name in room
    )
    return f"{count} pods{each} do not fit into what is free now: {rooms}, {sum(room.values())} in all"


def _is_scarce(counts: Sequence[int], facts: Facts) -> bool:
    return any(_asks(facts, position) for position in range(len(counts)))


def _asks(facts: Facts, position: int) -> bool:
    # Without a word on what is asked for, what fits is all that is known.
    return not facts.requested or bool(facts.requested[position])


def _origins(placement: Nearest, facts: Facts) -> tuple[str, ...]:
    return facts.origins if placement.to.startswith(BUCKET) else (placement.to,)


def _decision(name: str, shares: Sequence[int], taken: bool, reason: str) -> Decision:
    return Decision(name, sum(shares) if shares else int(taken), reason, tuple(shares), taken)


def _why_not(placement: Placement, name: str, labels: Mapping[str, str], facts: Facts) -> str:
    """Why a member is passed over; empty where it is a candidate."""
    for key, wanted in placement.select.items():
        if not selects(labels, key, wanted):
            return f"{key} is {_shown(labels, key)}, not {wanted}"
    if isinstance(placement, ByClusters) and name not in placement.clusters:
        return f"not among the named clusters ({', '.join(placement.clusters)})"
    if isinstance(placement, InRegion) and labels["region"] != placement.region:
        return f"in {labels['region']}, not in {placement.region}"
    if isinstance(placement, Weighted) and not placement.weights.get(name):
        return "weight 0" if name in placement.weights else f"not among the weights ({', '.join(placement.weights)})"
    for choice in sorted(facts.accelerators, key=sorted):
        if not any(selects(labels, "accelerator", each) for each in choice):
            return f"no {' or '.join(sorted(choice))}"
    return ""


def _shown(labels: Mapping[str, str], key: str) -> str:
    if key == "accelerator":
        return ", ".join(sorted(each.partition("/")[2] for each in labels if each.startswith("accelerator/"))) or "none"
    return labels.get(key, "not set")


def _why(placement: Placement, weights: Mapping[str, int], name: str) -> str:
    match placement:
        case ByClusters():
            return "named by the placement"
        case InRegion():
            return f"in {placement.region}"
        case Weighted():
            return f"weight {weights[name]} of {sum(weights.values())}"
        case _:
            return f"one of {len(weights)} candidates" if len(weights) > 1 else "the only candidate"


def _gets(why: str, share: int, total: int, taken: int, counts: Sequence[int]) -> str:
    if not counts:
        return why
    if not total:
        return f"{why}, {SCALED_TO_0}"
    return f"{why}, gets {share} of {total}" if share else f"{why}, but {total} over {taken} clusters leaves it none"


def _km(distance: float) -> str:
    return f"{distance:,.0f} km"


def _sum(parts: Mapping[str, int]) -> str:
    return f"{sum(parts.values())} ({', '.join(f'{name} {part}' for name, part in parts.items())})"
