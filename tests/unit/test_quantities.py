"""Amounts are read as Kubernetes reads them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placement.quantities import is_quantity, whole

# All of these texts were put to ParseQuantity of k8s.io/apimachinery v0.35.4.
WHOLE = {"0": 0, "1": 1, "+1": 1, "1k": 1000, "4Gi": 2**32, "1e3": 1000, "1E3": 1000, "5.": 5, "1.0": 1, "2000m": 2}
PARTS = ["500m", "0.5", ".5", "1e-3", "1u", "3n"]
NEVER = [
    "",
    " ",
    "1 Gi",
    "4 GB",
    "4GB",
    "1K",
    "1ki",
    "$GPUS",
    "{{ gpus }}",
    "²",
    "1\n",
    "one",
    "0x1",
    "1_000",
    "--1",
]


@pytest.mark.parametrize(("text", "amount"), [*WHOLE.items(), (3, 3), (2.0, 2)])
def test_whole_amounts_are_read(text: Any, amount: int) -> None:
    assert is_quantity(text)
    assert whole(text) == amount


@pytest.mark.parametrize("text", [*PARTS, 0.5, "-1", -1, "-2Gi", "1e99", "999999Ei", "1e-99"])
def test_what_is_no_whole_number_from_0_up_is_none(text: Any) -> None:
    assert is_quantity(text)
    assert whole(text) is None


@pytest.mark.parametrize("value", [*NEVER, None, True, [1], {"a": 1}, float("nan"), float("inf")])
def test_what_is_no_amount_is_none(value: Any) -> None:
    assert not is_quantity(value)
    assert whole(value) is None


@given(st.from_regex(r"[-+0-9.eEinumkKMGTP]*", fullmatch=True) | st.floats() | st.integers())
def test_no_amount_is_too_odd(value: str | float) -> None:
    amount = whole(value)
    assert amount is None or (is_quantity(value) and amount >= 0)


def test_an_amount_of_more_digits_than_python_reads_is_none() -> None:
    for value in ("9" * 5000, 10**5000, "1e999999999"):
        assert not is_quantity(value)
        assert whole(value) is None
