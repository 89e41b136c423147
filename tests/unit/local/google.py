"""The stand-in for Google Cloud as its tests use it: with a project that already has every kind of resource."""

import threading
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from local import node_agent
from local.api import ApiError
from local.control_plane import ControlPlane
from local.gcp import cluster
from local.gcp.plugin import GcpPlugin
from local.gcp.pools import node_pool
from local.gcp.registry import Registry
from local.paths import Home
from local.plugin import Resource
from local.wire import Properties

NETWORK, SUBNET = "gcp:compute/network:Network", "gcp:compute/subnetwork:Subnetwork"
ROUTER, NAT = "gcp:compute/router:Router", "gcp:compute/routerNat:RouterNat"
FIREWALL = "gcp:compute/firewall:Firewall"
CLUSTER, POOL = "gcp:container/cluster:Cluster", "gcp:container/nodePool:NodePool"
ACCOUNT, PROJECT_MEMBER = "gcp:serviceaccount/account:Account", "gcp:projects/iAMMember:IAMMember"
ACCOUNT_MEMBER = "gcp:serviceaccount/iAMMember:IAMMember"
BUCKET_MEMBER = "gcp:storage/bucketIAMMember:BucketIAMMember"
RING, KEY = "gcp:kms/keyRing:KeyRing", "gcp:kms/cryptoKey:CryptoKey"
KEY_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
SERVICE, IDENTITY = "gcp:projects/service:Service", "gcp:projects/serviceIdentity:ServiceIdentity"
FEATURE, FEATURE_MEMBER = "gcp:gkehub/feature:Feature", "gcp:gkehub/featureIamMember:FeatureIamMember"
PLAN = "gcp:gkebackup/backupPlan:BackupPlan"
POLICY = "gcp:compute/resourcePolicy:ResourcePolicy"

NETWORK_ID = "projects/toys/global/networks/vpc"
SUBNET_ID = "projects/toys/regions/us-west1/subnetworks/nodes"
CLUSTER_ID = "projects/toys/locations/us-west1/clusters/training"
RING_ID = "projects/toys/locations/us-west1/keyRings/ring"
KEY_ID = f"{RING_ID}/cryptoKeys/secrets"
ROBOT_ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
NODES = "nodes-training@toys.iam.gserviceaccount.com"

