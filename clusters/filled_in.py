"""Fields of clusters and pools that Google may fill in: their changes are ignored, or they would cause a replacement.

Each is a field whose change makes a new cluster or pool (ForceNew), that may be left out (Optional), and of which the
provider does not keep what Google returns (not Computed): the next preview would remove it again.
Source: the schemas of Google's Terraform provider 8.0 (2026-08-21), on which pulumi-gcp 10 is built.

They are ignored rather than sent: to send one now would replace the existing clusters and pools that lack it. A
cluster or a pool that is replaced for another reason gets what the settings say, since Pulumi then ignores nothing.
"""

from clusters.facts.machine_sizes import tpus
from clusters.facts.machines import always_has_ssds
from clusters.facts.workload_policies import needs_workload_policy
from clusters.pools.gpu_networks import own_pools
from clusters.pools.slices import policy_of
from clusters.pools.spec import NodePool
from clusters.spec import Cluster

_CLUSTER = (
    # GKE upgrades versions by the release channel, and the temporary first pool is removed once the cluster is ready.
    "initialNodeCount",
    "minMasterVersion",
    "nodeConfig",
    "nodePools",
    "nodeVersion",
    # The subnet of the control plane's own address is the cluster's.
    "privateClusterConfig.privateEndpointSubnetwork",
    "dataplaneOptimizationMode",
    "description",
    "enableAutopilot",
    "enableKubernetesAlpha",
    # It is changed in place, and stays enabled when no pool needs it any more.
    "enableMultiNetworking",
    # Once enabled, these cannot be disabled.
    "enableFqdnNetworkPolicy",
    "enableK8sBetaApis",
    "enableL4IlbSubsetting",
    "userManagedKeysConfig",
)
_POOL = (
    # A pool's first size says nothing about a pool that has grown, and GKE changes it when a pool is resized by hand.
    "initialNodeCount",
    "bestEffortProvisioning",
    "networkConfig",
    "placementPolicy.policyName",
    "placementPolicy.tpuTopology",
    *(
        f"nodeConfig.{each}"
        for each in (
            "advancedMachineFeatures",
            "bootDiskKmsKey",
            "confidentialNodes",
            "enableConfidentialStorage",
            "ephemeralStorageConfig",
            "ephemeralStorageLocalSsdConfig.dataCacheCount",
            "hostMaintenancePolicy",
            "localSsdEncryptionMode",
            "nodeGroup",
            "preemptible",
            "sandboxConfig",
            "secondaryBootDisks",
            "soleTenantConfig",
        )
    ),
)
# The fields of networkConfig, for pools with networks between GPUs: one that such a pool does not set is ignored.
_NETWORK = ("acceleratorNetworkProfile", "additionalNodeNetworkConfigs")
_NETWORK_ELSE = ("additionalPodNetworkConfigs", "createPodRange", "podIpv4CidrBlock", "podRange", "subnetwork")


def of_cluster(spec: Cluster) -> list[str]:
    """The ignored fields of a cluster: all but those that its settings say."""
    said = {"minMasterVersion"} if spec.kubernetes else set[str]()
    said |= {"enableMultiNetworking"} if own_pools(spec.node_pools) else set()
    created = ["clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey"] if spec.auto_provisioning else []
    return [each for each in _CLUSTER if each not in said] + created


def of_pool(spec: NodePool) -> list[str]:
    """The ignored fields of a pool. A field of a setting is ignored only where GKE is known to fill it in.

    Elsewhere, removing a setting must replace the pool, as changing it does.
    """
    said = _said_of_placement(spec)
    # Written, if only as [], the images are as written.
    said |= {"nodeConfig.secondaryBootDisks"} if "preload" in spec.model_fields_set else set[str]()
    ignored = [each for each in _POOL if each not in said]
    if spec.gpu_networks != "none":
        own = _NETWORK[spec.gpu_networks == "own"]
        ignored.remove("networkConfig")
        ignored += [f"networkConfig.{each}" for each in (*_NETWORK, *_NETWORK_ELSE) if each != own]
    if spec.max_run_hours is None and (spec.flex_start or spec.queued):
        ignored.append("nodeConfig.maxRunDuration")
    if spec.local_ssds is None and always_has_ssds(spec.machine_type):
        ignored += ["nodeConfig.ephemeralStorageLocalSsdConfig", "nodeConfig.localNvmeSsdBlockConfig"]
    return ignored


def _said_of_placement(spec: NodePool) -> set[str]:
    """The fields of the placement policy that settings say: a pool gets another one when they change or are removed."""
    policy, topology = "placementPolicy.policyName", "placementPolicy.tpuTopology"
    if spec.machine_type in tpus():
        return {topology} if policy_of(spec) == "pool" else {policy, topology}
    return {policy} if needs_workload_policy(spec.machine_type) else set()
