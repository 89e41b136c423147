"""The commands behind make: `python -m local up|down|env|tools`."""

import argparse
import sys

from local.control_plane import ControlPlaneError
from local.install import install
from local.operators import install_operators, named
from local.paths import home
from local.stack import STACK, STACK_FILE, LocalStack, exports
from stack_file import Unreadable, read_stack_file
from tools.build import ToolError

_NEXT = """
The federation is up. See it with `make status`; use kubectl and pulumi on it after
  eval "$(make -s env)"
"""


def up(stack: LocalStack) -> int:
    """Builds what is missing, runs `pulumi up` and writes a kubeconfig."""
    _install(stack)
    stack.prepare()
    quiet = [] if sys.stdout.isatty() else ["--suppress-progress"]
    refresh = ["--refresh"] if stack.interrupted() else []
    done = stack.pulumi("up", "--stack", STACK, "--yes", "--skip-preview", *quiet, *refresh)
    stack.write_kubeconfig()
    if done.returncode == 0:
        print(_NEXT, file=sys.stderr)
    return done.returncode


def down(stack: LocalStack) -> int:
    """Ends every process and removes every file except the tool cache."""
    stack.remove()
    return 0


def env(stack: LocalStack) -> int:
    """Prints the exports with which pulumi and kubectl work on the local stack."""
    print("\n".join(exports(stack.variables())))
    return 0


def tools(stack: LocalStack) -> int:
    """Builds the tools alone."""
    _install(stack)
    return 0


def _install(stack: LocalStack) -> None:
    # Pulumi would not name a file that it cannot read.
    settings = read_stack_file(STACK_FILE)
    operators = named(settings)
    install(stack.home)
    install_operators(stack.home, operators)


def main() -> int:
    """Runs one command; an expected error is printed as one sentence."""
    commands = {"up": up, "down": down, "env": env, "tools": tools}
    parser = argparse.ArgumentParser(prog="python -m local", description="The federation on this machine.")
    parser.add_argument("command", choices=commands)
    arguments = parser.parse_args()
    try:
        return commands[arguments.command](LocalStack(home()))
    except (ToolError, ControlPlaneError, Unreadable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; make up continues from here, make down removes everything", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