# One of each kind, as the factory declares it.
GOOD: dict[str, Properties] = {
    SERVICE: {"service": "container.googleapis.com", "disableOnDestroy": False},
    IDENTITY: {"service": "container.googleapis.com"},
    NETWORK: {"name": "vpc", "autoCreateSubnetworks": False, "routingMode": "GLOBAL"},
    SUBNET: {
        "name": "nodes",
        "network": NETWORK_ID,
        "region": "us-west1",
        "ipCidrRange": "10.0.0.0/20",
        "secondaryIpRanges": [
            {"rangeName": "pods", "ipCidrRange": "10.64.0.0/16"},
            {"rangeName": "services", "ipCidrRange": "10.32.0.0/20"},
        ],
        "privateIpGoogleAccess": True,
    },
    ROUTER: {"name": "router", "network": NETWORK_ID, "region": "us-west1", "bgp": {"asn": 64512}},
    NAT: {
        "name": "nat",
        "router": "router",
        "region": "us-west1",
        "natIpAllocateOption": "AUTO_ONLY",
        "sourceSubnetworkIpRangesToNat": "ALL_SUBNETWORKS_ALL_IP_RANGES",
        "enableDynamicPortAllocation": True,
        "enableEndpointIndependentMapping": False,
        "minPortsPerVm": 64,
        "maxPortsPerVm": 4096,
        "logConfig": {"enable": True, "filter": "ERRORS_ONLY"},
    },
    FIREWALL: {
        "name": "members",
        "network": NETWORK_ID,
        "direction": "INGRESS",
        "priority": 1000,
        "sourceRanges": ["10.0.0.0/12", "10.64.0.0/10"],
        "allows": [{"protocol": "tcp", "ports": ["443", "8000-9000"]}, {"protocol": "icmp"}],
        "targetTags": ["members"],
    },
    ACCOUNT: {"accountId": "nodes-training", "displayName": "Nodes of training"},
    PROJECT_MEMBER: {
        "project": "toys",
        "role": "roles/container.defaultNodeServiceAccount",
        "member": f"serviceAccount:{NODES}",
    },
    ACCOUNT_MEMBER: {
        "serviceAccountId": f"projects/toys/serviceAccounts/{NODES}",
        "role": "roles/iam.workloadIdentityUser",
        "member": "serviceAccount:toys.svc.id.goog[ai/inference]",
    },
    BUCKET_MEMBER: {"bucket": "models-eu", "role": "roles/storage.objectViewer", "member": f"serviceAccount:{NODES}"},
    RING: {"name": "ring", "location": "us-west1"},
    KEY: {"name": "secrets", "keyRing": RING_ID, "purpose": "ENCRYPT_DECRYPT", "rotationPeriod": "7776000s"},
    KEY_MEMBER: {
        "cryptoKeyId": KEY_ID,
        "role": ROBOT_ROLE,
        "member": "serviceAccount:service-ROBOT@container-engine-robot.iam.gserviceaccount.com",
    },
    CLUSTER: {
        "name": "training",
        "location": "us-west1",
        "nodeLocations": ["us-west1-a", "us-west1-b"],
        "network": NETWORK_ID,
        "subnetwork": SUBNET_ID,
        "ipAllocationPolicy": {"clusterSecondaryRangeName": "pods", "servicesSecondaryRangeName": "services"},
        "initialNodeCount": 1,
        "removeDefaultNodePool": True,
        "nodeConfig": {"serviceAccount": NODES, "machineType": "e2-medium"},
        "datapathProvider": "ADVANCED_DATAPATH",
        "releaseChannel": {"channel": "REGULAR"},
        "workloadIdentityConfig": {"workloadPool": "toys.svc.id.goog"},
        "privateClusterConfig": {
            "enablePrivateNodes": True,
            "enablePrivateEndpoint": True,
            "masterIpv4CidrBlock": "172.16.0.0/28",
            "masterGlobalAccessConfig": {"enabled": True},
        },
        "masterAuthorizedNetworksConfig": {"cidrBlocks": [{"cidrBlock": "10.0.0.0/8", "displayName": "host"}]},
        "controlPlaneEndpointsConfig": {"dnsEndpointConfig": {"allowExternalTraffic": True}},
        "databaseEncryption": {"state": "ENCRYPTED", "keyName": KEY_ID},
        "monitoringConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "DCGM", "JOBSET"]},
        "loggingConfig": {"enableComponents": ["SYSTEM_COMPONENTS", "WORKLOADS"]},
        "maintenancePolicy": {
            "recurringWindow": {
                "startTime": "2026-01-03T02:00:00Z",
                "endTime": "2026-01-03T08:00:00Z",
                "recurrence": "FREQ=WEEKLY;BYDAY=SA,SU",
            }
        },
        "masterAuth": {"clientCertificateConfig": {"issueClientCertificate": False}},
        "fleet": {"project": "toys"},
        "resourceLabels": {"cluster": "training"},
        "deletionProtection": True,
    },
    POOL: {
        "name": "a100",
        "cluster": CLUSTER_ID,
        "nodeLocations": ["us-west1-b"],
        "autoscaling": {"totalMinNodeCount": 0, "totalMaxNodeCount": 8, "locationPolicy": "ANY"},
        "management": {"autoRepair": True, "autoUpgrade": True},
        "upgradeSettings": {"maxSurge": 0, "maxUnavailable": 1},
        "nodeConfig": {
            "machineType": "a2-highgpu-1g",
            "serviceAccount": NODES,
            "guestAccelerators": [
                {
                    "type": "nvidia-tesla-a100",
                    "count": 1,
                    "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"},
                }
            ],
            "taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NO_SCHEDULE"}],
            "workloadMetadataConfig": {"mode": "GKE_METADATA"},
        },
    },
    POLICY: {
        "name": "slices-2x2x2",
        "region": "us-west1",
        "workloadPolicy": {"type": "HIGH_THROUGHPUT", "acceleratorTopology": "2x2x2"},
    },
    FEATURE: {"name": "multiclusterservicediscovery", "location": "global"},
    FEATURE_MEMBER: {
        "name": "multiclusterservicediscovery",
        "location": "global",
        "role": "roles/gkehub.viewer",
        "member": "group:platform@example.com",
    },
    PLAN: {
        "name": "nightly",
        "cluster": CLUSTER_ID,
        "location": "us-west1",
        "backupConfig": {"allNamespaces": True, "includeVolumeData": True},
        "backupSchedule": {"cronSchedule": "0 3 * * *"},
        "retentionPolicy": {"backupRetainDays": 30, "backupDeleteLockDays": 7},
    },
}


