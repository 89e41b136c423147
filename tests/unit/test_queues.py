"""Kueue's queues hold what the pools have at their largest, and each pool's own labels and taints."""

from typing import Any

from clusters.nodes.nodes import GPU, Nodes, nodes_of
from clusters.spec import Cluster
from federation.queues import cluster_queue, flavors, quota

L4 = {"machine_type": "g2-standard-8", "accelerator": {"type": "nvidia-l4", "count": 1}, "max_nodes": 4}


def cluster(**pools: Any) -> Cluster:
    raw = {"region": "us-west1", "slot": 0, "role": "batch", "node_pools": pools}
    return Cluster.model_validate(raw)


def quotas(spec: Cluster) -> dict[str, dict[str, str]]:
    """What each flavor of a cluster's queue has of each resource."""
    (group,) = cluster_queue(spec)["resourceGroups"]
    found = {each["name"]: {one["name"]: one["nominalQuota"] for one in each["resources"]} for each in group["flavors"]}
    # Each flavor has a quota of each resource, in the same order, as Kueue requires.
    assert all([*each] == group["coveredResources"] for each in found.values())
    return found


def test_a_quota_is_what_the_pool_has_with_its_most_nodes() -> None:
    spec = cluster(l4=L4, cpus={"machine_type": "n2-standard-4", "max_nodes": 3})
    found = quotas(spec)
    nodes = {each.pool: each for each in nodes_of(spec)}
    assert found["l4"]["nvidia.com/gpu"] == "4"
    assert found["cpus"]["nvidia.com/gpu"] == "0"
    for pool in ("l4", "cpus", "system"):
        assert found[pool]["cpu"] == f"{nodes[pool].allocatable['cpu'] * nodes[pool].most}m"
        assert found[pool]["memory"] == str(nodes[pool].allocatable["memory"] * nodes[pool].most)


def test_pools_without_accelerators_are_tried_first() -> None:
    spec = cluster(a=L4, b=L4, z={"machine_type": "n2-standard-4"})
    assert [*flavors(spec)] == ["z", "system", "a", "b"] == [*quotas(spec)]


def test_gpus_by_claims_are_tried_as_late_as_others() -> None:
    claims = {"machine_type": "g2-standard-8", "accelerator": {"type": "nvidia-l4", "dra": True}}
    spec = cluster(a=claims, b=L4, z={"machine_type": "n2-standard-4"})
    assert [*flavors(spec)] == ["z", "system", "a", "b"]
    assert (quotas(spec)["a"]["nvidia.com/gpu"], quotas(spec)["b"]["nvidia.com/gpu"]) == ("0", "4")


def test_a_flavor_is_a_pools_nodes() -> None:
    found = flavors(cluster(l4=L4, arm={"machine_type": "t2a-standard-4"}))
    label = "cloud.google.com/gke-nodepool"
    taint = {"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}
    # GKE lets pods with GPUs tolerate it only once there are pods.
    tolerated = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    assert found["l4"] == {"nodeLabels": {label: "l4"}, "nodeTaints": [taint], "tolerations": [tolerated]}
    arm = {"key": "kubernetes.io/arch", "value": "arm64", "effect": "NoSchedule"}
    assert found["arm"] == {"nodeLabels": {label: "arm"}, "nodeTaints": [arm]}
    assert found["system"] == {"nodeLabels": {label: "system"}}


def test_what_is_not_known_of_a_machine_refuses_nothing() -> None:
    found = quotas(cluster(new={"machine_type": "x9-standard-8"}))
    assert (found["new"]["cpu"], found["new"]["memory"]) == ("1P", "1P")


def test_every_namespace_may_use_the_queue() -> None:
    assert cluster_queue(cluster(l4=L4))["namespaceSelector"] == {}


def test_quotas_are_written_as_kueue_stores_them() -> None:
    nodes = Nodes("pool", {}, {"cpu": 31_850, "memory": 12_500_000_000, GPU: 8, "ephemeral-storage": 1_024}, 1)
    amounts = {each: quota(nodes, each) for each in nodes.allocatable}
    assert amounts == {"cpu": "31850m", "memory": "12500M", GPU: "8", "ephemeral-storage": "1024"}
    assert quota(Nodes("pool", {}, {"cpu": 4_000}, 1), "cpu") == "4"
    assert quota(Nodes("pool", {}, {"cpu": 4_000}, 0), "cpu") == "0"
    assert quota(Nodes("pool", {}, {}, 1), "cpu") == "0"
