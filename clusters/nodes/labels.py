"""Labels of a pool's nodes: those that GKE gives, and those that the factory writes.

Sources, read 2026-11-26: `kubectl describe node` of GKE nodes in public repositories (2024 to 2026-10, a g2-standard-4
and a ct6e-standard-1t among them), GKE's pages of GPU sharing and of Arm workloads, and karpenter-provider-gcp.
"""

from collections.abc import Mapping

from clusters.classes.spec import LABEL as CLASS
from clusters.facts.gpu_networks import AUTO_LABEL
from clusters.facts.machine_families import family_name, family_of
from clusters.facts.machine_sizes import Size, Tpu, size_of, tpus
from clusters.facts.machines import always_has_ssds, is_sure
from clusters.pools.accelerator import DRA_LABELS
from clusters.pools.gpu_networks import network_labels
from clusters.pools.spec import NodePool
from clusters.spec import Cluster

_GKE = "cloud.google.com/"
ZONE = "topology.kubernetes.io/zone"
"""The label of a node's zone."""
_ZONES = (ZONE, "topology.gke.io/zone", "failure-domain.beta.kubernetes.io/zone")
_REGIONS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
TYPES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
"""The labels of a node's machine type, the newer one first."""
ARCHITECTURES = ("kubernetes.io/arch", "beta.kubernetes.io/arch")
"""The labels of a node's architecture, the newer one first."""
_SYSTEMS = ("kubernetes.io/os", "beta.kubernetes.io/os")
_SIZES = (f"{_GKE}gke-cpu-scaling-level", f"{_GKE}gke-memory-gb-scaling-level")
# Each node has another value, or it depends on GKE's version and the cluster's settings.
_NEVER_SURE = (
    "kubernetes.io/hostname",
    f"{_GKE}gke-netd-ready",
    "addon.gke.io/node-local-dns-ds-ready",
    "node.kubernetes.io/masq-agent-ds-ready",
    *(
        f"disk-type.gke.io/{each}"
        for each in (
            "hyperdisk-balanced",
            "hyperdisk-extreme",
            "hyperdisk-ml",
            "hyperdisk-throughput",
            "pd-balanced",
            "pd-extreme",
            "pd-ssd",
            "pd-standard",
        )
    ),
)
_CLOSE = ("gke-placement-group", "gce-topology-block", "gce-topology-subblock", "gce-topology-host")
_RESERVED = ("reservation-name", "reservation-project", "reservation-affinity")


def zones_of(pool: NodePool, cluster: Cluster) -> tuple[str, ...]:
    """The zones in which a pool's nodes can be; empty where Google chooses them."""
    return tuple(dict.fromkeys(pool.zones or cluster.zones))


def node_labels(name: str, pool: NodePool, cluster: Cluster) -> dict[str, str]:
    """The labels that every node of a pool has, without those of which the value is not known at all."""
    machine, size, family = pool.machine_type, size_of(pool.machine_type), family_of(pool.machine_type)
    zones = zones_of(pool, cluster)
    labels = dict.fromkeys(_REGIONS, cluster.region) | dict.fromkeys(TYPES, machine)
    labels |= dict.fromkeys(_SYSTEMS, "linux") | dict.fromkeys(ARCHITECTURES, family.arch if family else "")
    labels |= dict.fromkeys(_ZONES, zones[0] if len(zones) == 1 else "")
    # The factory makes private nodes, and leaves the image, the logs and the addresses to GKE's defaults.
    own = {
        "gke-nodepool": name,
        "machine-family": family_name(machine),
        "gke-boot-disk": pool.disk_type,
        "gke-os-distribution": "cos",
        "gke-container-runtime": "containerd",
        "gke-max-pods-per-node": str(pool.max_pods_per_node),
        "gke-logging-variant": "DEFAULT",
        "gke-stack-type": "IPV4",
        "private-node": "true",
        "gke-provisioning": "spot" if pool.spot else "flex-start" if pool.flex_start else "standard",
        "gke-spot": _true(pool.spot),
        "gke-flex-start": _true(pool.flex_start),
        "gke-image-streaming": _true(pool.image_streaming),
        "gke-ephemeral-storage-local-ssd": _true(pool.local_ssds and pool.local_ssds.use == "ephemeral"),
        "gke-local-nvme-ssd": _true(pool.local_ssds and pool.local_ssds.use == "block"),
    }
    own |= _of_size(size) | _of_gpus(pool) | _of_tpus(pool, tpus().get(machine))
    labels |= {f"{_GKE}{key}": text for key, text in own.items()}
    labels["iam.gke.io/gke-metadata-server-enabled"] = "true"
    labels |= own_labels(pool)
    return {"role": cluster.role} | pool.labels | {key: text for key, text in labels.items() if text}


