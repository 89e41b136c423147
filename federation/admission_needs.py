"""Which settings need admission policies, and which clusters are too old for them."""

from collections.abc import Iterator, Mapping, Sequence

from clusters.spec import Cluster
from federation.admission import OLDEST, has_policies
from federation.spec import Federation
from placement.api.owners import written_by
from placement.manifests.manifest import Manifest
from problems import Problem, one_of


def check_retained(federation: Federation, members: Mapping[str, Cluster]) -> Iterator[Problem]:
    """Yields why fields cannot be retained: of a type that is not enabled, or in members of an older Kubernetes."""
    enabled = [target.config_name for target in federation.targets()]
    for name in federation.retain:
        if name not in enabled:
            yield Problem(f"federation.retain.{name}", None, f"not among the types; write {one_of(name, enabled)}")
    old = _too_old(members, members)
    if federation.retain and old:
        yield Problem("federation.retain", None, f"members need Kubernetes {OLDEST} for it; {_advice(old)}")


def check_written(
    setting: str, manifests: Sequence[Manifest], members: Mapping[str, Cluster], candidates: Sequence[str]
) -> Iterator[Problem]:
    """Yields which objects of a workload KubeFed would fight over with a controller in a candidate."""
    old = _too_old(members, candidates)
    for manifest in manifests if old else ():
        if writer := written_by(manifest.type, manifest.body):
            text = f"{manifest.type.kind} {manifest.name}: {writer}, and below Kubernetes {OLDEST} KubeFed undoes that"
            yield Problem(f"{setting}.manifests", None, f"{text}; {_advice(old)}")


def _too_old(members: Mapping[str, Cluster], names: Sequence[str] | Mapping[str, Cluster]) -> list[str]:
    return [name for name in names if name in members and not has_policies(members[name].kubernetes)]


def _advice(old: Sequence[str]) -> str:
    return f'write kubernetes: "{OLDEST}" or newer in {", ".join(f"clusters.{name}" for name in old)}'
