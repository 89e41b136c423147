"""Calls a command as people do, within the test."""

import pytest

from geofed.__main__ import main


def geofed(*words: str) -> int:
    """The code with which `python -m geofed` ends."""
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert isinstance(ended.value.code, int)
    return ended.value.code
