"""Clusters: real control planes on this machine."""

import os
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager

from clusters.regions import is_zone_of, regions
from local import node_agent
from local.control_plane import ControlPlane, ControlPlaneError
from local.gcp.resource import Cloud, Kind
from local.plugin import Properties, Refused


class Cluster(Kind):
    """A GKE cluster. Its nodes come with its pools, so the first pool that GKE insists on is never made."""

    token = "gcp:container/cluster:Cluster"
    fixed = frozenset(
        {
            "name",
            "location",
            "network",
            "subnetwork",
            "ipAllocationPolicy",
            "datapathProvider",
            "initialNodeCount",
            "nodeConfig",
            "masterAuth",
            "enableShieldedNodes",
        }
    )
    longest_name = 40

    def identify(self, cloud: Cloud, inputs: Properties) -> str:
        return f"projects/{cloud.project}/locations/{inputs['location']}/clusters/{inputs['name']}"

    def wrong(self, cloud: Cloud, identifier: str, inputs: Properties) -> Iterator[str]:
        location = inputs.get("location", "")
        if location not in regions():
            yield f"location {location} does not exist"
        for zone in inputs.get("nodeLocations", []):
            if not is_zone_of(zone, location):
                yield f"nodeLocations: {zone} is not a zone of {location}"
        if not inputs.get("initialNodeCount") and not inputs.get("nodePools"):
            yield "one of initialNodeCount and nodePools is needed"

    def outputs(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        return {"project": cloud.project, "selfLink": f"https://container.googleapis.com/v1/{identifier}"}

    def make(self, cloud: Cloud, identifier: str, inputs: Properties) -> Properties:
        plane = control_plane(cloud, inputs["name"])
        with taking_time("CLUSTER"):
            try:
                plane.start()
            except ControlPlaneError as error:
                raise Refused(str(error)) from None
        (plane.folder / "ready").touch()
        node_agent.ensure(cloud.home)
        return {
            "endpoint": plane.endpoint,
            "masterVersion": "1.35.4",
            "masterAuth": {**inputs.get("masterAuth", {}), "clusterCaCertificate": plane.certificate_authority},
        }

    def remove(self, cloud: Cloud, identifier: str, state: Properties) -> None:
        if state.get("deletionProtection", True):
            raise Refused(f"cluster {state['name']} has deletion protection; set deletion_protection to false first")
        control_plane(cloud, state["name"]).delete()


def control_plane(cloud: Cloud, name: str) -> ControlPlane:
    """The control plane that stands for a cluster."""
    return ControlPlane(name, cloud.home.clusters / name, cloud.home.binaries)


@contextmanager
def taking_time(what: str) -> Generator[None]:
    """Makes its body take as long as GKE would, where GKE_SECONDS_CLUSTER or GKE_SECONDS_POOL says how long."""
    started = time.monotonic()
    yield
    time.sleep(max(0.0, started + float(os.environ.get(f"GKE_SECONDS_{what}", "0")) - time.monotonic()))
