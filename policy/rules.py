"""What must be true of every resource: each rule is a function of a resource that the program registers.

It yields one message for each thing that is wrong, which says what to write instead.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pulumi_policy import EnforcementLevel, ResourceValidationArgs

Broken = Callable[[ResourceValidationArgs], Iterator[str]]

CLUSTER = "gcp:container/cluster:Cluster"
NODE_POOL = "gcp:container/nodePool:NodePool"
PROTECTED_STACK = "prod"
LABELS = ("federation", "stack", "cluster")
_ROLES = ("Role", "ClusterRole")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_ALL_RIGHTS = "cluster-admin"


@dataclass(frozen=True)
class Rule:
    """A rule of the pack: an advisory one is reported and does not end the run."""

    name: str
    description: str
    broken: Broken
    level: EnforcementLevel = EnforcementLevel.MANDATORY


def public_nodes(args: ResourceValidationArgs) -> Iterator[str]:
    """Clusters whose nodes get public addresses, and node pools that get them against their cluster's default."""
    if args.resource_type == CLUSTER and _at(args.props, "privateClusterConfig", "enablePrivateNodes") is not True:
        yield (
            f"the nodes of {args.name} get public addresses; write private_cluster_config={{'enable_private_nodes': "
            "True}, and make a Cloud NAT in its region for images from outside Google"
        )
    if args.resource_type == NODE_POOL and _at(args.props, "networkConfig", "enablePrivateNodes") is False:
        yield f"the nodes of {args.name} get public addresses; leave enable_private_nodes out or write True"


def unprotected_clusters(args: ResourceValidationArgs) -> Iterator[str]:
    """Clusters of the stack prod that can be deleted."""
    protected = args.resource_type != CLUSTER or args.props.get("deletionProtection") is True
    if _stack(args) == PROTECTED_STACK and not protected:
        yield (
            f"cluster {args.name} can be deleted; write deletion_protection: true for it in "
            f"Pulumi.{PROTECTED_STACK}.yaml"
        )


def wildcard_rights(args: ResourceValidationArgs) -> Iterator[str]:
    """Roles that have a wildcard, and bindings to cluster-admin; federated ones, too."""
    kind = str(args.props.get("kind", "")).removeprefix("Federated")
    if kind in _ROLES:
        for place in (("rules",), ("spec", "template", "rules"), ("spec", "overrides")):
            for where, text in _wildcards(_at(args.props, *place), ".".join(place)):
                yield f"{kind} {args.name} has {text!r} in {where}; name each that is needed"
    if kind in _BINDINGS:
        for place in (("roleRef",), ("spec", "template", "roleRef")):
            if _at(args.props, *place, "name") == _ALL_RIGHTS:
                yield f"{kind} {args.name} gives {_ALL_RIGHTS}; make a role that names what is needed, and bind that"


def default_providers(args: ResourceValidationArgs) -> Iterator[str]:
    """Kubernetes objects that are made in the cluster of the current kubeconfig."""
    if args.resource_type.startswith("kubernetes:") and (
        args.provider is None or args.provider.name.startswith("default")
    ):
        yield (
            f"{args.name} is made in the cluster of the current kubeconfig; write provider=CLUSTER.provider in its "
            "ResourceOptions"
        )


def unlabelled_clusters(args: ResourceValidationArgs) -> Iterator[str]:
    """Clusters without the labels by which costs and owners are reported."""
    if args.resource_type == CLUSTER:
        missing = [label for label in LABELS if not _at(args.props, "resourceLabels", label)]
        if missing:
            yield f"cluster {args.name} has no label {' and no label '.join(missing)}; write it in resource_labels"


RULES = (
    Rule("private-nodes", "Nodes have private addresses only.", public_nodes),
    Rule("deletion-protection", "Clusters in production are protected against deletion.", unprotected_clusters),
    Rule("no-wildcards", "Roles name what they allow.", wildcard_rights),
    Rule("explicit-provider", "Every Kubernetes object is on the provider of its cluster.", default_providers),
    Rule("cluster-labels", f"Every cluster has the labels {', '.join(LABELS)}.", unlabelled_clusters),
)


def _stack(args: ResourceValidationArgs) -> str:
    return args.urn.split("::")[0].removeprefix("urn:pulumi:")


def _at(value: Any, *path: str) -> Any:
    """The value at a path of keys, or None; the engine's maps are not dicts."""
    for key in path:
        value = cast(Mapping[str, Any], value).get(key) if isinstance(value, Mapping) else None
    return value


def _wildcards(value: Any, where: str) -> Iterator[tuple[str, str]]:
    """Every text inside a value that has a wildcard, and where it is."""
    if isinstance(value, str):
        if "*" in value:
            yield where, value
    elif isinstance(value, Mapping):
        for key, each in cast(Mapping[str, Any], value).items():
            yield from _wildcards(each, f"{where}.{key}")
    elif isinstance(value, Sequence):
        for number, each in enumerate(cast(Sequence[Any], value)):
            yield from _wildcards(each, f"{where}[{number}]")
