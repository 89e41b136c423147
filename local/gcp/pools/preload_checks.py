"""What GKE refuses of the disks with images that a pool's nodes have at hand."""

import re
from collections.abc import Iterator

from local.gcp.resource import Wrong, invalid, value, values
from local.wire import Properties

_DISKS = "nodeConfig.secondaryBootDisks"
MODE = f"{_DISKS}[].mode"
MODES = ("MODE_UNSPECIFIED", "CONTAINER_IMAGE_CACHE")
_IMAGE = r"(https://www\.googleapis\.com/compute/v1/)?projects/[^/]+/global/images/[^/]+"


def wrong_preload(inputs: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with a pool's secondary boot disks."""
    images = values(inputs, f"{_DISKS}[].diskImage")
    for image in dict.fromkeys(images):
        if not re.fullmatch(_IMAGE, str(image)):
            yield Wrong(_DISKS, invalid(f"{_DISKS}.diskImage", image, "It must be projects/P/global/images/I"))
        if images.count(image) > 1:
            yield Wrong(_DISKS, f"Error 400: disk image {image} is given twice")
    streams = value(inputs, "nodeConfig.gcfsConfig.enabled", False)
    if "CONTAINER_IMAGE_CACHE" in values(inputs, MODE) and not streams:
        yield Wrong(_DISKS, "Error 400: secondary boot disks of mode CONTAINER_IMAGE_CACHE need image streaming")
