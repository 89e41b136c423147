"""Which devices pods can claim by dynamic resource allocation (DRA); device_classes.csv names its sources."""

import functools
from collections.abc import Mapping
from typing import NamedTuple

from clusters.facts.table import rows

MANAGED_GPUS = "cloud.google.com/gke-nvidia-gpu-dra-driver"
"""A label of nodes whose GPUs are allocated by DRA. Source: GKE's fork of the cluster autoscaler, 2026-11."""
_INSTEAD = {
    "gpus": "write accelerator.dra: true for a pool with GPUs",
    "tpus": "write a pool with TPUs, whose nodes have a driver for claims",
    "rdma": "write gpu_networks: auto for a pool such as a3-ultragpu-8g or a4-highgpu-8g",
    "netdev": "write gpu_networks: auto for a pool such as ct6e-standard-4t or a3-ultragpu-8g",
}


class DeviceClass(NamedTuple):
    """A class of devices: what a node has for them, and whether the settings say how many."""

    of: str
    """gpus, tpus, rdma or netdev."""
    counted: bool

    @property
    def instead(self) -> str:
        """What to write where no node has such devices."""
        return _INSTEAD[self.of]


@functools.cache
def device_classes() -> Mapping[str, DeviceClass]:
    """The device classes of which it is certain what they need, by name."""
    return {
        row["device_class"]: DeviceClass(row["of"], row["counted"] == "yes")
        for row in rows("device_classes.csv")
        if row["sure"] == "yes"
    }
