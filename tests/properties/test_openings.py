"""Openings: ports are taken as they are written, or what is advised is the same ports and is taken."""

import re

from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from placement.opening import LAST_PORT, Opening

PORT = st.integers(1, LAST_PORT) | st.integers(8000, 8020)
ENTRY = PORT | st.tuples(PORT, PORT).map(lambda ends: f"{min(ends)}-{max(ends)}")


def opened(ports: list[int | str]) -> set[int]:
    made = Opening.model_validate({"direction": "ingress", "peer": "workload", "ports": ports})
    numbers = [number for first, last in made.ranges for number in range(first, last + 1)]
    assert len(numbers) == len({*numbers})
    return {*numbers}


@given(st.lists(ENTRY, min_size=1, max_size=6))
def test_what_is_advised_for_ports_that_overlap_opens_the_same(ports: list[int | str]) -> None:
    expected = {
        number
        for each in ports
        for first, _, last in [str(each).partition("-")]
        for number in range(int(first), int(last or first) + 1)
    }
    try:
        found = opened(ports)
    except ValidationError as error:
        (advised,) = re.findall(r"write \[(.*)\]", error.errors()[0]["msg"])
        found = opened(advised.split(", "))
    assert found == expected
