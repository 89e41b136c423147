"""What the program registers is what is checked in, so that a reviewer sees each change of it."""

import difflib
import re
from collections.abc import Iterator

import pytest

from tests.inventory import COMMAND, STACKS, file_of, inventory
from tests.unit.program import ROOT, run_of, token

_SHOWN = 80


def changes(kept: str, now: str) -> Iterator[str]:
    """What differs in each resource that does, below its name."""
    old, new = (
        {lines[0]: lines[1:] for lines in map(str.splitlines, text.split("\n\n")) if lines} for text in (kept, now)
    )
    for head in sorted(old.keys() | new.keys()):
        if old.get(head) != new.get(head):
            yield f"{'+' if head not in old else '-' if head not in new else ' '} {head}"
            compared = difflib.ndiff(old.get(head, []), new.get(head, []))
            yield from (line.rstrip() for line in compared if line.startswith(("+", "-")))


@pytest.mark.parametrize("stack", STACKS)
def test_the_inventory_is_what_the_program_registers(stack: str) -> None:
    file = file_of(stack)
    kept = file.read_text() if file.exists() else ""
    now = inventory(stack)
    if kept != now:
        diff = list(changes(kept, now))
        more = f"\n... and {len(diff) - _SHOWN} lines more" if len(diff) > _SHOWN else ""
        pytest.fail(
            f"{file.relative_to(ROOT)} is not what the program registers. If it should register this, `{COMMAND}` "
            f"writes the file anew; commit it with the change.\n" + "\n".join(diff[:_SHOWN]) + more,
            pytrace=False,
        )


def test_a_change_is_told_below_the_resource_that_it_is_of() -> None:
    kept = "# head\n\na:b:C one\n  x: 1\n  y: 2\n\na:b:C two\n  x: 1\n"
    now = "# head\n\na:b:C one\n  x: 1\n  y: 3\n\na:b:C new\n  x: 1\n"
    told = ["+ a:b:C new", "+   x: 1", "  a:b:C one", "-   y: 2", "+   y: 3", "- a:b:C two", "-   x: 1"]
    assert list(changes(kept, now)) == told
    assert list(changes(now, now)) == []


@pytest.mark.parametrize("stack", STACKS)
def test_every_resource_is_in_it_and_no_secret(stack: str) -> None:
    run, text = run_of(stack), inventory(stack)
    heads = re.findall(r"^(\S+:\S+:\S+) ([^,\n]+)", text, re.MULTILINE)
    assert sorted(heads) == sorted((each.type, each.name) for each in run.asked)
    assert len(heads) > 100
    for name in run.clusters:
        assert token(f"{name}-{run.host}") not in text
    assert "users:" not in text
    assert str(ROOT) not in text


@pytest.mark.parametrize(
    "line",
    [
        "  automountServiceAccountToken: false",
        "  [deleteBeforeReplace] true",
        "  [replaceOnChanges] [",
        "  [ignoreChanges] [",
        "  [protect] true",
        "  [deletedWith] training",
        "  [aliases] [",
        "  kubeconfig: (secret)",
        "  stringData: (secret)",
        "  training_kubeconfig (secret)",
        '"unavailableDelay": "10s"',
        '  metadata.finalizers: ["kubefed.io/sync-controller"]',
        '  rules[0].apiGroups: ["types.kubefed.io"]',
    ],
)
def test_what_reviewers_look_for_is_in_it(line: str) -> None:
    assert line in inventory("prod")
