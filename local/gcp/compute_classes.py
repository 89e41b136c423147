"""The ComputeClass type of GKE's clusters: their API servers serve it before anything else is made in them.

Nothing here gets machines by a class.
"""

import time
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from local.api import Api, ApiError

_CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_SECONDS, _STEP = 30, 0.1


def ensure_compute_classes(api: Api) -> None:
    """Creates the type where a cluster lacks it, and waits until it is served. Raises ApiError or Unreachable."""
    definition = compute_class_crd()
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


@cache
def compute_class_crd() -> dict[str, Any]:
    """The definition of the type."""
    return yaml.safe_load(Path(__file__).with_name("computeclasses.yaml").read_text(encoding="utf-8"))


def _is_served(definition: dict[str, Any]) -> bool:
    conditions: list[dict[str, Any]] = definition.get("status", {}).get("conditions") or []
    return any(each["type"] == "Established" and each["status"] == "True" for each in conditions)
