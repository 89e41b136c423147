"""The base of each member: operators, manifests and charts that it has before any type is enabled."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.gke import GkeCluster
from clusters.spec import Cluster
from federation import queues
from federation.api_client import NoAnswer, asking
from federation.base_plan import Base, Part, Release
from federation.control_plane import ControlPlane
from federation.operators import OPERATORS
from federation.queries import items
from placement.api.kinds import NAMESPACE

_CRD = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"


class MemberBase(pulumi.ComponentResource):
    """What one member has from the base; `parts` are there once they are ready."""

    parts: list[pulumi.Resource]

    def __init__(
        self,
        member: str,
        spec: Cluster,
        cluster: GkeCluster,
        base: Sequence[Part],
        earlier: Sequence[pulumi.Resource],
        before_last: Sequence[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Its parts are applied after the `earlier` ones of other members, where this one is a member already.

        Operators that intercept what others create come after `before_last`.
        """
        keep = pulumi.ResourceOptions(transforms=[_keep_definitions])
        super().__init__(
            "geo-federation:federation:MemberBase", f"{member}-base", None, pulumi.ResourceOptions.merge(keep, opts)
        )
        self._member, self._cluster = member, cluster
        self._turn = _turn(member, cluster, earlier)
        made: dict[str, list[pulumi.Resource]] = {}
        self.parts = []
        for part in base:
            if part.operator:
                known = OPERATORS[part.operator]
                others = [each for name in (made if known.last else known.needs) for each in made.get(name, [])]
                after = [*others, *(before_last if known.last else ())]
            else:
                after = self.parts
            resources = self._apply(part, after)
            if part.queues:
                resources += self._queues(spec, resources)
            made[part.name] = resources
            self.parts = [*self.parts, *resources]
        self.register_outputs({})

    def _apply(self, part: Part, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        name = f"{self._member}-{part.name}"
        if part.release:
            return self._release(name, part.release, after)
        assert part.manifests
        group = kubernetes.yaml.v2.ConfigGroup(
            name,
            yaml=part.manifests.text,
            # One for all parts, so that an object which moves to another file is still the same resource.
            resource_prefix=self._prefix,
            opts=self._options(after),
        )
        return [group]

    def _release(self, name: str, release: Release, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace", metadata={"name": release.namespace}, opts=self._options(after)
        )
        chart = kubernetes.helm.v4.Chart(
            name,
            chart=release.chart,
            name=release.name,
            namespace=release.namespace,
            repository_opts={"repo": release.repo} if release.repo else None,
            version=release.version or None,
            values=release.values,
            resource_prefix=self._prefix,
            opts=self._options([*after, namespace]),
        )
        return [chart]

    def _queues(self, spec: Cluster, after: Sequence[pulumi.Resource]) -> list[pulumi.Resource]:
        flavors: list[pulumi.Resource] = [
            kubernetes.apiextensions.CustomResource(
                f"{self._member}-flavor-{pool}",
                api_version=queues.API_VERSION,
                kind="ResourceFlavor",
                metadata={"name": pool},
                spec=flavor,
                opts=self._options(after),
            )
            for pool, flavor in queues.flavors(spec).items()
        ]
        queue = kubernetes.apiextensions.CustomResource(
            f"{self._member}-queue",
            api_version=queues.API_VERSION,
            kind="ClusterQueue",
            metadata={"name": queues.CLUSTER_QUEUE},
            spec=queues.cluster_queue(spec),
            opts=self._options([*after, *flavors]),
        )
        return [*flavors, queue]

    @property
    def _prefix(self) -> str:
        return f"{self._member}-base"

    def _options(self, after: Sequence[pulumi.Resource]) -> pulumi.ResourceOptions:
        first = [*after]
        return pulumi.ResourceOptions(
            parent=self,
            provider=self._cluster.provider,
            deleted_with=self._cluster.cluster,
            depends_on=self._turn.apply(lambda earlier: [*first, *earlier]) if self._turn else first,
        )


def create_base(
    base: Base,
    specs: Mapping[str, Cluster],
    members: Mapping[str, GkeCluster],
    host: str,
    control_plane: ControlPlane,
) -> list[pulumi.Resource]:
    """Makes the base of every member that has one, and returns all that must be ready before a type is enabled.

    The members take turns by name, and the host comes last: KubeFed runs there, and what is wrong with a new version of
    an operator shows in another member first.
    """
    made: list[MemberBase] = []
    for name in sorted(members, key=lambda each: (each == host, each)):
        if parts := base.of(name):
            earlier = made[-1].parts if made else []
            first = [control_plane.controller] if name == host else []
            made.append(MemberBase(name, specs[name], members[name], parts, earlier, first))
    return [part for each in made for part in each.parts]


def _turn(
    member: str, cluster: GkeCluster, earlier: Sequence[pulumi.Resource]
) -> pulumi.Output[Sequence[pulumi.Resource]] | None:
    """What a member waits for: the earlier ones, unless it is new, and so runs nothing that could be disturbed.

    None where it waits for none of them in any case.
    """
    if not earlier or pulumi.runtime.is_dry_run():
        return None
    before = [*earlier]
    joined = cluster.kubeconfig.apply(lambda kubeconfig: is_joined(member, kubeconfig))
    return pulumi.Output.unsecret(joined.apply(lambda each: before if each else []))


def is_joined(member: str, kubeconfig: str) -> bool:
    """Whether a cluster has been a member before; one that does not answer is taken to be."""
    try:
        with asking(member, kubeconfig, retries=0) as (_, api):
            return bool(items(api, f"/api/v1/namespaces?fieldSelector=metadata.name={NAMESPACE}"))
    except NoAnswer:
        return True


def _keep_definitions(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
    """Leaves CRDs in the members, since every object of their types would be deleted with them."""
    if args.type_ != _CRD:
        return None
    keep = pulumi.ResourceOptions(retain_on_delete=True)
    return pulumi.ResourceTransformResult(args.props, pulumi.ResourceOptions.merge(args.opts, keep))
