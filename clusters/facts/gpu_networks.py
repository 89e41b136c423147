"""Which machine types need networks of their own between their accelerators; gpu_networks.csv names its sources."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass

from clusters.facts.table import rows

TABLE = "clusters/facts/gpu_networks.csv"
DRANET_LABEL = "cloud.google.com/gke-networking-dra-driver"
"""The label of nodes whose network interfaces pods claim by DRA. Source: GKE's page of DRANET, 2026-04-10."""
AUTO_LABEL = "gke.networks.io/accelerator-network-profile"
"""The label that GKE gives nodes whose networks it has made. Source: the release note of 2026-04-20."""
DRANET_SINCE = "1.34"
NETWORK_RESOURCE = "networking.gke.io.networks/"
"""What nodes have one of for each Network that they are attached to, and GKE's webhook adds to the limits of pods whose
annotation names it. A Network that does not exist is refused there.

Sources: NVIDIA's cluster-readiness-engine, and what others note of the nodes of A3 and A4 (1 of vpc1, 1 of rdma-0);
read 2026-11-27.
"""


@dataclass(frozen=True)
class GpuNetworks:
    """The networks between the accelerators of a machine type."""

    kind: str
    """tcpx, tcpxo, rdma or netdev."""
    count: int
    """How many interfaces GPUDirect needs; 0 where only Google can make their networks."""
    mtu: int
    auto: bool
    """Whether GKE can make them."""
    dranet: bool
    """Whether pods claim those that GKE has made by DRA."""
    sure_own: bool
    sure_auto: bool
    note: str

    @property
    def rdma(self) -> bool:
        """Whether they are RoCE networks, which have no firewall, and are in one zone."""
        return self.kind == "rdma"


@functools.cache
def gpu_networks() -> Mapping[str, GpuNetworks]:
    """The networks of every machine type that has some."""
    return {
        row["machine_type"]: GpuNetworks(
            row["kind"],
            int(row["networks"]),
            int(row["mtu"]),
            row["auto"] == "yes",
            row["dranet"] == "yes",
            row["sure_own"] == "yes",
            row["sure_auto"] == "yes",
            row["note"],
        )
        for row in rows("gpu_networks.csv")
    }
