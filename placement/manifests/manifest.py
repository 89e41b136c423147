"""Reads a workload's manifests into its objects: each valid, of an enabled type, and in its namespace or in none.

It does not decide where they are placed, and checks nothing between workloads (workload.py does).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from placement.api.api_rules import check_object
from placement.api.kinds import NAMESPACES, TargetType, is_reserved
from placement.api.schemas import dotted, normal
from placement.api.server_fields import FieldPath, filled_in, left_out, without
from placement.api.versions import instead_of, type_of
from placement.manifests.documents import ManifestError, not_plain, read_documents
from placement.manifests.objects import Mistake, Written, objects
from placement.manifests.own_namespace import (
    addresses_in,
    check_namespace,
    check_one_namespace,
    in_namespace,
    named_namespaces,
)
from problems import OBJECT_NAME, shorten

# The most mistakes that are reported of one file.
_MOST_REPORTED = 20


@dataclass(frozen=True)
class Manifest:
    """One Kubernetes object of a workload, of an enabled type."""

    type: TargetType
    name: str
    body: Mapping[str, Any]


def read_manifests(
    folder: Path, file: str, namespace: str, types: Sequence[TargetType], notes: list[str] | None = None
) -> list[Manifest]:
    """Reads every object of a file in `folder`, each of one of the `types` and for the `namespace`.

    What is not used as it is written is added to `notes`, a line each. Raises ManifestError.
    """
    documents = [document for document in read_documents(folder, file) if document.value is not None]
    written = list(objects(documents))
    if not written:
        raise ManifestError(["the file holds no object; write at least one Kubernetes manifest into it"])
    named = named_namespaces(written)
    mistakes = [
        *(
            Mistake(Written(document.value, f"object {number}", document), text, line=line)
            for number, document in enumerate(documents, start=1)
            for line, text in document.repeated
        ),
        *(mistake for each in written for mistake in _mistakes_of(each, namespace, types)),
        *check_one_namespace(named, namespace),
        *_repeated_objects(written),
    ]
    if mistakes:
        raise _error(mistakes)
    notes = [] if notes is None else notes
    manifests = _without_server_fields(written, types, notes)
    return _in_own_namespace(manifests, next(iter(named), namespace), namespace, notes)


def _error(mistakes: Sequence[Mistake]) -> ManifestError:
    problems = [str(each) for each in mistakes[:_MOST_REPORTED]]
    if len(mistakes) > _MOST_REPORTED:
        problems.append(f"{len(mistakes) - _MOST_REPORTED} more mistakes are in the file; fix these first")
    return ManifestError(problems)


_API_VERSION = r"([a-z0-9][-.a-z0-9]{0,252}/)?[a-z0-9]{1,63}"
_KIND = r"[A-Za-z][A-Za-z0-9]{0,62}"
# Metadata that only has a meaning in the cluster from which an object was read.
_REFUSED = {
    "ownerReferences": "remove them, since an owner has another uid in each cluster, and copies whose owner does not "
    "exist are deleted; what the owner makes comes with the owner",
    "finalizers": "remove them, since a copy could not be deleted until something in its cluster has removed them; "
    "controllers add their own",
}


def _mistakes_of(written: Written, namespace: str, types: Sequence[TargetType]) -> Iterator[Mistake]:
    body, metadata = written.body, written.metadata
    if not isinstance(written.value, Mapping):
        yield Mistake(written, "not a Kubernetes object; write a map with apiVersion, kind and metadata")
        return
    api_version, kind, name = body.get("apiVersion"), body.get("kind"), metadata.get("name")
    if not isinstance(api_version, str) or not isinstance(kind, str):
        yield Mistake(written, "apiVersion or kind is missing; write both, such as apps/v1 and Deployment")
        return
    if not re.fullmatch(_API_VERSION, api_version) or not re.fullmatch(_KIND, kind):
        what = f"{shorten(kind)} of {shorten(api_version)}"
        yield Mistake(written, f"{what} is not a type of object; write one such as Deployment, apps/v1", ("kind",))
        return
    if (api_version, kind) == ("v1", "List"):
        yield Mistake(written, "List has no list of items; write one, or the objects themselves", ("items",))
        return
    if not isinstance(name, str) or not name:
        yield Mistake(written, f"{kind} has {_missing_name(metadata)}", ("metadata", "generateName"))
        return
    if not re.fullmatch(OBJECT_NAME, name):
        advice = "write up to 253 lower-case letters, digits, dashes and dots"
        yield Mistake(written, f"{kind} has metadata.name {shorten(name)}; {advice}", ("metadata", "name"))
        return
    yield from check_namespace(written, namespace)
    yield from (
        Mistake(written, f"{written.title} has metadata.{field}; {advice}", ("metadata", field))
        for field, advice in _REFUSED.items()
        if metadata.get(field)
    )
    not_json = [Mistake(written, f"{written.title}: {text}", path) for path, text in not_plain(body)]
    yield from not_json
    target = type_of(api_version, kind, types)
    if target is None or target not in types or target == NAMESPACES:
        advice = instead_of(api_version, kind, namespace, types)
        yield Mistake(written, f"{kind} of {api_version} is not an enabled type; {advice}", ("apiVersion",))
    elif is_reserved(target, name):
        advice = "every cluster has one of its own, which KubeFed would overwrite; write another name"
        yield Mistake(written, f"{written.title}: {advice}", ("metadata", "name"))
    elif not not_json:
        # An object can have thousands of mistakes, and writing the text of each takes time.
        for path, text in islice(check_object(_as_api_reads(body, target), target), _MOST_REPORTED + 1):
            yield Mistake(written, f"{written.title}: {dotted(path)}: {text}", path)


def _missing_name(metadata: Mapping[str, Any]) -> str:
    if "generateName" in metadata:
        why = "a federated object has one name, in every cluster and every run"
        return f"metadata.generateName and no name; write metadata.name in its place, since {why}"
    return "no metadata.name; write one"


def _as_api_reads(body: Mapping[str, Any], target: TargetType) -> Mapping[str, Any]:
    """An object as the API would read it, without the fields that the server has filled in."""
    return normal(without(body, filled_in(body, target)), target)


def _repeated_objects(written: Sequence[Written]) -> Iterator[Mistake]:
    """Yields a mistake for each object with the type and name of an earlier one."""
    earlier: dict[tuple[str, str, str], Written] = {}
    for each in written:
        match each.body.get("apiVersion"), each.body.get("kind"), each.metadata.get("name"):
            case str() as api_version, str() as kind, str() as name:
                first = earlier.setdefault((api_version, kind, name), each)
                if first is not each:
                    where = f"first in {first.place}, line {first.line()}"
                    yield Mistake(each, f"{each.title} appears twice, {where}; rename one", ("metadata", "name"))
            case _:
                pass


def _without_server_fields(written: Sequence[Written], types: Sequence[TargetType], notes: list[str]) -> list[Manifest]:
    manifests: list[Manifest] = []
    found: list[tuple[str, Mapping[str, Any], Sequence[FieldPath]]] = []
    for each in written:
        target = type_of(each.body["apiVersion"], each.body["kind"], types)
        assert target
        paths = filled_in(each.body, target)
        found.append((each.title, each.body, paths))
        manifests.append(Manifest(target, each.metadata["name"], _as_api_reads(each.body, target)))
    if fields := left_out(found):
        notes.append(f"left out what the server had filled in: {fields}")
    return manifests


def _in_own_namespace(manifests: Sequence[Manifest], old: str, new: str, notes: list[str]) -> list[Manifest]:
    if old == new:
        return list(manifests)
    unchanged = [f"{each.type.kind} {each.name}" for each in manifests if addresses_in(each.body, old)]
    kept = f", but addresses in {old} stay as they are in {', '.join(unchanged[:5])}" if unchanged else ""
    notes.append(f"namespace {old} in the manifests is replaced by {new}{kept}")
    return [Manifest(each.type, each.name, in_namespace(each.body, old, new)) for each in manifests]
