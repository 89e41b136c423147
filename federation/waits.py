"""What a run waits for before an object of KubeFed is taken for created: annotations that Pulumi's provider reads."""

import json

WAIT_FOR = "pulumi.com/waitFor"
"""The annotation that says what to wait for."""


def waits(expression: str, *more: str, seconds: int) -> dict[str, str]:
    """The annotations that make a run wait until all expressions hold, and fail after so many seconds."""
    return {
        WAIT_FOR: json.dumps([expression, *more]) if more else expression,
        "pulumi.com/timeoutSeconds": str(seconds),
    }


def holds(condition: str) -> str:
    """That a condition in the object's status is True.

    As a path: where a condition is awaited by its name, the provider warns until the object has its first status.
    """
    return f'jsonpath={{.status.conditions[?(@.type=="{condition}")].status}}=True'
