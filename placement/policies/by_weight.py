"""Splits a workload over all candidates by weight, which is 1 for each unless the placement has weights.

It serves the policies clusters, region, spread and weighted, and says why limits can never hold. How a count is
rounded to whole shares is decided in shares.py.
"""

from collections.abc import Iterator, Mapping, Sequence

from placement.policies.candidates import candidates, why_not
from placement.policies.decision import NO_FACTS, Decision, Facts, Members, decision, with_share
from placement.policies.divide import divide
from placement.policies.shares import split
from placement.policies.ties import in_order
from placement.spec import ByClusters, InRegion, Limit, Placement, Spread, Weighted


def by_weight(
    placement: Placement, names: Sequence[str], counts: Sequence[int], facts: Facts = NO_FACTS
) -> dict[str, Decision]:
    """Takes every candidate, each with its share by weight, within its limits and its room. Raises NothingFits."""
    weights = {name: placement.weights[name] if isinstance(placement, Weighted) else 1 for name in names}
    limits = placement.limits if isinstance(placement, Spread | Weighted) else {}
    # What cannot be split evenly goes to members in an order of the workload's own, so that workloads spread.
    ordered = {name: weights[name] for name in in_order(facts.workload, weights)}
    splits = divide(ordered, counts, facts, limits)
    freely = [(split(count, ordered), split(count, ordered, limits)) for count in counts]
    decisions: dict[str, Decision] = {}
    for name in names:
        shares = [part[name] for part in splits]
        limited = ""
        for share, (unlimited, within) in zip(shares, freely, strict=True):
            limited = limited or _by_limit(limits.get(name), share, unlimited[name])
            limited = limited or (", all that fits" if share < within[name] else "")
        reason = why_taken(placement, weights, name)
        decisions[name] = decision(
            name, shares, True, with_share(reason, sum(shares), sum(counts), len(names), counts) + limited
        )
    return decisions


def _by_limit(limit: Limit | None, share: int, unlimited: int) -> str:
    """The limit that changed a share, as the end of a reason; `unlimited` is the share without limits."""
    if limit and share > unlimited and share == limit.min:
        return f", its minimum of {limit.min}"
    if limit and share < unlimited and share == limit.max:
        return f", its maximum of {limit.max}"
    return ""


def unmet_limits(
    placement: Placement, members: Members, counts: Sequence[int], facts: Facts = NO_FACTS
) -> Iterator[str]:
    """Yields why a placement's limits cannot hold for what is counted, with the numbers and what to write instead.

    It passes over limits of unknown members and placements without candidates, which other checks refuse.
    """
    if not isinstance(placement, Spread | Weighted) or not counts:
        return
    limits = {name: limit for name, limit in sorted(placement.limits.items()) if name in members}
    names = candidates(placement, members, facts)
    if not names:
        return
    for name, limit in limits.items():
        if limit.min and name not in names:
            reason = why_not(placement, name, members[name], facts)
            yield f"{name} has a minimum of {limit.min}, but is passed over ({reason}); write no minimum for it"
    least = {name: limit.min for name, limit in limits.items() if limit.min and name in names}
    most = {name: limit.max for name, limit in limits.items() if limit.max is not None and name in names}
    for count in sorted(set(counts)):
        if sum(least.values()) > count:
            yield f"the minima are {_as_sum(least)}, but there are only {count} to place; write smaller minima"
        if len(most) == len(names) and sum(most.values()) < count:
            yield f"the maxima are {_as_sum(most)}, but there are {count} to place; write larger maxima"


def why_taken(placement: Placement, weights: Mapping[str, int], name: str) -> str:
    """Why a candidate is taken, as the beginning of a reason; `weights` has every candidate."""
    match placement:
        case ByClusters():
            return "named by the placement"
        case InRegion():
            return f"in {placement.region}"
        case Weighted():
            return f"weight {weights[name]} of {sum(weights.values())}"
        case _:
            return f"one of {len(weights)} candidates" if len(weights) > 1 else "the only candidate"


def _as_sum(parts: Mapping[str, int]) -> str:
    return f"{sum(parts.values())} ({', '.join(f'{name} {part}' for name, part in parts.items())})"
