"""How a cluster's control plane is set up: who reaches it, what it refuses, and what it reports."""

from datetime import datetime, timedelta
from typing import TypedDict

import pulumi
from pulumi_gcp import container

from clusters.addresses import is_private
from clusters.spec import Cluster

# Any day in the past: the recurrence has the days of the week.
_EPOCH = "2024-01-01"


class Access(TypedDict):
    """The arguments of a cluster that say who reaches its control plane."""

    private_cluster_config: container.ClusterPrivateClusterConfigArgsDict
    control_plane_endpoints_config: container.ClusterControlPlaneEndpointsConfigArgsDict
    master_authorized_networks_config: container.ClusterMasterAuthorizedNetworksConfigArgsDict


class Hardening(TypedDict):
    """The arguments of a cluster that are the same for every cluster, for security."""

    enable_shielded_nodes: bool
    master_auth: container.ClusterMasterAuthArgsDict
    anonymous_authentication_config: container.ClusterAnonymousAuthenticationConfigArgsDict
    rbac_binding_config: container.ClusterRbacBindingConfigArgsDict
    security_posture_config: container.ClusterSecurityPostureConfigArgsDict


class Upkeep(TypedDict):
    """The arguments of a cluster that say when it is upgraded, and what it reports."""

    release_channel: container.ClusterReleaseChannelArgsDict
    maintenance_policy: container.ClusterMaintenancePolicyArgsDict
    monitoring_config: container.ClusterMonitoringConfigArgsDict
    logging_config: container.ClusterLoggingConfigArgsDict
    cost_management_config: container.ClusterCostManagementConfigArgsDict


def access(spec: Cluster, host: Cluster) -> Access:
    """Who reaches a control plane: the federation's host by its private address, and the ranges in the settings.

    Access by its DNS name is separate: IAM decides it.
    """
    ranges = host.addresses
    callers = {"host-nodes": str(ranges.nodes), "host-pods": str(ranges.pods)} | spec.authorized_networks
    return {
        "private_cluster_config": {
            "enable_private_nodes": True,
            "enable_private_endpoint": not has_public_address(spec),
            # The host can be in another region.
            "master_global_access_config": {"enabled": True},
        },
        "control_plane_endpoints_config": {
            "dns_endpoint_config": {"allow_external_traffic": spec.dns_endpoint},
            "ip_endpoints_config": {"enabled": True},
        },
        "master_authorized_networks_config": {
            "cidr_blocks": [{"cidr_block": block, "display_name": name} for name, block in callers.items()],
            "gcp_public_cidrs_access_enabled": False,
            # Otherwise everything in the network could reach it.
            "private_endpoint_enforcement_enabled": True,
        },
    }


def has_public_address(spec: Cluster) -> bool:
    """Whether a control plane has a public address: where one of the authorized ranges is public."""
    return not all(is_private(block) for block in spec.authorized_networks.values())


def hardening() -> Hardening:
    """What every cluster of the federation refuses."""
    return {
        "enable_shielded_nodes": True,
        "master_auth": {"client_certificate_config": {"issue_client_certificate": False}},
        # Anonymous users may only query its health, and any Google user gets no rights from being signed in.
        "anonymous_authentication_config": {"mode": "LIMITED"},
        "rbac_binding_config": {
            "enable_insecure_binding_system_authenticated": False,
            "enable_insecure_binding_system_unauthenticated": False,
        },
        "security_posture_config": {"mode": "BASIC"},
    }


def upkeep(spec: Cluster) -> Upkeep:
    """When a cluster is upgraded, and what it reports."""
    window = spec.maintenance
    start = datetime.fromisoformat(f"{_EPOCH}T{window.start}:00")
    return {
        "release_channel": {"channel": spec.release_channel},
        "maintenance_policy": {
            "recurring_window": {
                "start_time": f"{start.isoformat()}Z",
                "end_time": f"{(start + timedelta(hours=window.hours)).isoformat()}Z",
                "recurrence": window.recurrence,
            }
        },
        "monitoring_config": {
            "enable_components": ["SYSTEM_COMPONENTS", *sorted(set(spec.metrics))],
            "managed_prometheus": {"enabled": True},
        },
        "logging_config": {"enable_components": ["SYSTEM_COMPONENTS", "WORKLOADS"]},
        "cost_management_config": {"enabled": True},
    }


def addons(spec: Cluster) -> container.ClusterAddonsConfigArgsDict:
    """The drivers by which pods mount buckets, disks and file servers, and what backups need."""
    drivers: container.ClusterAddonsConfigArgsDict = {
        "gcs_fuse_csi_driver_config": {"enabled": True},
        "gce_persistent_disk_csi_driver_config": {"enabled": True},
        "gcp_filestore_csi_driver_config": {"enabled": True},
    }
    if spec.backup:
        drivers["gke_backup_agent_config"] = {"enabled": True}
    return drivers


def own_endpoint(spec: Cluster, cluster: container.Cluster) -> pulumi.Output[str]:
    """Where people and CI reach a control plane: its name, or its address where the settings disable the name."""
    if not spec.dns_endpoint:
        return cluster.endpoint
    named = cluster.control_plane_endpoints_config.apply(
        lambda config: config.dns_endpoint_config.endpoint if config and config.dns_endpoint_config else None
    )
    return _or_address(named, cluster)


def private_endpoint(cluster: container.Cluster) -> pulumi.Output[str]:
    """Where the federation's host reaches a control plane."""
    return _or_address(
        cluster.private_cluster_config.apply(lambda config: config.private_endpoint if config else None), cluster
    )


def _or_address(endpoint: pulumi.Output[str | None], cluster: container.Cluster) -> pulumi.Output[str]:
    # A cluster that was made before its settings had an endpoint has none until it is updated.
    return pulumi.Output.all(endpoint, cluster.endpoint).apply(lambda found: found[0] or found[1])
