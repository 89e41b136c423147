"""Nodes as the scheduler sees them: what each node of a pool offers to pods, and how many there can be."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Taint:
    """What keeps pods away from a node unless they tolerate it."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True)
class Nodes:
    """The nodes of one pool, which are all alike.

    `allocatable` is what pods can request of a node: cpu in thousandths, memory and ephemeral-storage in bytes, and
    everything else, such as pods and nvidia.com/gpu, in whole numbers. `most` is how many nodes there can be. `zones`
    are those in which its nodes can be, empty where Google chooses. `unsure` has the resources and label keys of which
    the value is not certain.
    """

    pool: str
    labels: Mapping[str, str]
    allocatable: Mapping[str, int]
    most: int
    taints: tuple[Taint, ...] = ()
    zones: tuple[str, ...] = ()
    unsure: frozenset[str] = frozenset()