def own_labels(pool: NodePool) -> dict[str, str]:
    """The labels that the factory writes into a pool because of its other settings."""
    claims = DRA_LABELS if pool.accelerator and pool.accelerator.dra else {}
    of_class = {CLASS: pool.compute_class} if pool.compute_class else {}
    return claims | of_class | network_labels(pool)


def unsure_labels(pool: NodePool, cluster: Cluster) -> frozenset[str]:
    """The labels that nodes of a pool may have with any value, whatever `node_labels` says."""
    found = {*_NEVER_SURE}
    if len(zones_of(pool, cluster)) != 1:
        # Of several named zones, those of the Kubernetes label are known.
        found |= {*_ZONES[1:]} if zones_of(pool, cluster) else {*_ZONES}
    if size_of(pool.machine_type) is None:
        found |= {*_SIZES}
    if family_of(pool.machine_type) is None:
        found |= {*ARCHITECTURES}
    tpu = tpus().get(pool.machine_type)
    facts: Mapping[str, object] = {
        "gke-accelerator": pool.accelerator and not is_sure(pool.machine_type),
        "gke-accelerator-count": pool.accelerator,
        # GKE's page has the API's TIME_SHARING; nodes were seen with time-sharing.
        "gke-gpu-sharing-strategy": pool.accelerator and pool.accelerator.sharing,
        "gke-tpu-accelerator": tpu and not tpu.sure,
        "gke-tpu-topology": tpu and not (tpu.sure and pool.tpu and pool.tpu.topology),
        "gke-provisioning": pool.flex_start,
        # GKE gives queued pools the taint, and others write the label of the same key into the pool themselves.
        "gke-queued": pool.queued,
        "gke-image-streaming": pool.image_streaming,
        "gke-gcfs": pool.image_streaming,
        "gke-nccl-fastsocket": pool.fast_socket,
        **dict.fromkeys(_CLOSE, pool.compact or pool.reservation),
        **dict.fromkeys(_RESERVED, pool.reservation),
        **dict.fromkeys(
            ("gke-ephemeral-storage-local-ssd", "gke-local-nvme-ssd"),
            not pool.local_ssds and always_has_ssds(pool.machine_type),
        ),
    }
    # One text alone has this label.
    found |= {AUTO_LABEL} if pool.gpu_networks == "auto" else set()
    return frozenset(found | {f"{_GKE}{key}" for key, true in facts.items() if true})


def _of_size(size: Size | None) -> dict[str, str]:
    if size is None:
        return {}
    # Nodes of 448 GiB were seen with 458, those of 720 GiB with 737: thousands of MiB.
    return {
        "gke-cpu-scaling-level": str(size.vcpus),
        "gke-memory-gb-scaling-level": str(int(size.memory_gib * 1024) // 1000),
    }


def _of_gpus(pool: NodePool) -> dict[str, str]:
    if pool.accelerator is None:
        return {}
    labels = {
        "gke-accelerator": pool.accelerator.type,
        "gke-gpu": "true",
        "gke-gpu-driver-version": "disabled" if pool.accelerator.dra else pool.accelerator.driver.lower(),
        "gke-gpu-partition-size": pool.accelerator.partition,
    }
    if sharing := pool.accelerator.sharing:
        labels["gke-gpu-sharing-strategy"] = sharing.strategy.lower().replace("_", "-")
        labels["gke-max-shared-clients-per-gpu"] = str(sharing.clients)
    return labels


def _of_tpus(pool: NodePool, tpu: Tpu | None) -> dict[str, str]:
    if tpu is None:
        return {}
    labels = {"gke-tpu-accelerator": tpu.accelerator, "gke-accelerator-count": str(tpu.chips)}
    return labels | ({"gke-tpu-topology": pool.tpu.topology} if pool.tpu else {})


def _true(fact: object) -> str:
    return "true" if fact else ""
