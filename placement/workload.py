"""The settings of a workload, and what must hold between workloads.

It does not read manifests (manifests.py does), and does not decide where a workload is placed (policies.py does).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from clusters.facts.regions import CONTINENT_CODES
from placement.api.kinds import NAMESPACE
from placement.api.pod_kinds import Run
from placement.manifests.manifest import Manifest
from placement.opening import Opening
from placement.spec import BUCKET, Placement, is_bucket_name, named_clusters
from problems import DNS_LABEL, Model, Problem, one_of


class Override(Model):
    """A JSON patch of one path, in the copies of some clusters; of every kind that has the path, or of one."""

    kind: str = ""
    """a kind of the manifests, such as Deployment

    Only its objects are patched; left out, every object that has the path.
    """
    path: str = Field(pattern=r"^(/[^/\s]+)+$")
    """a JSON pointer, such as /spec/template/spec/containers/0/image

    The placement decides what it divides, such as /spec/replicas. Copies of what runs whole or duplicated can differ in
    their number too, but for those of a Deployment or ReplicaSet.
    """
    op: Literal["add", "remove", "replace"] = "replace"
    """add, remove or replace

    What is removed or replaced must exist; add needs the parent of its path.
    """
    value: Any = None
    """the value to write there

    Any value; none with remove.
    """

    @model_validator(mode="after")
    def _value_fits_op(self) -> Self:
        if (self.op == "remove") == ("value" in self.model_fields_set):
            wrong = "remove writes nothing; leave value out" if self.op == "remove" else "value is missing; write one"
            raise ValueError(f"{wrong}, or another op")
        return self


def _bucket(value: str) -> str:
    if not value.startswith(BUCKET) or not is_bucket_name(value.removeprefix(BUCKET)):
        raise ValueError("not a bucket; write gs:// and its name, as gs://my-data")
    return value


def _known_continents(overrides: dict[str, list[Override]]) -> dict[str, list[Override]]:
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

    It has any number of plain Kubernetes objects, each of a type of the federation, and is read as kubectl reads it.
    Fields that an API server has filled in are left out, and the run says so.
    """
    namespace: str = Field(pattern=DNS_LABEL)
    """a namespace, in which all the manifests' objects are placed, but those that are cluster-scoped

    It is created in their clusters, and replaces one that the manifests name. Those of Kubernetes and of KubeFed are
    refused.
    """
    placement: Annotated[Placement, Field(discriminator="policy")]
    """a policy and its parameters, such as {policy: spread}

    It decides in which clusters the objects are placed, and what part of the replicas, or of a Job's parallelism and
    completions, each gets. A cluster is a candidate only if each of the pods fits on one of its node pools, and gets no
    more than fits there with max_nodes, beside the rest of the stack. Of what a HorizontalPodAutoscaler or a
    ScaledObject of the same manifests scales, each gets a part of the minimum and of the maximum.
    """
    run: Run | None = None
    """divided, whole or duplicated

    How the objects are placed: each cluster that is taken has a share of the replicas, one cluster has all of it, or
    each that is taken has all of it. Left out, it is whole if any object is that must stay together (a Pod,
    StatefulSet, Indexed Job, CronJob, JobSet, RayCluster, RayJob, SparkApplication, or a job of Kubeflow), with
    everything else beside it; otherwise Deployments, ReplicaSets, Jobs and LeaderWorkerSets are divided, and all other
    objects duplicated. A StatefulSet that is divided or duplicated has pods of its own in each cluster, named from 0.
    """
    overrides: Annotated[dict[str, list[Override]], AfterValidator(_known_continents)] = Field(
        default_factory=dict[str, list[Override]]
    )
    """a map of clusters, or labels such as role=serving, to lists of {path, value}

    How the copies there differ. Of several overrides of one path the last one is used, and a cluster's own come after
    those of its labels.
    """
    delete_data: bool = False
    """true to let its StatefulSets and claims be deleted, or false

    A run that would remove them from a cluster ends before anything is changed, unless this is true. Where the
    workload, the object or the cluster is removed from the settings, it must be true one run earlier.
    """
    buckets: dict[Annotated[str, AfterValidator(_bucket)], Literal["read", "write"]] = Field(
        default_factory=dict[str, Literal["read", "write"]]
    )
    """a map of buckets, such as gs://my-data, to read or write

    The access that the pods get, as the ServiceAccounts of the manifests; write includes read. They have access to no
    other bucket.
    """
    export: list[str] = Field(default_factory=list[str])
    """a list of Services of the manifests

    All members reach them as NAME.NAMESPACE.svc.clusterset.local. It needs federation.multi_cluster_services.
    """
    openings: list[Opening] = Field(default_factory=list[Opening])
    """a list of {direction, peer, ports}

    Traffic that is allowed although federation.default_deny is true; buckets that are named are always allowed, and so
    are the workload's own pods to each other where several run together, as those of a JobSet do.
    """


def check_workload(setting: str, workload: Workload, members: Collection[str]) -> Iterator[Problem]:
    """Yields what is wrong with a well-formed workload of a stack with the named members."""
    namespace = workload.namespace
    if namespace in ("default", NAMESPACE) or namespace.startswith("kube-"):
        yield Problem(f"{setting}.namespace", namespace, "KubeFed does not federate it; write a namespace of your own")
    for place, name in named_clusters(workload.placement):
        if name not in members:
            advice = f"not a member of this stack; write {one_of(name, members)}"
            yield Problem(f"{setting}.{place}", name, advice)


def check_objects(workloads: Mapping[str, Workload], manifests: Mapping[str, Sequence[Manifest]]) -> Iterator[Problem]:
    """Yields every object that is in two workloads, since each would place it, and names that KubeFed mixes up."""
    owners: dict[tuple[str, str, str], str] = {}
    movable: dict[tuple[str, str], str] = {}
    for name, objects in manifests.items():
        for manifest in objects:
            # A cluster-scoped object is in no namespace, whatever the workload's is.
            namespace = workloads[name].namespace if manifest.type.namespaced else ""
            key = (namespace, manifest.type.config_name, manifest.name)
            owner = owners.get(key)
            owners.setdefault(key, name)
            if owner is not None:
                # Within one workload's manifests, no object is repeated.
                whose = "federation.default_deny" if owner == name else f"workload {owner}"
                where = f"of namespace {namespace}" if namespace else "of the whole cluster"
                advice = f"{whose} already has this object {where}; rename one of them"
                yield Problem(f"workloads.{name}.manifests", f"{manifest.type.kind} {manifest.name}", advice)
            # A preference has the name of the object whose replicas it moves, and is for one kind.
            kind = manifest.type.kind
            other = movable.setdefault((namespace, manifest.name), kind) if manifest.type.movable else kind
            if other != kind:
                advice = f"KubeFed cannot move it apart from {other} {manifest.name}; rename one of them"
                yield Problem(f"workloads.{name}.manifests", f"{kind} {manifest.name}", advice)
