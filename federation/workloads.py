"""Workloads: plain Kubernetes objects, federated to the clusters that their placement takes."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.gke import GkeCluster
from federation.aliases import with_alias
from federation.federated_spec import federated_spec, named, trigger_of
from federation.fixed_fields import fixed_in_a_job
from federation.job_pods import after_earlier_pods
from federation.keep_data import deletes_data
from federation.removals import DELETE_DATA
from federation.replica_owner import hand_over_first
from federation.waits import holds, waits
from placement.api.ends import deleting_fields
from placement.api.kinds import JOBS, NAMESPACES, SECRETS, TargetType
from placement.autoscaling.autoscalers import is_autoscaled
from placement.copies import MEMORY, PlacedWorkload, keeps_memory
from placement.manifests.manifest import Manifest
from placement.policies.place import table
from placement.workload import Workload

_PROPAGATED_SECONDS = 300
# KubeFed deletes the copies with these options (pkg/controller/util/deletionannotation.go), and waits for them to end.
_PODS_FIRST = json.dumps({"propagationPolicy": "Foreground"})


class FederatedNamespace(pulumi.ComponentResource):
    """A namespace on the host, and its federation to the clusters that have a workload in it."""

    def __init__(
        self,
        namespace: str,
        clusters: pulumi.Output[list[str]],
        host: GkeCluster,
        after: Sequence[pulumi.Resource],
        delete_data: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("geo-federation:federation:FederatedNamespace", f"{namespace}-namespace", None, opts)
        self.name = namespace
        local = kubernetes.core.v1.Namespace(
            f"{namespace}-host-namespace",
            # With the label, KubeFed takes it for its copy here; without, it reports that it exists already.
            metadata={"name": namespace, "labels": {"kubefed.io/managed": "true"}},
            # Created once the controller knows the members, so that none of its workers waits for them.
            opts=pulumi.ResourceOptions(parent=self, provider=host.provider, depends_on=after),
        )
        self.federated = _federate(
            f"{namespace}-federated-namespace",
            NAMESPACES,
            {"name": namespace, "namespace": namespace},
            # A preference reads selectors only; an empty one matches every member, so the list decides.
            {"template": {}, "placement": {"clusters": clusters.apply(named), "clusterSelector": {}}},
            pulumi.ResourceOptions(parent=self, provider=host.provider, depends_on=[local]),
            {DELETE_DATA: "true"} if delete_data else {},
        )
        self.register_outputs({"name": namespace})


class FederatedWorkload(pulumi.ComponentResource):
    """The federated objects of a placed workload; `objects` are all that KubeFed propagates, its namespace included."""

    objects: list[kubernetes.apiextensions.CustomResource]

    def __init__(
        self,
        name: str,
        workload: Workload,
        manifests: Sequence[Manifest],
        placed: pulumi.Output[PlacedWorkload],
        host: GkeCluster,
        namespace: FederatedNamespace,
        before_jobs: pulumi.ResourceHook,
        before_updates: Mapping[str, Sequence[pulumi.ResourceHook]],
        of_types: Mapping[str, Sequence[pulumi.Resource]],
        suspends: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("geo-federation:federation:FederatedWorkload", name, None, opts)
        self._host, self._of_types, self._suspends = host, of_types, suspends
        self._before_jobs, self._before_updates = before_jobs, before_updates
        self._annotations = {DELETE_DATA: "true"} if workload.delete_data else {}
        self.objects = [namespace.federated]
        if pulumi.runtime.is_dry_run():
            # The stack's outputs are shown in a preview only where they change.
            placed.apply(lambda workload: pulumi.log.info("\n".join(table(workload.decisions)), self))
        for position, manifest in enumerate(manifests):
            self._federate(f"{name}-{manifest.type.plural}", manifests, position, placed, namespace)
        self.register_outputs({"clusters": placed.apply(lambda workload: workload.clusters)})

    def _federate(
        self,
        prefix: str,
        manifests: Sequence[Manifest],
        position: int,
        placed: pulumi.Output[PlacedWorkload],
        namespace: FederatedNamespace,
    ) -> None:
        manifest, target = manifests[position], manifests[position].type
        name, old = f"{prefix}-{namespace.name}/{manifest.name}", f"{prefix}-{manifest.name}"
        metadata = {"name": manifest.name, **({"namespace": namespace.name} if target.namespaced else {})}
        spec = placed.apply(lambda workload: federated_spec(workload.objects[position]))
        after = [namespace.federated, *self._of_types.get(target.config_name, ())]
        opts = pulumi.ResourceOptions(parent=self, provider=self._host.provider, depends_on=after)
        if target.movable and not is_autoscaled(manifest, manifests):
            preference = kubernetes.apiextensions.CustomResource(
                f"{name}-preference",
                api_version="scheduling.kubefed.io/v1alpha1",
                kind="ReplicaSchedulingPreference",
                metadata=metadata,
                spec=placed.apply(lambda workload: workload.objects[position].preference),
                opts=with_alias(f"{old}-preference", opts),
            )
            # The other way round, every member would run all the replicas for a while.
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[preference]))
        annotations, keeps = self._annotations, keeps_memory(manifest, manifests)
        if target.pod_kind.ends is not None:
            for field in deleting_fields(manifest.body, target):
                pulumi.log.info(f"{name}: {field} is left out: KubeFed would run it again once it is deleted", self)
            # The pods would go on running after a plain deletion.
            annotations = {**annotations, "kubefed.io/deleteoption": _PODS_FIRST}
            fixed = pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_create=[self._before_jobs]))
        else:
            before_update = self._before_updates.get(target.kind, [])
            fixed = pulumi.ResourceOptions(hooks=pulumi.ResourceHookBinding(before_update=[*before_update]))
        if target == JOBS:
            # A Job cannot be changed in place, but for what suspends it.
            changes = pulumi.ResourceOptions(replace_on_changes=fixed_in_a_job(self._suspends))
        else:
            # A change of what cannot change in a copy re-creates it; nothing else does.
            trigger = placed.apply(lambda workload: trigger_of(workload.objects[position], self._suspends))
            secret = pulumi.Output.secret(trigger) if target == SECRETS else trigger
            changes = pulumi.ResourceOptions(replacement_trigger=secret)
        for each in (fixed, changes, pulumi.ResourceOptions(delete_before_replace=True)):
            opts = pulumi.ResourceOptions.merge(opts, each)
        memory = placed.apply(
            lambda workload: annotations | ({MEMORY: workload.memory} if workload.memory and keeps else {})
        )
        body = pulumi.Output.secret(spec) if target == SECRETS else spec
        self.objects.append(_federate(name, target, metadata, body, with_alias(old, opts), memory))


def create_workloads(
    workloads: Mapping[str, Workload],
    manifests: Mapping[str, Sequence[Manifest]],
    placed: Mapping[str, pulumi.Output[PlacedWorkload]],
    host_name: str,
    members: Mapping[str, GkeCluster],
    after: Sequence[pulumi.Resource],
    access: Mapping[str, Sequence[pulumi.Resource]],
    of_types: Mapping[str, Sequence[pulumi.Resource]],
    suspends: bool = False,
) -> dict[str, FederatedWorkload]:
    """Creates each namespace that has workloads, and the workloads in it, which are returned by their names.

    All of it depends on `after`, what is in a namespace on its `access` too, and objects of a type on that `of_types`.
    `suspends` where every member has the admission policies by which KubeFed can suspend any copy in place.
    """
    made: dict[str, FederatedWorkload] = {}
    host = members[host_name]
    before_jobs = after_earlier_pods({name: each.kubeconfig for name, each in members.items()})
    movable = {each.type.kind: each.type for own in manifests.values() for each in own if each.type.movable}
    before_updates = {kind: [hand_over_first(host_name, host.kubeconfig, each)] for kind, each in movable.items()}
    for name in sorted({workload.namespace for workload in workloads.values()}):
        here = [workload for workload in workloads if workloads[workload].namespace == name]
        clusters = _reach(host_name, [placed[workload] for workload in here])
        ready = [*after, *access.get(name, [])]
        namespace = FederatedNamespace(name, clusters, host, ready, deletes_data(workloads, name))
        for workload in here:
            made[workload] = FederatedWorkload(
                workload,
                workloads[workload],
                manifests[workload],
                placed[workload],
                host,
                namespace,
                before_jobs,
                before_updates,
                of_types,
                suspends,
            )
    return made


def _reach(host: str, workloads: Sequence[pulumi.Output[PlacedWorkload]]) -> pulumi.Output[list[str]]:
    """The clusters in which any of the workloads can be placed, and the host, by name.

    The host has the namespace anyway. If the namespace's placement removed the copies there before the federated
    objects are deleted, KubeFed would delete Jobs without their pods.
    """
    return pulumi.Output.all(*workloads).apply(
        lambda placed: sorted({host, *(name for each in placed for name in each.clusters)})
    )


def _federate(
    name: str,
    target: TargetType,
    metadata: Mapping[str, str],
    spec: Any,
    opts: pulumi.ResourceOptions,
    also: pulumi.Input[Mapping[str, str]] | None = None,
) -> kubernetes.apiextensions.CustomResource:
    """Creates a federated object, which is ready once it is propagated; `also` are further annotations."""
    conditions = [holds("Propagation")]
    if target.movable:
        # Before its preference has chosen members, it is propagated to none.
        conditions.append("jsonpath={.status.clusters[0].name}")
    declared = pulumi.Output.all(spec, also or {})
    return kubernetes.apiextensions.CustomResource(
        name,
        api_version="types.kubefed.io/v1beta1",
        kind=target.federated_kind,
        metadata={
            **metadata,
            # KubeFed's own, which it would set first: one write less before the copies are created.
            "finalizers": ["kubefed.io/sync-controller"],
            "annotations": declared.apply(
                lambda each: {**waits(*conditions, seconds=_PROPAGATED_SECONDS, declared=each), **each[1]}
            ),
        },
        spec=spec,
        opts=opts,
    )
