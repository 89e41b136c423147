"""The ComputeClass type of GKE's clusters: their API servers serve it before anything else is made in them.

Nothing here gets machines by a class.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from local.api import Api
from local.gcp.crds import ensure_crd


def ensure_compute_classes(api: Api) -> None:
    """Has a cluster serve the type. Raises ApiError or Unreachable."""
    ensure_crd(api, compute_class_crd())


@cache
def compute_class_crd() -> dict[str, Any]:
    """The definition of the type."""
    return yaml.safe_load(Path(__file__).with_name("computeclasses.yaml").read_text(encoding="utf-8"))
