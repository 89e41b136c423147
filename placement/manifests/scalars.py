"""Reads a YAML value without quotes as kubectl does: a number, a boolean, null, or the text itself.

It does not read maps, lists or quoted text (yaml_reader.py does).
"""

import math
import re

# Source: go.yaml.in/yaml v2.4.3 (resolve.go), by which sigs.k8s.io/yaml v1.6.0 and so kubectl v1.35 read YAML; and Go's
# strconv, which reads its numbers.
_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{sign + word: math.inf for sign in ("", "+") for word in (".inf", ".Inf", ".INF")},
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
# A sign may come after 0b too, because of how Go reads it.
_WHOLE = re.compile(r"0b([+-][01]+)|([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_DECIMAL = re.compile(r"[+-]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][+-]?[0-9]+)?")
_FROM_POINT = re.compile(r"\.[0-9](_?[0-9])*([eE][+-]?[0-9](_?[0-9])*)?")
# A number with more digits does not fit 64 bits, and takes Python long to read.
_DIGITS = 20


def read_scalar(text: str) -> bool | int | float | str | None:
    """Reads a value that is written without quotes.

    A number without a fraction, such as 1e3, is an int. A date is text, and so are 22:30 and a number that is too large
    for a float.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in "+-0123456789":
        return _number(text)
    return _float(text) if _FROM_POINT.fullmatch(text) else text


def _number(text: str) -> int | float | str:
    plain = text.replace("_", "")
    found = _WHOLE.fullmatch(plain)
    if found:
        odd, sign, *rest = found.groups()
        digits, base = next((each, base) for each, base in zip((odd, *rest), (2, 16, 2, 8, 10), strict=True) if each)
        if base != 10 or len(digits) <= _DIGITS:
            whole = -int(digits, base) if sign == "-" else int(digits, base)
            if -(2**63) <= whole < (2**63 if odd or sign else 2**64):
                return whole
    return _float(text, plain) if _DECIMAL.fullmatch(plain) else text


def _float(text: str, plain: str | None = None) -> int | float | str:
    number = float(text if plain is None else plain)
    if math.isinf(number):
        return text
    return int(number) if number.is_integer() and abs(number) < 2**63 else number
