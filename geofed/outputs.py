"""A stack's outputs, as Pulumi prints them."""

import json
import shutil
import subprocess
from typing import Any

from geofed.mistake import Mistake


class NoOutputs(Mistake):
    """The outputs cannot be had; the message says why, and what to do."""


def stack_outputs(stack: str, *, secrets: bool = False) -> dict[str, Any]:
    """The outputs of a stack of this folder's project, with `secrets` in plain. Raises NoOutputs."""
    if not shutil.which("pulumi"):
        raise NoOutputs('pulumi is not on PATH; install Pulumi, or for the local stack say: eval "$(make -s env)"')
    words = ["pulumi", "stack", "output", "--json", "--non-interactive", "--stack", stack]
    done = subprocess.run(
        [*words, *(["--show-secrets"] if secrets else [])],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        printed = done.stderr.strip() or "Pulumi has no outputs of it"
        advice = f"; pulumi stack ls lists those that there are, pulumi up --stack {stack} makes it"
        raise NoOutputs(f"--stack {stack}: {printed}{advice if 'no stack named' in printed else ''}")
    outputs = json.loads(done.stdout)
    if "placements" not in outputs:
        raise NoOutputs(f"--stack {stack}: it has no outputs yet; run pulumi up --stack {stack} first")
    return outputs
