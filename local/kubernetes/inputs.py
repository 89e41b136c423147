"""What a program may write as a resource's inputs, and what is filled in: its name."""

import secrets
from typing import Any, cast

from local.kubernetes.values import table
from local.plugin import UNKNOWN, Properties, Resource

AUTONAMED = "pulumi.com/autonamed"

_STAND_IN = "the local stand-in for the kubernetes plugin"
_ABSENT = ("kubernetes:helm.sh/", "kubernetes:yaml", "kubernetes:kustomize")
# The API server fills these in; a program that copies an object does not mean to set them.
_SERVERS_OWN = (
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
)


def annotations_of(body: Properties) -> dict[str, str]:
    """An object's annotations; empty while they are unknown."""
    return table(body, "metadata", "annotations")


def is_autonamed(body: Properties) -> bool:
    """Whether the name was chosen here, and not by the program."""
    return annotations_of(body).get(AUTONAMED) == "true"


def identifier_of(body: Properties) -> str:
    """An object's id: namespace/name, or its name where it has no namespace."""
    metadata = body["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}" if metadata.get("namespace") else str(metadata["name"])


def label_of(body: Properties) -> str:
    """An object as messages call it."""
    return f"{body['kind']} {identifier_of(body)}"


def wrong(resource: Resource, inputs: Properties) -> dict[str, str]:
    """What is wrong with a resource's inputs, by property."""
    kind: Any = inputs.get("kind")
    if resource.type.startswith(_ABSENT) or resource.type.endswith("Patch"):
        return {"": f"{resource.type} is not supported by {_STAND_IN}; install Pulumi's own to use it"}
    missing = {
        key: f"an object needs a {key}" for key in ("apiVersion", "kind") if not isinstance(inputs.get(key), str)
    }
    if missing:
        return missing
    if str(kind).endswith("List"):
        return {"kind": "a list is no object of its own; declare each of its items"}
    metadata = inputs.get("metadata")
    if metadata is not None and metadata != UNKNOWN and not isinstance(metadata, dict):
        return {"metadata": "metadata is a map"}
    if "generateName" in table(metadata) and not table(metadata).get("name"):
        return {"metadata.generateName": "server-side apply needs a name; leave both out to have one chosen"}
    return {}


def complete(resource: Resource, old: Properties, new: Properties, seed: bytes) -> Properties:
    """The inputs with a name: the one they have, the one chosen before, or one chosen now."""
    if new.get("metadata") == UNKNOWN:
        return new
    metadata = {key: value for key, value in table(new, "metadata").items() if key not in _SERVERS_OWN}
    if not metadata.get("name"):
        kept = old["metadata"].get("name") if is_autonamed(old) else None
        metadata["name"] = kept or f"{resource.name}-{(seed or secrets.token_bytes(4)).hex()[:8]}"
        metadata["annotations"] = {**annotations_of(new), AUTONAMED: "true"}
    return to_server(new | {"metadata": metadata})


def to_server(body: Properties) -> Properties:
    """A definition's x_kubernetes_ fields under the names that the API server has for them."""
    return _renamed(body, "x_kubernetes_", "_", "-") if body.get("kind") == "CustomResourceDefinition" else body


def to_program(body: Properties) -> Properties:
    """A definition's x-kubernetes- fields under the names that the SDK has for them."""
    return _renamed(body, "x-kubernetes-", "-", "_") if body.get("kind") == "CustomResourceDefinition" else body


def _renamed(value: Any, prefix: str, old: str, new: str) -> Any:
    if isinstance(value, dict):
        return {
            key.replace(old, new) if key.startswith(prefix) else key: _renamed(item, prefix, old, new)
            for key, item in cast(Properties, value).items()
        }
    if isinstance(value, list):
        return [_renamed(item, prefix, old, new) for item in cast(list[Any], value)]
    return value
