"""The settings of the clusters, and what must hold between them."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from clusters.addresses import SLOTS
from clusters.regions import is_zone_of, regions
from problems import LABEL_KEY, LABEL_VALUE, NAME, Model, Problem, one_of

# Every cluster has this pool; clusters/node_pools.py makes it.
SYSTEM_POOL = "system"


def _known_region(value: Any) -> Any:
    if isinstance(value, str) and value not in regions():
        raise ValueError(f"not a region of Google Cloud; write {one_of(value, regions())}")
    return value


def _accelerators() -> list[JsonValue]:
    return [*sorted({accelerator for region in regions().values() for accelerator in region.accelerators})]


RegionName = Annotated[str, BeforeValidator(_known_region), Field(json_schema_extra={"enum": [*regions()]})]
Labels = dict[Annotated[str, Field(pattern=LABEL_KEY)], Annotated[str, Field(pattern=LABEL_VALUE)]]


class Accelerator(Model):
    """GPUs attached to each node of a pool."""

    type: str = Field(pattern=r"^[a-z][-a-z0-9]*[a-z0-9]$", json_schema_extra={"examples": _accelerators()})
    """Google Cloud's name of an accelerator, such as nvidia-l4

    It must go with the machine type. It becomes a label of the member, by which placements select.
    """
    count: int = Field(default=1, ge=1, le=16)
    """how many each node has, from 1 to 16

    As many as the machine type takes.
    """


class NodePool(Model):
    """A group of alike nodes that grows and shrinks with its pods."""

    machine_type: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)+$")
    """a Google Cloud machine type, such as g2-standard-8

    It decides the CPUs and the memory of each node.
    """
    accelerator: Accelerator | None = None
    """type and count of the GPUs of each node

    Nodes with GPUs are kept for the pods that ask for them.
    """
    spot: bool = False
    """true for spot machines, or false

    Spot machines cost less, and Google Cloud may take them back at any time.
    """
    min_nodes: int = Field(default=0, ge=0, le=1000)
    """the fewest nodes in the whole cluster, 0 to 1000

    Over all its zones. At 0 an unused pool costs nothing, and the first pod waits some minutes for its machine.
    """
    max_nodes: int = Field(default=1, ge=1, le=1000)
    """the most nodes in the whole cluster, 1 to 1000

    Over all its zones; the autoscaler stops here. The project needs quota for their GPUs.
    """

    @model_validator(mode="after")
    def _sizes_in_order(self) -> Self:
        if self.min_nodes > self.max_nodes:
            raise ValueError(
                f"min_nodes {self.min_nodes} is above max_nodes {self.max_nodes}; write a larger max_nodes"
            )
        return self


class Cluster(Model):
    """A GKE cluster, which is a member of the federation under its key."""

    region: RegionName
    """a Google Cloud region, such as us-west1

    Where the control plane and the nodes are; a label of the member. Another region is another cluster: the one that
    stands is deleted.
    """
    zones: list[str] = Field(default_factory=list[str])
    """a list of the region's zones for the nodes; left out, Google chooses

    Name them for GPUs, which not every zone has.
    """
    slot: int = Field(
        ge=0,
        lt=SLOTS,
        description=f"a block of the address plan that no other cluster has, 0 to {SLOTS - 1}, for ever\n\n"
        "The addresses of nodes, pods and services follow from it. Another slot is another cluster: the one that "
        "stands is deleted.",
    )
    role: str = Field(min_length=1, pattern=LABEL_VALUE)
    """what it is for, such as training or serving

    A label of the member, by which placements select. Any word will do: none has a meaning of its own.
    """
    labels: Labels = Field(default_factory=dict[str, str])
    """a map of further labels of the member

    Placements and overrides select by them, as they do by role, region, continent and accelerator.
    """
    node_pools: dict[Annotated[str, Field(pattern=NAME)], NodePool] = Field(default_factory=dict[str, NodePool])
    """a map of names to node pools

    Every cluster has a pool of small machines beside them, named system.
    """
    deletion_protection: bool = False
    """true to have GKE and Pulumi refuse the cluster's deletion, or false

    Before the cluster can go, set it to false and run pulumi up.
    """


def member_labels(cluster: Cluster) -> dict[str, str]:
    """The labels that a cluster has as a member, which placements select on."""
    labels = dict(cluster.labels)
    labels |= {"role": cluster.role, "region": cluster.region, "continent": regions()[cluster.region].continent}
    accelerators = sorted({pool.accelerator.type for pool in cluster.node_pools.values() if pool.accelerator})
    return labels | {f"accelerator/{accelerator}": "true" for accelerator in accelerators}


def selects(labels: Mapping[str, str], key: str, wanted: str) -> bool:
    """Whether a member with these labels has the wanted one; it can have several accelerators."""
    return f"accelerator/{wanted}" in labels if key == "accelerator" else labels.get(key) == wanted


def check_clusters(clusters: Mapping[str, Cluster]) -> Iterator[Problem]:
    """Yields what is wrong between settings that are each well-formed."""
    slots: dict[int, str] = {}
    for name, cluster in clusters.items():
        setting = f"clusters.{name}"
        for zone in cluster.zones:
            if not is_zone_of(zone, cluster.region):
                advice = f"not a zone of {cluster.region}; write one of its own, such as {cluster.region}-b"
                yield Problem(f"{setting}.zones", zone, advice)
        other = slots.setdefault(cluster.slot, name)
        if other != name:
            free = min(set(range(SLOTS)) - {each.slot for each in clusters.values()}, default="nothing: none is left")
            advice = f"{other} has this slot; write one that is free, such as {free}"
            yield Problem(f"{setting}.slot", cluster.slot, advice)
        for key in cluster.labels:
            if key in ("role", "region", "continent") or key.startswith("accelerator/"):
                yield Problem(f"{setting}.labels", key, "every member has this label already; write another key")
        if SYSTEM_POOL in cluster.node_pools:
            yield Problem(
                f"{setting}.node_pools", SYSTEM_POOL, "every cluster has this pool already; write another name"
            )
