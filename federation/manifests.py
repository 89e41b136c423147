"""Reads the plain Kubernetes manifests that a workload is made of."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, cast

from federation.api_rules import mistakes
from federation.documents import Document, ManifestError, not_plain, read_documents
from federation.kinds import KNOWN, NAMESPACES, TargetType
from federation.schemas import dotted, normal
from problems import OBJECT_NAME, one_of, shorten

# Of one file; who has made more mistakes than these will not read on.
_TOLD = 20


@dataclass(frozen=True)
class Manifest:
    """One Kubernetes object of a workload, of an enabled type."""

    type: TargetType
    name: str
    body: Mapping[str, Any]


def read_manifests(folder: Path, file: str, namespace: str, types: Sequence[TargetType]) -> list[Manifest]:
    """Reads every object of a file in `folder`, each of one of the `types` and meant for the `namespace`.

    Raises ManifestError.
    """
    documents = [each for each in read_documents(folder, file) if each.value is not None]
    if not documents:
        raise ManifestError(["the file holds no object; write at least one Kubernetes manifest into it"])
    problems: list[str] = []
    manifests: list[Manifest] = []
    for number, document in enumerate(documents, start=1):
        wrong = list(_wrong(document, namespace, types))
        problems.extend(f"object {number}: {text}" for text in wrong)
        if not wrong:
            kind = _type_of(document.value, types)
            assert kind
            manifests.append(Manifest(kind, document.value["metadata"]["name"], normal(document.value, kind)))
    names = Counter((manifest.type.config_name, manifest.name) for manifest in manifests)
    problems.extend(f"{kind} {name} is there twice; rename one" for (kind, name), n in sorted(names.items()) if n > 1)
    if len(problems) > _TOLD:
        problems[_TOLD:] = [f"{len(problems) - _TOLD} more mistakes are in the file; mend these first"]
    if problems:
        raise ManifestError(problems)
    return manifests


_API_VERSION = r"([a-z0-9][-.a-z0-9]{0,252}/)?[a-z0-9]{1,63}"
_KIND = r"[A-Za-z][A-Za-z0-9]{0,62}"


def _wrong(document: Document, namespace: str, types: Sequence[TargetType]) -> Iterator[str]:
    value: Any = document.value
    if not isinstance(value, Mapping):
        yield "not a Kubernetes object; write a map with apiVersion, kind and metadata"
        return
    body = cast(Mapping[str, Any], value)
    api_version, kind = body.get("apiVersion"), body.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        yield "apiVersion or kind is missing; write both, such as apps/v1 and Deployment"
        return
    if not re.fullmatch(_API_VERSION, api_version) or not re.fullmatch(_KIND, kind):
        yield f"{shorten(kind)} of {shorten(api_version)} is no type of object; write such as Deployment, apps/v1"
        return
    metadata = body.get("metadata")
    name = cast(Mapping[str, Any], metadata).get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(name, str) or not name:
        yield f"{kind} has no metadata.name; write one"
        return
    if not re.fullmatch(OBJECT_NAME, name):
        yield f"{kind} has metadata.name {shorten(name)}; write up to 253 lower-case letters, digits, dashes and dots"
        return
    own = cast(Mapping[str, Any], metadata).get("namespace", namespace)
    if own != namespace:
        advice = f"leave it out, or write the workload's namespace {namespace}"
        yield f"{kind} {name} names namespace {shorten(own)}; {advice}"
    strange = [f"{kind} {name}: {text.removeprefix('.')}" for text in not_plain(body)]
    yield from strange
    target = _type_of(body, types)
    if target is None or target not in types:
        yield f"{kind} of {api_version} is not an enabled type; {_instead(target, namespace, types)}"
    elif not target.namespaced:
        yield f"{kind} {name} is not of a namespace; a workload holds only objects of its own namespace"
    elif not strange:
        # Of thousands, the first are enough, and to word each takes time.
        for path, text in islice(mistakes(normal(body, target), target), _TOLD + 1):
            yield f"{kind} {name}, line {document.line(path)}: {dotted(path)}: {text}"


def _instead(target: TargetType | None, namespace: str, types: Sequence[TargetType]) -> str:
    """What to write in place of a type that is not enabled."""
    enabled = [each.config_name for each in types]
    if target is None:
        return f"enabled are {one_of('', enabled)}"
    if target == NAMESPACES:
        return f"leave it out: the program makes the namespace {namespace}"
    if target.config_name in enabled:
        return f"write {types[enabled.index(target.config_name)].api_version}, which is"
    return f"write federation.types: [{', '.join([*enabled, target.config_name])}]"


def _type_of(body: Mapping[str, Any], types: Sequence[TargetType]) -> TargetType | None:
    """The type of an object, by its group, version and kind, enabled or not."""
    group, _, version = str(body["apiVersion"]).rpartition("/")
    wanted = (group, version, body["kind"])
    return next((each for each in [*types, *KNOWN.values()] if (each.group, each.version, each.kind) == wanted), None)
