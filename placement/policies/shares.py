"""Decides how a count is split over members into whole shares, by weights and within limits.

It does not decide which members are taken, nor their weights.
"""

from bisect import bisect_right
from collections.abc import Mapping
from fractions import Fraction

from placement.spec import Limit

NO_LIMITS: Mapping[str, Limit] = {}


def split(count: int, weights: Mapping[str, int], limits: Mapping[str, Limit] = NO_LIMITS) -> dict[str, int]:
    """Splits a count by weights, in whole numbers that add up to it, within limits, which must be possible.

    By Webster's method: each part is its weight times one common factor, rounded, and the first in order wins a tie. A
    further member then only takes from the others and gives to none, which rounding by remainders does not ensure.
    """
    total = sum(weights.values())
    if not total:
        return dict.fromkeys(weights, 0)

    def parts_at(level: int) -> dict[str, int]:
        # From one level to the next, no part grows by more than one.
        exact = {name: (2 * level * weight + total) // (2 * total) for name, weight in weights.items()}
        return {name: _within(limits.get(name), part) for name, part in exact.items()}

    levels = range((count + 1) * total)
    level = bisect_right(levels, count, key=lambda level: sum(parts_at(level).values())) - 1
    parts, above = parts_at(level), parts_at(level + 1)
    growing = [name for name in weights if above[name] > parts[name]]
    growing.sort(key=lambda name: Fraction(2 * parts[name] + 1, weights[name]))
    for name in growing[: count - sum(parts.values())]:
        parts[name] += 1
    return parts


def _within(limit: Limit | None, part: int) -> int:
    if limit is None:
        return part
    return max(limit.min, part if limit.max is None else min(limit.max, part))
