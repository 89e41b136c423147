"""Amounts are read as Kubernetes reads them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placement.api.quantities import as_text, billionths, is_quantity, whole

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


@pytest.mark.parametrize(
    ("text", "amount"),
    [("500m", 5 * 10**8), ("1n", 1), ("0.1n", 1), (2, 2 * 10**9), ("1Ki", 1024 * 10**9), ("1e-99", 1), ("0", 0)],
)
def test_parts_are_read_and_rounded_up(text: Any, amount: int) -> None:
    assert billionths(text) == amount


@pytest.mark.parametrize("text", ["1e99", "999999Ei", "1e19"])
def test_what_kubernetes_cannot_hold_is_its_largest(text: Any) -> None:
    assert billionths(text) == (2**63 - 1) * 10**9


@pytest.mark.parametrize("value", [*NEVER, "-1", -0.5, None, True, [1], float("nan")])
def test_what_is_below_0_or_no_amount_has_no_parts(value: Any) -> None:
    assert billionths(value) is None


@pytest.mark.parametrize(
    ("resource", "amount", "text"),
    [
        ("cpu", 7910, "7.91"),
        ("cpu", 16000, "16"),
        ("cpu", 5, "0.005"),
        ("memory", 30433607680, "28.3Gi"),
        ("memory", 64 * 2**30, "64Gi"),
        ("memory", 512 * 2**20, "512Mi"),
        ("ephemeral-storage", 100, "100"),
        ("memory", 0, "0"),
        ("nvidia.com/gpu", 8, "8"),
        ("pods", 110, "110"),
    ],
)
def test_amounts_are_written_in_units_of_people(resource: str, amount: int, text: str) -> None:
    assert as_text(resource, amount, 1) == text
