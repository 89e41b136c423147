"""Takes the candidates that are nearest to a region or to a bucket's data (policy nearest).

Distances are between regions, along the Earth's surface (distance.py). It knows neither latency nor prices, and does
not find out where a bucket is: the caller passes its regions as facts.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from placement.policies.decision import Decision, Facts, NothingFits, decision, with_share
from placement.policies.distance import nearest_distance
from placement.policies.divide import divide
from placement.policies.ties import in_order
from placement.spec import Nearest, bucket_of


def by_distance(
    placement: Nearest, regions: Mapping[str, str], counts: Sequence[int], facts: Facts
) -> dict[str, Decision]:
    """Takes the nearest candidates in which all of it fits, in equal shares. Raises NothingFits.

    `regions` has the region of each candidate.
    """
    distances = {name: nearest_distance(origins(placement, facts), region) for name, region in regions.items()}
    order = sorted(in_order(facts.workload, distances), key=lambda name: distances[name])
    taken, splits = _nearest(order, placement.count, counts, facts)
    passed = [name for name in order if taken and name not in taken and order.index(name) < order.index(taken[-1])]
    farther = [name for name in order if name not in taken and name not in passed]
    origin = "the data" if bucket_of(placement) else placement.to
    decisions: dict[str, Decision] = {}
    for name in taken:
        reason = f"{'nearest in which all of it fits; ' if passed else ''}{_km(distances[name])} from {origin}"
        if farther and distances[farther[0]] == distances[name]:
            reason += f"; {farther[0]} is as far"
        elif farther:
            reason += f"; {regions[farther[0]]} is {_km(distances[farther[0]])} away"
        shares = [part[name] for part in splits]
        if len(taken) > 1:
            reason = with_share(reason, sum(shares), sum(counts), len(taken), counts)
        decisions[name] = decision(name, shares, True, reason)
    for name in passed:
        rooms = (f"{room} of {count}" for room, count in zip(_rooms(name, counts, facts), counts, strict=True))
        reason = f"{_km(distances[name])} from {origin}, but has room for {' and '.join(rooms)}"
        decisions[name] = decision(name, [0] * len(counts), False, reason)
    for name in farther:
        those = " and ".join(f"{each} ({_km(distances[each])})" for each in taken)
        nearer = "nearer" if distances[taken[-1]] < distances[name] else "no farther"
        reason = f"{_km(distances[name])} from {origin}; {those} {'is' if len(taken) == 1 else 'are'} {nearer}"
        decisions[name] = decision(name, [0] * len(counts), False, reason)
    return decisions


def _nearest(
    order: Sequence[str], number: int, counts: Sequence[int], facts: Facts
) -> tuple[list[str], list[dict[str, int]]]:
    """So many members, or fewer if there are no more, and their shares.

    Those without room for any of it are left out. Where not all of it fits in the first ones, those with the least room
    give way to the next. Raises NothingFits.
    """
    refused: NothingFits | None = None
    for taken in _sets(order, number, counts, facts):
        try:
            return taken, divide(dict.fromkeys(taken, 1), counts, facts)
        except NothingFits as error:
            refused = refused or error
    assert refused
    raise refused


def _sets(order: Sequence[str], number: int, counts: Sequence[int], facts: Facts) -> Iterator[list[str]]:
    """The members to try together: the nearest, then each farther one with those nearer that have the most room."""
    able = (name for name in order if _has_room(name, counts, facts))
    seen = list(islice(able, number)) or list(order[:number])
    yield seen
    for name in able:
        before = sorted(seen, key=lambda each: _part_that_fits(each, counts, facts), reverse=True)[: number - 1]
        seen = [*seen, name]
        yield [each for each in seen if each == name or each in before]


def _has_room(name: str, counts: Sequence[int], facts: Facts) -> bool:
    return not any(counts) or any(_rooms(name, [min(count, 1) for count in counts], facts))


def _part_that_fits(name: str, counts: Sequence[int], facts: Facts) -> float:
    parts = zip(_rooms(name, counts, facts), counts, strict=True)
    return min((room / count for room, count in parts if count), default=1)


def _rooms(name: str, counts: Sequence[int], facts: Facts) -> list[int]:
    """How many of each count fit in a member; all where that is not judged."""
    if name not in facts.space or not facts.units:
        return list(counts)
    return [facts.space[name].room(unit.gang, count) for unit, count in zip(facts.units, counts, strict=False)]


def origins(placement: Nearest, facts: Facts) -> tuple[str, ...]:
    """The regions from which distances are measured; none while a bucket's location is not known."""
    return facts.origins if bucket_of(placement) else (placement.to,)


def _km(distance: float) -> str:
    return f"{distance:,.0f} km"
