"""The settings of the clusters, and what must hold between them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from clusters.addresses import SLOTS, Addresses, addresses
from clusters.classes.auto_provisioning import AutoProvisioning, check_auto_provisioning
from clusters.classes.rules import check_classes, unsure_classes
from clusters.classes.spec import ComputeClass, created_accelerators
from clusters.existing import ExistingSubnet
from clusters.facts.regions import regions
from clusters.pools.address_room import check_capacity
from clusters.pools.first_nodes import too_few_at_first
from clusters.pools.gpu_network_rules import check_gpu_networks, doubtful_gpu_networks
from clusters.pools.gpu_rules import check_dra, check_gpu_pool, unsure_gpu_pools
from clusters.pools.rules import check_pool, unsure_machines
from clusters.pools.spec import Labels, NodePool
from clusters.pools.system_pool import SYSTEM_POOL
from clusters.pools.tpu_rules import unsure_tpus
from clusters.pools.volumes import other_volumes
from clusters.pools.zone_rules import misused_ai_zones, unlisted_places
from clusters.pools.zones import check_zones
from clusters.profiles import with_profile
from clusters.ranges import Range
from clusters.upkeep import Backup, Maintenance, check_maintenance
from problems import DNS_LABEL, LABEL_VALUE, NAME, Model, Problem, one_of

OWN_KEY = "own"
"""The value of encryption_key that makes a key for the cluster, in place of the name of an existing key."""
_KEY = r"projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+"


def _known_region(value: Any) -> Any:
    if isinstance(value, str) and value not in regions():
        raise ValueError(f"not a region of Google Cloud; write {one_of(value, regions())}")
    return value


RegionName = Annotated[str, BeforeValidator(_known_region), Field(json_schema_extra={"enum": [*regions()]})]


class Cluster(Model):
    """A GKE cluster, which is a member of the federation under its key."""

    region: RegionName
    """a Google Cloud region, such as us-west1

    Where the control plane and the nodes are; a label of the member. Another region is another cluster: the
    existing one is deleted.
    """
    zones: list[str] = Field(default_factory=list[str])
    """a list of the region's zones for the nodes; left out, Google chooses

    Name them for GPUs, which not every zone has.
    """
    slot: int = Field(
        ge=0,
        lt=SLOTS,
        description=f"a block of the address plan that no other cluster has, 0 to {SLOTS - 1}, which never changes\n\n"
        "The addresses of nodes, pods and services follow from it. Another slot is another cluster: the "
        "existing one is deleted.",
    )
    role: str = Field(min_length=1, pattern=LABEL_VALUE)
    """what it is for, such as training or serving

    A label of the member, by which placements select. These two set defaults (README.md); any other word is
    allowed, and sets none.
    """
    member: bool = True
    """false for a cluster that leaves the federation and stays, or true

    What is placed there is moved to other members first. Then it is unregistered; its own objects are kept.
    """
    labels: Labels = Field(default_factory=dict[str, str])
    """a map of further labels of the member

    Placements and overrides select by them, as they do by role, region, continent and accelerator.
    """
    node_pools: dict[Annotated[str, Field(pattern=NAME)], NodePool] = Field(default_factory=dict[str, NodePool])
    """a map of names to node pools

    Every cluster also has a pool of small machines, named system.
    """
    dns_endpoint: bool = True
    """false for a control plane that has no name on the Internet, or true

    People and CI reach it by this name, if IAM allows them. Without it, only authorized_networks reach it.
    """
    authorized_networks: dict[Annotated[str, Field(pattern=NAME)], Range] = Field(default_factory=dict[str, str])
    """a map of names to ranges of addresses

    The control plane can be reached by its address from these; if all of them are private, it has no public address.
    The federation's host always reaches it.
    """
    release_channel: Literal["RAPID", "REGULAR", "STABLE", "EXTENDED"] = "REGULAR"
    """RAPID, REGULAR, STABLE or EXTENDED

    How soon GKE upgrades the cluster to new versions of Kubernetes.
    """
    kubernetes: str = Field(default="", pattern=r"^(1\.[0-9]{1,3}(\.[0-9]{1,3}(-gke\.[0-9]+)?)?)?$")
    """the oldest version of Kubernetes that the control plane may have, such as 1.36

    Left out, it is what the release channel has. From 1.36 on, admission policies keep KubeFed from undoing what
    queues, autoscalers and other controllers write into its copies.
    """
    maintenance: Maintenance = Field(default_factory=Maintenance)
    """days, start and hours in which GKE may upgrade

    Nodes are then replaced, and their pods moved.
    """
    metrics: list[
        Literal[
            "APISERVER",
            "CADVISOR",
            "CONTROLLER_MANAGER",
            "DAEMONSET",
            "DCGM",
            "DEPLOYMENT",
            "HPA",
            "JOBSET",
            "KUBELET",
            "POD",
            "SCHEDULER",
            "STATEFULSET",
            "STORAGE",
        ]
    ] = Field(default_factory=lambda: ["DCGM"])
    """a list of GKE's metrics, such as DCGM for GPUs

    They are collected in addition to those of the system; left out, the role sets them.
    """
    encryption_key: str = Field(default="", pattern=rf"^({OWN_KEY}|{_KEY})?$")
    """own for a key of its own, or projects/P/locations/R/keyRings/K/cryptoKeys/N

    Kubernetes' Secrets are encrypted with it in etcd, in addition to Google's own encryption. An existing key must be
    in the cluster's region.
    """
    backup: Backup | None = None
    """schedule and retain_days of backups

    Left out, there are none.
    """
    deletion_protection: bool = False
    """true to have GKE and Pulumi refuse the deletion of the cluster and its pools, or false

    To delete them, set it to false and run pulumi up first. Changes that would replace them are refused, too.
    """
    compute_classes: dict[Annotated[str, Field(pattern=DNS_LABEL)], ComputeClass] = Field(
        default_factory=dict[str, ComputeClass]
    )
    """a map of names to compute classes

    Each is an ordered list of ways to get machines. Pods select one by the label cloud.google.com/compute-class.
    """
    auto_provisioning: AutoProvisioning | None = None
    """limits of the node pools that GKE creates by itself

    Compute classes with create_pools need it.
    """
    subnet: ExistingSubnet | None = None
    """name and ranges of an existing subnet of network.vpc

    Left out, the program makes a subnet, whose ranges follow from the slot. With another subnet, the cluster is
    replaced.
    """

    @property
    def addresses(self) -> Addresses:
        """Its ranges: those of its existing subnet, or else of its slot."""
        return self.subnet.addresses if self.subnet else addresses(self.slot)

    @model_validator(mode="before")
    @classmethod
    def _with_defaults_of_role(cls, raw: Any) -> Any:
        return with_profile(raw)


def member_labels(cluster: Cluster) -> dict[str, str]:
    """The labels that a cluster has as a member, by which placements select."""
    labels = dict(cluster.labels)
    labels |= {"role": cluster.role, "region": cluster.region, "continent": regions()[cluster.region].continent}
    pools = cluster.node_pools.values()
    accelerators = {accelerator for pool in pools if (accelerator := pool.accelerator_name)}
    accelerators |= created_accelerators(cluster.compute_classes)
    return labels | {f"accelerator/{accelerator}": "true" for accelerator in sorted(accelerators)}


def selects(labels: Mapping[str, str], key: str, value: str) -> bool:
    """Whether a member's labels have this value; it can have several accelerators."""
    return f"accelerator/{value}" in labels if key == "accelerator" else labels.get(key) == value


