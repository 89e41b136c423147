"""What is known of a label that a pod requires of its node: its value, that it is absent, or nothing.

Pools have the labels that GKE and the settings give (clusters/nodes/labels.py); others can be set by hand or by
programs in the cluster.
"""

from collections.abc import Collection
from enum import Enum

from clusters.nodes.nodes import Nodes
from placement.fit.classes import COMPUTE_CLASS, may_be_of_gke
from placement.fit.selectors import Requirement, holds

GPU_LABEL = "cloud.google.com/gke-accelerator"
ACCELERATORS = (GPU_LABEL, "cloud.google.com/gke-tpu-accelerator")
TOPOLOGY = "cloud.google.com/gke-tpu-topology"
SHARING = "cloud.google.com/gke-gpu-sharing-strategy"
CLIENTS = "cloud.google.com/gke-max-shared-clients-per-gpu"
PARTITION = "cloud.google.com/gke-gpu-partition-size"
HOSTNAME = "kubernetes.io/hostname"
MACHINE = "node.kubernetes.io/instance-type"
POOL = "cloud.google.com/gke-nodepool"
REGION = "topology.kubernetes.io/region"
# Every node of GKE has both, with the same value.
ZONES = ("topology.kubernetes.io/zone", "topology.gke.io/zone")

# Labels that only some pools have, so that a pool without them surely lacks them. Sources: GKE's "GKE-managed node
# labels", and the pools of its users; read in November 2026.
_OF_SOME = frozenset(
    f"cloud.google.com/{name}"
    for name in (
        "compute-class",
        "gke-accelerator",
        "gke-ephemeral-storage-local-ssd",
        "gke-flex-start",
        "gke-gpu-driver-version",
        "gke-gpu-partition-size",
        "gke-gpu-sharing-strategy",
        "gke-local-nvme-ssd",
        "gke-max-shared-clients-per-gpu",
        "gke-preemptible",
        "gke-queued",
        "gke-spot",
        "gke-tpu-accelerator",
        "gke-tpu-topology",
    )
)
# Older names, which not all nodes have any more.
_OLDER = {
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
    "beta.kubernetes.io/os": "kubernetes.io/os",
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "failure-domain.beta.kubernetes.io/region": REGION,
}
_DOMAINS = ("kubernetes.io", "k8s.io", "google.com", "gke.io")


class Met(Enum):
    """Whether nodes meet a requirement."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "cannot be judged"


def met(requirement: Requirement, nodes: Nodes, known: Collection[str]) -> Met:
    """Whether the nodes' labels are as required. Zones are judged elsewhere (fit.py).

    `known` has the keys that only the settings give: a pool without them surely lacks them. Nodes that have a host
    name exist, and have no other labels than these.
    """
    key = requirement.key
    if requirement.field or key in nodes.unsure or key == HOSTNAME:
        return Met.UNKNOWN
    older = _OLDER.get(key)
    if older and key not in nodes.labels and older in nodes.labels and HOSTNAME not in nodes.labels:
        # Absent or as under its newer name: what neither meets is not met.
        possible = {holds(requirement, nodes.labels[older]), holds(requirement, None)}
        return Met.UNKNOWN if len(possible) > 1 else _as_met(possible.pop())
    value = nodes.labels.get(key)
    if key == COMPUTE_CLASS and value is None and may_be_of_gke(requirement) and HOSTNAME not in nodes.labels:
        return Met.UNKNOWN
    if value is not None or HOSTNAME in nodes.labels or key in _OF_SOME or key in known:
        return _as_met(holds(requirement, value))
    domain = key.rpartition("/")[0]
    of_google = any(domain == each or domain.endswith(f".{each}") for each in _DOMAINS)
    # Nothing is known to give a label of another domain, so what holds without it holds.
    return Met.YES if requirement.met_by_absence and not of_google else Met.UNKNOWN


def _as_met(value: bool) -> Met:
    return Met.YES if value else Met.NO
