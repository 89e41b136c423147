"""Ranges of addresses in the settings."""

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field


def as_network(value: str) -> str:
    """The value if it is a range of addresses. Raises ValueError for any other, and for the whole Internet."""
    try:
        network = IPv4Network(value if "/" in value else "")
    except ValueError:
        raise ValueError("not a range of IPv4 addresses; write one such as 203.0.113.0/24") from None
    if network.prefixlen == 0:
        raise ValueError("the whole Internet; write ranges of your own, such as 203.0.113.0/24")
    return value


Block = Annotated[str, AfterValidator(as_network)]
"""A range of addresses, as a field that says itself what it is for."""
Range = Annotated[Block, Field(description="a range of IPv4 addresses, such as 203.0.113.0/24")]