class Google:
    """The plugin, called as Pulumi's engine calls it."""

    def __init__(self, folder: Path) -> None:
        self.plugin = GcpPlugin(Home(folder))
        self.plugin.configure({"project": "toys"})
        self.registry = Registry(folder / "cloud")

    def check(self, kind: str, inputs: Properties) -> dict[str, str]:
        """What is wrong, by property."""
        return self.plugin.check(_resource(kind), {}, inputs, b"seed")[1]

    def diff(self, kind: str, new: Properties) -> tuple[list[str], list[str]]:
        """What of the good one would be changed in place, and what by another."""
        found = self.plugin.diff(_resource(kind), GOOD[kind], {}, new)
        return found.updates, found.replaces

    def preview(self, kind: str, inputs: Properties) -> Properties:
        return self.plugin.create(Resource("", kind, "it", preview=True), inputs)[1]

    def create(self, kind: str, inputs: Properties | None = None) -> tuple[str, Properties]:
        inputs = deepcopy(GOOD[kind] if inputs is None else inputs)
        assert not (wrong := self.check(kind, inputs)), wrong
        return self.plugin.create(_resource(kind), inputs)

    def update(self, kind: str, identifier: str, old: Properties, new: Properties) -> Properties:
        return self.plugin.update(Resource("", kind, "it", identifier), old, new)

    def delete(self, kind: str, identifier: str) -> None:
        self.plugin.delete(Resource("", kind, "it", identifier), {})

    def build(self, *kinds: str) -> dict[str, str]:
        """Makes one of each kind, all or those given, in the order in which they need each other."""
        robot = self.create(IDENTITY)[1]["member"] if IDENTITY in kinds or not kinds else ""
        order = [SERVICE, NETWORK, SUBNET, ROUTER, NAT, FIREWALL, ACCOUNT, PROJECT_MEMBER, RING, KEY, KEY_MEMBER]
        order += [CLUSTER, POLICY, POOL, ACCOUNT_MEMBER, BUCKET_MEMBER, FEATURE, FEATURE_MEMBER, PLAN]
        made: dict[str, str] = {}
        for kind in (each for each in order if each in kinds or not kinds):
            own = {"member": robot} if kind == KEY_MEMBER else {}
            made[kind] = self.create(kind, GOOD[kind] | own)[0]
        return made


class Nodes:
    """The nodes of one cluster, in place of its API server."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.crds: list[str] = []
        self.listed = threading.Event()
        self.answer = threading.Event()
        self.answer.set()

    def list(self, path: str, labelSelector: str) -> list[dict[str, Any]]:  # noqa: N803
        self.listed.set()
        assert self.answer.wait(10)
        key, _, value = labelSelector.partition("=")
        return [each for each in self.items.values() if each["metadata"]["labels"][key] == value]

    def get(self, path: str) -> dict[str, Any]:
        """A type that is served: that of compute classes is from the start, those of networks once they are created."""
        name = path.rpartition("/")[2]
        if name.endswith(".networking.gke.io") and name not in self.crds:
            raise ApiError(404, "not found")
        return {"status": {"conditions": [{"type": "Established", "status": "True"}]}}

    def create(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if body["kind"] == "CustomResourceDefinition":
            self.crds.append(body["metadata"]["name"])
        else:
            self.items[body["metadata"]["name"]] = deepcopy(body)
        return body

    def merge(self, path: str, body: dict[str, Any]) -> None:
        node = self.items[path.rpartition("/")[2]]
        node["metadata"]["labels"] |= body.get("metadata", {}).get("labels", {})
        node["spec"] |= body.get("spec", {})

    def delete(self, path: str, labelSelector: str = "") -> None:  # noqa: N803
        names = [each["metadata"]["name"] for each in self.list(path, labelSelector)] if labelSelector else []
        for name in names or [path.rpartition("/")[2]]:
            self.items.pop(name, None)


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Google, Nodes]:
    """A Google Cloud whose clusters are no processes."""
    nodes = Nodes()

    def start(plane: ControlPlane) -> None:
        plane.folder.mkdir(parents=True, exist_ok=True)

    def ensure(home: Home) -> None:
        pass

    def api(plane: ControlPlane) -> Nodes:
        return nodes

    monkeypatch.setattr(ControlPlane, "start", start)
    monkeypatch.setattr(ControlPlane, "endpoint", "127.0.0.1:21000")
    monkeypatch.setattr(ControlPlane, "certificate_authority", "Q0E=")
    monkeypatch.setattr(node_agent, "ensure", ensure)
    monkeypatch.setattr(node_pool, "Api", api)
    monkeypatch.setattr(cluster, "Api", api)
    return Google(folder), nodes


def changed(kind: str, changes: Properties) -> Properties:
    """The good inputs of a kind with changes by path: nodeConfig.taints.0.effect; None takes something away."""
    inputs = deepcopy(GOOD[kind])
    for path, new in changes.items():
        *way, last = path.split(".")
        outer: Any = inputs
        for step in way:
            outer = (
                outer[int(step) if step.isdigit() else step] if step.isdigit() or step in outer else _new(outer, step)
            )
        key = int(last) if last.isdigit() else last
        if new is None:
            del outer[key]
        else:
            outer[key] = new
    return inputs


def _new(outer: Properties, step: str) -> Properties:
    outer[step] = {}
    return outer[step]


def _resource(kind: str) -> Resource:
    return Resource("", kind, "it")
