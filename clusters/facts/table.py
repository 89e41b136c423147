"""Tables of facts: CSV files beside the code, whose first lines name the sources."""

import csv
from collections.abc import Mapping
from pathlib import Path


def rows(name: str) -> list[Mapping[str, str]]:
    """The rows of a table in this folder, by column; lines that start with # are comments."""
    with Path(__file__).with_name(name).open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(line for line in table if not line.startswith("#")))
