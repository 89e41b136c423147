"""What the pods of a workload ask for, as far as its manifests say; what is no pod asks for nothing."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from federation.manifests import Manifest

ACCELERATOR_LABEL = "cloud.google.com/gke-accelerator"
_TEMPLATE = ("spec", "template", "spec")
_TEMPLATES = dict.fromkeys(
    ("daemonsets.apps", "deployments.apps", "jobs.batch", "replicasets.apps", "statefulsets.apps"), _TEMPLATE
) | {"cronjobs.batch": ("spec", "jobTemplate", *_TEMPLATE)}


@dataclass(frozen=True)
class PodDemand:
    """What each pod of one object asks for.

    `resources` says how much of each extended resource, such as nvidia.com/gpu. `accelerators` are those of which its
    node must have one; where there are none, any node will do.
    """

    resources: Mapping[str, int]
    accelerators: frozenset[str]

    def __str__(self) -> str:
        return " and ".join(f"{amount} {resource}" for resource, amount in sorted(self.resources.items()))


def pod_demand(manifest: Manifest) -> PodDemand:
    """What each pod of an object asks for. What is malformed asks for nothing: to refuse it is the API server's."""
    pod = pod_spec(manifest)
    resources = Counter[str]()
    for container in _list(_at(pod, "containers")):
        # As Kubernetes does, which has a limit stand for a request that is left out.
        resources.update(
            _extended(_at(container, "resources", "requests")) | _extended(_at(container, "resources", "limits"))
        )
    return PodDemand(dict(resources), _accelerators(pod))


def pod_spec(manifest: Manifest) -> Mapping[str, Any] | None:
    """The spec of the pods that an object runs; None for an object that runs none."""
    template = _TEMPLATES.get(manifest.type.config_name)
    pod: Any = _at(manifest.body, *template) if template else None
    return cast(Mapping[str, Any], pod) if isinstance(pod, Mapping) else None


def pod_labels(manifest: Manifest) -> Mapping[str, str] | None:
    """The labels of the pods that an object runs; None for an object that runs none."""
    if pod_spec(manifest) is None:
        return None
    labels: Any = _at(manifest.body, *_TEMPLATES[manifest.type.config_name][:-1], "metadata", "labels")
    return cast(Mapping[str, str], labels) if isinstance(labels, Mapping) else {}


def demands(manifests: Iterable[Manifest]) -> list[PodDemand]:
    """What each pod asks for of every counted object, in their order."""
    return [pod_demand(manifest) for manifest in manifests if manifest.type.counted]


def accelerators(manifests: Iterable[Manifest]) -> frozenset[frozenset[str]]:
    """What a member must have to run a workload: at least one accelerator of each set."""
    return frozenset(filter(None, (pod_demand(manifest).accelerators for manifest in manifests)))


def pods(manifest: Manifest) -> int:
    """How many pods a counted object runs side by side; Kubernetes' own default is 1."""
    counts = [_at(manifest.body, "spec", key) for key in manifest.type.counted]
    return min([1 if counts[0] is None else counts[0], *(count for count in counts[1:] if count is not None)])


def _accelerators(pod: Any) -> frozenset[str]:
    wanted: list[frozenset[str]] = []
    selected = _at(pod, "nodeSelector", ACCELERATOR_LABEL)
    if isinstance(selected, str):
        wanted.append(frozenset({selected}))
    required = _at(pod, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    # One of the terms must hold, so that a term which names no accelerator lets every node pass.
    terms = [_of_term(term) for term in _list(_at(required, "nodeSelectorTerms"))]
    if terms and all(terms):
        wanted.append(frozenset[str]().union(*terms))
    if not wanted:
        return frozenset()
    # A pod that contradicts itself fits nowhere, and its node selector is what its author sees first.
    return wanted[0].intersection(*wanted[1:]) or wanted[0]


def _of_term(term: Any) -> frozenset[str]:
    wanted: list[frozenset[str]] = []
    for expression in _list(_at(term, "matchExpressions")):
        if _at(expression, "key") == ACCELERATOR_LABEL and _at(expression, "operator") == "In":
            wanted.append(frozenset(each for each in _list(_at(expression, "values")) if isinstance(each, str)))
    return wanted[0].intersection(*wanted[1:]) if wanted else frozenset()


def _extended(amounts: Any) -> dict[str, int]:
    """The resources that are counted in whole numbers: Kubernetes' own have no domain."""
    return {resource: amount for resource, amount in _whole(amounts) if "/" in resource and amount}


def _whole(amounts: Any) -> Iterator[tuple[str, int]]:
    if isinstance(amounts, Mapping):
        for resource, amount in cast(Mapping[Any, Any], amounts).items():
            # Text of too many digits, and so an integer of theirs, is more than Python converts.
            digits = isinstance(amount, str) and re.fullmatch(r"[0-9]{1,9}", amount)
            if isinstance(resource, str) and (digits or (type(amount) is int and 0 <= amount < 10**9)):
                yield resource, int(amount)


def _at(value: Any, *path: str) -> Any:
    """What is at the end of a path of keys, or None where there is none."""
    for key in path:
        value = cast(Mapping[Any, Any], value).get(key) if isinstance(value, Mapping) else None
    return value


def _list(value: Any) -> Sequence[Any]:
    return cast(list[Any], value) if isinstance(value, list) else []
