"""The settings of a pool's local disks."""

from typing import Literal

from pydantic import Field

from problems import Model


class LocalSsds(Model):
    """Local SSDs of 375 GB, or 3000 GB on a4x, whose data is lost with their node."""

    count: int = Field(ge=1, le=32)
    """how many each node has, from 1 to 32

    A number that the machine type takes.
    """
    use: Literal["ephemeral", "block"] = "ephemeral"
    """ephemeral or block

    For emptyDir volumes, images and logs, or as raw block devices.
    """
