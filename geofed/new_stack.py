"""Writes the file of a new stack into this folder."""

import re
from pathlib import Path

from geofed.mistake import Mistake
from problems import shorten
from stackfile.new import stack_text


def new_stack(name: str) -> Path:
    """Writes it, and never in another's place. Raises Mistake."""
    # What Pulumi takes as a stack's name.
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", name):
        advice = "write up to 100 letters, digits, dashes, dots and underscores, as in make new-stack NAME=staging"
        raise Mistake(f"NAME: {shorten(name)}: {advice}")
    file = Path(f"Pulumi.{name}.yaml")
    try:
        with file.open("x", encoding="utf-8") as opened:
            opened.write(stack_text(name))
    except FileExistsError:
        raise Mistake(f"NAME: {name!r}: {file} exists already; write another name") from None
    except OSError as error:
        raise Mistake(f"{file} cannot be written: {error.strerror}") from None
    return file
