"""Takes the candidates that are nearest to a region or to a bucket's data (policy nearest).

Distances are between regions, along the Earth's surface (distance.py). It knows neither latency nor prices, and does
not find out where a bucket is: the caller passes its regions as facts.
"""

from collections.abc import Mapping, Sequence

from placement.decision import Decision, Facts, decision, with_share
from placement.distance import nearest_distance
from placement.divide import divide
from placement.spec import BUCKET, Nearest
from placement.ties import in_order


def by_distance(
    placement: Nearest, regions: Mapping[str, str], counts: Sequence[int], facts: Facts
) -> dict[str, Decision]:
    """Takes the nearest candidates, in equal shares; `regions` has the region of each candidate. Raises NothingFits."""
    distances = {name: nearest_distance(origins(placement, facts), region) for name, region in regions.items()}
    order = sorted(in_order(facts.workload, distances), key=lambda name: distances[name])
    taken, farther = order[: placement.count], order[placement.count :]
    splits = divide(dict.fromkeys(taken, 1), counts, facts)
    origin = "the data" if placement.to.startswith(BUCKET) else placement.to
    decisions: dict[str, Decision] = {}
    for name in taken:
        reason = f"{_km(distances[name])} from {origin}"
        if farther and distances[farther[0]] == distances[name]:
            reason += f"; {farther[0]} is as far"
        elif farther:
            reason += f"; {regions[farther[0]]} is {_km(distances[farther[0]])} away"
        shares = [part[name] for part in splits]
        if len(taken) > 1:
            reason = with_share(reason, sum(shares), sum(counts), len(taken), counts)
        decisions[name] = decision(name, shares, True, reason)
    for name in farther:
        those = " and ".join(f"{each} ({_km(distances[each])})" for each in taken)
        nearer = "nearer" if distances[taken[-1]] < distances[name] else "no farther"
        reason = f"{_km(distances[name])} from {origin}; {those} {'is' if len(taken) == 1 else 'are'} {nearer}"
        decisions[name] = decision(name, [0] * len(counts), False, reason)
    return decisions


def origins(placement: Nearest, facts: Facts) -> tuple[str, ...]:
    """The regions from which distances are measured; none while a bucket's location is not known."""
    return facts.origins if placement.to.startswith(BUCKET) else (placement.to,)


def _km(distance: float) -> str:
    return f"{distance:,.0f} km"
