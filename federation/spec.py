"""The settings of the federation, and what must hold between them."""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from federation.base_spec import BaseSource, Operators, OperatorSettings
from federation.operators import OPERATORS
from placement.api.kinds import BUILT_IN, DEFAULT_TYPES, KNOWN, NAMESPACES, POLICIES, TargetType
from placement.api.pod_kinds import NO_PODS, POD_KINDS, Count, PodKind, PodsAt, Pointer, Run
from problems import DNS_LABEL, Model, Problem, one_of

# What federates a type has its plural and its kind with "federated" before them, and "List" after the kind, in the 63
# characters that Kubernetes takes.
_PLURAL = r"[a-z]([-a-z0-9]{0,52}[a-z0-9])?"
_CRD_NAME = rf"{_PLURAL}(\.{DNS_LABEL.strip('^$')}){{2,}}"


def _crd_name(name: str) -> str:
    if len(name) > 253 or not re.fullmatch(_CRD_NAME, name):
        raise ValueError("write the CRD's name: a plural of up to 54 letters, a dot and a group, as jobs.example.com")
    return name


_POINTER = r"^(/[^/\s]+)+$"
_POINTER_TO_FIELD = r"^/(spec|data)(/[A-Za-z0-9_-]+)+$"


class CustomPods(Model):
    """Pods that objects of a type run: where their template is, and how many run side by side."""

    template: str = Field(pattern=_POINTER)
    """the path of a pod template, such as /spec/tasks/*/template

    It has the pods' metadata and spec. A * is each item of a list, or each value of a map.
    """
    count: list[Annotated[str, Field(pattern=_POINTER, description="a path such as /spec/replicas")]] = Field(
        default_factory=list[str]
    )
    """a list of paths of numbers, such as /spec/tasks/*/replicas

    Their product is how many pods of the template run together, and one that is absent counts as 1. A * is the same
    item as in the template. Without any, there is one pod.
    """

    @model_validator(mode="after")
    def _same_items(self) -> Self:
        for path in self.count:
            above = path.rpartition("*")[0]
            if not self.template.startswith(above):
                raise ValueError(f"count {path} has a * that template lacks; write one that begins as the template")
        return self


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
    scope: Literal["Namespaced", "Cluster"] = "Namespaced"
    """Namespaced or Cluster

    As in the CRD. What is cluster-scoped has one name in a whole cluster, whatever its workload's namespace is.
    """
    status: bool = True
    """false for a type whose objects have no status, or true

    KubeFed waits for the status of each copy, unless it knows that there is none.
    """
    run: Run | None = None
    """divided, whole or duplicated

    How its objects are placed where the workload does not say it: divided by spec.replicas, in one cluster, or in each
    that is taken. Left out, it is whole where pods are given, and duplicated otherwise.
    """
    pods: list[CustomPods] = Field(default_factory=list[CustomPods])
    """a list of {template, count}

    Where its objects have pod templates: placement, default_deny and buckets then know its pods. For a type that is
    known by name, it replaces what is known.
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

    But for names, tokens, what the workloads' openings declare and what pods that run together need: those of a
    workload with a JobSet, a LeaderWorkerSet, an Indexed Job, a StatefulSet, a job of Ray or Kubeflow or the like reach
    each other on all ports. Network policies are then federated, too.
    """
    operators: Operators = Field(default_factory=dict[str, OperatorSettings])
    """a map of jobset, lws, kueue, kuberay or trainer to a version, such as v0.10.1, or to {version, manifests}

    Every member has these operators before any workload is placed, and their types are enabled. Another version is
    installed in one member after the other, in the host last. One that is removed here is removed from the members
    after the last copy of its types; their CRDs stay, with what else was made of them.
    """
    base: list[BaseSource] = Field(default_factory=list[BaseSource])
    """a list of manifests and charts that members have, such as {manifests: base/priorities.yaml}

    They are applied in this order, after the operators and before any type is enabled. What is removed here is removed
    from the members, but for CRDs.
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

    Describes types of your own, which can then be listed in types, and with run and pods what their objects run.
    """
    tokens: dict[str, Annotated[int, Field(ge=1, le=1_000_000, description="a whole number from 1 up")]] = Field(
        default_factory=dict[str, int]
    )
    """a map of this stack's clusters to whole numbers from 1 up

    Another number is another token for KubeFed in that cluster: it is taken up, and then the one before is void. A
    cluster that is left out has number 1.
    """
    retain: dict[
        str, list[Annotated[str, Field(pattern=_POINTER_TO_FIELD, description="a path such as /spec/replicas")]]
    ] = Field(default_factory=dict[str, list[str]])
    """a map of types to lists of paths, such as /spec/replicas

    What KubeFed leaves as it is in copies of these types, since somebody in the members writes it. It is not needed for
    what queues and autoscalers write. The kubernetes of every member must be 1.36 or newer.
    """

    def left_alone(self) -> dict[TargetType, list[Pointer]]:
        """Each enabled type, with the paths in its copies that the settings say are not KubeFed's."""
        return {target: self.retain.get(target.config_name, []) for target in self.targets()}

    def known(self) -> dict[str, TargetType]:
        """Every type that can be enabled, by its name."""
        custom: dict[str, TargetType] = {}
        for name, each in self.custom_types.items():
            plural, _, group = name.partition(".")
            custom[name] = TargetType(
                each.kind,
                plural,
                group,
                each.version,
                namespaced=each.scope == "Namespaced",
                has_status=each.status,
                own_pods=_pod_kind(name, each),
            )
        return KNOWN | custom

    def targets(self) -> list[TargetType]:
        """The enabled types, as far as they are known, each once."""
        known = self.known()
        operators = [each for name in self.operators if name in OPERATORS for each in OPERATORS[name].types]
        names = [*self.types, *operators, *([POLICIES.config_name] if self.default_deny else [])]
        return [known[name] for name in dict.fromkeys(names) if name in known]


