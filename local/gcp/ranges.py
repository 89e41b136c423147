"""Ranges of addresses, as Google Cloud takes them."""

from collections.abc import Iterator
from ipaddress import IPv4Network

_PRIVATE = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
# No subnet may lie in these.
_PROHIBITED = tuple(map(IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")))
_LARGEST, _SMALLEST = 4, 29


def why_malformed(text: str) -> str | None:
    """Why a text is no range of IPv4 addresses, or None where it is one."""
    try:
        IPv4Network(text)
    except ValueError as error:
        return f"Must be a valid CIDR address range: {error}"
    return None if "/" in text else "Must be a CIDR address range, with a slash and a length"


def why_no_subnet(text: str) -> str | None:
    """Why a range cannot be a subnet's, or None where it can."""
    if malformed := why_malformed(text):
        return malformed
    block = IPv4Network(text)
    if not _LARGEST <= block.prefixlen <= _SMALLEST:
        return f"The length of its prefix must be from /{_LARGEST} to /{_SMALLEST}"
    taken = next((each for each in _PROHIBITED if block.overlaps(each)), None)
    return f"It is in {taken}, which Google Cloud keeps for itself" if taken else None


def overlaps(one: list[str], others: list[str]) -> Iterator[tuple[str, str]]:
    """Yields each pair of ranges, one from each list, that have an address in common. All must be well-formed."""
    for mine in one:
        yield from ((mine, other) for other in others if IPv4Network(mine).overlaps(IPv4Network(other)))


def is_private(text: str) -> bool:
    """Whether a well-formed range is one of private networks."""
    return any(IPv4Network(text).subnet_of(each) for each in _PRIVATE)
