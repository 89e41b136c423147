"""What GKE refuses of a cluster."""

from collections.abc import Iterator
from ipaddress import IPv4Network

from local.gcp import services
from local.gcp.autoscaling_checks import CHOICES as AUTOSCALING
from local.gcp.autoscaling_checks import wrong_autoscaling
from local.gcp.kms import KEY_FORM, key_exists, key_location, may_use
from local.gcp.maintenance_checks import wrong_maintenance
from local.gcp.network import CLUSTERS, NETWORKS, SUBNETS, ranges, refers_to, secondary_range
from local.gcp.places import chosen_zones, region_of, zones
from local.gcp.pools.machines import machine
from local.gcp.ranges import is_private, overlaps, why_malformed
from local.gcp.resource import CONTAINER, Cloud, Wrong, find, full, given, invalid, lacking, project_of, value, values
from local.gcp.versions import wrong_version
from local.wire import UNKNOWN, Properties

_METRICS = (
    "SYSTEM_COMPONENTS APISERVER SCHEDULER CONTROLLER_MANAGER STORAGE HPA POD DAEMONSET DEPLOYMENT STATEFULSET KUBELET "
    "CADVISOR DCGM JOBSET WORKLOADS"
)
_LOGS = "SYSTEM_COMPONENTS KCP_VPA APISERVER CONTROLLER_MANAGER SCHEDULER WORKLOADS"
_TEXT_FLAGS = ("TRUE", "FALSE")
CHOICES = {
    **AUTOSCALING,
    "releaseChannel.channel": ("UNSPECIFIED", "RAPID", "REGULAR", "STABLE", "EXTENDED"),
    "datapathProvider": ("DATAPATH_PROVIDER_UNSPECIFIED", "LEGACY_DATAPATH", "ADVANCED_DATAPATH"),
    "networkingMode": ("VPC_NATIVE", "ROUTES"),
    "monitoringConfig.enableComponents[]": tuple(_METRICS.split()),
    "loggingConfig.enableComponents[]": tuple(_LOGS.split()),
    "databaseEncryption.state": ("ENCRYPTED", "DECRYPTED", "ALL_OBJECTS_ENCRYPTION_ENABLED"),
    "securityPostureConfig.mode": ("DISABLED", "BASIC", "ENTERPRISE"),
    "securityPostureConfig.vulnerabilityMode": (
        "VULNERABILITY_DISABLED",
        "VULNERABILITY_BASIC",
        "VULNERABILITY_ENTERPRISE",
    ),
    "binaryAuthorization.evaluationMode": ("DISABLED", "PROJECT_SINGLETON_POLICY_ENFORCE"),
    "anonymousAuthenticationConfig.mode": ("ENABLED", "LIMITED"),
    "gatewayApiConfig.channel": ("CHANNEL_DISABLED", "CHANNEL_STANDARD", "CHANNEL_EXPERIMENTAL"),
    "dnsConfig.clusterDns": ("PROVIDER_UNSPECIFIED", "PLATFORM_DEFAULT", "CLOUD_DNS", "KUBE_DNS"),
    "dnsConfig.clusterDnsScope": ("DNS_SCOPE_UNSPECIFIED", "CLUSTER_SCOPE", "VPC_SCOPE"),
    "ipAllocationPolicy.stackType": ("IPV4", "IPV4_IPV6"),
    "nodePoolDefaults.nodeConfigDefaults.insecureKubeletReadonlyPortEnabled": _TEXT_FLAGS,
    "nodePoolDefaults.nodeConfigDefaults.loggingVariant": ("DEFAULT", "MAX_THROUGHPUT"),
    "nodeConfig.workloadMetadataConfig.mode": ("GKE_METADATA", "GCE_METADATA"),
}
# Docker's own network on the nodes.
_RESERVED = "172.17.0.0/16"
_AUTHORIZED = 50  # ranges
_PODS_RANGE, _SERVICES_RANGE = (
    "ipAllocationPolicy.clusterSecondaryRangeName",
    "ipAllocationPolicy.servicesSecondaryRangeName",
)
_MASTER = "privateClusterConfig.masterIpv4CidrBlock"


