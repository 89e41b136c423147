"""The address plan: no two clusters overlap, whatever comes and goes."""

from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clusters.addresses import SLOTS, Addresses, addresses, file_range, gpu_ranges, is_private

SLOT = st.integers(0, SLOTS - 1)
# 172.17.0.0/16 is Docker's bridge on GKE's nodes, and 100.64.0.0/10 and 240.0.0.0/4 are not private everywhere.
PRIVATE = IPv4Network("10.0.0.0/8")


def ranges(plan: Addresses) -> Iterator[IPv4Network]:
    yield from (plan.nodes, plan.pods, plan.services)


def test_no_two_ranges_of_the_whole_plan_overlap() -> None:
    everything = [each for slot in range(SLOTS) for each in ranges(addresses(slot))]
    assert len(everything) == 3 * SLOTS
    assert not any(one.overlaps(other) for one, other in combinations(everything, 2))


@given(SLOT, SLOT)
def test_two_slots_overlap_only_where_they_are_one(one: int, other: int) -> None:
    overlap = any(each.overlaps(every) for each in ranges(addresses(one)) for every in ranges(addresses(other)))
    assert overlap == (one == other)


@given(st.permutations(range(8)))
def test_a_slots_ranges_depend_on_the_slot_alone(order: list[int]) -> None:
    before = {slot: addresses(slot) for slot in order}
    assert all(before[slot] == addresses(slot) for slot in range(8))


# Written out, because existing clusters have these ranges: they can never change.
@pytest.mark.parametrize(
    ("slot", "nodes", "pods", "services"),
    [
        (0, "10.0.0.0/20", "10.64.0.0/16", "10.32.0.0/20"),
        (1, "10.0.16.0/20", "10.65.0.0/16", "10.32.16.0/20"),
        (63, "10.3.240.0/20", "10.127.0.0/16", "10.35.240.0/20"),
    ],
)
def test_no_range_ever_moves(slot: int, nodes: str, pods: str, services: str) -> None:
    assert addresses(slot) == Addresses(IPv4Network(nodes), IPv4Network(pods), IPv4Network(services))


@given(SLOT)
def test_every_range_is_private_and_large_enough_for_gke(slot: int) -> None:
    plan = addresses(slot)
    assert all(each.subnet_of(PRIVATE) for each in ranges(plan))
    assert plan.nodes.prefixlen <= 24
    assert plan.pods.prefixlen <= 17
    assert plan.services.prefixlen <= 22


@given(st.integers().filter(lambda slot: not 0 <= slot < SLOTS))
def test_a_slot_outside_the_plan_is_refused_in_words(slot: int) -> None:
    with pytest.raises(ValueError, match=f"write a number from 0 to {SLOTS - 1}"):
        addresses(slot)


@given(SLOT, SLOT)
def test_file_servers_have_ranges_of_their_own(one: int, other: int) -> None:
    assert file_range(one).overlaps(file_range(other)) == (one == other)
    assert not any(file_range(one).overlaps(each) for each in ranges(addresses(other)))


def test_networks_between_gpus_overlap_with_nothing_of_the_plan() -> None:
    everything = [block for slot in range(SLOTS) for block in gpu_ranges(slot)]
    assert len(everything) == 16 * SLOTS
    others = [block for slot in range(SLOTS) for block in (*ranges(addresses(slot)), file_range(slot))]
    # Sorted, an overlap is one of neighbours: ranges contain each other, or are apart.
    ordered = sorted([*everything, *others])
    assert not any(one.overlaps(other) for one, other in pairwise(ordered))
    assert all(block.subnet_of(PRIVATE) for block in everything)


@given(SLOT, SLOT)
def test_two_slots_have_networks_between_gpus_that_are_apart(one: int, other: int) -> None:
    overlap = any(each.overlaps(every) for each in gpu_ranges(one) for every in gpu_ranges(other))
    assert overlap == (one == other)
    assert not any(each.overlaps(file_range(other)) for each in gpu_ranges(one))
    assert not any(each.overlaps(every) for each in gpu_ranges(one) for every in ranges(addresses(other)))


def test_no_range_between_gpus_ever_moves() -> None:
    assert [str(each) for each in gpu_ranges(0)[:2]] == ["10.16.0.0/22", "10.16.4.0/22"]
    assert str(gpu_ranges(63)[15]) == "10.31.252.0/22"


def test_private_ranges_are_those_of_private_networks_alone() -> None:
    assert all(is_private(text) for text in ("10.1.0.0/16", "172.31.255.0/24", "192.168.7.7/32", "100.64.0.0/10"))
    # Ranges for examples are on the Internet, as far as Google Cloud is concerned.
    assert not any(is_private(text) for text in ("203.0.113.0/24", "172.32.0.0/16", "8.0.0.0/6", "192.0.0.0/2"))
