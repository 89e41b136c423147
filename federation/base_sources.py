"""Reads the manifests of the base as far as they must be known: which objects they hold, and which types those define.

What is read is what Pulumi's provider then applies: it is loaded once, for all members, and so that an answer without
objects does not remove what is in the members. It does not know how objects are applied (base.py does).
"""

import http.client
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from placement.api.lookup import at, elements, entries
from placement.manifests.documents import ManifestError, read_text
from problems import shorten

if TYPE_CHECKING:
    READER = yaml.BaseLoader
else:
    # It reads every scalar as text, which is enough here, and takes what YAML 1.1 has no value for, such as a plain =.
    READER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

# An operator's manifests have some MiB.
_MOST_BYTES = 16 * 2**20
_SECONDS = 30
_CRD = "CustomResourceDefinition"

Key = tuple[str, str, str, str]
"""The group, the kind, the namespace (empty where none is written) and the name of an object."""


@dataclass(frozen=True)
class Manifests:
    """The text of some manifests, the keys of their objects, and the specs of the CRDs in them by their names."""

    text: str
    objects: tuple[Key, ...]
    definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])


def read_file(folder: Path, file: str) -> Manifests:
    """Reads a file below `folder`. Raises ManifestError."""
    return parsed(read_text(folder, file, _MOST_BYTES))


def load(address: str) -> Manifests:
    """Loads what is at an address that begins with https://. Raises ManifestError."""
    return parsed(load_text(address))


def load_text(address: str) -> str:
    """The text that is at an address. Raises ManifestError."""
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:
            data: bytes = answer.read(_MOST_BYTES + 1)
        if len(data) > _MOST_BYTES:
            raise ManifestError([f"cannot be loaded: it has more than {_MOST_BYTES // 2**20} MiB"])
        return data.decode()
    except urllib.error.HTTPError as error:
        raise ManifestError([f"cannot be loaded: the server answers {error.code} {error.reason}"]) from None
    except urllib.error.URLError as error:
        raise ManifestError([f"cannot be loaded: {error.reason}"]) from None
    except UnicodeDecodeError:
        raise ManifestError(["cannot be loaded: what the server answers is not text"]) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ManifestError([f"cannot be loaded: {error}"]) from None


def parsed(text: str) -> Manifests:
    """Reads the text of manifests. Raises ManifestError."""
    try:
        documents: list[Any] = list(yaml.load_all(text, Loader=READER))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
        raise ManifestError([f"not YAML{where}: {shorten(str(why), 200)[1:-1]}"]) from None
    found = [
        (f"object {number}", each)
        for number, document in enumerate(documents, start=1)
        # As kubectl does, an empty document is passed over.
        for each in (_with_items(document) if document not in (None, "") else [])
    ]
    mistakes = [f"{place}: {wrong}" for place, each in found if (wrong := _mistake(each))]
    keys = [_key(each) for _, each in found] if not mistakes else []
    mistakes += [f"{named(key)} appears twice; remove one" for key in dict.fromkeys(keys) if keys.count(key) > 1]
    if not found:
        mistakes = ["holds no object; write at least one Kubernetes manifest into it"]
    if mistakes:
        raise ManifestError(mistakes[:20])
    crds = {each["metadata"]["name"]: _definition(each) for _, each in found if each["kind"] == _CRD}
    return Manifests(text, tuple(keys), crds)


def served(manifests: Manifests, name: str) -> list[str]:
    """The versions of a type that its CRD in the manifests serves."""
    return [each["name"] for each in manifests.definitions[name]["versions"] if each["served"]]


def twice(sources: Sequence[tuple[str, Manifests]]) -> Iterator[tuple[str, str, str]]:
    """Yields each object that two sources of a member have: the later source, the object as text, the earlier one."""
    owners: dict[Key, str] = {}
    for source, manifests in sources:
        for key in manifests.objects:
            owner = owners.setdefault(key, source)
            if owner != source:
                yield source, named(key), owner


def _with_items(document: Any) -> list[Any]:
    """The items of a list, and anything else by itself."""
    kind, items = at(document, "kind"), at(document, "items")
    is_list = isinstance(kind, str) and kind.endswith("List") and isinstance(items, list)
    return [*elements(items)] if is_list else [document]


def _mistake(each: Any) -> str:
    """What keeps a value from being a Kubernetes object; empty where nothing does."""
    for path in (("apiVersion",), ("kind",), ("metadata", "name")):
        value = at(each, *path)
        if not isinstance(value, str) or not value:
            return f"not a Kubernetes object, since it has no {'.'.join(path)}; write it"
    return ""


def _key(each: Any) -> Key:
    group = str(each["apiVersion"]).rpartition("/")[0]
    return group, each["kind"], str(at(each, "metadata", "namespace") or ""), each["metadata"]["name"]


def named(key: Key) -> str:
    """An object as messages show it."""
    _, kind, namespace, name = key
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _definition(each: Any) -> Mapping[str, Any]:
    """The part of a CRD's spec that says how it is served, as an API server has it."""
    spec = entries(each.get("spec"))
    return {
        "scope": spec.get("scope"),
        "names": {"kind": at(spec, "names", "kind")},
        "versions": [
            {"name": str(at(version, "name")), "served": at(version, "served") == "true"}
            for version in elements(spec.get("versions"))
        ],
    }
