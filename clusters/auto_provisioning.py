"""How GKE creates node pools by itself: within limits, and with nodes as those of the cluster's own pools."""

from typing import TypedDict

import pulumi
from pulumi_gcp import container

from clusters.network import MEMBER_TAG
from clusters.spec import Cluster


class Provisioning(TypedDict, total=False):
    """The arguments of a cluster that say what GKE may create; none where the settings say nothing."""

    cluster_autoscaling: container.ClusterClusterAutoscalingArgsDict
    node_pool_auto_config: container.ClusterNodePoolAutoConfigArgsDict


def auto_provisioning(spec: Cluster, account: pulumi.Input[str]) -> Provisioning:
    """What GKE may create in a cluster, whose nodes run as the account.

    A cluster without the setting gets no argument, so that existing clusters are left as they are: what is not sent
    is kept as it is, which is why the setting has `enabled`.
    """
    auto = spec.auto_provisioning
    if auto is None:
        return {}
    if not auto.enabled:
        return {"cluster_autoscaling": {"enabled": False}}
    autoscaling: container.ClusterClusterAutoscalingArgsDict = {
        "enabled": True,
        "autoscaling_profile": auto.profile,
        "resource_limits": [
            {"resource_type": name, "minimum": limit.min, "maximum": limit.max}
            for name, limit in sorted(auto.limits.items())
        ],
        "auto_provisioning_defaults": {
            "service_account": account,
            "oauth_scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            "disk_size": auto.disk_gb,
            "management": {"auto_repair": True, "auto_upgrade": True},
            "shielded_instance_config": {"enable_secure_boot": True, "enable_integrity_monitoring": True},
            # As the cluster's own pools: no spare quota is needed.
            "upgrade_settings": {"strategy": "SURGE", "max_surge": 0, "max_unavailable": 1},
        },
    }
    if zones := [*(auto.zones or spec.zones)]:
        autoscaling["auto_provisioning_locations"] = zones
    # The firewall lets members reach each other's nodes by this tag.
    return {
        "cluster_autoscaling": autoscaling,
        "node_pool_auto_config": {"network_tags": {"tags": [MEMBER_TAG]}},
    }
