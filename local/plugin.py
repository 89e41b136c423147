"""What every Pulumi resource plugin of this package shares: the wire format, the gRPC server and its life.

A plugin subclasses `Plugin` and works on plain Python values. The wire format is that of Pulumi's provider protocol
(`pulumi/provider.proto`): property maps as protobuf Structs, in which unknown values and secrets are marked by
well-known keys.
"""

import os
from collections.abc import Callable, Iterator
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any, NoReturn, cast

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

Properties = dict[str, Any]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
# Anything shorter is part of ordinary words.
_SHORTEST_SECRET = 4


class Refused(Exception):
    """The request cannot be carried out; the message is shown to the user as it is."""


class NotReady(Exception):
    """The object exists, but did not become ready; Pulumi records it with the reasons and retries in the next run."""

    def __init__(
        self, identifier: str, outputs: Properties, reasons: list[str], inputs: Properties | None = None
    ) -> None:
        """`inputs` are those that a read has found."""
        super().__init__("; ".join(reasons))
        self.identifier, self.outputs, self.reasons, self.inputs = identifier, outputs, reasons, inputs


@dataclass(frozen=True)
class Resource:
    """The resource that a request is about."""

    urn: str
    type: str = ""
    name: str = ""
    id: str = ""
    timeout: float = 0  # seconds; 0 is the plugin's own choice
    preview: bool = False
    ignore_changes: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: Any, *, preview: bool = False) -> "Resource":
        kind, name = request.urn.split("::")[2].split("$")[-1], request.urn.split("::", 3)[3]
        ignored = tuple(getattr(request, "ignoreChanges", ()))
        identifier, timeout = getattr(request, "id", ""), getattr(request, "timeout", 0.0)
        return cls(request.urn, kind, name, identifier, timeout, preview, ignored)


@dataclass(frozen=True)
class Difference:
    """What changed: paths that are updated in place, and paths that need a new resource."""

    updates: list[str] = field(default_factory=list[str])
    replaces: list[str] = field(default_factory=list[str])
    delete_before_replace: bool = False


class Plugin:
    """The operations of a resource plugin. Inputs and outputs are plain values; secrets come unwrapped."""

    version = "0.0.0"

    def check_config(self, inputs: Properties) -> dict[str, str]:
        """Returns what is wrong with the provider's own inputs, by property."""
        return {}

    def diff_config(self, old: Properties, new: Properties) -> Difference:
        """Compares the provider's own inputs."""
        return Difference(updates=[key for key in sorted({*old, *new}) if old.get(key) != new.get(key)])

    def configure(self, inputs: Properties) -> None:
        """Takes the provider's inputs, before any other operation on resources."""

    def check(
        self, resource: Resource, old: Properties, new: Properties, seed: bytes
    ) -> tuple[Properties, dict[str, str]]:
        """Returns the inputs with their defaults, and what is wrong with them by property."""
        return new, {}

    def diff(self, resource: Resource, old_inputs: Properties, old: Properties, new: Properties) -> Difference:
        """Compares the new inputs with those that the resource was created from."""
        return Difference(updates=[key for key in sorted({*old_inputs, *new}) if old_inputs.get(key) != new.get(key)])

    def create(self, resource: Resource, inputs: Properties) -> tuple[str, Properties]:
        """Makes the resource and returns its id and outputs; in a preview, what is known of them."""
        raise NotImplementedError

    def read(self, resource: Resource, inputs: Properties, state: Properties) -> tuple[Properties, Properties] | None:
        """Returns the resource's inputs and outputs as they are now, or None when it is gone."""
        return inputs, state

    def update(self, resource: Resource, old: Properties, new: Properties) -> Properties:
        """Changes the resource and returns its outputs; in a preview, what is known of them."""
        return new

    def delete(self, resource: Resource, state: Properties) -> None:
        """Removes the resource; one that is gone already is no error."""

    def cancel(self) -> None:
        """Ends running operations as soon as their state can be reported."""

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Runs a function of the provider, such as a look-up."""
        raise Refused(_absent(token))

    def secrets(self, resource: Resource) -> set[str]:
        """The top-level outputs that are secret whether or not their inputs were."""
        return set()


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


def known(value: Any) -> bool:
    """Whether no part of a value is unknown until another resource is created."""
    if isinstance(value, dict):
        return all(known(item) for item in cast(Properties, value).values())
    if isinstance(value, list):
        return all(known(item) for item in cast(list[Any], value))
    return value != UNKNOWN


def serve(plugin: Plugin, until: Callable[[], object]) -> NoReturn:
    """Serves a plugin as Pulumi's engine expects: the port on stdout, then requests until `until` returns."""
    # State comes with every request, and a large one is no error.
    options = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Servicer(plugin), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    until()
    server.stop(grace=None)
    # A running request has nobody left to answer.
    os._exit(0)


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


