"""A real scheduler with one cluster's nodes, as the stand-in for Google Cloud makes them, on which pods are tried."""

import contextlib
import itertools
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from clusters.nodes.nodes import Nodes
from local.api import Api, ApiError
from placement.fit.space import spaces
from tests.e2e.pod_shapes import ARCH, SHAPES, Spec
from tests.unit.local.test_gcp_nodes import both
from tests.unit.program import ROOT, run_program, stack_settings

PODS = "/api/v1/namespaces/fit/pods"
_SECONDS = 30


@dataclass
class Cluster:
    """An API server with the nodes of every pool."""

    api: Api
    pools: Sequence[Nodes]
    numbers: Iterator[int]

    @property
    def known(self) -> frozenset[str]:
        """The labels and resources that the pools have."""
        return spaces({"fit": self.pools})["fit"].largest.bins[0].pool.known

    def create(self, spec: Spec, labels: Mapping[str, str] | None = None) -> str:
        """Creates a pod, and returns its name."""
        name = f"pod-{next(self.numbers)}"
        containers = {
            key: [{"name": f"{key.lower()}-{at}", "image": "none", **each} for at, each in enumerate(spec[key])]
            for key in ("initContainers", "containers")
            if key in spec
        }
        metadata = {"name": name, "labels": dict(labels or {})}
        self.api.create(PODS, {"metadata": metadata, "spec": {**_admitted(spec), **containers}})
        return name

    def scheduled(self, names: Sequence[str]) -> dict[str, str]:
        """Waits until the scheduler has decided on each pod: why it stays Pending, empty where it has a node."""
        end = time.monotonic() + _SECONDS
        while True:
            found = {each["metadata"]["name"]: _decided(each) for each in self.api.list(PODS)}
            waiting = [name for name in names if found[name] is None]
            if not waiting:
                return {name: found[name] or "" for name in names}
            assert time.monotonic() < end, f"{waiting} are neither scheduled nor refused"
            time.sleep(0.02)

    def clear(self) -> None:
        self.api.delete(PODS, gracePeriodSeconds="0")


def _decided(body: Mapping[str, Any]) -> str | None:
    if body["spec"].get("nodeName"):
        return ""
    for each in body.get("status", {}).get("conditions", []):
        if (each["type"], each["status"], each.get("reason")) == ("PodScheduled", "False", "Unschedulable"):
            return each["message"]
    return None


def _admitted(spec: Spec) -> dict[str, Any]:
    """The spec with what GKE's admission adds and a plain API server does not.

    The tolerations of extended resources are added by an admission plugin of Kubernetes itself, which the local stack's
    API servers have on. overhead is only taken from a RuntimeClass, by which GKE Sandbox sets it.
    """
    added = dict(spec)
    if _selects_arm(spec):
        arm = {"key": ARCH, "operator": "Equal", "value": "arm64", "effect": "NoSchedule"}
        added["tolerations"] = [*spec.get("tolerations", []), arm]
    if "overhead" in added:
        del added["overhead"]
        added["runtimeClassName"] = "with-overhead"
    return added


def _selects_arm(spec: Spec) -> bool:
    if spec.get("nodeSelector", {}).get(ARCH) == "arm64":
        return True
    affinity = spec.get("affinity", {}).get("nodeAffinity", {})
    terms = [term["matchExpressions"] for each in affinity.values() for term in each["nodeSelectorTerms"]]
    arm = {"key": ARCH, "operator": "In", "values": ["arm64"]}
    return bool(terms) and all(arm in term for term in terms)


@contextmanager
def with_nodes(api: Api, node_pools: Mapping[str, Mapping[str, Any]]) -> Generator[Cluster]:
    """Makes as many nodes as each pool has at its largest, four at the most, and removes all in the end."""
    settings = stack_settings("dev")
    plain = {"region": "us-west1", "slot": 0, "role": "testing", "zones": ["us-west1-a"]}
    settings["clusters"] = {"training": {**plain, "node_pools": node_pools}}
    settings["workloads"] = {}
    with contextlib.chdir(ROOT):
        pairs = list(both(run_program("dev", settings)))
    nodes = [node for expected, made in pairs for node in made[: expected.most]]
    for node in nodes:
        api.create("/api/v1/nodes", node)
    _make_namespace(api)
    _wait_ready(api, len(nodes))
    yield Cluster(api, [expected for expected, _ in pairs], itertools.count())
    api.delete("/api/v1/namespaces/fit")
    api.delete("/apis/node.k8s.io/v1/runtimeclasses/with-overhead")
    for node in nodes:
        api.delete(f"/api/v1/nodes/{node['metadata']['name']}")


def _make_namespace(api: Api) -> None:
    api.create("/api/v1/namespaces", {"metadata": {"name": "fit"}})
    # Without it no pod is admitted; the controller would create it a moment later.
    with contextlib.suppress(ApiError):
        api.create("/api/v1/namespaces/fit/serviceaccounts", {"metadata": {"name": "default"}})
    overhead = {"podFixed": SHAPES["overhead"]["overhead"]}
    body = {"metadata": {"name": "with-overhead"}, "handler": "any", "overhead": overhead}
    api.create("/apis/node.k8s.io/v1/runtimeclasses", body)


def _wait_ready(api: Api, count: int) -> None:
    """Waits until no node has a taint of its start."""
    end = time.monotonic() + _SECONDS
    while True:
        nodes = api.list("/api/v1/nodes")
        keys = [taint["key"] for node in nodes for taint in node["spec"].get("taints", [])]
        ready = [each for node in nodes for each in node["status"].get("conditions", []) if each["type"] == "Ready"]
        if len(ready) == count and not any(key.startswith("node.kubernetes.io/") for key in keys):
            return
        assert time.monotonic() < end, f"nodes are not ready: {keys}"
        time.sleep(0.05)
