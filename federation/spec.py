"""The settings of the federation and its workloads, and what must hold between them."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from clusters.pool_spec import Labels
from clusters.regions import regions
from clusters.spec import RegionName, as_network
from federation.kinds import BUILT_IN, DEFAULT_TYPES, KNOWN, NAMESPACES, POLICIES, TargetType
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

    kind: str = Field(pattern=r"^[A-Z][A-Za-z0-9]{0,49}$")
    """the kind in up to 50 letters and digits, such as JobSet

    As in the CRD and in manifests.
    """
    version: str = Field(pattern=r"^v[0-9]+((alpha|beta)[0-9]+)?$")
    """a version that members serve, such as v1

    Every member must serve it, and manifests must be of it.
    """
    status: bool = True
    """false for a type whose objects have no status, or true

    KubeFed waits for the status of each copy, unless it knows that there is none.
    """


class Federation(Model):
    """The federation of all the clusters."""

    host: str
    """the cluster that carries the control plane

    It is a member too, and runs workloads like any other.
    """
    multi_cluster_services: bool = False
    """true for Services that every member can reach, or false

    The clusters join the project's fleet, and workloads can export their Services.
    """
    default_deny: bool = False
    """true to let nothing through in the workloads' namespaces, or false

    But for names, tokens and what the workloads' openings declare. Network policies are then federated, too.
    """
    types: list[
        Annotated[
            str,
            Field(
                description="a type's name, and describe it in federation.custom_types",
                json_schema_extra={"examples": [*KNOWN]},
            ),
        ]
    ] = Field(default_factory=lambda: list(DEFAULT_TYPES))
    """a list of Kubernetes types, such as deployments.apps

    What workloads may hold; namespaces need no mention. KubeFed has rights to these types in the members, and to no
    others.
    """
    custom_types: dict[Annotated[str, AfterValidator(_crd_name)], CustomType] = Field(
        default_factory=dict[str, CustomType]
    )
    """a map of CRDs' names to {kind, version}

    Describes types of your own, which can then be listed in types.
    """
    tokens: dict[str, Annotated[int, Field(ge=1, le=1_000_000, description="a whole number from 1 up")]] = Field(
        default_factory=dict[str, int]
    )
    """a map of this stack's clusters to whole numbers from 1 up

    Another number is another token for KubeFed in that cluster: it is taken up, and then the one before is void. A
    cluster that is left out has number 1.
    """

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
        names = [*self.types, *([POLICIES.config_name] if self.default_deny else [])]
        return [known[name] for name in dict.fromkeys(names) if name in known]


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

    min: int = Field(default=0, ge=0)
    """the fewest that the cluster gets, from 0 up

    In replicas of a Deployment, or a Job's parallelism.
    """
    max: int | None = Field(default=None, ge=0)
    """the most that the cluster gets, from 0 up

    Left out, any number.
    """

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}; write a larger max")
        return self


class _Policy(Model):
    select: Labels = Field(default_factory=dict[str, str])
    """a map of labels that a candidate must have

    Of role, region, continent, accelerator (any that the cluster's pools have) and the cluster's own labels.
    """


class _Limited(_Policy):
    limits: dict[str, Limit] = Field(default_factory=dict[str, Limit])
    """a map of this stack's clusters to {min, max}

    The least and the most that a cluster gets, whatever its share would be.
    """


class ByClusters(_Policy):
    """The named clusters, in equal shares."""

    policy: Literal["clusters"]
    clusters: list[str] = Field(min_length=1)
    """a list of this stack's clusters

    Those to take.
    """


class InRegion(_Policy):
    """Every candidate in one region, in equal shares."""

    policy: Literal["region"]
    region: RegionName
    """a Google Cloud region in which the stack has a cluster

    Its clusters are taken, and no others.
    """


class Nearest(_Policy):
    """The candidates that are nearest to a region or to a bucket's data, in equal shares."""

    policy: Literal["nearest"]
    to: Annotated[str, BeforeValidator(_origin)] = Field(
        json_schema_extra={"anyOf": [{"enum": [*regions()]}, {"pattern": f"^{BUCKET}[a-z0-9]"}]}
    )
    """a Google Cloud region, or gs:// and a bucket

    From where distances are measured, along the surface of the Earth. A bucket that is in several regions is where the
    nearest of them is.
    """
    count: int = Field(default=1, ge=1)
    """how many clusters to take, from 1 up

    All, where there are fewer candidates.
    """


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
        dict[str, Annotated[int, Field(ge=0, le=1_000_000, description="a whole number from 0 up")]],
        AfterValidator(_one_weighs),
    ] = Field(min_length=1)
    """a map of this stack's clusters to whole numbers from 0 up

    A cluster's share is its weight out of the sum of all. One with 0, or left out, is passed over.
    """


Placement = ByClusters | InRegion | Nearest | SpareCapacity | Spread | Weighted


class Override(Model):
    """A JSON patch of one path, in the copies of some clusters; of every kind that has the path, or of one."""

    kind: str = ""
    """a kind of the manifests, such as Deployment

    Its objects alone are patched; left out, every object that has the path.
    """
    path: str = Field(pattern=r"^(/[^/\s]+)+$")
    """a JSON pointer, such as /spec/template/spec/containers/0/image

    What is counted, such as /spec/replicas, is left to the placement.
    """
    op: Literal["add", "remove", "replace"] = "replace"
    """add, remove or replace

    What is removed or replaced must be there; what is added needs what it is added to.
    """
    value: Any = None
    """what to put there

    Any value; none with remove.
    """

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if (self.op == "remove") == ("value" in self.model_fields_set):
            wrong = "remove puts nothing; leave value out" if self.op == "remove" else "value is missing; write one"
            raise ValueError(f"{wrong}, or another op")
        return self


