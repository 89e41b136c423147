"""Types that GKE's clusters serve before anything else is made in them."""

import time
from typing import Any

from local.api import Api, ApiError

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_SECONDS, _STEP = 30, 0.1


def ensure_crd(api: Api, definition: dict[str, Any]) -> None:
    """Creates a type where a cluster lacks it, and waits until it is served. Raises ApiError or Unreachable."""
    path = f"{_CRDS}/{definition['metadata']['name']}"
    try:
        found = api.get(path)
    except ApiError as error:
        if error.status != 404:
            raise
        found = api.create(_CRDS, definition)
    deadline = time.monotonic() + _SECONDS
    while not _is_served(found):
        if time.monotonic() > deadline:
            raise ApiError(504, f"{definition['metadata']['name']} is not served after {_SECONDS} s")
        time.sleep(_STEP)
        found = api.get(path)


def _is_served(definition: dict[str, Any]) -> bool:
    conditions: list[dict[str, Any]] = definition.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
