"""Checks .github/workflows with actionlint, and their shell steps with shellcheck.

    python -m tools.check_workflows

Where there is no Go to build actionlint with, it prints that and succeeds: `make unit` needs no tools.
"""

import subprocess
import sys
from pathlib import Path

from tools.build import ToolError, build, check_go
from tools.modules import CHECKERS, TOOLS

WORKFLOWS = TOOLS.parent / ".github" / "workflows"


def main() -> int:
    """Ends with 1 where something is wrong."""
    try:
        check_go(CHECKERS)
    except ToolError as error:
        print(f"actionlint is left out: {error}", file=sys.stderr)
        return 0
    try:
        actionlint = build(CHECKERS)["actionlint"]
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    # The pinned one of the virtual environment: another version would find other mistakes on each machine.
    shellcheck = Path(sys.executable).with_name("shellcheck")
    options = [f"-shellcheck={shellcheck}", "-pyflakes="]
    return subprocess.run([actionlint, *options, *sorted(WORKFLOWS.glob("*.yml"))], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
