"""Outputs by name, as one."""

from collections.abc import Mapping
from typing import TypeVar

import pulumi

T = TypeVar("T")


def gathered(outputs: Mapping[str, pulumi.Output[T]]) -> pulumi.Output[dict[str, T]]:
    """All of these by their names. `pulumi.Output.all` of none is a list, so it is not for what may be empty."""
    return pulumi.Output.all(**outputs).apply(dict)
