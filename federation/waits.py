"""What a run waits for before an object of KubeFed is taken for created: annotations that Pulumi's provider reads."""

import json
from typing import Any

from federation.digest import digest

WAIT_FOR = "pulumi.com/waitFor"
"""The annotation that says what to wait for."""
DECLARED = "geo-federation/declared"
"""The annotation that has a digest of what is declared."""


def waits(*expressions: str, seconds: int, declared: Any) -> dict[str, str]:
    """The annotations that make a run wait until all expressions hold, and fail after so many seconds.

    `declared` is what the object declares besides. The provider reads objects from a cache, which may be older than the
    update that it has just made: where nothing in that one says so, it would take the old object for the updated one.
    """
    own = digest(declared)
    updated = f'jsonpath={{.metadata.annotations["{DECLARED}"]}}={own}'
    return {
        DECLARED: own,
        WAIT_FOR: json.dumps([updated, *expressions]),
        "pulumi.com/timeoutSeconds": str(seconds),
    }


def holds(condition: str) -> str:
    """That a condition in the object's status is True.

    As a path: where a condition is awaited by its name, the provider warns until the object has its first status.
    """
    return f'jsonpath={{.status.conditions[?(@.type=="{condition}")].status}}=True'
