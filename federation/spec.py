"""The settings of the federation and its workloads, and what must hold between them."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from clusters.regions import regions
from clusters.spec import Labels, RegionName
from federation.kinds import BUILT_IN, DEFAULT_TYPES, KNOWN, NAMESPACES, TargetType
from federation.manifests import Manifest
from problems import DNS_LABEL, Model, Problem, one_of

# What federates a type has its plural and its kind with "federated" before them, and "List" after the kind, in the 63
# characters that Kubernetes takes.
_PLURAL = r"[a-z]([-a-z0-9]{0,52}[a-z0-9])?"
_CRD_NAME = rf"{_PLURAL}(\.{DNS_LABEL.strip('^$')}){{2,}}"


def _crd_name(name: str) -> str:
    if len(name) > 253 or not re.fullmatch(_CRD_NAME, name):
        raise ValueError("write the CRD's name: a plural of up to 54 letters, a dot and a group, as jobs.example.com")
    return name


NAMESPACE = "kube-federation-system"
"""Where the control plane lives, on the host and in every member."""


class CustomType(Model):
    """A type of which only the members' CRDs know; its name is that of its CRD."""

    kind: str = Field(
        pattern=r"^[A-Z][A-Za-z0-9]{0,49}$", description="the kind in up to 50 letters and digits, such as JobSet"
    )
    version: str = Field(
        pattern=r"^v[0-9]+((alpha|beta)[0-9]+)?$", description="a version that members serve, such as v1"
    )
    status: bool = Field(default=True, description="false for a type whose objects have no status, or true")


class Federation(Model):
    """The federation of all the clusters."""

    host: str = Field(description="the cluster that carries the control plane")
    types: list[Annotated[str, Field(description="a type's name, and describe it in federation.custom_types")]] = Field(
        default_factory=lambda: list(DEFAULT_TYPES), description="a list of Kubernetes types, such as deployments.apps"
    )
    custom_types: dict[Annotated[str, AfterValidator(_crd_name)], CustomType] = Field(
        default_factory=dict[str, CustomType], description="a map of CRDs' names to {kind, version}"
    )

    def known(self) -> dict[str, TargetType]:
        """Every type that can be enabled, by its name."""
        custom: dict[str, TargetType] = {}
        for name, each in self.custom_types.items():
            plural, _, group = name.partition(".")
            custom[name] = TargetType(each.kind, plural, group, each.version, has_status=each.status)
        return KNOWN | custom

    def targets(self) -> list[TargetType]:
        """The enabled types, as far as they are known, each once."""
        known = self.known()
        return [known[name] for name in dict.fromkeys(self.types) if name in known]


BUCKET = "gs://"
"""What a bucket's address starts with, where a region could stand too."""


def _origin(value: Any) -> Any:
    if not isinstance(value, str) or value in regions():
        return value
    if not value.startswith(BUCKET):
        raise ValueError(
            f"neither a region of Google Cloud nor a bucket; write {one_of(value, regions())}, or gs:// and a bucket"
        )
    if not _is_bucket(value.removeprefix(BUCKET)):
        raise ValueError(
            "not the name of a bucket; write gs:// and a name in lower case without a path, as gs://my-data"
        )
    return value


def _is_bucket(name: str) -> bool:
    # Source: Cloud Storage's rules of bucket names.
    if not re.fullmatch(r"[a-z0-9][-_.a-z0-9]{1,220}[a-z0-9]", name) or re.fullmatch(r"[0-9]+(\.[0-9]+){3}", name):
        return False
    return all(0 < len(part) <= 63 for part in name.split("."))


def _one_weighs(weights: dict[str, int]) -> dict[str, int]:
    if not any(weights.values()):
        raise ValueError("no cluster has a weight above 0; write one for each that is to be taken")
    return weights


class Limit(Model):
    """The least and the most that one cluster gets of each counted object; without max, any number."""

    min: int = Field(default=0, ge=0, description="the fewest that the cluster gets, from 0 up")
    max: int | None = Field(default=None, ge=0, description="the most that the cluster gets, from 0 up")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}; write a larger max")
        return self


