"""What must hold of the images that a pool's nodes have at hand.

Source: GKE's page on secondary boot disks (2026): they need image streaming, and another image is another pool.
"""

from collections.abc import Iterator

from clusters.pools.spec import NodePool
from problems import Problem


def check_preload(setting: str, pool: NodePool) -> Iterator[Problem]:
    """Yields why GKE would refuse a pool's preload, or not use it; `setting` is the pool's own path."""
    if pool.preload and not pool.image_streaming:
        advice = "containers start from preloaded images by image streaming only; write true, or remove preload"
        yield Problem(f"{setting}.image_streaming", False, advice)
    for image in dict.fromkeys(each for each in pool.preload if pool.preload.count(each) > 1):
        yield Problem(f"{setting}.preload", image, "written twice; remove one")
