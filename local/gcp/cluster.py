"""Clusters: real control planes on this machine."""

from collections.abc import Iterator
from typing import Any, ClassVar

from local import node_agent
from local.api import Api, ApiError, Unreachable
from local.control_plane import ControlPlane, ControlPlaneError
from local.gcp import services
from local.gcp.cluster_checks import CHOICES, hindered_cluster, wrong_cluster
from local.gcp.compute_classes import ensure_compute_classes
from local.gcp.gkehub import HUB
from local.gcp.iam import POOLS
from local.gcp.network_crds import ensure_networks
from local.gcp.resource import CONTAINER, Choices, Cloud, Kind, Wrong, given, lacking, project_of, value
from local.gcp.timing import operation, taking_time
from local.gcp.versions import VERSION
from local.plugin import Refused
from local.wire import UNKNOWN, Properties

NODE_POOLS = "nodepool"  # in the registry


class Cluster(Kind):
    """A GKE cluster. Nodes are created with its pools, so the default pool that GKE requires is never created."""

    token = "gcp:container/cluster:Cluster"
    fixed = frozenset(
        {
            "clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey",
            "clusterIpv4Cidr",
            "confidentialNodes.enabled",
            "datapathProvider",
            "dataplaneOptimizationMode",
            "defaultMaxPodsPerNode",
            "description",
            "enableAutopilot",
            "enableKubernetesAlpha",
            "enableTpu",
            "initialNodeCount",
            "ipAllocationPolicy.clusterIpv4CidrBlock",
            "ipAllocationPolicy.clusterSecondaryRangeName",
            "ipAllocationPolicy.servicesIpv4CidrBlock",
            "ipAllocationPolicy.servicesSecondaryRangeName",
            "ipAllocationPolicy.stackType",
            "location",
            "masterAuth",
            "name",
            "network",
            "networkingMode",
            "nodeConfig",
            "privateClusterConfig.masterIpv4CidrBlock",
            "privateClusterConfig.privateEndpointSubnetwork",
            "project",
            "subnetwork",
            "userManagedKeysConfig",
        }
    )
    computed = frozenset(
        {
            # Its whole block is kept where the program leaves it out.
            "clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey",
            "clusterIpv4Cidr",
            "confidentialNodes.enabled",
            "datapathProvider",
            "defaultMaxPodsPerNode",
            "enableTpu",
            "ipAllocationPolicy.clusterIpv4CidrBlock",
            "ipAllocationPolicy.clusterSecondaryRangeName",
            "ipAllocationPolicy.servicesIpv4CidrBlock",
            "ipAllocationPolicy.servicesSecondaryRangeName",
            "ipAllocationPolicy.stackType",
            "location",
            "masterAuth",
            "name",
            "networkingMode",
            "nodeConfig",
            "privateClusterConfig.masterIpv4CidrBlock",
            "project",
            "subnetwork",
        }
    )
    needed = ("location",)
    labels = ("resourceLabels", "nodeConfig.resourceLabels")
    choices: ClassVar[Choices] = CHOICES
    longest_name = 40

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{project_of(cloud, inputs)}/locations/{inputs.get('location')}/clusters/{inputs['name']}"

    def apis(self, inputs: Properties) -> tuple[str, ...]:
        return (CONTAINER, HUB) if given(inputs, "fleet.project") else (CONTAINER,)

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from wrong_cluster(cloud, identifier, inputs)

    def hindered(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from hindered_cluster(cloud, inputs)

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        link = f"https://container.googleapis.com/v1/{identifier}"
        known: Properties = {"project": project_of(cloud, inputs), "selfLink": link, "nodePools": []}
        if fleet := value(inputs, "fleet.project"):
            where = f"projects/{services.number(fleet)}/locations/{inputs['location']}"
            known["fleet"] = {
                **inputs["fleet"],
                "membership": f"//{HUB}/{where}/memberships/{inputs['name']}",
                "membershipId": inputs["name"],
                "membershipLocation": inputs["location"],
                "preRegistered": False,
            }
        return known

    def foreseen(self, inputs: Properties) -> Properties:
        fleet = ("membership", "membershipId", "membershipLocation", "preRegistered")
        known = {"fleet": {**inputs["fleet"], **dict.fromkeys(fleet, UNKNOWN)}} if value(inputs, "fleet") else {}
        return known | _served(inputs, UNKNOWN, UNKNOWN)

    def make(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        plane = control_plane(cloud, inputs["name"])
        with operation(cloud.registry, identifier, "CREATE_CLUSTER"), taking_time("CLUSTER"):
            try:
                plane.start()
                ensure_compute_classes(Api(plane))
            except (ControlPlaneError, ApiError, Unreachable) as error:
                raise Refused(str(error)) from None
        (plane.folder / "ready").touch()
        if value(inputs, "enableMultiNetworking"):
            _serve_networks(plane)
        node_agent.ensure(cloud.home)
        if pool := value(inputs, "workloadIdentityConfig.workloadPool"):
            cloud.registry.put(POOLS, pool, {})
        return _served(inputs, plane.endpoint.rpartition(":")[2], plane.certificate_authority)

    def kept(self, old: Properties, new: Properties) -> Properties:
        return _served(new, old["endpoint"].rpartition(":")[2], old["masterAuth"]["clusterCaCertificate"])

    def change(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        with operation(cloud.registry, identifier, "UPDATE_CLUSTER"):
            if value(inputs, "enableMultiNetworking"):
                _serve_networks(control_plane(cloud, inputs["name"]))
            if pool := value(inputs, "workloadIdentityConfig.workloadPool"):
                cloud.registry.put(POOLS, pool, {})
        return {}

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        if state.get("deletionProtection", True):
            why = "Cannot destroy cluster because deletion_protection is set to true"
            raise Refused(f"{why}. Set it to false to proceed with the deletion of cluster {state['name']}")
        with operation(cloud.registry, identifier, "DELETE_CLUSTER"):
            control_plane(cloud, state["name"]).delete()
            # Its pools are deleted with it; Pulumi may not delete each of them.
            for pool, properties in cloud.registry.all(NODE_POOLS).items():
                if properties["cluster"] == identifier:
                    cloud.registry.remove(NODE_POOLS, pool)


def _serve_networks(plane: ControlPlane) -> None:
    try:
        ensure_networks(Api(plane))
    except (ApiError, Unreachable) as error:
        raise Refused(f"the types of networks of cluster {plane.name} cannot be made: {error}") from None


def control_plane(cloud: Cloud, name: str) -> ControlPlane:
    """The control plane that runs a cluster."""
    return ControlPlane(name, cloud.home.clusters / name, cloud.home.binaries)


def _served(inputs: Properties, port: str, authority: str) -> Properties:
    """Where the API server is and how to trust it, for inputs that choose one endpoint or the other.

    Each is a name of its own for this machine's loopback interface, and each is served by the cluster's own CA.
    """
    address = UNKNOWN if port == UNKNOWN else f"127.0.0.1:{port}"
    host = UNKNOWN if port == UNKNOWN else f"localhost:{port}"
    by_address = value(inputs, "controlPlaneEndpointsConfig.ipEndpointsConfig.enabled", True)
    made: dict[str, Any] = {
        # GKE gives the name where it serves no address.
        "endpoint": address if by_address else host,
        "masterVersion": UNKNOWN if port == UNKNOWN else VERSION,
        "masterAuth": {**inputs.get("masterAuth", {}), "clusterCaCertificate": authority},
    }
    if isinstance(private := inputs.get("privateClusterConfig"), dict):
        filled: Properties = {"privateEndpoint": address, "publicEndpoint": address}
        if lacking(inputs, "privateClusterConfig.masterIpv4CidrBlock") and inputs.get("subnetwork"):
            filled["privateEndpointSubnetwork"] = inputs["subnetwork"]
        made["privateClusterConfig"] = {**filled, **private}
    if isinstance(value(inputs, "controlPlaneEndpointsConfig.dnsEndpointConfig"), dict):
        endpoints = inputs["controlPlaneEndpointsConfig"]
        named = {**endpoints["dnsEndpointConfig"], "endpoint": host}
        made["controlPlaneEndpointsConfig"] = {**endpoints, "dnsEndpointConfig": named}
    return made
