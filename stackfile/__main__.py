"""Writes what is made from the settings: the schema of the stacks' files, the reference and the tables of the roles."""

import json
from pathlib import Path

from stackfile import profiles, reference, schema


def made() -> dict[str, str]:
    """What each file has to hold."""
    whole = schema.stack_schema()
    return {
        schema.FILE: json.dumps(whole, indent=2) + "\n",
        reference.FILE: reference.reference(whole),
        profiles.FILE: profiles.readme(),
    }


if __name__ == "__main__":
    for file, content in made().items():
        Path(file).write_text(content, encoding="utf-8")