def wrong_cluster(cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
    """Yields what GKE refuses of a cluster by its inputs alone."""
    yield from _wrong_place(inputs)
    if not inputs.get("initialNodeCount") and not inputs.get("nodePools"):
        yield Wrong("initialNodeCount", "Cluster.initial_node_count must be greater than zero, or nodePools be given")
    kind = value(inputs, "nodeConfig.machineType")
    if kind and machine(kind) is None:
        yield Wrong("nodeConfig.machineType", f"Error 400: Machine type {kind} does not exist")
    yield from wrong_version(str(value(inputs, "minMasterVersion", "")))
    pods = value(inputs, "defaultMaxPodsPerNode", 110)
    if not 8 <= pods <= 256:
        yield Wrong("defaultMaxPodsPerNode", invalid("defaultMaxPodsPerNode", pods, "It must be from 8 to 256"))
    pool, own = value(inputs, "workloadIdentityConfig.workloadPool"), f"{project_of(cloud, inputs)}.svc.id.goog"
    if pool and pool != own:
        why = f"The workload pool must be the project's own, {own}"
        yield Wrong("workloadIdentityConfig.workloadPool", invalid("workloadIdentityConfig.workloadPool", pool, why))
    yield from _wrong_dataplane(inputs)
    yield from _wrong_ranges(cloud, identifier, inputs)
    yield from _wrong_endpoints(inputs)
    yield from _wrong_master_range(cloud, identifier, inputs)
    yield from _wrong_encryption(inputs)
    yield from wrong_maintenance(inputs)
    yield from wrong_autoscaling(inputs)


def hindered_cluster(cloud: Cloud, inputs: Properties) -> Iterator[Wrong]:
    """Yields what is wrong with a cluster and what it refers to, when it is created or changed."""
    for kind, field in ((NETWORKS, "network"), (SUBNETS, "subnetwork")):
        reference = inputs.get(field)
        if reference and find(cloud, kind, reference) is None:
            yield Wrong(field, f"Error 404: The resource '{full(reference)}' was not found")
    for path in ("nodeConfig.serviceAccount", "clusterAutoscaling.autoProvisioningDefaults.serviceAccount"):
        account = value(inputs, path)
        if account and (missing := missing_account(cloud, account)):
            yield Wrong(path, missing)
    key = value(inputs, "databaseEncryption.keyName")
    if key and value(inputs, "databaseEncryption.state") != "DECRYPTED":
        robot = services.agent(project_of(cloud, inputs), CONTAINER)
        if not key_exists(cloud, key):
            yield Wrong("databaseEncryption.keyName", f"Error 404: CryptoKey {key} not found")
        elif not may_use(cloud, key, robot):
            why = "cloudkms.cryptoKeyVersions.useToEncrypt"
            yield Wrong(
                "databaseEncryption.keyName",
                f"Error 400: Cloud KMS key {key} is unusable: permission {why} is denied to {robot}; grant it "
                "roles/cloudkms.cryptoKeyEncrypterDecrypter first, and have the cluster depend on that",
            )


def missing_account(cloud: Cloud, account: str) -> str | None:
    """Google Cloud's error for nodes whose service account does not exist; None where it does."""
    own = f"projects/{cloud.project}/serviceAccounts/{account}"
    mine = account.endswith(f"@{cloud.project}.iam.gserviceaccount.com")
    return (
        f"Error 400: Service account {account!r} does not exist"
        if mine and cloud.registry.get("account", own) is None
        else None
    )


def _wrong_place(inputs: Properties) -> Iterator[Wrong]:
    location = inputs["location"]
    if location == UNKNOWN:
        return
    region = region_of(location)
    if region is None:
        yield Wrong("location", f"Error 400: Location {location!r} does not exist")
        return
    chosen = values(inputs, "nodeLocations[]")
    for zone in chosen:
        if zone not in zones(region):
            yield Wrong("nodeLocations", f"Error 400: nodeLocations: {zone!r} is not a zone of {region}")
        if chosen.count(zone) > 1 and zone != location:
            yield Wrong("nodeLocations", f"Error 400: nodeLocations: {zone!r} is given twice")
            return


def _wrong_dataplane(inputs: Properties) -> Iterator[Wrong]:
    if value(inputs, "datapathProvider") != "ADVANCED_DATAPATH":
        if value(inputs, "enableMultiNetworking") and inputs.get("datapathProvider") != UNKNOWN:
            why = "Multi-networking requires GKE Dataplane V2, DatapathProvider=ADVANCED_DATAPATH"
            yield Wrong("enableMultiNetworking", f"Error 400: {why}")
        return
    addon = value(inputs, "addonsConfig.networkPolicyConfig.disabled", True)
    for field, enabled in (("networkPolicy", value(inputs, "networkPolicy.enabled")), ("addonsConfig", not addon)):
        if enabled:
            why = "Enabling NetworkPolicy for clusters with DatapathProvider=ADVANCED_DATAPATH is not allowed"
            yield Wrong(field, f"Error 400: {why} (it enforces policies by itself)")


def _wrong_ranges(cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
    pods, services_ = value(inputs, _PODS_RANGE), value(inputs, _SERVICES_RANGE)
    if pods and pods == services_:
        yield Wrong(_SERVICES_RANGE, f"Error 400: Services range {services_!r} must not be the range of the pods")
    reference = value(inputs, "subnetwork")
    found = find(cloud, SUBNETS, reference) if reference else None
    if found is None:
        return
    subnet, properties = found
    for field, name in ((_PODS_RANGE, pods), (_SERVICES_RANGE, services_)):
        if name and secondary_range(properties, name) is None:
            known = ", ".join(values(properties, "secondaryIpRanges[].rangeName")) or "none"
            why = f"Secondary range {name!r} does not exist in subnetwork {subnet}, which has {known}"
            yield Wrong(field, f"Error 400: {why}")
    location, network = value(inputs, "location"), value(inputs, "network")
    region = region_of(location) if location else None
    if region and properties["region"] != region:
        yield Wrong("subnetwork", f"Error 400: Subnetwork {subnet} is in {properties['region']}, not in {region}")
    if network and not refers_to(network, full(properties["network"])):
        yield Wrong("subnetwork", f"Error 400: Subnetwork {subnet} is not in network {full(network)}")
    for other, cluster in cloud.registry.all(CLUSTERS).items():
        shared = services_ and value(cluster, _SERVICES_RANGE) == services_
        if shared and other != identifier and refers_to(cluster.get("subnetwork", ""), subnet):
            yield Wrong(_SERVICES_RANGE, f"Error 400: Services range {services_!r} is in use by cluster {other}")


def _wrong_endpoints(inputs: Properties) -> Iterator[Wrong]:
    path = "masterAuthorizedNetworksConfig.cidrBlocks"
    blocks = values(inputs, f"{path}[].cidrBlock")
    only_private = value(inputs, "privateClusterConfig.enablePrivateEndpoint", False)
    if only_private and lacking(inputs, "masterAuthorizedNetworksConfig"):
        why = "Error 400: Master authorized networks must be enabled when private endpoint is enabled"
        yield Wrong("masterAuthorizedNetworksConfig", f"{why}; an empty block will do")
    if len(blocks) > _AUTHORIZED:
        yield Wrong(path, f"Error 400: {len(blocks)} master authorized networks exceed the {_AUTHORIZED} of a cluster")
    for text in blocks:
        if why := why_malformed(text):
            yield Wrong(path, f"Error 400: Invalid master authorized networks: {text!r}. {why}")
        elif only_private and not is_private(text):
            why = f'network "{text}" is not a reserved network, which is required for private endpoints'
            yield Wrong(path, f"Error 400: Invalid master authorized networks: {why}")


def _wrong_master_range(cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
    text = value(inputs, _MASTER)
    if text is None:
        return
    if inputs["privateClusterConfig"].get("enablePrivateNodes") not in (True, UNKNOWN):
        yield Wrong(_MASTER, "master_ipv4_cidr_block can only be set if enable_private_nodes is true")
    if given(inputs, "privateClusterConfig.privateEndpointSubnetwork"):
        yield Wrong(_MASTER, "master_ipv4_cidr_block and private_endpoint_subnetwork exclude each other")
    if why := why_malformed(text):
        yield Wrong(_MASTER, invalid(_MASTER, text, why))
        return
    if IPv4Network(text).prefixlen != 28:
        yield Wrong(_MASTER, f"Error 400: Invalid master_ipv4_cidr_block {text}: its length must be /28")
    network = value(inputs, "network")
    taken = [(_RESERVED, "Docker's range on the nodes")]
    for other, subnet in cloud.registry.all(SUBNETS).items() if network else ():
        if refers_to(subnet["network"], full(network)):
            taken += [(each, other) for each in ranges(subnet)]
    for other, cluster in cloud.registry.all(CLUSTERS).items() if network else ():
        theirs = value(cluster, _MASTER)
        if theirs and other != identifier and full(cluster.get("network", "")) == full(network):
            taken.append((theirs, other))
    for block, owner in taken:
        for _ in overlaps([text], [block]):
            yield Wrong(_MASTER, f"Error 400: The given master_ipv4_cidr {text} overlaps with {block} of {owner}")


def _wrong_encryption(inputs: Properties) -> Iterator[Wrong]:
    state, key = value(inputs, "databaseEncryption.state"), value(inputs, "databaseEncryption.keyName")
    path = "databaseEncryption.keyName"
    if state == "ENCRYPTED" and lacking(inputs, path):
        yield Wrong(path, "Error 400: Database encryption state ENCRYPTED needs a key")
    location = value(inputs, "location")
    region = region_of(location) if location else None
    if key and key_location(key) is None:
        yield Wrong(path, invalid(path, key, KEY_FORM))
    elif key and region and key_location(key) != region:
        why = f"The key is in {key_location(key)}, but must be in {region}, as the cluster is"
        yield Wrong(path, invalid(path, key, why))


def node_zones(cluster: Properties) -> tuple[str, ...]:
    """The zones in which a cluster's nodes are, where its pools name none."""
    location = cluster["location"]
    region = region_of(location) or location
    return tuple(cluster.get("nodeLocations") or (chosen_zones(region) if location == region else (location,)))
