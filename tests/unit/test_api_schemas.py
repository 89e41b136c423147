"""The file of schemas is made of Kubernetes' own models, and of facts alone."""

import json
from typing import Any

from placement.api.schemas import FILE
from tools.api_schemas import written
from tools.modules import PINNED_KUBERNETES

SCHEMAS: dict[str, Any] = json.loads(FILE.read_text())


def test_it_is_as_the_command_writes_it() -> None:
    assert FILE.read_text() == written(SCHEMAS)
    assert SCHEMAS["version"] == PINNED_KUBERNETES, "run make api-schemas"
    assert "Apache 2.0" in SCHEMAS["$comment"]


def test_it_holds_no_sentences_and_stays_small() -> None:
    # A field of this name is a schema itself.
    assert '"description": "' not in FILE.read_text()
    assert FILE.stat().st_size < 100_000


def test_every_definition_is_there_and_used() -> None:
    text = json.dumps(SCHEMAS["$defs"])
    kinds = {name for name, each in SCHEMAS["$defs"].items() if "apiVersion" in each.get("properties", {})}
    for name in SCHEMAS["$defs"]:
        assert name in kinds or f'"#/$defs/{name}"' in text
    for part in text.split('"#/$defs/')[1:]:
        assert part.partition('"')[0] in SCHEMAS["$defs"]
