"""A workload, as the settings write it, and what must hold between workloads."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from clusters.regions import CONTINENT_CODES
from clusters.spec import as_network
from placement.kinds import NAMESPACE
from placement.manifests import Manifest
from placement.spec import BUCKET, Placement, is_bucket_name, named_clusters
from problems import DNS_LABEL, Model, Problem, one_of


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
    if not value.startswith(BUCKET) or not is_bucket_name(value.removeprefix(BUCKET)):
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


def _keys_in_words(overrides: dict[str, list[Override]]) -> dict[str, list[Override]]:
    wrong = [code for code in CONTINENT_CODES if f"continent={code}" in overrides]
    if wrong:
        raise ValueError(
            "; ".join(f"no member has continent={code}; write continent={CONTINENT_CODES[code]}" for code in wrong)
        )
    return overrides


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
    overrides: Annotated[dict[str, list[Override]], AfterValidator(_keys_in_words)] = Field(
        default_factory=dict[str, list[Override]]
    )
    """a map of clusters, or labels such as role=serving, to lists of {path, value}

    What the copies there differ in. Of several overrides of one path the last holds, and a cluster's own come after
    those of its labels.
    """
    delete_data: bool = False
    """true to let its StatefulSets and claims be deleted, or false

    A change that takes them from a cluster ends before anything is changed, unless this is true. Where the workload,
    the object or the cluster is removed from the settings, it must be true one run earlier.
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


def check_workload(setting: str, workload: Workload, members: Collection[str]) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed workload of a stack with the named members."""
    namespace = workload.namespace
    if namespace in ("default", NAMESPACE) or namespace.startswith("kube-"):
        yield Problem(f"{setting}.namespace", namespace, "KubeFed leaves this namespace alone; write one of your own")
    for place, name in named_clusters(workload.placement):
        if name not in members:
            advice = f"not a member of this stack; write {one_of(name, members)}"
            yield Problem(f"{setting}.{place}", name, advice)


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
