"""The settings of a pool's GPUs."""

from collections.abc import Mapping
from typing import Any, Literal, cast

from pydantic import Field, JsonValue

from clusters.facts.machines import BUILT_IN
from clusters.facts.regions import accelerators
from problems import Model

_KNOWN: list[JsonValue] = [*sorted(accelerators())]
DRA_LABELS = {"gke-no-default-nvidia-gpu-device-plugin": "true", "nvidia.com/gpu.present": "true"}
"""Labels of nodes whose GPUs are allocated by DRA: GKE's plugin stays away, and NVIDIA's driver of claims runs there.

Source: GKE's page "Prepare GKE infrastructure for DRA workloads", read 2026-11-26.
"""


class Sharing(Model):
    """Several pods on each GPU."""

    strategy: Literal["TIME_SHARING", "MPS"] = "TIME_SHARING"
    """TIME_SHARING or MPS

    Pods take turns, or run side by side with a part of the memory each.
    """
    clients: int = Field(default=2, ge=2, le=48)
    """how many pods share a GPU, from 2 to 48

    Each requests one nvidia.com/gpu, of which a node then has this many for each GPU.
    """


class Accelerator(Model):
    """GPUs attached to each node of a pool."""

    type: str = Field(pattern=r"^[a-z][-a-z0-9]*[a-z0-9]$", json_schema_extra={"examples": _KNOWN})
    """Google Cloud's name of an accelerator, such as nvidia-l4

    It must fit the machine type. It becomes a label of the member, by which placements select.
    """
    count: int = Field(default=1, ge=1, le=16)
    """how many each node has, from 1 to 16

    A number that the machine type takes; left out, what it comes with.
    """
    driver: Literal["DEFAULT", "LATEST"] = "DEFAULT"
    """DEFAULT or LATEST

    Which NVIDIA driver GKE installs, of those for its own version.
    """
    sharing: Sharing | None = None
    """strategy and clients, for several pods on each GPU

    Left out, each GPU is used by one pod.
    """
    partition: str = Field(default="", pattern=r"^([1-7]g\.[1-9][0-9]{0,2}gb)?$")
    """the size of the parts into which each GPU is divided, such as 1g.5gb

    All GPUs of the pool are partitioned alike (multi-instance GPUs), and each part is one nvidia.com/gpu with memory of
    its own. A container can request one part. GKE has no metric of how busy a part is.
    """
    dra: bool = False
    """true for GPUs that pods request by resourceClaims, or false

    With dynamic resource allocation (DRA), GKE installs neither the driver nor its device plugin, so that no pod can
    request nvidia.com/gpu. Install NVIDIA's driver and its DRA driver by federation.base. Pods must tolerate the taint
    nvidia.com/gpu themselves.
    """


def with_gpus_of_machine(raw: Mapping[str, Any], setting: str) -> Mapping[str, Any]:
    """Plain settings with a machine_type, in which the GPUs that it comes with are filled in under this setting."""
    kind, count = BUILT_IN.get(str(raw.get("machine_type")), ("", 0))
    given: Any = raw.get(setting)
    if kind and given is None:
        return {**raw, setting: {"type": kind, "count": count}}
    if kind and isinstance(given, Mapping) and cast(Mapping[str, Any], given).get("type") == kind:
        return {**raw, setting: {"count": count, **cast(Mapping[str, Any], given)}}
    return raw
