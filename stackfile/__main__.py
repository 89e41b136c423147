"""Writes the files made from the settings: the schema of stack files, the reference and the tables of roles."""

import json
from pathlib import Path

from stackfile import profiles, reference, schema


def made() -> dict[str, str]:
    """The content of each file, by its path."""
    stack = schema.stack_schema()
    return {
        schema.FILE: json.dumps(stack, indent=2) + "\n",
        reference.FILE: reference.reference(stack),
        profiles.FILE: profiles.readme(),
    }


if __name__ == "__main__":
    for file, content in made().items():
        Path(file).write_text(content, encoding="utf-8")