class _Servicer(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self.plugin.version)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        self.plugin.cancel()
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        failures = self.plugin.check_config(unpack(request.news))
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures))

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        return _diff_response(self.plugin.diff_config(unpack(request.old_inputs), unpack(request.news)))

    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        with _Errors(context):
            self.plugin.configure(unpack(request.args))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=False)

    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        resource = Resource.of(request)
        with _Errors(context, request.news, self.plugin.secrets(resource)):
            old, new = unpack(request.olds), unpack(request.news)
            inputs, failures = self.plugin.check(resource, old, new, request.randomSeed)
            # What was secret on the way in is secret on the way back.
            return provider_pb2.CheckResponse(
                inputs=pack(inputs, _secret_keys(request.news)), failures=_failures(failures)
            )

    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        with _Errors(context):
            arguments = unpack(request.old_inputs), unpack(request.olds), unpack(request.news)
            return _diff_response(self.plugin.diff(Resource.of(request), *arguments))

    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        resource = Resource.of(request, preview=request.preview)
        secret = _secret_keys(request.properties) | self.plugin.secrets(resource)
        with _Errors(context, request.properties, self.plugin.secrets(resource)):
            identifier, outputs = self.plugin.create(resource, unpack(request.properties))
            return provider_pb2.CreateResponse(id=identifier, properties=pack(outputs, secret))

    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        resource = Resource.of(request)
        secret = _secret_keys(request.properties) | self.plugin.secrets(resource)
        with _Errors(context, request.properties, self.plugin.secrets(resource)):
            found = self.plugin.read(resource, unpack(request.inputs), unpack(request.properties))
            if found is None:
                return provider_pb2.ReadResponse()
            inputs, state = (pack(part, secret) for part in found)
            return provider_pb2.ReadResponse(id=request.id, inputs=inputs, properties=state)

    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        resource = Resource.of(request, preview=request.preview)
        secret = _secret_keys(request.news) | self.plugin.secrets(resource)
        with _Errors(context, request.news, self.plugin.secrets(resource)):
            outputs = self.plugin.update(resource, unpack(request.olds), unpack(request.news))
            return provider_pb2.UpdateResponse(properties=pack(outputs, secret))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        resource = Resource.of(request)
        with _Errors(context, request.properties, self.plugin.secrets(resource)):
            self.plugin.delete(resource, unpack(request.properties))
        return empty_pb2.Empty()

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        with _Errors(context):
            found = self.plugin.invoke(request.tok, unpack(request.args))
            response = provider_pb2.InvokeResponse()
            # Its field is named `return`, a keyword of Python.
            getattr(response, "return").CopyFrom(pack(found))
            return response

    def Construct(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConstructResponse:
        context.abort(grpc.StatusCode.UNIMPLEMENTED, _absent(request.type))


def _absent(token: str) -> str:
    return f"{token} is not known to the local stand-in for its plugin; install Pulumi's own to use it"


def _secret_keys(struct: struct_pb2.Struct) -> set[str]:
    """The top-level properties that are secret, or hold one."""
    return {key for key, value in json_format.MessageToDict(struct).items() if _holds_secret(value)}


def _holds_secret(value: Any) -> bool:
    if isinstance(value, dict):
        properties = cast(Properties, value)
        return properties.get(_SIGNATURE) == _SECRET or any(_holds_secret(item) for item in properties.values())
    return isinstance(value, list) and any(_holds_secret(item) for item in cast(list[Any], value))


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


def _failures(failures: dict[str, str]) -> list[provider_pb2.CheckFailure]:
    return [provider_pb2.CheckFailure(property=key, reason=reason) for key, reason in failures.items()]


def _diff_response(difference: Difference) -> provider_pb2.DiffResponse:
    changed = bool(difference.updates or difference.replaces)
    kinds = provider_pb2.PropertyDiff
    detailed = {path: kinds(kind=kinds.UPDATE, inputDiff=True) for path in difference.updates}
    detailed |= {path: kinds(kind=kinds.UPDATE_REPLACE, inputDiff=True) for path in difference.replaces}
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
        replaces=difference.replaces,
        deleteBeforeReplace=difference.delete_before_replace,
        diffs=sorted({path.split(".")[0].split("[")[0] for path in [*difference.updates, *difference.replaces]}),
        detailedDiff=detailed,
        hasDetailedDiff=changed,
    )


class _Errors:
    """Turns the plugin's own exceptions into the protocol's errors."""

    def __init__(
        self,
        context: grpc.ServicerContext,
        properties: struct_pb2.Struct | None = None,
        secret: set[str] | frozenset[str] = frozenset(),
    ) -> None:
        """`properties` are the request's, `secret` those of its top-level ones that are so without being marked."""
        self.context, self.properties, self.secret = context, properties or struct_pb2.Struct(), secret

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, NotReady):
            self._abort_not_ready(error)
        if isinstance(error, Refused):
            self.context.abort(grpc.StatusCode.FAILED_PRECONDITION, self._masked(str(error)))

    def _abort_not_ready(self, error: NotReady) -> None:
        secret = self.secret | _secret_keys(self.properties)
        detail = provider_pb2.ErrorResourceInitFailed(
            id=error.identifier,
            properties=pack(error.outputs, secret),
            reasons=[self._masked(reason) for reason in error.reasons],
            inputs=None if error.inputs is None else pack(error.inputs, secret),
        )
        code = grpc.StatusCode.UNKNOWN
        message = self._masked(str(error))
        status = status_pb2.Status(code=code.value[0], message=message)
        status.details.add().Pack(detail)
        self.context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        self.context.abort(code, message)

    def _masked(self, message: str) -> str:
        """A message without the secrets that an API server may have quoted in it."""
        properties: Properties = json_format.MessageToDict(self.properties)
        marked = {key: _hidden_texts(value, key in self.secret) for key, value in properties.items()}
        for text in sorted({text for texts in marked.values() for text in texts}, key=len, reverse=True):
            message = message.replace(text, "[secret]")
        return message
