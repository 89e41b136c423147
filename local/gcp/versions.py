"""The version of Kubernetes that is served here."""

from collections.abc import Iterator

from local.gcp.resource import Wrong
from tools.modules import KUBERNETES

VERSION = KUBERNETES.removeprefix("v")
"""That of the control planes, which are built from the pins in tools/."""


def wrong_version(oldest: str) -> Iterator[Wrong]:
    """Yields what GKE refuses of the oldest version that a control plane may have; any will do where it is empty."""
    if oldest and _numbers(oldest) > _numbers(VERSION):
        yield Wrong("minMasterVersion", f'Error 400: No valid versions with the prefix "{oldest}" found')


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-", maxsplit=1)[0].split("."))
