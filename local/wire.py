"""Property maps on the wire of Pulumi's provider protocol (`pulumi/provider.proto`): protobuf Structs.

Unknown values and secrets are marked in them by well-known keys.
"""

from collections.abc import Iterator
from typing import Any, cast

from google.protobuf import json_format, struct_pb2

Properties = dict[str, Any]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
# Anything shorter is part of ordinary words.
_SHORTEST_SECRET = 4


def unpack(struct: struct_pb2.Struct) -> Properties:
    """Turns a property map from the wire into plain values: whole numbers are ints, secrets are unwrapped."""
    return cast(Properties, _plain(json_format.MessageToDict(struct)))


def pack(properties: Properties, secret: set[str] | frozenset[str] = frozenset()) -> struct_pb2.Struct:
    """Turns plain values into a property map for the wire, with the named top-level properties marked secret."""
    marked = {
        key: {_SIGNATURE: _SECRET, "value": value} if key in secret and value is not None else value
        for key, value in properties.items()
    }
    struct = struct_pb2.Struct()
    struct.update(marked)
    return struct


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        properties = cast(Properties, value)
        if properties.get(_SIGNATURE) == _SECRET:
            return _plain(properties["value"])
        return {key: _plain(item) for key, item in properties.items()}
    if isinstance(value, list):
        return [_plain(item) for item in cast(list[Any], value)]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def secret_keys(struct: struct_pb2.Struct) -> set[str]:
    """The top-level properties that are secret, or hold one."""
    return {key for key, value in json_format.MessageToDict(struct).items() if _holds_secret(value)}


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        properties = cast(Properties, value)
        return properties.get(_SIGNATURE) == _SECRET or any(_holds_secret(item) for item in properties.values())
    return isinstance(value, list) and any(_holds_secret(item) for item in cast(list[Any], value))


def masked(message: str, struct: struct_pb2.Struct) -> str:
    """A message without the secrets of a property map, which it may quote."""
    hidden = {*_hidden_texts(json_format.MessageToDict(struct), False)}
    for text in sorted(hidden, key=len, reverse=True):
        message = message.replace(text, "[secret]")
    return message


def _hidden_texts(value: Any, hidden: bool) -> Iterator[str]:
    """The texts in a value from the wire that are secret."""
    if isinstance(value, dict):
        properties = cast(Properties, value)
        hidden = hidden or properties.get(_SIGNATURE) == _SECRET
        for key, item in properties.items():
            if key != _SIGNATURE:
                yield from _hidden_texts(item, hidden)
    elif isinstance(value, list):
        for item in cast(list[Any], value):
            yield from _hidden_texts(item, hidden)
    elif hidden and isinstance(value, str) and len(value) >= _SHORTEST_SECRET:
        yield value
