"""The shared factory: every cluster of the federation is made here, whatever its role."""

import re

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_gcp import config as gcp_config
from pulumi_gcp import container, gkebackup

from clusters import filled_in
from clusters.apis import Apis
from clusters.auto_provisioning import auto_provisioning
from clusters.compute_classes import create_compute_classes
from clusters.control_plane import access, addons, hardening, own_endpoint, private_endpoint, upkeep
from clusters.encryption import SecretsKey
from clusters.gpu_networks import create_gpu_networks, gpu_network_objects
from clusters.kubeconfig import kubeconfig
from clusters.network import Places
from clusters.node_account import NodeAccount
from clusters.node_pools import create_node_pools
from clusters.pools.system_pool import SYSTEM_POOL
from clusters.spec import Cluster
from clusters.storage_classes import create_storage_classes
from clusters.upkeep import Backup


class GkeCluster(pulumi.ComponentResource):
    """A GKE cluster with its subnet, node account and pools, and the Kubernetes provider for it."""

    name: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    """Where people, CI and Pulumi itself reach it."""
    private_endpoint: pulumi.Output[str]
    """Where the federation's host reaches it, inside the network."""
    certificate_authority: pulumi.Output[str]
    """PEM in base64."""
    kubeconfig: pulumi.Output[str]
    """Secret."""
    provider: kubernetes.Provider
    cluster: container.Cluster
    system_pool: container.NodePool
    compute_classes: list[kubernetes.apiextensions.CustomResource]
    """Pods that select one are made after it."""

    def __init__(
        self,
        name: str,
        spec: Cluster,
        network: Places,
        apis: Apis,
        host: Cluster,
        fleet: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("geo-federation:clusters:GkeCluster", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        project = gcp_config.project or ""
        labels = {
            "federation": pulumi.get_project(),
            "stack": re.sub(r"[^-_a-z0-9]", "-", pulumi.get_stack().lower())[:63],
            "cluster": name,
        }
        account = NodeAccount(f"{name}-nodes", name, project, apis, child)
        secrets_key = SecretsKey(name, spec, apis, child)
        place = network.place(name, spec, child)
        gpu_networks = create_gpu_networks(name, spec, apis, child)
        self.cluster = cluster = container.Cluster(
            name,
            location=spec.region,
            node_locations=list(spec.zones) or None,
            min_master_version=spec.kubernetes or None,
            network=place.network,
            subnetwork=place.subnet,
            ip_allocation_policy={
                "cluster_secondary_range_name": place.pods,
                "services_secondary_range_name": place.services,
            },
            enable_multi_networking=True if gpu_networks else None,
            # GKE requires a first pool: it is small, runs as the cluster's own account and is removed at once.
            remove_default_node_pool=True,
            initial_node_count=1,
            node_config={"service_account": account.email, "disk_size_gb": 20, "disk_type": "pd-standard"},
            node_pool_defaults={"node_config_defaults": {"insecure_kubelet_readonly_port_enabled": "FALSE"}},
            datapath_provider="ADVANCED_DATAPATH",
            workload_identity_config={"workload_pool": f"{project}.svc.id.goog"},
            addons_config=addons(spec),
            database_encryption=secrets_key.encryption,
            fleet={"project": project} if fleet else None,
            resource_labels=labels,
            deletion_protection=spec.deletion_protection,
            **access(spec, host),
            **hardening(),
            **upkeep(spec),
            **auto_provisioning(spec, account.email),
            opts=pulumi.ResourceOptions(
                parent=self,
                # Networks between GPUs can be deleted only after the nodes, which are deleted with the cluster.
                depends_on=[account, secrets_key, *gpu_networks.values()],
                protect=spec.deletion_protection,
                ignore_changes=filled_in.of_cluster(spec),
                additional_secret_outputs=["masterAuth"],
                custom_timeouts=pulumi.CustomTimeouts(create="60m", update="60m", delete="60m"),
            ),
        )
        self.name = cluster.name
        self.endpoint = own_endpoint(spec, cluster)
        self.private_endpoint = private_endpoint(cluster)
        self.certificate_authority = cluster.master_auth.cluster_ca_certificate.apply(lambda ca: ca or "")
        self.kubeconfig = pulumi.Output.secret(
            pulumi.Output.all(cluster.name, self.endpoint, self.certificate_authority).apply(
                lambda parts: kubeconfig(*parts)
            )
        )
        self.provider = kubernetes.Provider(
            f"{name}-provider",
            kubeconfig=self.kubeconfig,
            # Without it, a preview that cannot know the kubeconfig would replace everything in the cluster. The
            # name has a random suffix, so that a cluster that was replaced is another one.
            cluster_identifier=cluster.self_link,
            # An interrupted run may have made objects that are not in the state.
            upsert_existing_objects=True,
            # The program overwrites edits by hand.
            enable_patch_force=True,
            # A new token replaces the old one in place, so that there is always one.
            enable_secret_mutable=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        inside = pulumi.ResourceOptions(parent=self, provider=self.provider, deleted_with=cluster)
        objects = gpu_network_objects(name, gpu_networks, inside)
        pools = create_node_pools(
            name, cluster, spec, account, labels, [*place.ways, *objects], gpu_networks, parent=self
        )
        self.system_pool = pools[SYSTEM_POOL]
        if spec.backup:
            _create_backups(name, spec.region, spec.backup, cluster, child)
        create_storage_classes(name, spec, place.files, inside)
        self.compute_classes = create_compute_classes(name, spec, pools, inside)
        self.register_outputs({"name": self.name, "endpoint": self.endpoint})


def create_gke_cluster(
    name: str,
    spec: Cluster,
    network: Places,
    apis: Apis,
    host: Cluster,
    fleet: bool = False,
    opts: pulumi.ResourceOptions | None = None,
) -> GkeCluster:
    """Makes one cluster of the federation from its settings.

    `host` are the settings of the cluster from which KubeFed reaches it, and `fleet` says whether it joins the
    project's fleet, in which Services are exported to all members.
    """
    return GkeCluster(name, spec, network, apis, host, fleet, opts)


def _create_backups(
    name: str, region: str, backup: Backup, cluster: container.Cluster, opts: pulumi.ResourceOptions
) -> gkebackup.BackupPlan:
    return gkebackup.BackupPlan(
        f"{name}-backups",
        cluster=cluster.id,
        location=region,
        # Secrets can be made again from the stack's settings.
        backup_config={"all_namespaces": True, "include_volume_data": True, "include_secrets": False},
        backup_schedule={"cron_schedule": backup.schedule},
        retention_policy={"backup_retain_days": backup.retain_days},
        opts=opts,
    )
