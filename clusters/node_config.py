"""The configuration of a pool's nodes, as Google Cloud takes it."""

from collections.abc import Mapping

import pulumi
from pulumi_gcp import container

from clusters.facts.machine_sizes import tpus
from clusters.network import MEMBER_TAG
from clusters.nodes import nodes
from clusters.pools.accelerator import Accelerator
from clusters.pools.spec import NodePool

GPU_TAINT: container.NodePoolNodeConfigTaintArgsDict = {
    "key": nodes.GPU_TAINT.key,
    "value": nodes.GPU_TAINT.value,
    "effect": "NO_SCHEDULE",
}
TPU_TAINT: container.NodePoolNodeConfigTaintArgsDict = {
    "key": nodes.TPU_TAINT.key,
    "value": nodes.TPU_TAINT.value,
    "effect": "NO_SCHEDULE",
}
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
        "labels": dict(node_labels) | spec.labels,
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
        config["taints"] = [GPU_TAINT]
    if spec.machine_type in tpus():
        config["taints"] = [TPU_TAINT]
    return config


def _reservation(spec: NodePool) -> container.NodePoolNodeConfigReservationAffinityArgsDict | None:
    if spec.reservation:
        return {
            "consume_reservation_type": "SPECIFIC_RESERVATION",
            "key": "compute.googleapis.com/reservation-name",
            "values": [spec.reservation],
        }
    return {"consume_reservation_type": "NO_RESERVATION"} if spec.flex_start or spec.queued else None


def _gpus(accelerator: Accelerator) -> container.NodePoolNodeConfigGuestAcceleratorArgsDict:
    gpus: container.NodePoolNodeConfigGuestAcceleratorArgsDict = {
        "type": accelerator.type,
        "count": accelerator.count,
        # Without it, every later run would show a difference.
        "gpu_driver_installation_config": {"gpu_driver_version": accelerator.driver},
    }
    if accelerator.sharing:
        gpus["gpu_sharing_config"] = {
            "gpu_sharing_strategy": accelerator.sharing.strategy,
            "max_shared_clients_per_gpu": accelerator.sharing.clients,
        }
    return gpus
