"""What an API server of the local stack answers."""

from typing import Any

from local.api import Api


class Empty(Api):
    """An API server that has no items, and says null."""

    def __init__(self) -> None:
        pass

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        return {"kind": "NodeList", "items": None}


def test_null_is_an_empty_list() -> None:
    assert Empty().list("/api/v1/nodes") == []
