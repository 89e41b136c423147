"""Pulumi as the workflows run it, and how its output is shown on GitHub."""

import re
import subprocess
import sys
from dataclasses import dataclass

NOTHING_EXPECTED = 7
"""The exit code of a run with --expect-no-changes that found one."""


@dataclass(frozen=True)
class Run:
    """A run of Pulumi that has ended, with all that it printed."""

    code: int
    output: str


def pulumi(command: str, stack: str, *options: str) -> Run:
    """Runs a command that changes nothing, and shows what it prints in the job's log as well."""
    words = ["pulumi", command, "--stack", stack, "--diff", "--non-interactive", "--color", "never", *options]
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout
        lines: list[str] = []
        for line in process.stdout:
            print(line, end="", file=sys.stderr)
            lines.append(line)
    return Run(process.returncode, "".join(lines))


def summary(output: str) -> str:
    """The result of a run as one line, such as `+ 2 to create, 79 unchanged`; empty where it did not get that far."""
    found = re.search(r"^Resources:\n((?: {4}.+\n?)+)", output, re.MULTILINE)
    return ", ".join(line.strip() for line in found[1].splitlines()) if found else ""


def reasons(output: str) -> str:
    """Why a run failed: errors and violations of mandatory policies, each with its details."""
    # Pulumi indents errors by four spaces in some places, and their details by two more.
    found = re.findall(r"^(?: {4})?(\S+ \[mandatory\] .*\n.*|error: .*(?:\n {2}(?: {4})?\S.*)*)", output, re.MULTILINE)
    return "\n".join(dict.fromkeys(re.sub(r"^ {6}", "  ", each, flags=re.MULTILINE) for each in found))


def warnings(output: str) -> str:
    """What a run warns of, each in a line: settings that may be wrong, and quotas that are too small."""
    # Pulumi shows one where it comes up, and again at the end.
    found = re.findall(r"^(?: {4})?warning: (.+)$", output, re.MULTILINE)
    return "\n".join(dict.fromkeys(found))


def fenced(text: str) -> str:
    """Text as a block of code, whatever it holds."""
    ticks = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, ticks + 1)
    return f"{fence}\n{text.rstrip()}\n{fence}"


def fold(title: str, output: str, longest: int) -> str:
    """Output that is folded; of more than `longest` characters, those in the middle are left out."""
    if len(output) > longest:
        head, tail = output[: longest // 2], output[-longest // 2 :]
        left_out = output.count("\n") - head.count("\n") - tail.count("\n")
        output = f"{head}\n... {left_out} lines are left out here; the job's log has them ...\n{tail}"
    return f"<details><summary>{title}</summary>\n\n{fenced(output)}\n\n</details>"
