"""A cluster's node pools: the system pool that every cluster has, and those of its settings."""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_gcp import container

from clusters import filled_in
from clusters.gpu_networks import GpuNetwork, network_config
from clusters.node_account import NodeAccount
from clusters.node_config import node_config
from clusters.pool_placement import autoscaling, create_workload_policy, placement_policy
from clusters.pools.first_nodes import first_nodes
from clusters.pools.gpu_networks import may_have_gpu_networks
from clusters.pools.slices import is_always_there
from clusters.pools.system_pool import SYSTEM, SYSTEM_POOL
from clusters.spec import Cluster


def create_node_pools(
    name: str,
    cluster: container.Cluster,
    spec: Cluster,
    account: NodeAccount,
    labels: Mapping[str, str],
    after: Sequence[pulumi.Resource],
    gpu_networks: Mapping[str, GpuNetwork],
    parent: pulumi.Resource,
) -> dict[str, container.NodePool]:
    """Makes the system pool and then the given ones, one after another: GKE changes one pool of a cluster at a time."""
    pools: dict[str, container.NodePool] = {}
    previous: Sequence[pulumi.Resource] = [account, *after]
    policies = pulumi.ResourceOptions(parent=parent, depends_on=[*previous])
    for pool, each in ({SYSTEM_POOL: SYSTEM} | dict(spec.node_pools)).items():
        fixed = is_always_there(each)
        policy = create_workload_policy(name, pool, each, spec.region, policies)
        pools[pool] = container.NodePool(
            f"{name}-{pool}",
            name=pool,
            cluster=cluster.id,
            node_locations=list(each.zones) or None,
            initial_node_count=None if fixed else first_nodes(each, spec.zones),
            node_count=each.max_nodes if fixed else None,
            autoscaling=None if fixed else autoscaling(each),
            # A flex-start machine cannot be replaced at will.
            management={"auto_repair": not each.flex_start, "auto_upgrade": True},
            # Upgrades without surge nodes need no spare quota, which accelerators seldom have.
            upgrade_settings={"max_surge": 0, "max_unavailable": 1},
            placement_policy=placement_policy(each, policy),
            queued_provisioning={"enabled": True} if each.queued else None,
            max_pods_per_node=each.max_pods_per_node,
            network_config=network_config(spec, each, gpu_networks),
            node_config=node_config(each, account.email, {"role": spec.role}, labels),
            opts=pulumi.ResourceOptions(
                parent=parent,
                depends_on=previous,
                protect=spec.deletion_protection,
                ignore_changes=filled_in.of_pool(each),
                # Their removal would be ignored, as GKE may fill in that part.
                replacement_trigger=each.gpu_networks if may_have_gpu_networks(each) else None,
                # The name is unique in its cluster, so the replacement cannot exist beside it.
                delete_before_replace=True,
                deleted_with=cluster,
                custom_timeouts=pulumi.CustomTimeouts(create="60m", update="90m", delete="60m"),
            ),
        )
        previous = [pools[pool]]
    return pools
