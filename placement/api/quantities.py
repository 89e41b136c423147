"""Reads and writes amounts of resources as Kubernetes does, such as 500m, 16Gi or 1.

It does not decide which amounts a resource may have (schemas.py and api_rules.py do).
"""

import math
import re
from decimal import Decimal
from fractions import Fraction

# Source: the grammar in k8s.io/apimachinery/pkg/api/resource/quantity.go, v0.35.
_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d{1,2}))?", re.ASCII)
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
# Kubernetes keeps up to 18 digits of a quantity as they are written, and no amount needs more characters than these.
_LONGEST, _DIGITS = 60, 18
_LARGEST = 2**63 - 1


def is_quantity(value: object) -> bool:
    """Whether Kubernetes reads a value as an amount."""
    return _matched(value) is not None


def whole(value: object) -> int | None:
    """An amount as a whole number from 0 up, such as 1000 for 1k; None where it is not one, or too large to read."""
    match = _matched(value)
    if match is None:
        return None
    number, binary, decimal, exponent = match.groups()
    shift = _DECIMAL[decimal] if decimal else int(exponent or 0)
    if abs(shift) > _DIGITS:
        return None
    amount = (Decimal(number) * 2 ** _BINARY.get(binary, 0)).scaleb(shift)
    return int(amount) if 0 <= amount < 10**_DIGITS and amount == int(amount) else None


def billionths(value: object) -> int | None:
    """An amount in billionths, such as 500000000 for 500m; None where it is not one, or below 0.

    Kubernetes rounds up what is finer. What is larger than it can hold, which fits nowhere, is cut to its largest.
    """
    match = _matched(value)
    if match is None or match[1].startswith("-"):
        return None
    number, binary, decimal, exponent = match.groups()
    shift = _DECIMAL[decimal] if decimal else int(exponent or 0)
    amount = Fraction(Decimal(number)) * 2 ** _BINARY.get(binary, 0) * Fraction(10) ** shift
    return math.ceil(min(amount, Fraction(_LARGEST)) * 10**9)


def as_text(resource: str, amount: int, digits: int) -> str:
    """An amount as people write it: thousandths of a cpu as 7.91, bytes as 28.3Gi, others as they are.

    cpu has three digits after the point at the most, and bytes `digits`.
    """
    if resource == "cpu":
        return f"{amount / 1000:.3f}".rstrip("0").rstrip(".")
    if resource not in ("memory", "ephemeral-storage") and not resource.startswith("hugepages-"):
        return str(amount)
    unit = "Gi" if amount >= 2**30 else "Mi" if amount >= 2**20 else ""
    text = f"{amount / 2 ** _BINARY.get(unit, 0):.{digits}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + unit


def _matched(value: object) -> re.Match[str] | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    # Python does not convert an integer of too many digits.
    if isinstance(value, int) and abs(value) >= 10**_DIGITS:
        return None
    text = str(value)
    return _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
