"""The nodes of a pool, as GKE would register them."""

import re
from collections.abc import Iterator
from typing import Any

from clusters.facts import allocatable
from clusters.facts.machine_families import family_name, family_of, local_ssd_gib
from clusters.facts.partitions import parts_of
from clusters.facts.topologies import single_host
from local.gcp.places import region_of
from local.gcp.pools.checks import DEFAULT_MACHINE, EFFECTS
from local.gcp.pools.gpu_checks import has_no_plugin
from local.gcp.pools.machines import Machine, machine
from local.gcp.pools.sizes import pods_per_node, pool_zones, sizes
from local.gcp.resource import given, value, values
from local.wire import Properties

GPU = "nvidia.com/gpu"
POOL = "cloud.google.com/gke-nodepool"
_GPUS = "nodeConfig.guestAccelerators[]"
_SSDS, _NVME = "ephemeralStorageLocalSsdConfig", "localNvmeSsdBlockConfig"
_REGIONS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_ZONES = ("topology.kubernetes.io/zone", "topology.gke.io/zone", "failure-domain.beta.kubernetes.io/zone")
_TYPES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_ARCHITECTURES = ("kubernetes.io/arch", "beta.kubernetes.io/arch")
_SYSTEMS = ("kubernetes.io/os", "beta.kubernetes.io/os")
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
    if found and found.always_ssds and found.local_ssds and not any(given(config, each) for each in (_SSDS, _NVME)):
        config[_SSDS] = {"localSsdCount": found.local_ssds}
    if value(config, "flexStart"):
        config.setdefault("maxRunDuration", f"{_LONGEST_RUN}s")
    return config


def nodes(cluster: Properties, pool: Properties, count: int) -> Iterator[dict[str, Any]]:
    """So many nodes of a pool."""
    zones = pool_zones(pool, cluster)
    kind = _kind(pool)
    size = machine(kind)
    assert size
    resources = {"capacity": _capacity(cluster, pool, size), "allocatable": _allocatable(cluster, pool, size)}
    labels = _labels(cluster, pool, size)
    taints = _taints(pool, size)
    for number in range(count):
        name = re.sub(r"[^-a-z0-9]", "-", f"gke-{cluster['name']}-{pool['name']}-{number}")
        zone = zones[number % len(zones)]
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": labels | {"kubernetes.io/hostname": name} | dict.fromkeys(_ZONES, zone),
                "annotations": {"kwok.x-k8s.io/node": "fake"},
            },
            "spec": {"taints": taints},
            "status": resources,
        }


def _capacity(cluster: Properties, pool: Properties, size: Machine) -> dict[str, str]:
    # A real node's memory lacks what the kernel takes; here that is subtracted from allocatable alone.
    found = {
        "cpu": str(size.cpus),
        "memory": f"{int(size.memory * 1024)}Mi",
        "ephemeral-storage": f"{_local_ssds(pool) * local_ssd_gib(_kind(pool)) or _disk(pool)}Gi",
    }
    return found | _counted(cluster, pool, size)


def _allocatable(cluster: Properties, pool: Properties, size: Machine) -> dict[str, str]:
    kind, ssds = _kind(pool), _local_ssds(pool)
    disk = allocatable.local_ssds(ssds, local_ssd_gib(kind)) if ssds else allocatable.boot_disk(_disk(pool))
    found = {
        "cpu": f"{allocatable.cpu(kind, size.cpus, pods_per_node(pool, cluster))}m",
        "memory": str(allocatable.memory(size.memory)),
        "ephemeral-storage": str(disk),
    }
    return found | _counted(cluster, pool, size)


def _counted(cluster: Properties, pool: Properties, size: Machine) -> dict[str, str]:
    pods = {"pods": str(pods_per_node(pool, cluster))}
    accelerator, count = accelerators_of(pool, size)
    if size.tpu:
        return pods | {"google.com/tpu": str(count)}
    if not count or has_no_plugin(pool):
        return pods
    # Each part of each GPU counts as often as pods may share it.
    parts = parts_of(accelerator, value(pool, f"{_GPUS}.gpuPartitionSize", "")) or 1
    shared = value(pool, f"{_GPUS}.gpuSharingConfig.maxSharedClientsPerGpu", 1)
    return pods | {GPU: str(count * parts * shared)}


def _kind(pool: Properties) -> str:
    return value(pool, "nodeConfig.machineType", DEFAULT_MACHINE)


def _local_ssds(pool: Properties) -> int:
    """The local SSDs of each node that hold its ephemeral storage."""
    return int(value(filled_config(pool), f"{_SSDS}.localSsdCount", 0))


def _disk(pool: Properties) -> int:
    return int(value(pool, "nodeConfig.diskSizeGb", 100))


