"""Previews stacks, and prints one page of Markdown: what would change, what it warns of, and where workloads would be.

    python -m ci.preview dev prod > preview.md

Ends with 1 where a stack cannot be previewed; the page then says why.
"""

import subprocess
import sys

from ci.engine import fenced, fold, pulumi, reasons, summary, warnings
from ci.github import LONGEST

POLICIES = "policy/pack"
_LONGEST_REASONS = 5000


def main() -> int:
    """Prints the page on standard output, and all that Pulumi prints on standard error."""
    stacks = sys.argv[1:]
    good = True
    for stack in stacks:
        run = pulumi("preview", stack, "--policy-pack", POLICIES)
        good &= run.code == 0
        heading = summary(run.output) if run.code == 0 else "the preview fails"
        wrong = [] if run.code == 0 else [fenced(reasons(run.output)[-_LONGEST_REASONS:])]
        warned = warnings(run.output)
        warning_block = [f"The preview warns:\n\n{fenced(warned[:_LONGEST_REASONS])}"] if warned else []
        shown = "\n\n".join([f"### {stack}: {heading}", *wrong, *warning_block, _placements(stack)])
        room = LONGEST // len(stacks) - len(shown) - 1000
        print(f"{shown}\n\n{fold('The preview', run.output, room)}\n")
    return 0 if good else 1


def _placements(stack: str) -> str:
    words = [sys.executable, "-m", "geofed", "explain", "--stack", stack, "--output", "markdown"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).strip()


if __name__ == "__main__":
    sys.exit(main())
