"""The settings of the federation and its workloads, and what must hold between them."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from clusters.spec import Labels, RegionName
from federation.kinds import BUILT_IN, DEFAULT_TYPES
from federation.manifests import Manifest
from problems import DNS_LABEL, Model, Problem, one_of

NAMESPACE = "kube-federation-system"
"""Where the control plane lives, on the host and in every member."""


class Federation(Model):
    """The federation of all the clusters."""

    host: str = Field(description="the cluster that carries the control plane")
    types: list[str] = Field(
        default_factory=lambda: list(DEFAULT_TYPES), description="a list of Kubernetes types, such as deployments.apps"
    )


class _Policy(Model):
    select: Labels = Field(default_factory=dict[str, str], description="a map of labels that a candidate must have")


class ByClusters(_Policy):
    """The named clusters, in equal shares."""

    policy: Literal["clusters"]
    clusters: list[str] = Field(min_length=1, description="a list of this stack's clusters")


class InRegion(_Policy):
    """Every candidate in one region, in equal shares."""

    policy: Literal["region"]
    region: RegionName = Field(description="a Google Cloud region in which the stack has a cluster")


class Spread(_Policy):
    """Every candidate, in equal shares."""

    policy: Literal["spread"]


Placement = ByClusters | InRegion | Spread


class Override(Model):
    """A JSON patch of one path, in the copies of one cluster."""

    path: str = Field(pattern=r"^(/[^/\s]+)+$", description="a JSON pointer, such as /spec/replicas")
    op: Literal["add", "remove", "replace"] = "replace"
    value: Any = Field(default=None, description="what to put there")


class Workload(Model):
    """Kubernetes objects that are placed together."""

    manifests: str = Field(min_length=1, description="the path of a YAML file, seen from the project's folder")
    namespace: str = Field(pattern=DNS_LABEL, description="a namespace, which all the manifests' objects go to")
    placement: Annotated[Placement, Field(discriminator="policy")] = Field(
        description="a policy and its parameters, such as {policy: spread}"
    )
    overrides: dict[str, list[Override]] = Field(
        default_factory=dict[str, list[Override]], description="a map of clusters to lists of {path, value}"
    )


def check_federation(federation: Federation, clusters: Collection[str]) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed federation of the named clusters."""
    if federation.host not in clusters:
        advice = f"not a cluster of this stack; write {one_of(federation.host, clusters)}"
        yield Problem("federation.host", federation.host, advice)
    for name in federation.types:
        if name not in BUILT_IN:
            yield Problem("federation.types", name, f"not a type that can be federated; write {one_of(name, BUILT_IN)}")


def check_workload(setting: str, workload: Workload, clusters: Collection[str]) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed workload of a stack with the named clusters."""
    namespace = workload.namespace
    if namespace in ("default", NAMESPACE) or namespace.startswith("kube-"):
        yield Problem(f"{setting}.namespace", namespace, "KubeFed leaves this namespace alone; write one of your own")
    placement = workload.placement
    named = placement.clusters if isinstance(placement, ByClusters) else []
    for place, names in (("placement.clusters", named), ("overrides", workload.overrides)):
        for name in names:
            if name not in clusters:
                advice = f"not a cluster of this stack; write {one_of(name, clusters)}"
                yield Problem(f"{setting}.{place}", name, advice)


def check_objects(workloads: Mapping[str, Workload], manifests: Mapping[str, Sequence[Manifest]]) -> Iterator[Problem]:
    """Yields every object that two workloads hold: each would place it elsewhere."""
    owners: dict[tuple[str, str, str], str] = {}
    for name, objects in manifests.items():
        namespace = workloads[name].namespace
        for manifest in objects:
            owner = owners.setdefault((namespace, manifest.type.config_name, manifest.name), name)
            if owner != name:
                advice = f"workload {owner} holds this object of namespace {namespace} already; rename one of them"
                yield Problem(f"workloads.{name}.manifests", f"{manifest.type.kind} {manifest.name}", advice)
