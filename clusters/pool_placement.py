"""How many nodes a pool can have, and what places them close to each other, as Google Cloud takes it."""

import hashlib

import pulumi
from pulumi_gcp import compute, container

from clusters.pools.slices import is_slice, policy_of, policy_topology
from clusters.pools.spec import NodePool


def create_workload_policy(
    cluster: str, pool: str, spec: NodePool, region: str, opts: pulumi.ResourceOptions
) -> compute.ResourcePolicy | None:
    """Makes the workload policy that a pool needs; None where it needs none."""
    if policy_of(spec) != "workload":
        return None
    topology = policy_topology(spec)
    return compute.ResourcePolicy(
        f"{cluster}-{pool}",
        name=policy_name(pulumi.get_stack(), cluster, pool, topology),
        region=region,
        workload_policy={"type": "HIGH_THROUGHPUT", "accelerator_topology": topology},
        opts=opts,
    )


def policy_name(stack: str, cluster: str, pool: str, topology: str) -> str:
    """The name of a pool's workload policy, of at most 63 characters.

    Another topology is another policy: one that a pool uses cannot be changed, nor deleted before that pool.
    """
    digest = hashlib.sha256(f"{stack}/{cluster}/{pool}".encode()).hexdigest()[:8]
    return f"{pool}-{topology}-{digest}"


def placement_policy(
    spec: NodePool, policy: compute.ResourcePolicy | None
) -> container.NodePoolPlacementPolicyArgsDict | None:
    """The placement policy of a pool, whose workload policy is given where it has one."""
    kind = policy_of(spec)
    if kind == "none":
        return None
    # The provider needs a type, and GKE returns none for a pool with a workload policy: another than an empty one
    # would replace the pool in each run.
    placement: container.NodePoolPlacementPolicyArgsDict = {"type": "COMPACT" if kind == "pool" else ""}
    if policy is not None:
        placement["policy_name"] = policy.name
    if spec.tpu:
        placement["tpu_topology"] = spec.tpu.topology
    return placement


def autoscaling(spec: NodePool) -> container.NodePoolAutoscalingArgsDict:
    """The limits of a pool that an autoscaler changes: those of a slice are of its one zone, none or all.

    GKE refuses limits over all zones for a slice.
    """
    if is_slice(spec):
        return {"min_node_count": 0, "max_node_count": spec.max_nodes, "location_policy": "ANY"}
    return {
        "total_min_node_count": spec.min_nodes,
        "total_max_node_count": spec.max_nodes,
        "location_policy": spec.location_policy,
    }
