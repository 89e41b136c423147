"""The configuration of a pool's nodes, as Google Cloud takes it."""

from collections.abc import Mapping

import pulumi
from pulumi_gcp import container

from clusters.network import MEMBER_TAG
from clusters.nodes.labels import own_labels
from clusters.nodes.nodes import Taint, own_taints
from clusters.pools.accelerator import Accelerator
from clusters.pools.spec import NodePool

_FLEX_START_HOURS = 7 * 24


def node_config(
    spec: NodePool,
    account: pulumi.Input[str],
    node_labels: Mapping[str, str],
    resource_labels: Mapping[str, str],
) -> container.NodePoolNodeConfigArgsDict:
    """The nodes of a pool; `node_labels` are Kubernetes', and `resource_labels` Google Cloud's."""
    config: container.NodePoolNodeConfigArgsDict = {
        "machine_type": spec.machine_type,
        "spot": spec.spot,
        "flex_start": spec.flex_start,
        "disk_size_gb": spec.disk_gb,
        "disk_type": spec.disk_type,
        "service_account": account,
        "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        "labels": dict(node_labels) | spec.labels | own_labels(spec),
        "resource_labels": dict(resource_labels),
        "tags": [MEMBER_TAG],
        "gvnic": {"enabled": True},
        "gcfs_config": {"enabled": spec.image_streaming},
        "shielded_instance_config": {
            "enable_secure_boot": spec.secure_boot,
            "enable_integrity_monitoring": True,
        },
        "workload_metadata_config": {"mode": "GKE_METADATA"},
    }
    # In a queued pool without flex_start, each ProvisioningRequest sets it, or has seven days by default.
    hours = spec.max_run_hours or (_FLEX_START_HOURS if spec.flex_start else 0)
    if hours:
        config["max_run_duration"] = f"{hours * 3600}s"
    if spec.fast_socket:
        config["fast_socket"] = {"enabled": True}
    if reservation := _reservation(spec):
        config["reservation_affinity"] = reservation
    if spec.local_ssds and spec.local_ssds.use == "block":
        config["local_nvme_ssd_block_config"] = {"local_ssd_count": spec.local_ssds.count}
    elif spec.local_ssds:
        config["ephemeral_storage_local_ssd_config"] = {"local_ssd_count": spec.local_ssds.count}
    if spec.accelerator:
        config["guest_accelerators"] = [_gpus(spec.accelerator)]
    if taints := own_taints(spec):
        config["taints"] = [*map(_taint, taints)]
    if spec.preload:
        config["secondary_boot_disks"] = [
            {"disk_image": image, "mode": "CONTAINER_IMAGE_CACHE"} for image in spec.preload
        ]
    return config


def _reservation(spec: NodePool) -> container.NodePoolNodeConfigReservationAffinityArgsDict | None:
    if spec.reservation:
        return {
            "consume_reservation_type": "SPECIFIC_RESERVATION",
            "key": "compute.googleapis.com/reservation-name",
            "values": [spec.reservation],
        }
    return {"consume_reservation_type": "NO_RESERVATION"} if spec.flex_start or spec.queued else None


def _taint(taint: Taint) -> container.NodePoolNodeConfigTaintArgsDict:
    return {"key": taint.key, "value": taint.value, "effect": "NO_SCHEDULE"}


def _gpus(accelerator: Accelerator) -> container.NodePoolNodeConfigGuestAcceleratorArgsDict:
    gpus: container.NodePoolNodeConfigGuestAcceleratorArgsDict = {
        "type": accelerator.type,
        "count": accelerator.count,
        # Without it, every later run would show a difference.
        "gpu_driver_installation_config": {
            "gpu_driver_version": "INSTALLATION_DISABLED" if accelerator.dra else accelerator.driver
        },
    }
    if accelerator.partition:
        gpus["gpu_partition_size"] = accelerator.partition
    if accelerator.sharing:
        gpus["gpu_sharing_config"] = {
            "gpu_sharing_strategy": accelerator.sharing.strategy,
            "max_shared_clients_per_gpu": accelerator.sharing.clients,
        }
    return gpus
