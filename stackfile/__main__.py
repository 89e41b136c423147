"""Writes what is made from the settings' models: the schema of the stacks' files and the reference of the settings."""

import json
from pathlib import Path

from stackfile import reference, schema


def made() -> dict[str, str]:
    """What each file has to hold."""
    whole = schema.stack_schema()
    return {schema.FILE: json.dumps(whole, indent=2) + "\n", reference.FILE: reference.reference(whole)}


if __name__ == "__main__":
    for file, content in made().items():
        Path(file).write_text(content, encoding="utf-8")
