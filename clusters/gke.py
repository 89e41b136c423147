"""The shared factory: every cluster of the federation, for training, serving or anything else, is made here."""

import re

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_gcp import config as gcp_config
from pulumi_gcp import container

from clusters.addresses import addresses
from clusters.kubeconfig import kubeconfig
from clusters.network import PODS_RANGE, SERVICES_RANGE, Network, create_subnet
from clusters.node_account import NodeAccount
from clusters.node_pools import create_node_pools
from clusters.spec import Cluster
from clusters.system_pool import SYSTEM_POOL

# What others change behind Pulumi's back: GKE upgrades versions by the release channel, and the temporary first pool
# is gone once the cluster stands.
_MANAGED_BY_GKE = ["nodeConfig", "nodeVersion", "minMasterVersion", "initialNodeCount", "nodePools"]


class GkeCluster(pulumi.ComponentResource):
    """A GKE cluster with its subnet, node account and pools, and the Kubernetes provider that leads into it."""

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    certificate_authority: pulumi.Output[str]
    """PEM in base64."""
    kubeconfig: pulumi.Output[str]
    """Secret."""
    provider: kubernetes.Provider
    cluster: container.Cluster
    system_pool: container.NodePool

    def __init__(self, name: str, spec: Cluster, network: Network, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("geo-federation:clusters:GkeCluster", name, None, opts)
        project = gcp_config.project or ""
        labels = {
            "federation": pulumi.get_project(),
            "stack": re.sub(r"[^-_a-z0-9]", "-", pulumi.get_stack().lower())[:63],
            "cluster": name,
        }
        account = NodeAccount(f"{name}-nodes", name, project, pulumi.ResourceOptions(parent=self))
        subnet = create_subnet(name, spec.region, addresses(spec.slot), network, pulumi.ResourceOptions(parent=self))
        self.cluster = cluster = container.Cluster(
            name,
            location=spec.region,
            node_locations=list(spec.zones) or None,
            network=network.id,
            subnetwork=subnet.id,
            ip_allocation_policy={
                "cluster_secondary_range_name": PODS_RANGE,
                "services_secondary_range_name": SERVICES_RANGE,
            },
            # GKE insists on a first pool: it is small, runs as the cluster's own account and is removed at once.
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config={"service_account": account.email, "disk_size_gb": 20, "disk_type": "pd-standard"},
            datapath_provider="ADVANCED_DATAPATH",
            release_channel={"channel": "REGULAR"},
            workload_identity_config={"workload_pool": f"{project}.svc.id.goog"},
            # Pods mount buckets by it, for checkpoints and models.
            addons_config={"gcs_fuse_csi_driver_config": {"enabled": True}},
            enable_shielded_nodes=True,
            master_auth={"client_certificate_config": {"issue_client_certificate": False}},
            resource_labels=labels,
            deletion_protection=spec.deletion_protection,
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[account],
                protect=spec.deletion_protection,
                ignore_changes=_MANAGED_BY_GKE,
                additional_secret_outputs=["masterAuth"],
                custom_timeouts=pulumi.CustomTimeouts(create="60m", update="60m", delete="60m"),
            ),
        )
        pools = create_node_pools(name, cluster, spec.node_pools, account, labels, parent=self)
        self.system_pool = pools[SYSTEM_POOL]
        self.name = cluster.name
        self.endpoint = cluster.endpoint
        self.certificate_authority = cluster.master_auth.cluster_ca_certificate.apply(lambda ca: ca or "")
        self.kubeconfig = pulumi.Output.secret(
            pulumi.Output.all(cluster.name, cluster.endpoint, self.certificate_authority).apply(
                lambda parts: kubeconfig(*parts)
            )
        )
        self.provider = kubernetes.Provider(
            f"{name}-provider",
            kubeconfig=self.kubeconfig,
            # Without it, a preview that cannot know the kubeconfig would replace everything in the cluster. The
            # name carries a random suffix, so that a cluster made anew is another one.
            cluster_identifier=cluster.self_link,
            # A run that was broken off may have made objects that the state does not know of.
            upsert_existing_objects=True,
            # What the program declares holds, also against an edit by hand.
            enable_patch_force=True,
            # A new token takes the old one's place, with no moment without either.
            enable_secret_mutable=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({"name": self.name, "endpoint": self.endpoint})


def create_gke_cluster(
    name: str, spec: Cluster, network: Network, opts: pulumi.ResourceOptions | None = None
) -> GkeCluster:
    """Makes one cluster of the federation from its settings."""
    return GkeCluster(name, spec, network, opts)
