"""The settings of a workload's openings: with whom its pods may talk, in which direction and on which ports."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from clusters.ranges import as_network
from problems import Model

OWN_PODS = "workload"
"""The peer that means the workload's own pods."""
LAST_PORT = 65535
_PEERS = (OWN_PODS, "namespace", "cluster", "members", "internet")
_PORT = "a port from 1 to 65535, such as 8080, or a range such as 6379-6390"
_DIGITS = re.compile(r" *([0-9]{1,9}) *(?:- *([0-9]{1,9}) *)?")


def bounds(ports: int | str) -> tuple[int, int]:
    """The first and the last port of a well-formed entry: of 8080, or of 6379-6390."""
    first, _, last = str(ports).partition("-")
    return int(first), int(last or first)


def _peer(value: str) -> str:
    return value if value in _PEERS else as_network(value)


def _ports(value: Any) -> int | str:
    found = _DIGITS.fullmatch(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None
    if found is None:
        raise ValueError(f"not a port; write {_PORT}")
    first, last = int(found[1]), int(found[2] or found[1])
    if first > last:
        raise ValueError(f"the range ends before it begins; write {last}-{first}")
    if first < 1 or last > LAST_PORT:
        raise ValueError(f"outside 1 to {LAST_PORT}; write {_PORT}")
    return first if first == last else f"{first}-{last}"


def _apart(ports: list[int | str]) -> list[int | str]:
    merged: list[tuple[int, int]] = []
    for first, last in sorted(map(bounds, ports)):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    if len(merged) < len(ports):
        together = ", ".join(str(_ports(f"{first}-{last}")) for first, last in merged)
        raise ValueError(f"some of them overlap; write [{together}]")
    return ports


Ports = Annotated[
    int | str,
    BeforeValidator(_ports),
    WithJsonSchema(
        {
            "description": _PORT,
            "anyOf": [
                {"type": "integer", "minimum": 1, "maximum": LAST_PORT},
                {"type": "string", "pattern": "^[0-9]{1,5}(-[0-9]{1,5})?$"},
            ],
        }
    ),
]


class Opening(Model):
    """Traffic that the network allows to a workload's pods, or from them."""

    direction: Literal["ingress", "egress"]
    """ingress or egress

    Traffic to the pods, or from them.
    """
    peer: Annotated[str, AfterValidator(_peer)]
    """workload, namespace, cluster, members, internet or a range such as 192.168.0.0/24

    The workload's own pods, which are opened at both ends, pods of the same namespace or of the same cluster, nodes and
    pods of all members, or addresses.
    """
    ports: Annotated[list[Ports], AfterValidator(_apart)] = Field(min_length=1)
    """a list of TCP ports from 1 to 65535, and of ranges such as 6379-6390

    The pods' own with ingress, and the peer's with egress. A network that knows no ranges, such as that of Cilium
    before 1.16, opens only the first port of one; 1-65535 are all ports everywhere.
    """

    @property
    def ranges(self) -> Sequence[tuple[int, int]]:
        """The first and the last port of each entry."""
        return [bounds(each) for each in self.ports]
