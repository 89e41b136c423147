"""The networks between GPUs that the program makes for a cluster, and the objects by which pods request them."""

from collections.abc import Mapping

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_gcp import compute, container
from pulumi_gcp import config as gcp_config

from clusters.apis import Apis
from clusters.pools.gpu_networks import Attached, networks_of, own_networks, own_pools
from clusters.pools.spec import NodePool
from clusters.spec import Cluster

_GROUP, _PARAMETERS = "networking.gke.io", "GKENetworkParamSet"


class GpuNetwork(pulumi.ComponentResource):
    """A network between GPUs: a subnet, and the VPC that it is in."""

    def __init__(
        self,
        name: str,
        region: str,
        attached: Attached,
        vpc: compute.Network,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("geo-federation:clusters:GpuNetwork", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        subnet = compute.Subnetwork(
            f"{name}-subnet",
            network=vpc.id,
            region=region,
            ip_cidr_range=str(attached.range),
            opts=child,
        )
        if not attached.rdma:
            # RoCE networks have no firewall rules.
            compute.Firewall(
                f"{name}-internal",
                network=vpc.id,
                direction="INGRESS",
                source_ranges=[str(attached.range)],
                allows=[{"protocol": protocol} for protocol in ("tcp", "udp", "icmp")],
                description=f"Between the nodes of {name}",
                opts=child,
            )
        self.attached = attached
        self.vpc = vpc.name
        self.subnet = subnet.name
        self.register_outputs({"vpc": self.vpc, "subnet": self.subnet})


def create_gpu_networks(cluster: str, spec: Cluster, apis: Apis, opts: pulumi.ResourceOptions) -> dict[str, GpuNetwork]:
    """Makes the VPCs and subnets that the pools of a cluster share; none where no pool has its own."""
    own = own_networks(spec.node_pools, spec.slot, spec.zones)
    if own is None:
        return {}
    child = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[apis]))
    profile = f"projects/{gcp_config.project}/global/networkProfiles/{own.zone}-vpc-roce"
    vpcs = {
        each.vpc: compute.Network(
            f"{cluster}-gpu-{each.vpc}",
            auto_create_subnetworks=False,
            mtu=each.mtu,
            network_profile=profile if each.rdma else None,
            description=f"Between the GPUs of {cluster}",
            opts=child,
        )
        for each in {each.vpc: each for each in own.attached}.values()
    }
    return {
        each.name: GpuNetwork(f"{cluster}-gpu-{each.name}", spec.region, each, vpcs[each.vpc], opts)
        for each in own.attached
    }


def gpu_network_objects(
    cluster: str, networks: Mapping[str, GpuNetwork], opts: pulumi.ResourceOptions
) -> list[pulumi.Resource]:
    """Makes the objects by which pods request each network in the cluster of the options' provider.

    GKE serves their types in clusters with several networks. Source: GKE's guides of GPUDirect, in which they exist
    before the nodes do.
    """
    made: list[pulumi.Resource] = []
    for name, network in networks.items():
        parameters = kubernetes.apiextensions.CustomResource(
            f"{cluster}-gpu-{name}-parameters",
            api_version=f"{_GROUP}/v1",
            kind=_PARAMETERS,
            metadata={"name": name},
            spec={
                "vpc": network.vpc,
                "vpcSubnet": network.subnet,
                "deviceMode": "RDMA" if network.attached.rdma else "NetDevice",
            },
            opts=opts,
        )
        after = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[parameters]))
        made.append(
            kubernetes.apiextensions.CustomResource(
                f"{cluster}-gpu-{name}-network",
                api_version=f"{_GROUP}/v1",
                kind="Network",
                metadata={"name": name},
                spec={
                    "type": "Device",
                    "parametersRef": {"group": _GROUP, "kind": _PARAMETERS, "name": name},
                },
                opts=after,
            )
        )
    return made


def network_config(
    spec: Cluster, pool: NodePool, networks: Mapping[str, GpuNetwork]
) -> container.NodePoolNetworkConfigArgsDict | None:
    """What a pool's nodes are attached to beside the cluster's own network; None for those that have nothing else."""
    if pool.gpu_networks == "auto":
        return {"accelerator_network_profile": "auto"}
    own = own_pools({"": pool}).get("")
    if own is None:
        return None
    attached = [networks[each.name] for each in networks_of(own, spec.slot)]
    return {"additional_node_network_configs": [{"network": each.vpc, "subnetwork": each.subnet} for each in attached]}
