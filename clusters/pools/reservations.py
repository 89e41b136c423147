"""Names of reservations in the settings of a pool, and in which zones their machines are."""

import re
from collections.abc import Iterator, Sequence

from clusters.pools.zones import spread_over
from problems import Problem

_NAME = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"
_LONG = r"projects/[-:.a-z0-9]+/reservations/[-a-z0-9]+"
_BLOCK, _SUB_BLOCK = r"/reservationBlocks/[-a-z0-9]+", r"/reservationSubBlocks/[-a-z0-9]+"
RESERVATION = f"^({_NAME}|{_LONG}({_BLOCK}({_SUB_BLOCK})?)?)?$"
"""What a reservation may be, or a block or a sub-block of one, or none."""
WITHOUT_SUB_BLOCKS = f"^({_NAME}|{_LONG}({_BLOCK})?)?$"
"""The same without sub-blocks."""
_FORM = "projects/PROJECT/reservations/NAME"


def as_reservation(value: str) -> str:
    """The value if it is the name of a reservation, or of a block of one. Raises ValueError for any other.

    Source: the values of reservation_affinity in cluster-toolkit's gke-node-pool (blocks) and xpk's reservation.py
    (sub-blocks), 2026-06-25.
    """
    if re.fullmatch(RESERVATION, value):
        return value
    if "/reservationSubBlocks/" in value and "/reservationBlocks/" not in value:
        raise ValueError(
            f"a sub-block is inside a block; write {_FORM}/reservationBlocks/BLOCK/reservationSubBlocks/SUBBLOCK"
        )
    if "/reservationBlocks/" in value and not value.startswith("projects/"):
        raise ValueError(f"a block needs the project of its reservation; write projects/PROJECT/reservations/{value}")
    raise ValueError(f"write the name of a reservation, {_FORM}, or that and /reservationBlocks/BLOCK")


def check_reservation(setting: str, reservation: str, zones: Sequence[str]) -> Iterator[Problem]:
    """Yields why nodes in these zones, none where Google chooses them, cannot all be of one block of a reservation."""
    if "/reservationBlocks/" in reservation and len(set(zones)) != 1:
        advice = f"a block is in one zone, and {spread_over(zones)}; write its zone"
        yield Problem(f"{setting}.reservation", reservation, advice)


def spread_reservation(setting: str, reservation: str, zones: Sequence[str]) -> Iterator[str]:
    """Yields a warning where nodes may be in zones that a reservation is not in: each of its zones has its own."""
    if reservation and "/reservationBlocks/" not in reservation and len(set(zones)) != 1:
        where = f"the nodes are in {', '.join(zones)}" if zones else "Google chooses the nodes' zones"
        yield (
            f"{setting}.reservation: {reservation}: {where}, and no node comes up in one that has no reservation named "
            f"{reservation.rpartition('/')[2]}; write zones: with those that have it"
        )
