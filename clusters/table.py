"""Tables of facts: CSV files beside the code, whose first lines say where each fact is from."""

import csv
from collections.abc import Mapping
from pathlib import Path


def rows(name: str) -> list[Mapping[str, str]]:
    """The rows of a table of this folder, by its columns; lines that start with # are comments."""
    with Path(__file__).with_name(name).open(newline="", encoding="utf-8") as table:
        return list(csv.DictReader(line for line in table if not line.startswith("#")))
