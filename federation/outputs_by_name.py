"""Outputs by name, as one output."""

from collections.abc import Mapping
from typing import TypeVar

import pulumi

T = TypeVar("T")


def outputs_by_name(outputs: Mapping[str, pulumi.Output[T]]) -> pulumi.Output[dict[str, T]]:
    """One output of all of these by their names.

    `pulumi.Output.all` of no outputs is a list, which this turns into an empty map.
    """
    return pulumi.Output.all(**outputs).apply(dict)
