"""The version of Kubernetes that is served here."""

from collections.abc import Iterator

from clusters.versions import is_older
from local.gcp.resource import Wrong
from tools.modules import KUBERNETES

VERSION = KUBERNETES.removeprefix("v")
"""That of the control planes, which are built from the pins in tools/."""


def wrong_version(oldest: str) -> Iterator[Wrong]:
    """Yields what GKE refuses of the oldest version that a control plane may have; any will do where it is empty."""
    if is_older(VERSION, oldest):
        yield Wrong("minMasterVersion", f'Error 400: No valid versions with the prefix "{oldest}" found')