def _pod_kind(name: str, custom: CustomType) -> PodKind | None:
    """What objects of a described type run; None where the description says nothing of it."""
    if custom.run is None and not custom.pods:
        return None
    known = POD_KINDS.get(name, NO_PODS)
    pods = tuple(PodsAt(each.template, tuple(Count((path,)) for path in each.count)) for each in custom.pods)
    run = custom.run or (known.run if name in POD_KINDS else "whole")
    divided = known.counted or (("replicas",) if run == "divided" else ())
    return replace(known, run=run, pods=pods or known.pods, counted=divided)


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
            yield Problem("federation.custom_types", name, "built into Kubernetes; remove it here")
        elif federation.custom_types[name].run == "divided" and name in POD_KINDS and not POD_KINDS[name].counted:
            advice = "has no number of replicas to divide; write whole or duplicated"
            yield Problem(f"federation.custom_types.{name}.run", "divided", advice)
    # What federates a type is named after its plural and its kind alone.
    owners: dict[str, str] = {}
    for target in [NAMESPACES, *federation.targets()]:
        names = (target.plural, target.kind.lower())
        for other in sorted({owners.setdefault(name, target.config_name) for name in names} - {target.config_name}):
            advice = f"KubeFed cannot distinguish it from {other}; remove one of them"
            yield Problem("federation.types", target.config_name, advice)


_UNSAFE = {
    # KubeFed issue 1481.
    "persistentvolumeclaims": "KubeFed keeps updating a bound persistentvolumeclaim, since each member writes its own "
    "volume into it; make claims in the members, or by a StatefulSet",
    "persistentvolumes": "KubeFed keeps updating a bound persistentvolume, since each member writes its own claim into "
    "it; list manifests of volumes in federation.base",
    "clusterroles.rbac.authorization.k8s.io": "KubeFed may then write any rights into ClusterRoles of all members; "
    "list what they need alike in federation.base",
    "clusterrolebindings.rbac.authorization.k8s.io": "KubeFed may then give anybody any ClusterRole in all members; "
    "list what they need alike in federation.base",
}


def warnings_of_types(types: Collection[str]) -> Iterator[str]:
    """Yields a warning for each enabled type that is accepted, but is better not federated."""
    yield from (f"federation.types: {text}" for name, text in _UNSAFE.items() if name in types)
