"""What the stand-in for Google Cloud refuses before anything is made: each with a good and a bad case."""

from pathlib import Path
from typing import Any

import pytest

from local.gcp.versions import VERSION
from local.wire import UNKNOWN, Properties
from tests.unit.local.google import (
    ACCOUNT,
    ACCOUNT_MEMBER,
    BUCKET_MEMBER,
    CLUSTER,
    FEATURE,
    FEATURE_MEMBER,
    FIREWALL,
    GOOD,
    IDENTITY,
    KEY,
    KEY_ID,
    KEY_MEMBER,
    NAT,
    NETWORK,
    PLAN,
    POLICY,
    POOL,
    PROJECT_MEMBER,
    RING,
    ROUTER,
    SERVICE,
    SUBNET,
    Google,
    changed,
)

_AFFINITY, _SPECIFIC = "nodeConfig.reservationAffinity", {"consumeReservationType": "SPECIFIC_RESERVATION"}
_NAMED = {**_SPECIFIC, "key": "compute.googleapis.com/reservation-name", "values": ["h100"]}
_NO_RESERVATION = {"consumeReservationType": "NO_RESERVATION"}
_SSD, _NVME = "nodeConfig.ephemeralStorageLocalSsdConfig.localSsdCount", "nodeConfig.localNvmeSsdBlockConfig"
_MASTER, _NETWORKS = "privateClusterConfig.masterIpv4CidrBlock", "masterAuthorizedNetworksConfig.cidrBlocks"
_WINDOW = "maintenancePolicy.recurringWindow"
_GPUS, _FIRST = "nodeConfig.guestAccelerators", "nodeConfig.guestAccelerators.0"
_SCALING = "autoscaling"
_TAINT = {"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}
_COMPACT = {"placementPolicy": {"type": "COMPACT"}}
_QUEUED = {"queuedProvisioning": {"enabled": True}}
_FLEX = {"nodeConfig.flexStart": True, "management.autoRepair": False}
_WORK, _TOPOLOGY = "workloadPolicy", "workloadPolicy.acceleratorTopology"
_PERIOD = "rotationPeriod"

# Kind, changes that make a good one of the good, changes that make a bad one, the property, and words of the reason.
Case = tuple[str, Properties, Properties, str, str]
_CASES: list[Case] = [
    # Names
    (NETWORK, {"name": "a" * 63}, {"name": "a" * 64}, "name", "at most 63"),
    (NETWORK, {"name": "v-1"}, {"name": "VPC"}, "name", "match of regex"),
    (NETWORK, {"name": "v-1"}, {"name": "v-"}, "name", "match of regex"),
    (CLUSTER, {"name": "c" * 40}, {"name": "c" * 41}, "name", "at most 40"),
    (RING, {"name": "Ring_1"}, {"name": "ring.1"}, "name", "match of regex"),
    (SUBNET, {}, {"network": None}, "network", "Missing required"),
    # Services
    (SERVICE, {"service": "dns.googleapis.com"}, {"service": "dns"}, "service", "Not found"),
    (SERVICE, {}, {"service": "contianer.googleapis.com"}, "service", "Not found"),
    (IDENTITY, {}, {"service": "container"}, "service", "Service not found"),
    # Networks
    (NETWORK, {"routingMode": "REGIONAL"}, {"routingMode": "LOCAL"}, "routingMode", "REGIONAL, GLOBAL"),
    (NETWORK, {"mtu": 8896}, {"mtu": 9000}, "mtu", "1300 to 8896"),
    (SUBNET, {"region": "europe-west1"}, {"region": "europe-west99"}, "region", "does not exist"),
    (SUBNET, {}, {"region": None}, "region", "Cannot determine region"),
    (SUBNET, {}, {"ipCidrRange": "10.0.0/20"}, "ipCidrRange", "valid CIDR"),
    (SUBNET, {"ipCidrRange": "10.0.16.0/20"}, {"ipCidrRange": "10.0.8.0/20"}, "ipCidrRange", "host bits"),
    (SUBNET, {"ipCidrRange": "10.0.0.0/29"}, {"ipCidrRange": "10.0.0.0/30"}, "ipCidrRange", "/4 to /29"),
    (SUBNET, {}, {"ipCidrRange": "169.254.0.0/20"}, "ipCidrRange", "keeps for itself"),
    (SUBNET, {}, {"ipCidrRange": "10.64.0.0/20"}, "secondaryIpRanges", "overlaps"),
    (SUBNET, {}, {"secondaryIpRanges.1.ipCidrRange": "10.64.0.0/20"}, "secondaryIpRanges", "overlaps"),
    (SUBNET, {}, {"secondaryIpRanges.1.rangeName": "pods"}, "secondaryIpRanges", "2 times"),
    (SUBNET, {}, {"secondaryIpRanges.1.rangeName": "Services"}, "secondaryIpRanges", "regex"),
    # Routers and NAT
    (ROUTER, {"bgp.asn": 4200000000}, {"bgp.asn": 15169}, "bgp.asn", "private ASN"),
    (NAT, {}, {"natIpAllocateOption": "AUTO"}, "natIpAllocateOption", "MANUAL_ONLY, AUTO_ONLY"),
    (NAT, {}, {"sourceSubnetworkIpRangesToNat": "ALL"}, "sourceSubnetworkIpRangesToNat", "Must be one of"),
    (NAT, {}, {"logConfig.filter": "SOME"}, "logConfig.filter", "ERRORS_ONLY"),
    (NAT, {}, {"natIps": ["address"]}, "natIps", "AUTO_ONLY"),
    (
        NAT,
        {"natIpAllocateOption": "MANUAL_ONLY", "natIps": ["a"]},
        {"natIpAllocateOption": "MANUAL_ONLY"},
        "natIps",
        "must be",
    ),
    (
        NAT,
        {"sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS", "subnetworks": [{"name": "nodes"}]},
        {"sourceSubnetworkIpRangesToNat": "LIST_OF_SUBNETWORKS"},
        "subnetworks",
        "needs subnetworks",
    ),
    (NAT, {}, {"subnetworks": [{"name": "nodes"}]}, "subnetworks", "can only be given"),
    (
        NAT,
        {"enableEndpointIndependentMapping": False},
        {"enableEndpointIndependentMapping": True},
        "enableEndpointIndependentMapping",
        "exclude each other",
    ),
    (NAT, {"minPortsPerVm": 32}, {"minPortsPerVm": 100}, "minPortsPerVm", "power of two"),
    (NAT, {"maxPortsPerVm": 128}, {"maxPortsPerVm": 64}, "maxPortsPerVm", "greater than minPortsPerVm"),
    (NAT, {}, {"enableDynamicPortAllocation": False}, "maxPortsPerVm", "only be given with dynamic"),
    # Firewalls
    (FIREWALL, {}, {"direction": "IN"}, "direction", "INGRESS, EGRESS"),
    (FIREWALL, {}, {"allows": None}, "allows", "exactly one of"),
    (FIREWALL, {}, {"denies": [{"protocol": "all"}]}, "allows", "exactly one of"),
    (FIREWALL, {"priority": 0}, {"priority": 70000}, "priority", "65535"),
    (FIREWALL, {}, {"sourceRanges": None}, "sourceRanges", "INGRESS"),
    (FIREWALL, {"sourceRanges": None, "sourceTags": ["peers"]}, {"sourceTags": ["Peers"]}, "sourceTags", "regex"),
    (FIREWALL, {}, {"direction": "EGRESS"}, "sourceRanges", "destinationRanges"),
    (FIREWALL, {}, {"sourceRanges": ["10.0.0.0/33"]}, "sourceRanges", "valid CIDR"),
    (FIREWALL, {"allows.0.protocol": "17"}, {"allows.0.protocol": "quic"}, "allows", "one of tcp"),
    (FIREWALL, {}, {"allows.1.ports": ["1"]}, "allows", "Ports may only"),
    (FIREWALL, {}, {"allows.0.ports": ["9000-8000"]}, "allows", "8000-8080"),
    (FIREWALL, {"allows.0.ports": ["65535"]}, {"allows.0.ports": ["65536"]}, "allows", "up to 65535"),
    (FIREWALL, {}, {"targetServiceAccounts": ["a@b.c"]}, "targetTags", "exclude each other"),
    # Accounts and roles
    (ACCOUNT, {"accountId": "abcdef"}, {"accountId": "abcde"}, "accountId", "between 6 and 30"),
    (ACCOUNT, {"accountId": "a" * 30}, {"accountId": "a" * 31}, "accountId", "between 6 and 30"),
    (ACCOUNT, {}, {"accountId": "Training"}, "accountId", "lower-case"),
    (ACCOUNT, {}, {"displayName": "n" * 101}, "displayName", "100"),
    (PROJECT_MEMBER, {"member": "user:ada@example.com"}, {"member": "ada@example.com"}, "member", "must have a type"),
    (PROJECT_MEMBER, {"member": "domain:example.com"}, {"member": "users:a@b.com"}, "member", "Invalid member"),
    (PROJECT_MEMBER, {}, {"member": "serviceAccount:nodes"}, "member", "Invalid member"),
    (PROJECT_MEMBER, {}, {"member": "allUsers"}, "member", "cannot be granted"),
    (BUCKET_MEMBER, {"member": "allUsers"}, {"member": "everyone"}, "member", "Invalid member"),
    (PROJECT_MEMBER, {"role": "roles/viewer"}, {"role": "viewer"}, "role", "malformed"),
    (PROJECT_MEMBER, {"role": "roles/logging.logWriter"}, {"role": "roles/loging.logWriter"}, "role", "not supported"),
    (PROJECT_MEMBER, {"role": "projects/toys/roles/own"}, {"role": "projects/toys/own"}, "role", "malformed"),
    (ACCOUNT_MEMBER, {}, {"role": "roles/storage.admin"}, "role", "roles of iam"),
    (ACCOUNT_MEMBER, {}, {"serviceAccountId": "nodes@toys.iam.gserviceaccount.com"}, "serviceAccountId", "projects/"),
    (ACCOUNT_MEMBER, {}, {"member": "serviceAccount:toys.svc.id.goog[ai]"}, "member", "Invalid member"),
    (BUCKET_MEMBER, {"bucket": "data.2-eu"}, {"bucket": "gs://data-eu"}, "bucket", "without gs://"),
    (BUCKET_MEMBER, {}, {"role": "roles/editor"}, "role", "roles of storage"),
    # Keys
    (RING, {"location": "global"}, {"location": "mars"}, "location", "does not exist"),
    (KEY, {}, {"keyRing": "ring"}, "keyRing", "projects/PROJECT"),
    (KEY, {}, {"purpose": "SIGN", _PERIOD: None}, "purpose", "ENCRYPT_DECRYPT"),
    (KEY, {_PERIOD: "86400s"}, {_PERIOD: "86399s"}, _PERIOD, "at least a day"),
    (KEY, {}, {_PERIOD: "90d"}, _PERIOD, "in seconds"),
    (KEY, {"purpose": "MAC", _PERIOD: None}, {"purpose": "MAC"}, _PERIOD, "ENCRYPT_DECRYPT"),
    (KEY, {"labels": {"team": "ai"}}, {"labels": {"Team": "ai"}}, "labels", "Label keys"),
    (KEY_MEMBER, {"member": "user:a@b.com"}, {"member": "user:a@b.com", "cryptoKeyId": "key"}, "cryptoKeyId", "keyRin"),
    # Fleet and backup
    (FEATURE, {"name": "fleetobservability"}, {"name": "mcs"}, "name", "multiclusterservicediscovery"),
    (FEATURE, {}, {"name": None}, "name", "Missing required"),
    (FEATURE, {}, {"location": "us-west1"}, "location", "'global'"),
    (FEATURE_MEMBER, {}, {"role": "roles/container.viewer"}, "role", "roles of gkehub"),
    (PLAN, {}, {"location": "us"}, "location", "not a region"),
    (PLAN, {}, {"cluster": "training"}, "cluster", "projects/PROJECT"),
    (PLAN, {}, {"backupConfig.allNamespaces": None}, "backupConfig", "exactly one of"),
    (PLAN, {}, {"backupConfig.selectedNamespaces": {"namespaces": ["ai"]}}, "backupConfig", "exactly one of"),
    (PLAN, {}, {"backupSchedule.cronSchedule": "daily"}, "backupSchedule", "five fields"),
    (PLAN, {}, {"backupSchedule.rpoConfig": {"targetRpoMinutes": 60}}, "backupSchedule", "exclude each other"),
    (PLAN, {}, {"retentionPolicy": None}, "retentionPolicy", "needed with a schedule"),
    (PLAN, {}, {"retentionPolicy.backupRetainDays": 400}, "retentionPolicy", "0 to 365"),
    (PLAN, {}, {"retentionPolicy.backupRetainDays": 5}, "retentionPolicy", "at least backupDeleteLockDays"),
    (
        PLAN,
        {"backupConfig.encryptionKey": {"gcpKmsEncryptionKey": KEY_ID}},
        {"backupConfig.encryptionKey": {"gcpKmsEncryptionKey": KEY_ID.replace("us-west1", "us-west2")}},
        "backupConfig",
        "must be in us-west1",
    ),
    # Clusters
    (CLUSTER, {"location": "us-west1-b", "nodeLocations": []}, {"location": "us-west9"}, "location", "does not exist"),
    (CLUSTER, {}, {"nodeLocations": ["us-west1-d"]}, "nodeLocations", "not a zone of us-west1"),
    (CLUSTER, {}, {"nodeLocations": ["europe-west1-b"]}, "nodeLocations", "not a zone of us-west1"),
    (CLUSTER, {}, {"nodeLocations": ["us-west1-a", "us-west1-a"]}, "nodeLocations", "given twice"),
    (CLUSTER, {"minMasterVersion": VERSION}, {"minMasterVersion": "1.99"}, "minMasterVersion", "No valid versions"),
    (CLUSTER, {}, {"initialNodeCount": None}, "initialNodeCount", "greater than zero"),
    (CLUSTER, {}, {"nodeConfig.machineType": "e2-standard-3"}, "nodeConfig.machineType", "does not exist"),
    (CLUSTER, {"defaultMaxPodsPerNode": 32}, {"defaultMaxPodsPerNode": 4}, "defaultMaxPodsPerNode", "8 to 256"),
    (CLUSTER, {}, {"releaseChannel.channel": "FAST"}, "releaseChannel.channel", "RAPID, REGULAR"),
    (CLUSTER, {}, {"datapathProvider": "DATAPLANE_V2"}, "datapathProvider", "ADVANCED_DATAPATH"),
    (CLUSTER, {}, {"monitoringConfig.enableComponents.1": "GPU"}, "monitoringConfig.enableComponents", "DCGM"),
    (CLUSTER, {}, {"loggingConfig.enableComponents.1": "DCGM"}, "loggingConfig.enableComponents", "WORKLOADS"),
    (
        CLUSTER,
        {"networkPolicy": {"enabled": True}, "datapathProvider": "LEGACY_DATAPATH"},
        {"networkPolicy": {"enabled": True}},
        "networkPolicy",
        "is not allowed",
    ),
    (
        CLUSTER,
        {"addonsConfig.networkPolicyConfig.disabled": True},
        {"addonsConfig.networkPolicyConfig.disabled": False},
        "addonsConfig",
        "is not allowed",
    ),
    (
        CLUSTER,
        {},
        {"workloadIdentityConfig.workloadPool": "other.svc.id.goog"},
        "workloadIdentityConfig.workloadPool",
        "the project's own",
    ),
    (
        CLUSTER,
        {},
        {"ipAllocationPolicy.servicesSecondaryRangeName": "pods"},
        "ipAllocationPolicy.servicesSecondaryRangeName",
        "must not be",
    ),
    (
        CLUSTER,
        {"masterAuthorizedNetworksConfig": {}},
        {"masterAuthorizedNetworksConfig": None},
        "masterAuthorizedNetworksConfig",
        "must be enabled",
    ),
    (CLUSTER, {}, {f"{_NETWORKS}.0.cidrBlock": "10.0.0.0"}, _NETWORKS, "with a slash"),
    (CLUSTER, {}, {f"{_NETWORKS}.0.cidrBlock": "10.0.0.1/24"}, _NETWORKS, "host bits"),
    (
        CLUSTER,
        {f"{_NETWORKS}.0.cidrBlock": "8.8.8.0/24", "privateClusterConfig.enablePrivateEndpoint": False},
        {f"{_NETWORKS}.0.cidrBlock": "8.8.8.0/24"},
        _NETWORKS,
        "not a reserved network",
    ),
    (CLUSTER, {}, {_NETWORKS: [{"cidrBlock": f"10.0.{each}.0/24"} for each in range(51)]}, _NETWORKS, "exceed the 50"),
    (CLUSTER, {_MASTER: "172.16.0.16/28"}, {_MASTER: "172.16.0.0/27"}, _MASTER, "must be /28"),
    (CLUSTER, {}, {_MASTER: "172.16.0.1/28"}, _MASTER, "host bits"),
    (CLUSTER, {}, {_MASTER: "172.17.0.0/28"}, _MASTER, "overlaps with 172.17.0.0/16"),
    (CLUSTER, {}, {"privateClusterConfig.enablePrivateNodes": False}, _MASTER, "enable_private_nodes"),
    (CLUSTER, {}, {"privateClusterConfig.privateEndpointSubnetwork": "nodes"}, _MASTER, "exclude each other"),
    (CLUSTER, {}, {"databaseEncryption.state": "ON"}, "databaseEncryption.state", "ENCRYPTED, DECRYPTED"),
    (CLUSTER, {}, {"databaseEncryption.keyName": None}, "databaseEncryption.keyName", "needs a key"),
    (CLUSTER, {}, {"databaseEncryption.keyName": "secrets"}, "databaseEncryption.keyName", "cryptoKeys/NAME"),
    (
        CLUSTER,
        {},
        {"databaseEncryption.keyName": KEY_ID.replace("us-west1", "global")},
        "databaseEncryption.keyName",
        "must be in us-west1",
    ),
    (CLUSTER, {f"{_WINDOW}.recurrence": "FREQ=DAILY"}, {f"{_WINDOW}.recurrence": "nightly"}, _WINDOW, "RFC 5545"),
    (CLUSTER, {}, {f"{_WINDOW}.recurrence": "FREQ=YEARLY"}, _WINDOW, "FREQ=DAILY or FREQ=WEEKLY"),
    (CLUSTER, {}, {f"{_WINDOW}.startTime": "02:00"}, _WINDOW, "RFC 3339"),
    (CLUSTER, {}, {f"{_WINDOW}.endTime": "2026-01-03T01:00:00Z"}, _WINDOW, "after it starts"),
    (CLUSTER, {}, {f"{_WINDOW}.endTime": "2026-01-03T05:00:00Z"}, _WINDOW, "≥4h"),
    (CLUSTER, {}, {f"{_WINDOW}.recurrence": "FREQ=WEEKLY;BYDAY=SA"}, _WINDOW, "48h"),
    (CLUSTER, {}, {"resourceLabels.Team": "ai"}, "resourceLabels", "Label keys"),
    (CLUSTER, {}, {"resourceLabels.team": "AI team"}, "resourceLabels", "Label values"),
    # Pools: machines and accelerators
    (
        POOL,
        {_GPUS: [], "nodeConfig.machineType": "n4-standard-8", "nodeConfig.diskType": "hyperdisk-balanced"},
        {"nodeConfig.machineType": "a2"},
        "nodeConfig.machineType",
        "not exist",
    ),
    (POOL, {}, {"nodeConfig.machineType": "a2-highgpu-3g"}, "nodeConfig.machineType", "does not exist"),
    (
        POOL,
        {"nodeConfig.machineType": "g2-standard-24", f"{_FIRST}.type": "nvidia-l4", f"{_FIRST}.count": 2},
        {"nodeConfig.machineType": "g2-standard-24", f"{_FIRST}.type": "nvidia-l4"},
        _GPUS,
        "it has 2 of nvidia-l4",
    ),
    (POOL, {}, {f"{_FIRST}.type": "nvidia-h100-80gb"}, _GPUS, "it has 1 of nvidia-tesla-a100"),
    (
        POOL,
        {"nodeConfig.machineType": "n1-standard-8", f"{_FIRST}.type": "nvidia-tesla-t4"},
        {"nodeConfig.machineType": "n1-standard-8", f"{_FIRST}.type": "nvidia-l4"},
        _GPUS,
        "it takes nvidia-tesla-t4",
    ),
    (
        POOL,
        {"nodeConfig.machineType": "n1-standard-96", f"{_FIRST}.type": "nvidia-tesla-t4", f"{_FIRST}.count": 4},
        {"nodeConfig.machineType": "n1-standard-96", f"{_FIRST}.type": "nvidia-tesla-t4"},
        _GPUS,
        "it takes 4 of nvidia-tesla-t4",
    ),
    (POOL, {_GPUS: []}, {"nodeConfig.machineType": "e2-standard-4"}, _GPUS, "none can be attached"),
    (POOL, {}, {_GPUS: [{"type": "nvidia-tesla-a100", "count": 1}] * 2}, _GPUS, "of one type"),
    (
        POOL,
        {f"{_FIRST}.gpuDriverInstallationConfig.gpuDriverVersion": "LATEST"},
        {f"{_FIRST}.gpuDriverInstallationConfig.gpuDriverVersion": "NEWEST"},
        f"{_GPUS}.gpuDriverInstallationConfig.gpuDriverVersion",
        "DEFAULT, LATEST",
    ),
    (
        POOL,
        {f"{_FIRST}.gpuSharingConfig": {"gpuSharingStrategy": "MPS", "maxSharedClientsPerGpu": 48}},
        {f"{_FIRST}.gpuSharingConfig": {"gpuSharingStrategy": "MPS", "maxSharedClientsPerGpu": 49}},
        _GPUS,
        "2 to 48",
    ),
    (POOL, {_SSD: 1}, {_SSD: 1, _NVME: {"localSsdCount": 1}}, _NVME, "exclude each other"),
    (POOL, {_SSD: 8}, {_SSD: 16}, "nodeConfig.ephemeralStorageLocalSsdConfig", "at most 8 local SSDs"),
    (POOL, {"nodeConfig.diskSizeGb": 10}, {"nodeConfig.diskSizeGb": 9}, "nodeConfig.diskSizeGb", "at least 10"),
    # Pools: sizes
    (POOL, {}, {_SCALING: {"totalMaxNodeCount": 8, "maxNodeCount": 4}}, _SCALING, "exclude each other"),
    (
        POOL,
        {_SCALING: {"minNodeCount": 4, "maxNodeCount": 4}},
        {_SCALING: {"minNodeCount": 5, "maxNodeCount": 4}},
        "autoscaling.minNodeCount",
        "from 0 to",
    ),
    (POOL, {}, {_SCALING: {"totalMinNodeCount": 1}}, "autoscaling.totalMaxNodeCount", "without"),
    (POOL, {_SCALING: None, "nodeCount": 2}, {"nodeCount": 2}, "nodeCount", "exclude each other"),
    (POOL, {}, {"autoscaling.locationPolicy": "EVEN"}, "autoscaling.locationPolicy", "BALANCED, ANY"),
    (POOL, {"maxPodsPerNode": 8}, {"maxPodsPerNode": 7}, "maxPodsPerNode", "8 to 256"),
    # Pools: ways of provisioning
    (POOL, _COMPACT, {**_COMPACT, "nodeLocations": ["us-west1-a", "us-west1-b"]}, "nodeLocations", "one zone only"),
    (
        POOL,
        {"upgradeSettings": {"strategy": "BLUE_GREEN"}},
        {**_COMPACT, "upgradeSettings": {"strategy": "BLUE_GREEN"}},
        "upgradeSettings",
        "blue-green",
    ),
    (
        POOL,
        {**_COMPACT, _GPUS: [], "nodeConfig.machineType": "c2-standard-8"},
        {**_COMPACT, _GPUS: [], "nodeConfig.machineType": "e2-standard-8"},
        "placementPolicy",
        "does not support",
    ),
    (POOL, {}, {"placementPolicy": {"type": "SPREAD"}}, "placementPolicy.type", "COMPACT"),
    (POOL, {**_QUEUED, _AFFINITY: _NO_RESERVATION}, {**_QUEUED, _AFFINITY: _NAMED}, _AFFINITY, "queued provisioning"),
    (POOL, _QUEUED, {**_QUEUED, "nodeConfig.spot": True}, "nodeConfig.spot", "queued provisioning"),
    (POOL, _QUEUED, {**_QUEUED, **_COMPACT}, "placementPolicy", "queued provisioning"),
    (POOL, _QUEUED, {**_QUEUED, "autoscaling.totalMinNodeCount": 1}, _SCALING, "minimum of 0"),
    (POOL, _QUEUED, {**_QUEUED, _SCALING: None, "nodeCount": 0}, _SCALING, "needs autoscaling"),
    (POOL, _FLEX, {"nodeConfig.flexStart": True}, "management.autoRepair", "auto-repair"),
    (POOL, {**_FLEX, _AFFINITY: _NO_RESERVATION}, {**_FLEX, _AFFINITY: _NAMED}, _AFFINITY, "flex-start"),
    (POOL, _FLEX, {**_FLEX, "nodeConfig.spot": True}, "nodeConfig.spot", "flex_start"),
    (
        POOL,
        {"nodeConfig.maxRunDuration": "604800s"},
        {"nodeConfig.maxRunDuration": "604801s"},
        "nodeConfig.maxRunDuration",
        "7 days",
    ),
    (POOL, {}, {"nodeConfig.maxRunDuration": "7d"}, "nodeConfig.maxRunDuration", "in seconds"),
    (POOL, {"nodeConfig.spot": True}, {"nodeConfig.spot": True, _AFFINITY: _NAMED}, _AFFINITY, "Spot VMs"),
    (
        POOL,
        {"nodeConfig.spot": True},
        {"nodeConfig.spot": True, "nodeConfig.preemptible": True},
        "nodeConfig.spot",
        "preemptible",
    ),
    (POOL, {_AFFINITY: _NAMED}, {_AFFINITY: {**_NAMED, "values": ["a", "b"]}}, _AFFINITY, "exactly one name"),
    (POOL, {_AFFINITY: _NAMED}, {_AFFINITY: {**_NAMED, "values": []}}, _AFFINITY, "exactly one name"),
    (POOL, {_AFFINITY: _NAMED}, {_AFFINITY: {**_NAMED, "key": "name"}}, _AFFINITY, "reservation-name"),
    (
        POOL,
        {_AFFINITY: {"consumeReservationType": "ANY_RESERVATION"}},
        {_AFFINITY: {"consumeReservationType": "ANY_RESERVATION", "values": ["h100"]}},
        _AFFINITY,
        "takes no names",
    ),
    # Policies of machines that are close to each other
    (
        POLICY,
        {"workloadPolicy.type": "HIGH_AVAILABILITY", _TOPOLOGY: None},
        {"workloadPolicy": None},
        _WORK,
        "exactly one",
    ),
    (POLICY, {}, {"groupPlacementPolicy": {"vmCount": 2}}, _WORK, "exactly one of"),
    (POLICY, {}, {"workloadPolicy.type": "FAST"}, f"{_WORK}.type", "HIGH_THROUGHPUT"),
    (POLICY, {}, {"workloadPolicy.type": None}, _WORK, "Missing required argument"),
    (
        POLICY,
        {},
        {"workloadPolicy.type": "HIGH_AVAILABILITY"},
        _WORK,
        "only when the workload policy type is HIGH_THROUGH",
    ),
    (POLICY, {}, {"workloadPolicy.maxTopologyDistance": "BLOCK"}, _WORK, "cannot be set if maxTopologyDistance"),
    (POLICY, {_TOPOLOGY: "1x72"}, {_TOPOLOGY: "large"}, _WORK, "a topology such as 2x2x2"),
    (POLICY, {"region": "us-east5"}, {"region": "us-east9"}, "region", "Unknown region"),
    # Pools: upgrades and taints
    (POOL, {}, {"upgradeSettings": {"maxSurge": 0, "maxUnavailable": 0}}, "upgradeSettings", "above 0"),
    (POOL, {}, {"upgradeSettings": {"maxSurge": 15, "maxUnavailable": 6}}, "upgradeSettings", "above 20"),
    (POOL, {}, {"upgradeSettings.strategy": "BLUE_GREEN"}, "upgradeSettings", "surge strategy"),
    (POOL, {}, {"upgradeSettings.blueGreenSettings": {}}, "upgradeSettings", "BLUE_GREEN"),
    (POOL, {}, {"nodeConfig.taints": [_TAINT, _TAINT]}, "nodeConfig.taints", "given twice"),
    (POOL, {}, {"nodeConfig.taints.0.effect": "NoSchedule"}, "nodeConfig.taints.effect", "NO_SCHEDULE"),
]


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Google:
    """An empty project."""
    return Google(tmp_path_factory.mktemp("google"))


@pytest.mark.parametrize("kind", GOOD)
def test_google_refuses(google: Google, kind: str) -> None:
    cases = [case for case in _CASES if case[0] == kind]
    assert cases
    for _, good, bad, field, words in cases:
        assert google.check(kind, changed(kind, good)) == {}, good
        found = google.check(kind, changed(kind, bad))
        assert list(found) == [field], bad
        assert words in found[field], bad


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_not_known_yet_is_not_refused(google: Google, kind: str) -> None:
    inputs = GOOD[kind]
    if kind != FEATURE:  # its API follows from its name
        assert google.check(kind, dict.fromkeys(inputs, UNKNOWN)) == {}
    for key in inputs:
        assert google.check(kind, {**inputs, key: UNKNOWN}) == {}, key
    assert google.check(kind, _without_texts(inputs)) == {}


def _without_texts(inner: Any) -> Any:
    """The same, with every text unknown: as a preview sees what other resources have yet to say."""
    if isinstance(inner, dict):
        return {key: _without_texts(each) for key, each in inner.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(inner, list):
        return [_without_texts(each) for each in inner]  # pyright: ignore[reportUnknownVariableType]
    return UNKNOWN if isinstance(inner, str) else inner


def test_a_resource_takes_the_providers_region(tmp_path: Path) -> None:
    google = Google(tmp_path)
    google.plugin.configure({"project": "toys", "region": "us-west2"})
    assert google.check(SUBNET, changed(SUBNET, {"region": None})) == {}
