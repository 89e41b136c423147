"""The settings of compute classes: ordered ways to get machines for the pods that select a class.

Source: GKE's reference of the ComputeClass object (2026), and its CRD as kcl-lang/modules has it (2025).
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import Field, model_validator

from clusters.pools.accelerator import with_gpus_of_machine
from clusters.pools.reservations import WITHOUT_SUB_BLOCKS
from problems import NAME, Model

LABEL = "cloud.google.com/compute-class"
"""The label and the taint of a class's nodes, by which pods select it."""
ANY = "any"
"""The value of reservation by which whatever reservation fits is used first."""
OF_GKE = ("gke", "autopilot")
"""The beginnings of names that GKE keeps for classes of its own, which it may define in any cluster."""
_MACHINE = r"^([a-z][a-z0-9]*(-[a-z0-9]+)+)?$"


class ClassGpu(Model):
    """GPUs of each machine of a priority."""

    type: str = Field(pattern=r"^[a-z][-a-z0-9]*[a-z0-9]$")
    """Google Cloud's name of an accelerator, such as nvidia-l4

    It must fit the machine type, if the priority has one.
    """
    count: int = Field(default=1, ge=1, le=16)
    """how many each machine has, from 1 to 16

    Left out, what the machine type comes with.
    """
    driver: Literal["default", "latest"] = "default"
    """default or latest

    Which NVIDIA driver GKE installs.
    """


class ClassTpu(Model):
    """TPU chips of each machine of a priority, and the slice that they are part of."""

    type: str = Field(pattern=r"^[a-z][-a-z0-9]*[a-z0-9]$")
    """GKE's label of a TPU, such as tpu-v6e-slice

    One of the accelerators in clusters/facts/tpus.csv.
    """
    count: int = Field(ge=1, le=8)
    """how many chips each machine has, from 1 to 8

    A number that a machine type of this TPU has.
    """
    topology: str = Field(pattern=r"^[0-9]{1,3}(x[0-9]{1,3}){1,2}$")
    """the topology of a slice, such as 2x4

    One that machines of this TPU with this many chips can make.
    """


class Priority(Model):
    """One way to get machines: own pools, or what the machines must be."""

    pools: list[Annotated[str, Field(pattern=NAME)]] = Field(default_factory=list[str])
    """a list of node pools of this cluster

    Each must have this class as its compute_class, and the priority no other setting.
    """
    machine_type: str = Field(default="", pattern=_MACHINE)
    """a Google Cloud machine type, such as g2-standard-8

    If gpu is left out, it is set to the GPUs that the machine type comes with.
    """
    machine_family: str = Field(default="", pattern=r"^([a-z][a-z0-9]*)?$")
    """a family of machine types, such as n2

    GKE chooses the size by what the pods request.
    """
    min_cores: int | None = Field(default=None, ge=1, le=512)
    """the fewest virtual CPUs of a machine, 1 to 512

    With machine_family.
    """
    min_memory_gb: int | None = Field(default=None, ge=1, le=32768)
    """the least memory of a machine, in GB

    With machine_family.
    """
    gpu: ClassGpu | None = None
    """type and count of the GPUs of each machine

    Left out, those of machine_type, or none.
    """
    tpu: ClassTpu | None = None
    """type, count and topology of TPUs

    GKE makes all nodes of a slice, or none.
    """
    spot: bool = False
    """true for spot machines, or false

    Google Cloud may take them back at any time.
    """
    flex_start: bool = False
    """true for machines that start when Google has some free, or false

    For up to seven days.
    """
    reservation: str = Field(default="", pattern=WITHOUT_SUB_BLOCKS)
    """the name of a reservation, projects/PROJECT/reservations/NAME, or any

    Only machines of that reservation. With any, machines of any reservation that fits are used first.
    """
    max_run_hours: int | None = Field(default=None, ge=1, le=168)
    """how long each machine runs at the most, from 1 to 168 hours

    Left out, there is no limit, or seven days with flex_start.
    """
    zones: list[str] = Field(default_factory=list[str])
    """a list of the region's zones; left out, those of auto_provisioning

    Where these machines may be.
    """
    max_pods_per_node: int = Field(default=110, ge=8, le=256)
    """the most pods on each node, from 8 to 256

    Each node reserves twice as many addresses.
    """

    @model_validator(mode="before")
    @classmethod
    def _add_gpus_of_machine(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        return with_gpus_of_machine(cast(Mapping[str, Any], raw), "gpu")

    @property
    def written(self) -> list[str]:
        """The settings of machines that differ from their defaults."""
        defaults = {name: each.get_default(call_default_factory=True) for name, each in type(self).model_fields.items()}
        return [name for name, default in defaults.items() if name != "pools" and getattr(self, name) != default]


class ComputeClass(Model):
    """Ways to get machines, in order, for the pods that select the class by the label cloud.google.com/compute-class.

    GKE adds the toleration of the class's taint to these pods. They should have no other node selectors for machines.
    """

    priorities: list[Priority] = Field(min_length=1)
    """an ordered list of ways to get machines

    GKE uses the first that has machines. Each is own pools, or a machine type or family and how its machines are
    bought.
    """
    when_unsatisfiable: Literal["DoNotScaleUp", "ScaleUpAnyway"] = "DoNotScaleUp"
    """DoNotScaleUp or ScaleUpAnyway

    What GKE does if no priority has machines: the pods wait, or GKE adds a machine that matches no priority.
    """
    create_pools: bool = False
    """true to have GKE create node pools for the priorities that name none, or false

    The cluster needs auto_provisioning. GKE deletes such pools when they are empty.
    """
    migrate: bool = False
    """true to move pods when a better priority has machines again, or false

    GKE then evicts them, within their PodDisruptionBudgets.
    """


def created_accelerators(classes: Mapping[str, ComputeClass]) -> set[str]:
    """The accelerators of the pools that GKE may create for these classes."""
    created = [each for spec in classes.values() if spec.create_pools for each in spec.priorities]
    return {each.type for priority in created for each in (priority.gpu, priority.tpu) if each}
