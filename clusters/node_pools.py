"""A cluster's node pools: the system pool that every cluster has, and those of its settings."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_gcp import container

from clusters import filled_in
from clusters.network import MEMBER_TAG
from clusters.node_account import NodeAccount
from clusters.nodes import nodes
from clusters.pools.first_nodes import first_nodes
from clusters.pools.spec import NodePool
from clusters.pools.system_pool import SYSTEM, SYSTEM_POOL
from clusters.spec import Cluster

GPU_TAINT: container.NodePoolNodeConfigTaintArgsDict = {
    "key": nodes.GPU_TAINT.key,
    "value": nodes.GPU_TAINT.value,
    "effect": "NO_SCHEDULE",
}


_FLEX_START_HOURS = 7 * 24


def create_node_pools(
    name: str,
    cluster: container.Cluster,
    spec: Cluster,
    account: NodeAccount,
    labels: Mapping[str, str],
    after: Sequence[pulumi.Resource],
    parent: pulumi.Resource,
) -> dict[str, container.NodePool]:
    """Makes the system pool and then the given ones, one after another: GKE changes one pool of a cluster at a time."""
    pools: dict[str, container.NodePool] = {}
    previous: Sequence[pulumi.Resource] = [account, *after]
    for pool, each in ({SYSTEM_POOL: SYSTEM} | dict(spec.node_pools)).items():
        pools[pool] = container.NodePool(
            f"{name}-{pool}",
            name=pool,
            cluster=cluster.id,
            node_locations=list(each.zones) or None,
            initial_node_count=first_nodes(each, spec.zones),
            autoscaling={
                "total_min_node_count": each.min_nodes,
                "total_max_node_count": each.max_nodes,
                "location_policy": each.location_policy,
            },
            # A flex-start machine cannot be replaced at will.
            management={"auto_repair": not each.flex_start, "auto_upgrade": True},
            # Upgrades without surge nodes need no spare quota, which accelerators seldom have.
            upgrade_settings={"max_surge": 0, "max_unavailable": 1},
            placement_policy={"type": "COMPACT"} if each.compact else None,
            queued_provisioning={"enabled": True} if each.queued else None,
            max_pods_per_node=each.max_pods_per_node,
            node_config=node_config(each, account.email, {"role": spec.role}, labels),
            opts=pulumi.ResourceOptions(
                parent=parent,
                depends_on=previous,
                protect=spec.deletion_protection,
                ignore_changes=filled_in.of_pool(each),
                # The name is unique in its cluster, so the replacement cannot exist beside it.
                delete_before_replace=True,
                deleted_with=cluster,
                custom_timeouts=pulumi.CustomTimeouts(create="60m", update="90m", delete="60m"),
            ),
        )
        previous = [pools[pool]]
    return pools


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
    if spec.reservation:
        config["reservation_affinity"] = {
            "consume_reservation_type": "SPECIFIC_RESERVATION",
            "key": "compute.googleapis.com/reservation-name",
            "values": [spec.reservation],
        }
    elif spec.flex_start or spec.queued:
        config["reservation_affinity"] = {"consume_reservation_type": "NO_RESERVATION"}
    if spec.local_ssds and spec.local_ssds.use == "block":
        config["local_nvme_ssd_block_config"] = {"local_ssd_count": spec.local_ssds.count}
    elif spec.local_ssds:
        config["ephemeral_storage_local_ssd_config"] = {"local_ssd_count": spec.local_ssds.count}
    if spec.accelerator:
        gpu: container.NodePoolNodeConfigGuestAcceleratorArgsDict = {
            "type": spec.accelerator.type,
            "count": spec.accelerator.count,
            # Without it, every later run would show a difference.
            "gpu_driver_installation_config": {"gpu_driver_version": spec.accelerator.driver},
        }
        if spec.accelerator.sharing:
            gpu["gpu_sharing_config"] = {
                "gpu_sharing_strategy": spec.accelerator.sharing.strategy,
                "max_shared_clients_per_gpu": spec.accelerator.sharing.clients,
            }
        config["guest_accelerators"] = [gpu]
        config["taints"] = [GPU_TAINT]
    return config
