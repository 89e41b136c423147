"""The nodes of a pool, as GKE would register them."""

import re
from collections.abc import Iterator
from typing import Any

from local.gcp.machines import Machine, machine
from local.gcp.node_pool_checks import DEFAULT_MACHINE, EFFECTS, pods_per_node, pool_zones, sizes
from local.gcp.places import region_of
from local.gcp.resource import given, value, values
from local.wire import Properties

GPU = "nvidia.com/gpu"
POOL = "cloud.google.com/gke-nodepool"
_LONGEST_RUN = 7 * 86_400  # seconds


def node_count(pool: Properties, zones: int, present: int) -> int:
    """How many nodes a pool keeps of so many. Its autoscaler adds none to reach its minimum.

    It removes those that no pod needs, down to the minimum; here, also those that pods need.
    """
    least = sizes(pool, zones)[0]
    return min(present, least) if given(pool, "autoscaling") else least


def filled_config(pool: Properties) -> Properties:
    """A pool's node configuration with what GKE writes into it."""
    if not isinstance(pool.get("nodeConfig"), dict):
        return pool.get("nodeConfig") or {}
    config: Properties = dict(pool["nodeConfig"])
    found = machine(value(config, "machineType", DEFAULT_MACHINE))
    disks = ("ephemeralStorageLocalSsdConfig", "localNvmeSsdBlockConfig")
    if found and found.always_ssds and found.local_ssds and not any(given(config, each) for each in disks):
        config[disks[0]] = {"localSsdCount": found.local_ssds}
    if value(config, "flexStart"):
        config.setdefault("maxRunDuration", f"{_LONGEST_RUN}s")
    return config


def nodes(cluster: Properties, pool: Properties, count: int) -> Iterator[dict[str, Any]]:
    """So many nodes of a pool."""
    zones = pool_zones(pool, cluster)
    kind = value(pool, "nodeConfig.machineType", DEFAULT_MACHINE)
    size = machine(kind)
    assert size
    resources = _resources(cluster, pool, size)
    labels = _labels(pool, size)
    taints = _taints(pool, size)
    for number in range(count):
        name = re.sub(r"[^-a-z0-9]", "-", f"gke-{cluster['name']}-{pool['name']}-{number}")
        own = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "arm64" if re.match("t2a|c4a|a4x", kind) else "amd64",
            POOL: pool["name"],
            "node.kubernetes.io/instance-type": kind,
            "topology.kubernetes.io/region": region_of(cluster["location"]) or cluster["location"],
            "topology.kubernetes.io/zone": zones[number % len(zones)],
        }
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels | own, "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "spec": {"taints": taints},
            "status": {"capacity": resources, "allocatable": resources},
        }


def _resources(cluster: Properties, pool: Properties, size: Machine) -> dict[str, str]:
    found = {
        "cpu": str(size.cpus),
        "memory": f"{int(size.memory * 1024)}Mi",
        "pods": str(pods_per_node(pool, cluster)),
        "ephemeral-storage": f"{value(pool, 'nodeConfig.diskSizeGb', 100)}Gi",
    }
    _, count = _accelerator(pool, size)
    # Each GPU counts as often as pods may share it.
    shared = value(pool, "nodeConfig.guestAccelerators[].gpuSharingConfig.maxSharedClientsPerGpu", 1)
    return found | ({"google.com/tpu": str(count)} if size.tpu else {GPU: str(count * shared)} if count else {})


def _labels(pool: Properties, size: Machine) -> dict[str, str]:
    config: Properties = pool.get("nodeConfig") or {}
    spot, flex = config.get("spot"), config.get("flexStart")
    labels: dict[str, Any] = dict(config.get("labels") or {})
    labels["cloud.google.com/gke-provisioning"] = "spot" if spot else "flex-start" if flex else "standard"
    labels["cloud.google.com/machine-family"] = value(config, "machineType", DEFAULT_MACHINE).partition("-")[0]
    accelerator, count = _accelerator(pool, size)
    if size.tpu:
        labels["cloud.google.com/gke-tpu-accelerator"] = accelerator
    elif accelerator:
        labels["cloud.google.com/gke-accelerator"] = accelerator
        labels["cloud.google.com/gke-accelerator-count"] = str(count)
    sharing = "guestAccelerators[].gpuSharingConfig"
    facts = {
        "gke-spot": spot,
        "gke-flex-start": flex,
        "gke-queued": value(pool, "queuedProvisioning.enabled"),
        "gke-image-streaming": value(config, "gcfsConfig.enabled"),
        "gke-ephemeral-storage-local-ssd": value(config, "ephemeralStorageLocalSsdConfig.localSsdCount"),
        "gke-local-nvme-ssd": value(config, "localNvmeSsdBlockConfig.localSsdCount"),
    }
    texts = {
        "gke-gpu-driver-version": value(
            config, "guestAccelerators[].gpuDriverInstallationConfig.gpuDriverVersion", ""
        ).lower(),
        "gke-gpu-sharing-strategy": value(config, f"{sharing}.gpuSharingStrategy", "").lower().replace("_", "-"),
        "gke-max-shared-clients-per-gpu": str(value(config, f"{sharing}.maxSharedClientsPerGpu", "")),
    }
    labels |= {f"cloud.google.com/{key}": "true" for key, true in facts.items() if true}
    labels |= {f"cloud.google.com/{key}": text for key, text in texts.items() if text}
    if value(config, "workloadMetadataConfig.mode") == "GKE_METADATA":
        labels["iam.gke.io/gke-metadata-server-enabled"] = "true"
    return {key: str(text) for key, text in labels.items()}


def _taints(pool: Properties, size: Machine) -> list[dict[str, str]]:
    taints: list[dict[str, str]] = [
        {"key": taint["key"], "value": taint.get("value", ""), "effect": EFFECTS[taint["effect"]]}
        for taint in values(pool, "nodeConfig.taints[]")
    ]
    # GKE sets them where the pool does not.
    own: dict[str, str] = {}
    if _accelerator(pool, size)[1]:
        own["google.com/tpu" if size.tpu else GPU] = "present"
    if value(pool, "queuedProvisioning.enabled"):
        own["cloud.google.com/gke-queued"] = "true"
    keys = {taint["key"] for taint in taints}
    return taints + [
        {"key": key, "value": text, "effect": "NoSchedule"} for key, text in own.items() if key not in keys
    ]


def _accelerator(pool: Properties, size: Machine) -> tuple[str, int]:
    """The accelerators of each node: the requested ones, or else those that the machine type has."""
    if size.tpu:
        return size.tpu, size.tpus
    path = "nodeConfig.guestAccelerators[]"
    return value(pool, f"{path}.type", size.gpu), value(pool, f"{path}.count", size.gpus)
