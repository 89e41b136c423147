"""A cluster's node pools: the system pool that every cluster has, and those of its settings."""

from collections.abc import Mapping

import pulumi
from pulumi_gcp import container

from clusters.node_account import NodeAccount
from clusters.pool_spec import NodePool
from clusters.system_pool import SYSTEM, SYSTEM_POOL


def create_node_pools(
    name: str,
    cluster: container.Cluster,
    pools: Mapping[str, NodePool],
    account: NodeAccount,
    labels: Mapping[str, str],
    parent: pulumi.Resource,
) -> dict[str, container.NodePool]:
    """Makes the system pool and then the given ones, one after another: GKE changes one pool of a cluster at a time."""
    made: dict[str, container.NodePool] = {}
    previous: pulumi.Resource = account
    for pool, spec in ({SYSTEM_POOL: SYSTEM} | dict(pools)).items():
        previous = made[pool] = container.NodePool(
            f"{name}-{pool}",
            name=pool,
            cluster=cluster.id,
            autoscaling={
                "total_min_node_count": spec.min_nodes,
                "total_max_node_count": spec.max_nodes,
                "location_policy": "ANY",
            },
            management={"auto_repair": True, "auto_upgrade": True},
            # Replacing nodes in place needs no spare quota, which accelerators seldom have.
            upgrade_settings={"max_surge": 0, "max_unavailable": 1},
            node_config=_node_config(spec, account, labels),
            opts=pulumi.ResourceOptions(
                parent=parent,
                depends_on=[previous],
                # The name is unique in its cluster, so a successor cannot stand beside it.
                delete_before_replace=True,
                deleted_with=cluster,
            ),
        )
    return made


def _node_config(
    spec: NodePool, account: NodeAccount, labels: Mapping[str, str]
) -> container.NodePoolNodeConfigArgsDict:
    config: container.NodePoolNodeConfigArgsDict = {
        "machine_type": spec.machine_type,
        "spot": spec.spot,
        "service_account": account.email,
        "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
        "resource_labels": dict(labels),
        "gvnic": {"enabled": True},
        "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
        "workload_metadata_config": {"mode": "GKE_METADATA"},
    }
    if spec.accelerator:
        config["guest_accelerators"] = [
            {
                "type": spec.accelerator.type,
                "count": spec.accelerator.count,
                # Left out, every later run would show a difference.
                "gpu_driver_installation_config": {"gpu_driver_version": "DEFAULT"},
            }
        ]
        config["taints"] = [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}]
    return config
