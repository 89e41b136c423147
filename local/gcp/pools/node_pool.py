"""Node pools: nodes that kwok keeps alive, with the size, labels and taints of the real ones."""

from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Network
from typing import Any, ClassVar

from clusters.classes.spec import LABEL
from local.api import Api, ApiError, Unreachable
from local.gcp.cluster import Cluster, control_plane
from local.gcp.cluster_checks import missing_account
from local.gcp.compute_classes import ensure_compute_classes
from local.gcp.network import SUBNETS
from local.gcp.pools.checks import CHOICES, DEFAULT_MACHINE, room, wrong_pool
from local.gcp.pools.network_checks import missing_networks
from local.gcp.pools.nodes import POOL, filled_config, node_count, nodes
from local.gcp.pools.quota_checks import beyond_quota
from local.gcp.pools.sizes import pool_zones, sizes
from local.gcp.pools.slice_checks import nodes_of, wrong_policy
from local.gcp.resource import CONTAINER, Choices, Cloud, Kind, Wrong, find, project_of, value
from local.gcp.timing import operation, taking_time
from local.plugin import Refused
from local.wire import UNKNOWN, Properties
from placement.api.quantities import whole

_NODE_CONFIG = (
    "advancedMachineFeatures bootDiskKmsKey confidentialNodes enableConfidentialStorage ephemeralStorageConfig "
    "ephemeralStorageLocalSsdConfig flexStart guestAccelerators hostMaintenancePolicy localNvmeSsdBlockConfig "
    "localSsdCount localSsdEncryptionMode maxRunDuration metadata minCpuPlatform nodeGroup oauthScopes preemptible "
    "reservationAffinity sandboxConfig secondaryBootDisks serviceAccount shieldedInstanceConfig soleTenantConfig spot"
)
_COMPUTED = (
    "confidentialNodes guestAccelerators localSsdCount metadata minCpuPlatform oauthScopes serviceAccount "
    "shieldedInstanceConfig"
)

_NOT_FOR_NODES = 5  # four addresses of a subnet are Google Cloud's, and one is the control plane's


