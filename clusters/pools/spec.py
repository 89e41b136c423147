"""The settings of a node pool."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, Field, model_validator

from clusters.facts.boot_disks import default_disk
from clusters.facts.machine_sizes import tpus
from clusters.pools.accelerator import Accelerator, with_gpus_of_machine
from clusters.pools.disks import LocalSsds
from clusters.pools.reservations import RESERVATION, as_reservation
from clusters.pools.tpus import TpuSlice, with_slice
from problems import LABEL_KEY, LABEL_VALUE, Model

IMAGE = r"^projects/[-:.a-z0-9]+/global/images/[a-z]([-a-z0-9]{0,61}[a-z0-9])?$"
"""An image of disks, by its full name."""
Labels = dict[Annotated[str, Field(pattern=LABEL_KEY)], Annotated[str, Field(pattern=LABEL_VALUE)]]


class NodePool(Model):
    """A group of equal nodes that grows and shrinks with its pods."""

    machine_type: str = Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)+$")
    """a Google Cloud machine type, such as g2-standard-8

    It decides the CPUs and the memory of each node.
    """
    accelerator: Accelerator | None = None
    """type and count of the GPUs of each node

    Left out, those that the machine type comes with; for one that clusters/facts/machines.csv does not list, write it,
    or null if it has none. Nodes with GPUs are reserved for the pods that request them.
    """
    spot: bool = False
    """true for spot machines, or false

    Spot machines cost less, and Google Cloud may take them back at any time.
    """
    flex_start: bool = False
    """true for machines that start when Google has some free, or false

    Dynamic Workload Scheduler starts them, for up to seven days. They cost less than others, and are not taken back.
    """
    queued: bool = False
    """true for machines that start all at once, or false

    A Job requests them by a ProvisioningRequest, as Kueue does, and starts when all of them are ready.
    """
    reservation: Annotated[str, AfterValidator(as_reservation)] = Field(
        default="", json_schema_extra={"pattern": RESERVATION}
    )
    """the name of a reservation, or projects/PROJECT/reservations/NAME

    Only its machines are used. Left out, only reservations that need not be named can be used. The long form may end
    with /reservationBlocks/BLOCK, or with that and /reservationSubBlocks/SUBBLOCK: then only machines of that block are
    used, which are close to each other.
    """
    max_run_hours: int | None = Field(default=None, ge=1, le=168)
    """how long each machine runs at the most, from 1 to 168 hours

    Left out, there is no limit, or seven days with flex_start or queued. If it is removed from such a pool later, the
    pool keeps the old value.
    """
    compact: bool = False
    """true for machines close to each other, or false

    For training on several nodes, which are then in one zone.
    """
    zones: list[str] = Field(default_factory=list[str])
    """a list of the region's zones; left out, those of the cluster

    The zones that have the machines of this pool.
    """
    min_nodes: int = Field(default=0, ge=0, le=1000)
    """the fewest nodes in the whole cluster, 0 to 1000

    Over all its zones. At 0 an unused pool costs nothing, and the first pod waits some minutes for its machine. A new
    pool starts with this many, the same number in each zone; an existing pool below a raised minimum grows only when
    pods need it.
    """
    max_nodes: int = Field(default=1, ge=1, le=1000)
    """the most nodes in the whole cluster, 1 to 1000

    Over all its zones; the autoscaler stops here. The project needs quota for their accelerators.
    """
    location_policy: Literal["ANY", "BALANCED"] = "ANY"
    """ANY or BALANCED

    Nodes in whichever zone has machines, or as many in each zone.
    """
    max_pods_per_node: int = Field(default=110, ge=8, le=256)
    """the most pods on each node, from 8 to 256

    Each node reserves twice as many addresses; fewer pods leave room for more nodes.
    """
    local_ssds: LocalSsds | None = None
    """count and use of local SSDs

    Left out, only those that the machine type always has. If it is removed from such a pool later, the pool keeps the
    old value.
    """
    disk_gb: int = Field(default=100, ge=20, le=65536)
    """the size of each node's boot disk, from 20 GB up

    It holds images and logs.
    """
    disk_type: Literal["pd-standard", "pd-balanced", "pd-ssd", "hyperdisk-balanced"] = "pd-balanced"
    """pd-standard, pd-balanced, pd-ssd or hyperdisk-balanced

    The type of the boot disk; left out, hyperdisk-balanced for machine types that do not take pd-balanced.
    """
    image_streaming: bool = False
    """true to start containers while their images are loaded, or false

    For images in Artifact Registry.
    """
    fast_socket: bool = False
    """true for NCCL's faster sockets, or false

    For training on several nodes with several GPUs each.
    """
    secure_boot: bool = True
    """false for drivers that are not signed, or true

    If true, nodes start only signed software.
    """
    labels: Labels = Field(default_factory=dict[str, str])
    """a map of Kubernetes labels of the nodes

    Pods select by them, by role, and by labels of GKE, such as cloud.google.com/gke-accelerator.
    """
    compute_class: str = Field(default="", pattern=r"^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)?$")
    """the name of a compute class of this cluster, whose priorities name this pool

    Its nodes are then reserved for the pods that select the class by the label cloud.google.com/compute-class.
    """
    preload: list[Annotated[str, Field(pattern=IMAGE)]] = Field(default_factory=list[str])
    """a list of disk images with container images in them, such as projects/my-project/global/images/models

    Each node has a secondary boot disk of each image, from which containers start in seconds. It needs image_streaming.
    Another list is another pool: the existing one is deleted. If it is removed from such a pool later, the pool keeps
    the old list; write [] to have none.
    """
    gpu_networks: Literal["none", "auto", "own"] = "none"
    """auto, own or none

    Networks for GPUDirect between nodes, for A3, A4 and A4X. With auto, GKE makes them, also those between TPUs. With
    own, the program makes VPCs, which pods request by the names vpc1 to vpc8, or gvnic-1 and rdma-0 to rdma-7. A change
    replaces the pool.
    """

    tpu: TpuSlice | None = None
    """topology of the TPU slices, for machine types that have TPUs

    Nodes with TPUs are reserved for the pods that request google.com/tpu. Their accelerator, such as
    tpu-v5-lite-podslice, becomes a label of the member, by which placements select. For a slice of several nodes,
    min_nodes is 0, or their number for a slice that always runs, and max_nodes can be left out.
    """

    @property
    def accelerator_name(self) -> str:
        """Google's name of the nodes' accelerator: that of a GPU, or GKE's label of a TPU; empty for none."""
        tpu = tpus().get(self.machine_type)
        return tpu.accelerator if tpu else self.accelerator.type if self.accelerator else ""

    @property
    def accelerator_count(self) -> int:
        """How many GPUs, or chips of a TPU, each node has."""
        tpu = tpus().get(self.machine_type)
        return tpu.chips if tpu else self.accelerator.count if self.accelerator else 0

    @model_validator(mode="before")
    @classmethod
    def _add_what_the_machine_has(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        given_pool = cast(Mapping[str, Any], raw)
        pool = {"disk_type": default_disk(str(given_pool.get("machine_type"))), **given_pool}
        return with_slice(with_gpus_of_machine(pool, "accelerator"))

    @model_validator(mode="after")
    def _sizes_in_order(self) -> Self:
        if self.min_nodes > self.max_nodes:
            raise ValueError(
                f"min_nodes {self.min_nodes} is above max_nodes {self.max_nodes}; write a larger max_nodes"
            )
        return self