def _peer(value: str) -> str:
    return value if value in ("namespace", "cluster", "members", "internet") else as_network(value)


def _bucket(value: str) -> str:
    if not value.startswith(BUCKET) or not _is_bucket(value.removeprefix(BUCKET)):
        raise ValueError("not a bucket; write gs:// and its name, as gs://my-data")
    return value


class Opening(Model):
    """What the network lets through to a workload's pods, or from them."""

    direction: Literal["ingress", "egress"]
    """ingress or egress

    To the pods, or from them.
    """
    peer: Annotated[str, AfterValidator(_peer)]
    """namespace, cluster, members, internet or a range such as 192.168.0.0/24

    Pods of the same namespace or of the same cluster, nodes and pods of all members, or addresses.
    """
    ports: list[Annotated[int, Field(ge=1, le=65535, description="a port from 1 to 65535")]] = Field(min_length=1)
    """a list of TCP ports from 1 to 65535

    The pods' own with ingress, and the peer's with egress.
    """


class Workload(Model):
    """Kubernetes objects that are placed together."""

    manifests: str = Field(min_length=1)
    """the path of a YAML file, seen from the project's folder

    Plain Kubernetes objects, any number of them, each of a type of the federation, read as kubectl reads them. What an
    API server has filled in is left out, and the run says so.
    """
    namespace: str = Field(pattern=DNS_LABEL)
    """a namespace, which all the manifests' objects go to

    It is made where they go, and takes the place of one that the manifests name. Those of Kubernetes and of KubeFed are
    refused.
    """
    placement: Annotated[Placement, Field(discriminator="policy")]
    """a policy and its parameters, such as {policy: spread}

    It decides which clusters the objects go to, and what part of the replicas, or of a Job's parallelism and
    completions, each gets. A cluster without the accelerator that the pods select is never a candidate.
    """
    overrides: dict[str, list[Override]] = Field(default_factory=dict[str, list[Override]])
    """a map of clusters, or labels such as role=serving, to lists of {path, value}

    What the copies there differ in. Of several overrides of one path the last holds, and a cluster's own come after
    those of its labels.
    """
    buckets: dict[Annotated[str, AfterValidator(_bucket)], Literal["read", "write"]] = Field(
        default_factory=dict[str, Literal["read", "write"]]
    )
    """a map of buckets, such as gs://my-data, to read or write

    What the pods may do, as the ServiceAccounts of the manifests; with write, they read too. No other bucket is theirs.
    """
    export: list[str] = Field(default_factory=list[str])
    """a list of Services of the manifests

    All members reach them as NAME.NAMESPACE.svc.clusterset.local. It needs federation.multi_cluster_services.
    """
    openings: list[Opening] = Field(default_factory=list[Opening])
    """a list of {direction, peer, ports}

    What the network lets through where federation.default_deny closes it; buckets are open where they are named.
    """


def check_federation(federation: Federation, members: Collection[str]) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed federation of the named members."""
    if federation.host not in members:
        advice = f"not a member of this stack; write {one_of(federation.host, members)}"
        yield Problem("federation.host", federation.host, advice)
    for name in federation.tokens:
        if name not in members:
            yield Problem(
                f"federation.tokens.{name}", name, f"not a member of this stack; write {one_of(name, members)}"
            )
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


def check_workload(setting: str, workload: Workload, members: Collection[str]) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed workload of a stack with the named members."""
    namespace = workload.namespace
    if namespace in ("default", NAMESPACE) or namespace.startswith("kube-"):
        yield Problem(f"{setting}.namespace", namespace, "KubeFed leaves this namespace alone; write one of your own")
    for place, name in named_clusters(workload.placement):
        if name not in members:
            advice = f"not a member of this stack; write {one_of(name, members)}"
            yield Problem(f"{setting}.{place}", name, advice)


def named_clusters(placement: Placement) -> Iterator[tuple[str, str]]:
    """Yields every cluster that a placement names, after the setting that names it."""
    if isinstance(placement, ByClusters):
        yield from (("placement.clusters", name) for name in placement.clusters)
    if isinstance(placement, Weighted):
        yield from (("placement.weights", name) for name in placement.weights)
    if isinstance(placement, Spread | Weighted):
        yield from (("placement.limits", name) for name in placement.limits)


def check_objects(workloads: Mapping[str, Workload], manifests: Mapping[str, Sequence[Manifest]]) -> Iterator[Problem]:
    """Yields every object that two workloads hold, since each would place it elsewhere, and what KubeFed mixes up."""
    owners: dict[tuple[str, str, str], str] = {}
    moved: dict[tuple[str, str], str] = {}
    for name, objects in manifests.items():
        namespace = workloads[name].namespace
        for manifest in objects:
            key = (namespace, manifest.type.config_name, manifest.name)
            owner = owners.get(key)
            owners.setdefault(key, name)
            if owner is not None:
                # Of one workload's manifests, no two are one.
                whose = "federation.default_deny" if owner == name else f"workload {owner}"
                advice = f"{whose} holds this object of namespace {namespace} already; rename one of them"
                yield Problem(f"workloads.{name}.manifests", f"{manifest.type.kind} {manifest.name}", advice)
            # A preference has the name of what it moves, and is of one kind.
            kind = manifest.type.kind
            other = moved.setdefault((namespace, manifest.name), kind) if manifest.type.movable else kind
            if other != kind:
                advice = f"KubeFed cannot move it apart from {other} {manifest.name}; rename one of them"
                yield Problem(f"workloads.{name}.manifests", f"{kind} {manifest.name}", advice)
