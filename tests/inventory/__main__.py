"""Writes the golden inventory anew: `python -m tests.inventory`, or `make inventory`."""

from tests.inventory import STACKS, file_of, inventory

for stack in STACKS:
    file_of(stack).write_text(inventory(stack))
