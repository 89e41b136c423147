"""The ComputeClass objects of a cluster: how GKE gets machines for the pods that select a class.

Source: GKE's reference of the ComputeClass object (2026), and the manifests of accelerated-platforms (2026-08-20).
"""

from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.classes.spec import ANY, ComputeClass, Priority
from clusters.spec import Cluster

API_VERSION, KIND = "cloud.google.com/v1", "ComputeClass"


def create_compute_classes(
    name: str, spec: Cluster, pools: Mapping[str, pulumi.Resource], opts: pulumi.ResourceOptions
) -> list[kubernetes.apiextensions.CustomResource]:
    """Makes a cluster's classes with the options' provider, each after the pools that it names, and deleted before."""
    made: list[kubernetes.apiextensions.CustomResource] = []
    for each, settings in spec.compute_classes.items():
        named = [pools[pool] for priority in settings.priorities for pool in priority.pools]
        made.append(
            kubernetes.apiextensions.CustomResource(
                f"{name}-class-{each}",
                api_version=API_VERSION,
                kind=KIND,
                metadata={"name": each},
                spec=class_spec(settings, {"role": spec.role}),
                opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=named)),
            )
        )
    return made


def class_spec(settings: ComputeClass, labels: Mapping[str, str]) -> dict[str, Any]:
    """The spec of a ComputeClass; `labels` are those of the nodes that GKE creates.

    Two fields are always written: their defaults differ between the versions of GKE.
    """
    spec: dict[str, Any] = {
        "priorities": [_priority(each) for each in settings.priorities],
        "whenUnsatisfiable": settings.when_unsatisfiable,
        "nodePoolAutoCreation": {"enabled": settings.create_pools},
    }
    if settings.migrate:
        spec["activeMigration"] = {"optimizeRulePriority": True}
    if settings.create_pools:
        spec["nodePoolConfig"] = {"nodeLabels": dict(labels)}
    return spec


def _priority(priority: Priority) -> dict[str, Any]:
    if priority.pools:
        return {"nodepools": priority.pools}
    gpu, tpu = priority.gpu, priority.tpu
    fields: dict[str, Any] = {
        "machineType": priority.machine_type,
        "machineFamily": priority.machine_family,
        "minCores": priority.min_cores,
        "minMemoryGb": priority.min_memory_gb,
        # GKE does not add the GPUs of a machine type by itself.
        "gpu": gpu and {"type": gpu.type, "count": gpu.count, "driverVersion": gpu.driver},
        "tpu": tpu and {"type": tpu.type, "count": tpu.count, "topology": tpu.topology},
        "flexStart": {"enabled": True} if priority.flex_start else None,
        "reservations": _reservations(priority.reservation),
        "maxRunDurationSeconds": priority.max_run_hours and priority.max_run_hours * 3600,
        "location": {"zones": priority.zones} if priority.zones else None,
    }
    written = {name: value for name, value in fields.items() if value}
    return written | {"spot": priority.spot, "maxPodsPerNode": priority.max_pods_per_node}


def _reservations(reservation: str) -> dict[str, Any] | None:
    if not reservation:
        return None
    if reservation == ANY:
        return {"affinity": "AnyBestEffort"}
    *_, name = reservation.partition("/reservationBlocks/")[0].rpartition("/")
    specific: dict[str, Any] = {"name": name}
    if reservation.startswith("projects/"):
        specific["project"] = reservation.split("/")[1]
    if block := reservation.partition("/reservationBlocks/")[2]:
        specific["reservationBlock"] = {"name": block}
    return {"affinity": "Specific", "specific": [specific]}