class _Policy(Model):
    select: Labels = Field(default_factory=dict[str, str], description="a map of labels that a candidate must have")


class _Limited(_Policy):
    limits: dict[str, Limit] = Field(
        default_factory=dict[str, Limit], description="a map of this stack's clusters to {min, max}"
    )


class ByClusters(_Policy):
    """The named clusters, in equal shares."""

    policy: Literal["clusters"]
    clusters: list[str] = Field(min_length=1, description="a list of this stack's clusters")


class InRegion(_Policy):
    """Every candidate in one region, in equal shares."""

    policy: Literal["region"]
    region: RegionName = Field(description="a Google Cloud region in which the stack has a cluster")


class Nearest(_Policy):
    """The candidates that are nearest to a region or to a bucket's data, in equal shares."""

    policy: Literal["nearest"]
    to: Annotated[str, BeforeValidator(_origin)] = Field(description="a Google Cloud region, or gs:// and a bucket")
    count: int = Field(default=1, ge=1, description="how many clusters to take, from 1 up")


class SpareCapacity(_Policy):
    """The candidates in which the pods fit now, the one with the most room first."""

    policy: Literal["spare-capacity"]


class Spread(_Limited):
    """Every candidate, in equal shares."""

    policy: Literal["spread"]


class Weighted(_Limited):
    """The candidates that have a weight, in shares by weight."""

    policy: Literal["weighted"]
    weights: Annotated[
        dict[str, Annotated[int, Field(ge=0, description="a whole number from 0 up")]], AfterValidator(_one_weighs)
    ] = Field(min_length=1, description="a map of this stack's clusters to whole numbers from 0 up")


Placement = ByClusters | InRegion | Nearest | SpareCapacity | Spread | Weighted


class Override(Model):
    """A JSON patch of one path, in the copies of some clusters; of every kind that has the path, or of one."""

    kind: str = Field(default="", description="a kind of the manifests, such as Deployment")

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
        default_factory=dict[str, list[Override]],
        description="a map of clusters, or labels such as role=serving, to lists of {path, value}",
    )


def check_federation(federation: Federation, clusters: Collection[str]) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed federation of the named clusters."""
    if federation.host not in clusters:
        advice = f"not a cluster of this stack; write {one_of(federation.host, clusters)}"
        yield Problem("federation.host", federation.host, advice)
    known = federation.known()
    for name in federation.types:
        if name not in known:
            advice = f"not a type that is known; write {one_of(name, known)}, or describe it in federation.custom_types"
            yield Problem("federation.types", name, advice)
    for name in federation.custom_types:
        if name in BUILT_IN:
            yield Problem("federation.custom_types", name, "built into Kubernetes; take it out here")
    # What federates a type is named after its plural and its kind alone.
    owners: dict[str, str] = {}
    for target in [NAMESPACES, *federation.targets()]:
        names = (target.plural, target.kind.lower())
        for other in sorted({owners.setdefault(name, target.config_name) for name in names} - {target.config_name}):
            advice = f"KubeFed cannot tell it from {other}; leave one of them out"
            yield Problem("federation.types", target.config_name, advice)


def check_workload(setting: str, workload: Workload, clusters: Collection[str]) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed workload of a stack with the named clusters."""
    namespace = workload.namespace
    if namespace in ("default", NAMESPACE) or namespace.startswith("kube-"):
        yield Problem(f"{setting}.namespace", namespace, "KubeFed leaves this namespace alone; write one of your own")
    placement = workload.placement
    named: list[tuple[str, Collection[str]]] = []
    if isinstance(placement, ByClusters):
        named.append(("placement.clusters", placement.clusters))
    if isinstance(placement, Weighted):
        named.append(("placement.weights", placement.weights))
    if isinstance(placement, Spread | Weighted):
        named.append(("placement.limits", placement.limits))
    for place, names in named:
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