def _labels(cluster: Properties, pool: Properties, size: Machine) -> dict[str, str]:
    config: Properties = filled_config(pool)
    kind, region = value(config, "machineType", DEFAULT_MACHINE), region_of(cluster["location"])
    spot, flex = config.get("spot"), config.get("flexStart")
    labels: dict[str, Any] = dict(config.get("labels") or {})
    labels |= dict.fromkeys(_REGIONS, region or cluster["location"]) | dict.fromkeys(_TYPES, kind)
    labels |= dict.fromkeys(_SYSTEMS, "linux") | dict.fromkeys(_ARCHITECTURES, _arch(kind))
    if value(config, "workloadMetadataConfig.mode") == "GKE_METADATA":
        labels["iam.gke.io/gke-metadata-server-enabled"] = "true"
    own = {
        "gke-nodepool": pool["name"],
        "machine-family": family_name(kind),
        "gke-boot-disk": value(config, "diskType", "pd-balanced"),
        "gke-os-distribution": "ubuntu" if "UBUNTU" in str(value(config, "imageType", "")).upper() else "cos",
        "gke-container-runtime": "containerd",
        "gke-cpu-scaling-level": size.cpus,
        "gke-memory-gb-scaling-level": int(size.memory * 1024) // 1000,
        "gke-max-pods-per-node": pods_per_node(pool, cluster),
        "gke-logging-variant": value(config, "loggingVariant", "DEFAULT"),
        "gke-stack-type": value(cluster, "ipAllocationPolicy.stackType", "IPV4"),
        "private-node": str(bool(value(cluster, "privateClusterConfig.enablePrivateNodes"))).lower(),
        "gke-provisioning": "spot" if spot else "flex-start" if flex else "standard",
    }
    facts = {
        "gke-spot": spot,
        "gke-flex-start": flex,
        "gke-image-streaming": value(config, "gcfsConfig.enabled"),
        "gke-ephemeral-storage-local-ssd": value(config, f"{_SSDS}.localSsdCount"),
        "gke-local-nvme-ssd": value(config, f"{_NVME}.localSsdCount"),
    }
    own |= _accelerator_labels(pool, size) | {key: "true" for key, true in facts.items() if true}
    return labels | {f"cloud.google.com/{key}": str(text) for key, text in own.items()}


def _accelerator_labels(pool: Properties, size: Machine) -> dict[str, Any]:
    accelerator, count = accelerators_of(pool, size)
    kind = value(pool, "nodeConfig.machineType", DEFAULT_MACHINE)
    if size.tpu:
        labels: dict[str, Any] = {"gke-tpu-accelerator": accelerator, "gke-accelerator-count": count}
        topology = value(pool, "placementPolicy.tpuTopology") or single_host(kind)
        return labels | ({"gke-tpu-topology": topology} if topology else {})
    if not accelerator:
        return {}
    driver = value(pool, f"{_GPUS}.gpuDriverInstallationConfig.gpuDriverVersion", "").lower()
    strategy = value(pool, f"{_GPUS}.gpuSharingConfig.gpuSharingStrategy", "").lower().replace("_", "-")
    clients = value(pool, f"{_GPUS}.gpuSharingConfig.maxSharedClientsPerGpu", "")
    texts = {
        "gke-gpu-driver-version": "disabled" if driver == "installation_disabled" else driver,
        "gke-gpu-partition-size": value(pool, f"{_GPUS}.gpuPartitionSize", ""),
        "gke-gpu-sharing-strategy": strategy,
        "gke-max-shared-clients-per-gpu": clients,
    }
    return {"gke-accelerator": accelerator, "gke-gpu": "true"} | {key: text for key, text in texts.items() if text}


def _arch(kind: str) -> str:
    family = family_of(kind)
    return family.arch if family else "amd64"


def _taints(pool: Properties, size: Machine) -> list[dict[str, str]]:
    taints: list[dict[str, str]] = [
        {"key": taint["key"], "value": taint.get("value", ""), "effect": EFFECTS[taint["effect"]]}
        for taint in values(pool, "nodeConfig.taints[]")
    ]
    # GKE sets them where the pool does not.
    own: dict[str, str] = {}
    if accelerators_of(pool, size)[1]:
        own["google.com/tpu" if size.tpu else GPU] = "present"
    if _arch(_kind(pool)) == "arm64":
        own["kubernetes.io/arch"] = "arm64"
    if value(pool, "queuedProvisioning.enabled"):
        own["cloud.google.com/gke-queued"] = "true"
    keys = {taint["key"] for taint in taints}
    return taints + [
        {"key": key, "value": text, "effect": "NoSchedule"} for key, text in own.items() if key not in keys
    ]


def accelerators_of(pool: Properties, size: Machine | None) -> tuple[str, int]:
    """The accelerators of each node: the requested ones, or else those that the machine type has."""
    if size and size.tpu:
        return size.tpu, size.tpus
    own, count = (size.gpu, size.gpus) if size else ("", 0)
    return value(pool, f"{_GPUS}.type", own), value(pool, f"{_GPUS}.count", count)