def check_clusters(clusters: Mapping[str, Cluster]) -> Iterator[Problem]:
    """Yields what is wrong with clusters that are each well-formed."""
    slots: dict[int, str] = {}
    for name, cluster in clusters.items():
        setting = f"clusters.{name}"
        yield from check_zones(f"{setting}.zones", cluster.zones, cluster.region)
        other = slots.setdefault(cluster.slot, name)
        if other != name:
            free = min(set(range(SLOTS)) - {each.slot for each in clusters.values()}, default="nothing: all are used")
            advice = f"{other} has this slot; write one that is free, such as {free}"
            yield Problem(f"{setting}.slot", cluster.slot, advice)
        for key in cluster.labels:
            if key in ("role", "region", "continent") or key.startswith("accelerator/"):
                yield Problem(f"{setting}.labels", key, "every member has this label already; write another key")
        if (
            cluster.encryption_key not in ("", OWN_KEY)
            and f"/locations/{cluster.region}/" not in cluster.encryption_key
        ):
            advice = f"not a key of {cluster.region}, where the cluster is; write one of its own, or {OWN_KEY}"
            yield Problem(f"{setting}.encryption_key", cluster.encryption_key, advice)
        if not cluster.dns_endpoint and not cluster.authorized_networks:
            advice = "nobody could reach the control plane; write true, or ranges of yours in authorized_networks"
            yield Problem(f"{setting}.dns_endpoint", False, advice)
        yield from check_maintenance(f"{setting}.maintenance", cluster.maintenance)
        for pool, spec in cluster.node_pools.items():
            yield from check_pool(f"{setting}.node_pools.{pool}", spec, cluster.region, cluster.zones)
            yield from check_gpu_pool(f"{setting}.node_pools.{pool}", spec, cluster.zones)
        yield from check_dra(setting, cluster.node_pools, cluster.kubernetes)
        yield from check_gpu_networks(setting, cluster.node_pools, cluster.zones)
        yield from check_capacity(setting, cluster.node_pools, cluster.addresses, cluster.subnet is not None)
        auto = cluster.auto_provisioning
        if auto:
            yield from check_auto_provisioning(f"{setting}.auto_provisioning", auto, cluster.region, cluster.node_pools)
        yield from check_classes(setting, cluster.compute_classes, cluster.node_pools, auto, cluster.region)
        if SYSTEM_POOL in cluster.node_pools:
            yield Problem(
                f"{setting}.node_pools", SYSTEM_POOL, "every cluster has this pool already; write another name"
            )


def warnings(clusters: Mapping[str, Cluster]) -> Iterator[str]:
    """Yields a warning for each setting that is accepted, but may be wrong."""
    for name, cluster in clusters.items():
        yield from unlisted_places(f"clusters.{name}", cluster.node_pools, cluster.region, cluster.zones)
        yield from misused_ai_zones(f"clusters.{name}", cluster.node_pools, cluster.zones)
        yield from too_few_at_first(f"clusters.{name}", cluster.node_pools, cluster.zones)
        yield from unsure_machines(f"clusters.{name}", cluster.node_pools)
        yield from unsure_gpu_pools(f"clusters.{name}", cluster.node_pools, cluster.kubernetes, cluster.zones)
        yield from other_volumes(f"clusters.{name}", cluster.node_pools)
        yield from unsure_classes(f"clusters.{name}", cluster.compute_classes)
        yield from doubtful_gpu_networks(f"clusters.{name}", cluster.node_pools, cluster.kubernetes)
        yield from unsure_tpus(f"clusters.{name}", cluster.node_pools, cluster.kubernetes)
