"""How many gangs fit in a cluster: never more than a brute-force scheduler places, and never fewer for more nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from clusters.nodes.nodes import Nodes, Taint
from placement.fit import small_gangs
from placement.fit.judge import judge
from placement.fit.needs import conflict, needs
from placement.fit.packing import fitting, pools_of, without
from placement.fit.room import gang, room

GPU, ZONE, HOST = "nvidia.com/gpu", "topology.kubernetes.io/zone", "kubernetes.io/hostname"
REGION = {"topology.kubernetes.io/region": "us-west1"}
WEST = ("us-west1-a", "us-west1-b")


@dataclass(frozen=True)
class Pods:
    """Pods of one template in each gang."""

    spec: Mapping[str, Any]
    count: int
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    queued: bool = False
    together: int = 0
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


def pods(count: int, cpu: int, gpus: int, zone: str = "", port: int = 0, apart: bool = False, app: str = "") -> Pods:
    container: dict[str, Any] = {"resources": {"requests": {"cpu": cpu} | ({GPU: gpus} if gpus else {})}}
    spec: dict[str, Any] = {"containers": [container]}
    if port:
        container["ports"] = [{"hostPort": port}]
    if zone:
        spec["nodeSelector"] = {ZONE: zone}
    if apart:
        one = {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": app}}}
        spec["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [one]}}
    return Pods(spec, count, {"app": app})


GROUP = st.builds(
    pods,
    count=st.integers(1, 3),
    cpu=st.integers(0, 4),
    gpus=st.integers(0, 2),
    zone=st.sampled_from(["", "", "", *WEST]),
    port=st.sampled_from([0, 0, 0, 80]),
    apart=st.sampled_from([False, False, False, True]),
    app=st.sampled_from(["a", "b"]),
)


@st.composite
def pools(draw: st.DrawFn) -> Nodes:
    """Nodes of a pool, or one that exists in one zone."""
    gpus = draw(st.sampled_from([0, 0, 1, 2, 4]))
    amounts = {"cpu": 1000 * draw(st.integers(1, 8)), "pods": draw(st.integers(1, 6)), GPU: gpus}
    taints = (Taint(GPU, "present", "NoSchedule"),) if gpus and draw(st.booleans()) else ()
    name, zones = draw(st.sampled_from(["p", "q", "r"])), draw(st.sampled_from([WEST, WEST[:1], WEST[1:]]))
    if draw(st.integers(0, 3)) == 0:
        labels = REGION | {HOST: draw(st.sampled_from(["n1", "n2"])), ZONE: zones[0]}
        return Nodes(name, labels, amounts, 1, taints)
    return Nodes(name, REGION, amounts, draw(st.integers(1, 2)), taints, zones)


ROOMS = st.lists(pools(), min_size=1, max_size=3)
# The rooms that a brute-force scheduler searches in time.
SMALL = ROOMS.filter(lambda found: sum(each.most for each in found) <= 4)
GANGS = st.lists(GROUP, min_size=1, max_size=3)


def brute_force(nodes: Sequence[Nodes], groups: Sequence[Pods], most: int) -> int:
    """How many gangs fit, by trying every node for every pod. A node that does not exist yet can be in any zone."""
    kinds = [needs(each.spec, each.labels) for each in groups]
    places: list[tuple[Nodes, frozenset[str]]] = []
    for each in nodes:
        places += [(each, frozenset(each.zones) or frozenset({"here"}))] * each.most
    verdicts = [[judge(kind, place) for place, _ in places] for kind in kinds]

    def place(left: tuple[int, ...], states: tuple[Any, ...]) -> bool:
        kind = next((at for at, count in enumerate(left) if count), None)
        if kind is None:
            return True
        rest = tuple(count - (at == kind) for at, count in enumerate(left))
        for at, (free, zones, others) in enumerate(states):
            inside: frozenset[int] = others
            verdict = verdicts[kind][at]
            allowed = zones & verdict.zones if verdict.zones is not None else zones
            after = dict(free)
            for resource, amount in kinds[kind].requests:
                after[resource] = after.get(resource, 0) - amount
            fits = not verdict.misses and allowed and min(after.values()) >= 0
            if fits and not any(conflict(kinds[kind], kinds[other]) for other in inside):
                state = (tuple(sorted(after.items())), allowed, inside | frozenset({kind}))
                if search(rest, (*states[:at], state, *states[at + 1 :])):
                    return True
        return False

    search = cache(place)
    empty = tuple((tuple(sorted(each.allocatable.items())), zones, frozenset[int]()) for each, zones in places)
    count = 0
    while count < most and search(tuple((count + 1) * each.count for each in groups), empty):
        count += 1
    return count


MOST = 3


@given(SMALL, GANGS)
@settings(max_examples=150, deadline=None)
def test_as_many_fit_as_a_scheduler_places(nodes: list[Nodes], groups: list[Pods]) -> None:
    # Those of several kinds are counted exactly where they are small.
    assume(len(groups) == 1 or small_gangs.is_small(gang(groups), MOST))
    assert fitting(room(nodes), gang(groups), MOST) == brute_force(nodes, groups, MOST)


@given(SMALL, GANGS)
@settings(max_examples=100, deadline=None)
def test_large_gangs_never_get_more_than_a_scheduler_places(nodes: list[Nodes], groups: list[Pods]) -> None:
    found = _by_ways_alone(nodes, groups)
    best = brute_force(nodes, groups, MOST)
    assert found <= best
    assert found == best or len(groups) > 1


def _by_ways_alone(nodes: Sequence[Nodes], groups: Sequence[Pods], most: int = MOST) -> int:
    """What fits where a gang is too large to be packed exactly."""
    states = small_gangs._STATES  # pyright: ignore[reportPrivateUsage]
    try:
        small_gangs._STATES = 0  # pyright: ignore[reportPrivateUsage]
        return fitting(room(nodes), gang(groups), most)
    finally:
        small_gangs._STATES = states  # pyright: ignore[reportPrivateUsage]


MANY = st.lists(pools().flatmap(lambda each: st.integers(1, 4).map(lambda most: replace(each, most=most))), max_size=5)
LONG = st.lists(
    GROUP.flatmap(lambda each: st.integers(1, 6).map(lambda count: replace(each, count=count))), min_size=1, max_size=7
)


@given(MANY, pools(), LONG, st.integers(0, 5), st.booleans())
@settings(max_examples=150, deadline=None)
def test_another_node_never_makes_less_fit(
    nodes: list[Nodes], more: Nodes, groups: list[Pods], at: int, exactly: bool
) -> None:
    if not exactly or len(groups) > 3:
        larger = [*nodes[:at], more, *nodes[at:]]
        assert _by_ways_alone(nodes, groups, 6) <= _by_ways_alone(larger, groups, 6)
        return
    before, of = room(nodes), gang(groups)
    after = room([*nodes[:at], more, *nodes[at:]])
    grown = room([replace(each, most=each.most + 1) if place == at else each for place, each in enumerate(nodes)])
    assert fitting(before, of, 6) <= fitting(after, of, 6)
    assert fitting(before, of, 6) <= fitting(grown, of, 6)


@given(ROOMS, GANGS, st.integers(0, 4))
@settings(max_examples=150, deadline=None)
def test_what_is_placed_is_no_longer_free(nodes: list[Nodes], groups: list[Pods], count: int) -> None:
    before, of = room(nodes), gang(groups)
    most = fitting(before, of, 8)
    count = min(count, most)
    after, by_pool = without(before, of, count)
    assert sum(by_pool.values()) == count * sum(each.count for each in groups)
    for kind, each in zip(pools_of(before, of, count), groups, strict=True):
        assert sum(kind.values()) == count * each.count
    assert sum(each.size for each in after.bins) == sum(each.most for each in nodes)
    assert all(amount >= 0 for each in after.bins for amount in each.free)
    rest = fitting(after, of, 8 - count)
    # Which nodes gangs of several kinds take can leave less for the next ones; large ones are not counted exactly.
    if len(groups) == 1:
        assert most == count + rest
    elif small_gangs.is_small(of, 8):
        assert most >= count + rest


@given(SMALL, st.lists(GROUP, min_size=2, max_size=3))
@settings(max_examples=100, deadline=None)
def test_workloads_one_after_another_fit_together(nodes: list[Nodes], groups: list[Pods]) -> None:
    left, placed = room(nodes), list[Pods]()
    for each in groups:
        if fitting(left, gang([each]), 1):
            left, _ = without(left, gang([each]), 1)
            placed.append(each)
    assert not placed or brute_force(nodes, placed, 1) == 1


def test_the_same_input_gives_the_same_answer() -> None:
    nodes = [Nodes("p", REGION, {"cpu": 8000, "pods": 10, GPU: 2}, 3), Nodes("q", REGION, {"cpu": 4000, "pods": 9}, 2)]
    groups = [pods(2, 3, 1), pods(1, 1, 0)]
    answers = [without(room(nodes), gang(groups), 2)[1] for _ in range(3)]
    assert answers == [{"p": 4, "q": 2}] * 3


@example(1)
@given(st.integers(0, 40))
@settings(deadline=None)
def test_large_pools_are_counted_and_not_listed(count: int) -> None:
    nodes = [Nodes("p", REGION, {"cpu": 8000, "pods": 110}, 1000)]
    left, by_pool = without(room(nodes), gang([pods(100, 3, 0)]), min(count, 20))
    assert len(left.bins) <= 3
    assert fitting(left, gang([pods(100, 3, 0)]), 100) == 20 - min(count, 20)
    assert sum(by_pool.values()) == 100 * min(count, 20)
