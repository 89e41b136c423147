"""The settings of a cluster's maintenance windows and backups."""

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from problems import Model, Problem

_HOURS, _WEEKS = 48, 4


class Maintenance(Model):
    """When GKE may upgrade the cluster and its nodes: on some days of each week, in UTC."""

    days: list[Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]] = Field(
        default_factory=lambda: list[Literal["MO", "TU", "WE", "TH", "FR", "SA", "SU"]](["SA", "SU"]), min_length=1
    )
    """a list of MO, TU, WE, TH, FR, SA and SU

    The days on which the window starts.
    """
    start: str = Field(default="02:00", pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")
    """the time at which it starts, such as 02:00

    In UTC, with 24 hours; write it in quotes, since YAML reads it as a number otherwise.
    """
    hours: int = Field(default=8, ge=4, le=24)
    """how long the window lasts, from 4 to 24 hours

    GKE needs 48 hours in four weeks.
    """

    @property
    def recurrence(self) -> str:
        """The days of the week, as a recurrence rule of RFC 5545."""
        return f"FREQ=WEEKLY;BYDAY={','.join(self.days)}"


class Backup(Model):
    """Backups of the cluster's objects and volumes, by Backup for GKE."""

    schedule: str = Field(default="0 3 * * *", pattern=r"^\S+( \S+){4}$")
    """when to make one, in cron's five fields

    In UTC, at most every ten minutes.
    """
    retain_days: int = Field(default=30, ge=1, le=365)
    """how long each is kept, from 1 to 365 days

    Then it is deleted.
    """


def check_maintenance(setting: str, maintenance: Maintenance) -> Iterator[Problem]:
    """Yields why GKE would refuse a well-formed maintenance window."""
    days = set(maintenance.days)
    total = _WEEKS * len(days) * maintenance.hours
    if total < _HOURS:
        advice = f"{total} hours in four weeks, and GKE needs {_HOURS}; write more hours or more days"
        yield Problem(f"{setting}.hours", maintenance.hours, advice)
