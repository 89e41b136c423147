"""Node pools: nodes that kwok keeps alive, with the size, labels and taints of the real ones."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from local.api import Api, ApiError, Unreachable
from local.gcp.cluster import Cluster, control_plane, taking_time
from local.gcp.machines import machine
from local.gcp.resource import Cloud, Kind
from local.plugin import UNKNOWN, Properties, Refused

_EFFECTS = {"NO_SCHEDULE": "NoSchedule", "PREFER_NO_SCHEDULE": "PreferNoSchedule", "NO_EXECUTE": "NoExecute"}


class NodePool(Kind):
    """A pool of as many nodes as its least size: nothing here makes more of them."""

    token = "gcp:container/nodePool:NodePool"
    fixed = frozenset({"name", "cluster", "location", "nodeConfig", "placementPolicy"})
    longest_name = 40

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"{inputs['cluster']}/nodePools/{inputs['name']}"

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[str]:
        config = inputs.get("nodeConfig", {})
        kind = config.get("machineType", "e2-medium")
        if machine(kind) is None:
            yield f"machine type {kind} does not exist"
        sizes = inputs.get("autoscaling", {})
        if "totalMinNodeCount" in sizes and "minNodeCount" in sizes:
            yield "autoscaling has total and per-zone limits; they exclude each other"
        if sizes and "nodeCount" in inputs:
            yield "nodeCount and autoscaling exclude each other"
        for taint in config.get("taints", []):
            if taint.get("effect") not in _EFFECTS:
                yield f"taint effect {taint.get('effect')} is not one of {', '.join(_EFFECTS)}"
        if inputs["cluster"] != UNKNOWN and cloud.registry.get(Cluster().slug, inputs["cluster"]) is None:
            yield f"cluster {inputs['cluster']} does not exist"

    def make(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        with taking_time("POOL"):
            return self.change(cloud, identifier, inputs)

    def change(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        cluster = cloud.registry.get(Cluster().slug, inputs["cluster"])
        assert cluster
        api = Api.of(control_plane(cloud, cluster["name"]))
        wanted = {node["metadata"]["name"]: node for node in _nodes(cluster, inputs)}
        try:
            found = api.get("/api/v1/nodes", labelSelector=f"cloud.google.com/gke-nodepool={inputs['name']}")["items"]
            present = {node["metadata"]["name"] for node in found}
            for name in sorted(present - wanted.keys()):
                api.delete(f"/api/v1/nodes/{name}")
            for name in sorted(wanted.keys() - present):
                api.create("/api/v1/nodes", wanted[name])
        except (ApiError, Unreachable) as error:
            raise Refused(f"the nodes of pool {inputs['name']} cannot be made: {error}") from None
        return {}

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        cluster = cloud.registry.get(Cluster().slug, state["cluster"])
        if cluster:
            api = Api.of(control_plane(cloud, cluster["name"]))
            with suppress(ApiError, Unreachable):
                api.delete("/api/v1/nodes", labelSelector=f"cloud.google.com/gke-nodepool={state['name']}")


def _nodes(cluster: Properties, pool: Properties) -> Iterator[dict[str, Any]]:
    count = pool.get("autoscaling", {}).get("totalMinNodeCount", pool.get("nodeCount", 0))
    region = cluster["location"]
    zones = cluster.get("nodeLocations") or [f"{region}-{letter}" for letter in "bc"]
    config = pool.get("nodeConfig", {})
    size = machine(config.get("machineType", "e2-medium"))
    assert size
    resources = {
        "cpu": str(size.cpus),
        "memory": f"{int(size.memory * 1024)}Mi",
        "pods": "110",
        "ephemeral-storage": "100Gi",
    }
    labels = dict(config.get("labels", {}))
    for accelerator in config.get("guestAccelerators", []):
        resources["nvidia.com/gpu"] = str(accelerator["count"])
        labels["cloud.google.com/gke-accelerator"] = accelerator["type"]
        labels["cloud.google.com/gke-accelerator-count"] = str(accelerator["count"])
    if config.get("spot"):
        labels["cloud.google.com/gke-spot"] = "true"
    taints = [
        {"key": taint["key"], "value": taint.get("value", ""), "effect": _EFFECTS[taint["effect"]]}
        for taint in config.get("taints", [])
    ]
    for number in range(count):
        name = re.sub(r"[^-a-z0-9]", "-", f"gke-{cluster['name']}-{pool['name']}-{number}")
        own = {
            "kubernetes.io/hostname": name,
            "kubernetes.io/os": "linux",
            "kubernetes.io/arch": "amd64",
            "cloud.google.com/gke-nodepool": pool["name"],
            "node.kubernetes.io/instance-type": config.get("machineType", "e2-medium"),
            "topology.kubernetes.io/region": region,
            "topology.kubernetes.io/zone": zones[number % len(zones)],
        }
        yield {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels | own, "annotations": {"kwok.x-k8s.io/node": "fake"}},
            "spec": {"taints": taints},
            "status": {"capacity": resources, "allocatable": resources},
        }