class NodePool(Kind):
    """A pool of as many nodes as it starts with, at most its minimum size: nothing here adds nodes."""

    token = "gcp:container/nodePool:NodePool"
    fixed = frozenset(
        {
            "name",
            "cluster",
            "location",
            "project",
            "bestEffortProvisioning",
            "initialNodeCount",
            "maxPodsPerNode",
            "networkConfig.acceleratorNetworkProfile",
            "networkConfig.additionalNodeNetworkConfigs",
            "networkConfig.additionalPodNetworkConfigs",
            "networkConfig.createPodRange",
            "networkConfig.podIpv4CidrBlock",
            "networkConfig.podRange",
            "placementPolicy",
            "queuedProvisioning",
            *(f"nodeConfig.{each}" for each in _NODE_CONFIG.split()),
        }
    )
    computed = frozenset(
        {
            "initialNodeCount",
            "location",
            "maxPodsPerNode",
            "name",
            "networkConfig.additionalNodeNetworkConfigs",
            "networkConfig.podIpv4CidrBlock",
            "networkConfig.podRange",
            "project",
            *(f"nodeConfig.{each}" for each in _COMPUTED.split()),
        }
    )
    needed = ("cluster",)
    choices: ClassVar[Choices] = CHOICES
    labels = ("nodeConfig.resourceLabels",)
    longest_name = 40

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"{_cluster_id(cloud, inputs)}/nodePools/{inputs['name']}"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return (CONTAINER,)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        known = inputs["cluster"] != UNKNOWN
        yield from wrong_pool(cloud, inputs | ({"cluster": _cluster_id(cloud, inputs)} if known else {}))

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        found = find(cloud, Cluster().slug, _cluster_id(cloud, inputs))
        if found is None:
            yield Wrong("cluster", f"Error 404: Not found: {_cluster_id(cloud, inputs)}")
            return
        account = value(inputs, "nodeConfig.serviceAccount")
        if account and (missing := missing_account(cloud, account)):
            yield Wrong("nodeConfig.serviceAccount", missing)
        cluster_id, cluster = found
        yield from missing_networks(cloud, inputs, cluster)
        kind = value(inputs, "nodeConfig.machineType", DEFAULT_MACHINE)
        yield from wrong_policy(cloud, kind, inputs, cluster)
        space = room(cloud, inputs, cluster)
        pools = {key: each for key, each in cloud.registry.all(self.slug).items() if key != identifier}
        others = [each for each in pools.values() if _cluster_id(cloud, each) == cluster_id]
        here = [inputs, *(each for each in others if room(cloud, each, cluster) == space)]
        least = sum(sizes(each, len(pool_zones(each, cluster)))[0] for each in here)
        if space and least > space[1]:
            why = f"range {space[0]} has room for {space[1]} nodes, and the cluster's pools have {least}"
            yield Wrong("autoscaling", f"Error 400: IP_SPACE_EXHAUSTED: {why}")
        if cloud.registry.get(self.slug, identifier) is None:
            known = ((each, find(cloud, Cluster().slug, _cluster_id(cloud, each))) for each in pools.values())
            yield from beyond_quota(inputs, cluster, [(each, its[1]) for each, its in known if its])
        everything = sum(sizes(each, len(pool_zones(each, cluster)))[0] for each in (inputs, *others))
        subnet = find(cloud, SUBNETS, cluster.get("subnetwork") or "")
        fits = IPv4Network(subnet[1]["ipCidrRange"]).num_addresses - _NOT_FOR_NODES if subnet else everything
        if everything > fits:
            why = f"the subnetwork has addresses for {fits} nodes, and the cluster's pools have {everything}"
            yield Wrong("autoscaling", f"Error 400: IP_SPACE_EXHAUSTED: {why}")

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        found = find(cloud, Cluster().slug, _cluster_id(cloud, inputs))
        where = {
            "project": project_of(cloud, inputs),
            "initialNodeCount": inputs.get("initialNodeCount", 0),
            "nodeConfig": filled_config(inputs),
        }
        return where | ({"location": found[1]["location"], "version": found[1].get("masterVersion")} if found else {})

    def make(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        what = f"CREATE_NODE_POOL {inputs['name']}"
        with operation(cloud.registry, _cluster_id(cloud, inputs), what), taking_time("POOL"):
            return _bring(cloud, inputs, new=True)

    def change(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        with operation(cloud.registry, _cluster_id(cloud, inputs), f"UPDATE_NODE_POOL {inputs['name']}"):
            return _bring(cloud, inputs, new=False)

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        found = find(cloud, Cluster().slug, _cluster_id(cloud, state))
        if found is None:
            return
        with operation(cloud.registry, found[0], f"DELETE_NODE_POOL {state['name']}"):
            api = Api(control_plane(cloud, found[1]["name"]))
            with suppress(ApiError, Unreachable):
                api.delete("/api/v1/nodes", labelSelector=f"{POOL}={state['name']}")


def _cluster_id(cloud: Cloud, inputs: Properties) -> str:
    """The id of a pool's cluster, which it may name by its id, or by its bare name and location."""
    name = str(inputs.get("cluster"))
    if "/" in name:
        return name
    return f"projects/{project_of(cloud, inputs)}/locations/{inputs.get('location') or cloud.region}/clusters/{name}"


def _bring(cloud: Cloud, inputs: Properties, new: bool) -> Properties:
    """Creates the missing nodes of a pool, changes those that differ and removes those that are too many."""
    found = find(cloud, Cluster().slug, _cluster_id(cloud, inputs))
    assert found
    cluster = found[1]
    try:
        api = Api(control_plane(cloud, cluster["name"]))
        if value(inputs, "nodeConfig.labels", {}).get(LABEL):
            # A cluster that an older version of this stand-in made lacks the type.
            ensure_compute_classes(api)
        listed = api.list("/api/v1/nodes", labelSelector=f"{POOL}={inputs['name']}")
        present = {node["metadata"]["name"]: node for node in listed}
        zones = len(pool_zones(inputs, cluster))
        count = node_count(inputs, zones, inputs.get("initialNodeCount", 0) * zones if new else len(present))
        desired = {node["metadata"]["name"]: node for node in nodes(cluster, inputs, count)}
        # Another machine is another node.
        other = {name for name in present.keys() & desired.keys() if _machine(present[name]) != _machine(desired[name])}
        if nodes_of(value(inputs, "nodeConfig.machineType", DEFAULT_MACHINE), inputs) > 1 and (
            other or desired.keys() - present.keys()
        ):
            # A slice is made again as a whole.
            other = present.keys() & desired.keys()
        for name in sorted((present.keys() - desired.keys()) | other):
            api.delete(f"/api/v1/nodes/{name}")
        for name in sorted((desired.keys() - present.keys()) | other):
            api.create("/api/v1/nodes", desired[name])
        for name in sorted((present.keys() & desired.keys()) - other):
            if patch := _patch(present[name], desired[name]):
                api.merge(f"/api/v1/nodes/{name}", patch)
    except (ApiError, Unreachable) as error:
        raise Refused(f"the nodes of pool {inputs['name']} cannot be made: {error}") from None
    return {}


def _machine(node: dict[str, Any]) -> tuple[int | None, ...]:
    # The API server writes amounts in its own way: 85Gi for 87040Mi.
    capacity, allocatable = node["status"]["capacity"], node["status"].get("allocatable", {})
    counted = (whole(capacity.get(each)) for each in ("cpu", "memory", "pods", "nvidia.com/gpu", "google.com/tpu"))
    return *counted, *(whole(allocatable.get(each)) for each in ("memory", "ephemeral-storage"))


def _patch(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The patch that gives a node the labels and taints of its pool, and keeps those that others have set."""
    before, after = old["metadata"]["labels"], new["metadata"]["labels"]
    labels: dict[str, str | None] = {key: text for key, text in after.items() if before.get(key) != text}
    patch: dict[str, Any] = {"metadata": {"labels": labels}} if labels else {}
    automatic = [each for each in old["spec"].get("taints", []) if each["key"].startswith("node.kubernetes.io/")]
    before_taints = [each for each in old["spec"].get("taints", []) if each not in automatic]
    same = [_taint(each) for each in before_taints] == [_taint(each) for each in new["spec"]["taints"]]
    return patch if same else patch | {"spec": {"taints": new["spec"]["taints"] + automatic}}


def _taint(taint: dict[str, Any]) -> tuple[object, ...]:
    return taint["key"], taint.get("value", ""), taint["effect"]
