"""How many gangs fit in a cluster, and which pools their pods take: examples that people can follow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from clusters.nodes.nodes import Nodes, Taint
from placement.fit.packing import fitting, pools_of, without
from placement.fit.room import Room, gang, room, slots

GI = 2**30
GPU, ZONE, HOST = "nvidia.com/gpu", "topology.kubernetes.io/zone", "kubernetes.io/hostname"
LABELS = {"topology.kubernetes.io/region": "us-west1"}
ZONES = ("us-west1-a", "us-west1-b")
KEPT = (Taint(GPU, "present", "NoSchedule"),)
CPUS = Nodes("cpus", LABELS, {"cpu": 4000, "memory": 16 * GI, "pods": 110}, 2, (), ZONES)
L4 = Nodes("l4", LABELS, {"cpu": 8000, "memory": 32 * GI, "pods": 110, GPU: 1}, 3, KEPT, ZONES)
H100 = Nodes("h100", LABELS, {"cpu": 200_000, "memory": 1800 * GI, "pods": 110, GPU: 8}, 2, KEPT, ZONES[:1])


@dataclass(frozen=True)
class Pods:
    """Pods of one template in each gang."""

    spec: Mapping[str, Any]
    count: int = 1
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    queued: bool = False
    together: int = 0
    annotations: Mapping[str, str] = field(default_factory=dict[str, str])


def pods(count: int = 1, requests: Any = None, port: int = 0, **spec: Any) -> Pods:
    ports = [{"hostPort": port}] if port else []
    return Pods({"containers": [{"resources": {"requests": requests or {}}, "ports": ports}], **spec}, count)


def fits(nodes: Sequence[Nodes], *groups: Pods, most: int = 100) -> int:
    return fitting(room(nodes), gang(groups), most)


@pytest.mark.parametrize(
    ("groups", "count"),
    [
        ([pods(requests={GPU: 1})], 3 + 2 * 8),
        ([pods(requests={GPU: 8})], 2),
        ([pods(2, {GPU: 8})], 1),
        ([pods(3, {GPU: 8})], 0),
        ([pods(requests={"cpu": 2})], 4),
        ([pods(requests={"cpu": 3, "memory": "1Gi"})], 2),
        ([pods(requests={"memory": "9Gi"})], 2),
        ([pods()], 100),
        ([pods(0, {GPU: 99})], 100),
        ([], 100),
        # A leader and its workers, all of them or none.
        ([pods(1, {"cpu": 3}), pods(1, {GPU: 8})], 2),
        ([pods(2, {"cpu": 3}), pods(1, {GPU: 8})], 1),
        ([pods(1, {"cpu": 1}), pods(3, {GPU: 8})], 0),
        ([pods(1, {"cpu": 150, GPU: 1}), pods(1, {"cpu": 100, GPU: 7})], 1),
    ],
)
def test_gangs_fit_as_often_as_their_pods(groups: list[Pods], count: int) -> None:
    assert fits([CPUS, L4, H100], *groups) == count


def test_no_more_than_asked_for() -> None:
    assert fits([L4], pods(requests={GPU: 1}), most=2) == 2
    assert fits([L4], pods(requests={GPU: 1}), most=0) == 0
    assert fits([], pods()) == 0


def test_a_node_that_was_made_for_one_zone_is_in_no_other() -> None:
    one = Nodes("one", LABELS, {"cpu": 8000, "pods": 10}, 1, (), ZONES)
    west, east = pods(nodeSelector={ZONE: ZONES[0]}), pods(nodeSelector={ZONE: ZONES[1]})
    assert fits([one], west) == 10
    assert fits([one], east) == 10
    assert fits([one], west, east) == 0
    left, _ = without(room([one]), gang([west]), 1)
    assert fitting(left, gang([west]), 100) == 9
    assert fitting(left, gang([east]), 100) == 0
    assert fitting(left, gang([pods()]), 100) == 9


def test_pods_with_the_same_port_are_on_several_nodes() -> None:
    assert fits([CPUS], pods(port=80)) == 2
    assert fits([CPUS], pods(1, port=80), pods(1, port=80)) == 1
    assert fits([CPUS], pods(1, port=80), pods(1, port=81)) == 2
    left, _ = without(room([CPUS]), gang([pods(port=80)]), 1)
    assert fitting(left, gang([pods(port=80)]), 100) == 1
    assert fitting(left, gang([pods(port=81)]), 100) == 2


def test_pods_that_avoid_each_other_are_on_several_nodes() -> None:
    apart = {"topologyKey": HOST, "labelSelector": {"matchLabels": {"app": "db"}}}
    affinity = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [apart]}}
    db = Pods({"containers": [{}], "affinity": affinity}, 1, {"app": "db"})
    assert fits([CPUS], db) == 2
    left, _ = without(room([CPUS]), gang([db]), 2)
    assert fitting(left, gang([Pods({"containers": [{}]}, 1, {"app": "db"})]), 100) == 0
    assert fitting(left, gang([Pods({"containers": [{}]}, 1, {"app": "web"})]), 100) == 100
    assert fitting(left, gang([db], "elsewhere"), 100) == 2


def left_after(nodes: Sequence[Nodes], *placed: tuple[Pods, int]) -> Room:
    found = room(nodes)
    for each, count in placed:
        found, _ = without(found, gang([each]), count)
    return found


def test_what_one_workload_takes_is_not_there_for_the_next() -> None:
    small, large = pods(requests={"cpu": 1}), pods(requests={"cpu": 4})
    assert fitting(left_after([CPUS]), gang([large]), 9) == 2
    assert fitting(left_after([CPUS], (small, 1)), gang([large]), 9) == 1
    assert fitting(left_after([CPUS], (small, 4)), gang([large]), 9) == 1, "the second fills the node of the first"
    assert fitting(left_after([CPUS], (small, 5)), gang([large]), 9) == 0
    with pytest.raises(ValueError, match="9 gangs do not fit; 8 do"):
        without(room([CPUS]), gang([small]), 9)


def test_pods_leave_accelerators_for_those_that_need_them() -> None:
    tolerant = pods(2, {"cpu": 3}, tolerations=[{"operator": "Exists"}])
    assert without(room([L4, CPUS]), gang([tolerant]), 1)[1] == {"cpus": 2}
    assert without(room([L4, CPUS]), gang([tolerant]), 2)[1] == {"cpus": 2, "l4": 2}
    # A node that a taint keeps for such pods comes before one for all.
    for_all = Nodes("for-all", LABELS, L4.allocatable, 3, (), ZONES)
    assert without(room([for_all, L4]), gang([pods(2, {GPU: 1})]), 1)[1] == {"l4": 2}


def test_each_kind_of_pod_has_its_pools() -> None:
    groups = gang([pods(1, {"cpu": 2}), pods(2, {GPU: 8}), pods(3, {GPU: 1, "cpu": 4})])
    assert pools_of(room([CPUS, L4, H100]), groups, 1) == [{"cpus": 1}, {"h100": 2}, {"l4": 3}]


def slots_of(nodes: Nodes, *groups: Pods) -> int:
    return slots(gang(groups).kinds, room([nodes]).bins[0])


def test_pods_of_several_kinds_are_counted_as_large_as_the_largest() -> None:
    by_cpu, by_memory = pods(requests={"cpu": 2, "memory": "1Gi"}), pods(requests={"cpu": 1, "memory": "8Gi"})
    assert slots_of(CPUS, by_cpu, by_memory) == slots_of(CPUS, by_memory, by_cpu) == 2
    assert slots_of(CPUS, pods(requests={"cpu": 4}), by_cpu) == slots_of(CPUS, by_cpu, pods(requests={"cpu": 4})) == 1
    assert slots_of(CPUS, by_cpu, pods(requests={"cpu": 5})) == 0
    assert slots_of(CPUS, pods(port=80), pods(port=80)) == 1
    assert slots_of(CPUS, *(pods(nodeSelector={ZONE: zone}) for zone in ZONES)) == 1
    assert slots_of(CPUS, pods(), pods(nodeSelector={ZONE: ZONES[0]})) == 110


def test_what_is_uncertain_limits_nothing() -> None:
    unsure = Nodes("new", LABELS, {"cpu": 1000, "memory": GI, "pods": 20}, 2, unsure=frozenset({"cpu", "memory"}))
    assert fits([unsure], pods(requests={"cpu": 64, "memory": "9Gi"})) == 40
    assert fits([unsure], pods(1, {"cpu": 64}), pods(1, {"cpu": 1})) == 20
    assert fits([CPUS], pods(requests={"example.com/dongle": 1, "cpu": 2})) == 4


def test_a_label_of_the_settings_is_absent_where_they_do_not_give_it() -> None:
    gold = pods(nodeSelector={"tier": "gold"})
    assert fitting(room([CPUS]), gang([gold]), 5) == 5
    assert fitting(room([CPUS], {"tier"}), gang([gold]), 5) == 0


def test_nodes_that_exist_count_with_what_is_free_on_each() -> None:
    live = [
        Nodes("cpus", LABELS | {HOST: f"node-{at}", ZONE: ZONES[at % 2]}, {"cpu": free, "pods": 9}, 1)
        for at, free in enumerate((1500, 3000, 500, 0))
    ]
    one = pods(requests={"cpu": 1})
    assert fits(live, one) == 1 + 3
    assert fits([*live, CPUS], one) == 1 + 3 + 8
    assert fits(live, pods(requests={"cpu": 1}, nodeSelector={ZONE: ZONES[0]})) == 1
