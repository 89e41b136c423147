"""Resource policies of Compute Engine, by which machines are close to each other. They are checked and recorded."""

from collections.abc import Iterator
from typing import ClassVar

from clusters.facts.topologies import sides
from local.gcp.network import region_in, wrong_region
from local.gcp.resource import Choices, Cloud, Kind, Wrong, find, given, invalid, lacking, project_of, value
from local.plugin import Refused
from local.wire import Properties

_POLICIES, _POOLS = "resourcepolicy", "nodepool"  # in the registry
_KINDS = (
    "diskConsistencyGroupPolicy",
    "groupPlacementPolicy",
    "instanceSchedulePolicy",
    "snapshotSchedulePolicy",
    "workloadPolicy",
)
_OF_THROUGHPUT = ("acceleratorTopology", "acceleratorTopologyMode", "maxTopologyDistance")


class ResourcePolicy(Kind):
    """A policy that node pools name. None of its inputs can be changed, but its description and its snapshots."""

    token = "gcp:compute/resourcePolicy:ResourcePolicy"
    fixed = frozenset({"name", "region", "project", *(each for each in _KINDS if each != "snapshotSchedulePolicy")})
    choices: ClassVar[Choices] = {
        "workloadPolicy.type": ("HIGH_AVAILABILITY", "HIGH_THROUGHPUT"),
        "workloadPolicy.maxTopologyDistance": ("BLOCK", "CLUSTER", "SUBBLOCK"),
        "groupPlacementPolicy.collocation": ("COLLOCATED",),
    }

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        where = f"projects/{project_of(cloud, inputs)}/regions/{region_in(cloud, inputs)}"
        return f"{where}/resourcePolicies/{inputs['name']}"

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[Wrong]:
        yield from wrong_region(cloud, inputs)
        kinds = [each for each in _KINDS if given(inputs, each)]
        if len(kinds) > 1 or all(lacking(inputs, each) for each in _KINDS):
            yield Wrong(
                kinds[-1] if kinds else "workloadPolicy", f"exactly one of {', '.join(_KINDS)} must be specified"
            )
        if given(inputs, "workloadPolicy"):
            yield from _wrong_workload(inputs)

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        link = f"https://www.googleapis.com/compute/v1/{identifier}"
        return {"project": project_of(cloud, inputs), "region": region_in(cloud, inputs), "selfLink": link}

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        for pool, properties in cloud.registry.all(_POOLS).items():
            if str(value(properties, "placementPolicy.policyName", "")).rpartition("/")[2] == state["name"]:
                raise Refused(
                    f"Error 400: The resource_policy resource '{identifier}' is already being used by '{pool}'"
                )


def _wrong_workload(inputs: Properties) -> Iterator[Wrong]:
    kind, path = value(inputs, "workloadPolicy.type"), "workloadPolicy.acceleratorTopology"
    if lacking(inputs, "workloadPolicy.type"):
        yield Wrong("workloadPolicy", "Missing required argument: workloadPolicy.type")
    for each in _OF_THROUGHPUT if kind == "HIGH_AVAILABILITY" else ():
        if given(inputs, f"workloadPolicy.{each}"):
            yield Wrong("workloadPolicy", f"{each} can be set only when the workload policy type is HIGH_THROUGHPUT")
    if given(inputs, path) and given(inputs, "workloadPolicy.maxTopologyDistance"):
        yield Wrong("workloadPolicy", "acceleratorTopology cannot be set if maxTopologyDistance is set")
    topology = value(inputs, path)
    if topology is not None and not sides(str(topology)):
        yield Wrong("workloadPolicy", invalid(path, topology, "It must be a topology such as 2x2x2 or 1x72"))


def topology_of(cloud: Cloud, project: str, region: str, name: str) -> str | None:
    """The topology of the workload policy of this name in a region, empty for none; None where there is no policy."""
    found = find(cloud, _POLICIES, f"projects/{project}/regions/{region}/resourcePolicies/{name}")
    return None if found is None else str(value(found[1], "workloadPolicy.acceleratorTopology", ""))
