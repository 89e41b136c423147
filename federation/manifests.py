"""Reads the plain Kubernetes manifests that a workload is made of."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, cast

import yaml

from federation.kinds import KNOWN, TargetType
from problems import one_of, shorten


class ManifestError(Exception):
    """A manifest file cannot be used; `problems` says why, one sentence each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(problems))


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
    documents = [document for document in _documents(folder, file) if document is not None]
    if not documents:
        raise ManifestError(["the file holds no object; write at least one Kubernetes manifest into it"])
    problems: list[str] = []
    manifests: list[Manifest] = []
    for number, document in enumerate(documents, start=1):
        wrong = list(_wrong(document, namespace, types))
        problems.extend(f"object {number}: {text}" for text in wrong)
        if not wrong:
            kind = _type_of(document, types)
            assert kind
            manifests.append(Manifest(kind, document["metadata"]["name"], document))
    names = [(manifest.type.config_name, manifest.name) for manifest in manifests]
    problems.extend(
        f"{kind} {name} is there twice; rename one"
        for kind, name in sorted(set(names))
        if names.count((kind, name)) > 1
    )
    if problems:
        raise ManifestError(problems)
    return manifests


def _documents(folder: Path, file: str) -> list[Any]:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        raise ManifestError(
            ["outside the project; write a path below the project's folder, such as workloads/job.yaml"]
        )
    try:
        if not (folder / path).resolve().is_relative_to(folder.resolve()):
            raise ManifestError(["a link that leads out of the project; write the path of a file inside it"])
        text = (folder / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ManifestError(["no such file; write the path of one, seen from the project's folder"]) from None
    except UnicodeDecodeError:
        raise ManifestError(["not UTF-8 text; save the file as UTF-8"]) from None
    except (OSError, ValueError) as error:
        raise ManifestError([f"cannot be read: {getattr(error, 'strerror', None) or error}"]) from None
    try:
        return list(yaml.safe_load_all(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        what = getattr(error, "problem", None) or "it cannot be read"
        raise ManifestError([f"not YAML{where}: {what}; mend the file"]) from None


def _wrong(document: Any, namespace: str, types: Sequence[TargetType]) -> Iterator[str]:
    if not isinstance(document, Mapping):
        yield "not a Kubernetes object; write a map with apiVersion, kind and metadata"
        return
    body = cast(Mapping[str, Any], document)
    api_version, kind = body.get("apiVersion"), body.get("kind")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        yield "apiVersion or kind is missing; write both, such as apps/v1 and Deployment"
        return
    metadata = body.get("metadata")
    name = cast(Mapping[str, Any], metadata).get("name") if isinstance(metadata, Mapping) else None
    if not isinstance(name, str) or not name:
        yield f"{kind} has no metadata.name; write one"
        return
    own = cast(Mapping[str, Any], metadata).get("namespace", namespace)
    if own != namespace:
        yield f"{kind} {name} names namespace {own!r}; leave it out, or write the workload's namespace {namespace}"
    target = _type_of(body, types)
    if target is None or target not in types:
        enabled = [each.config_name for each in types]
        hint = f"add {target.config_name} to federation.types" if target else f"enabled are {one_of('', enabled)}"
        if target and target.config_name in enabled:
            hint = f"write {types[enabled.index(target.config_name)].api_version}, which is"
        yield f"{kind} of {api_version} is not an enabled type; {hint}"
    elif not target.namespaced:
        yield f"{kind} {name} is not of a namespace; a workload holds only objects of its own namespace"
    else:
        spec = body.get("spec", {})
        for field in target.counted:
            count = cast(Mapping[str, Any], spec).get(field) if isinstance(spec, Mapping) else spec
            if count is not None and (type(count) is not int or not 0 <= count < 2**31):
                yield f"{kind} {name} has spec.{field} {shorten(count)}; write a whole number from 0 up, of 32 bits"


def _type_of(body: Mapping[str, Any], types: Sequence[TargetType]) -> TargetType | None:
    """The type of an object, by its group, version and kind, enabled or not."""
    group, _, version = str(body["apiVersion"]).rpartition("/")
    wanted = (group, version, body["kind"])
    return next((each for each in [*types, *KNOWN.values()] if (each.group, each.version, each.kind) == wanted), None)
