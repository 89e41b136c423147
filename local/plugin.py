"""A Pulumi resource plugin in Python: the gRPC server, and the operations that a plugin implements.

The plugin subclasses `Plugin` and works on plain values; how they travel is in wire.py.
"""

import os
import select
import signal
import sys
from concurrent import futures
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from local.wire import Properties, masked, pack, secret_keys, unpack


class Refused(Exception):
    """The request cannot be carried out; the message is shown to the user as it is."""


@dataclass(frozen=True)
class Resource:
    """The resource that a request is about."""

    urn: str
    type: str = ""
    name: str = ""
    id: str = ""
    preview: bool = False
    ignore_changes: tuple[str, ...] = ()

    @classmethod
    def of(cls, request: Any, *, preview: bool = False) -> "Resource":
        kind, name = request.urn.split("::")[2].split("$")[-1], request.urn.split("::", 3)[3]
        ignored = tuple(getattr(request, "ignoreChanges", ()))
        return cls(request.urn, kind, name, getattr(request, "id", ""), preview, ignored)


@dataclass(frozen=True)
class Difference:
    """What changed: paths that are updated in place, and paths that need a new resource."""

    updates: list[str] = field(default_factory=list[str])
    replaces: list[str] = field(default_factory=list[str])
    delete_before_replace: bool = False


class Plugin:
    """The operations of a resource plugin. Inputs and outputs are plain values; secrets come unwrapped."""

    version = "0.0.0"

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

    def invoke(self, token: str, arguments: Properties) -> Properties:
        """Runs a function of the provider, such as a look-up."""
        raise Refused(_absent(token))


def serve(plugin: Plugin) -> NoReturn:
    """Serves a plugin as Pulumi's engine expects: the port on stdout, then requests until the engine is gone."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        # A running request has nobody left to answer.
        signal.signal(sign, lambda number, frame: os._exit(0))
    # State comes with every request, and a large one is no error.
    options = [("grpc.max_receive_message_length", 400 << 20), ("grpc.max_send_message_length", 400 << 20)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=64), options=options)
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(_Servicer(plugin), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    # Its other end is the engine's, which may be killed before it can end its plugins.
    until = select.poll()
    until.register(sys.stdout, 0)
    until.poll()
    os._exit(0)


class _Servicer(provider_pb2_grpc.ResourceProviderServicer):
    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=self.plugin.version)

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        old, new = unpack(request.old_inputs), unpack(request.news)
        return _diff_response(Difference(updates=[key for key in sorted({*old, *new}) if old.get(key) != new.get(key)]))

    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        with _Errors(context):
            self.plugin.configure(unpack(request.args))
        return provider_pb2.ConfigureResponse(acceptSecrets=True, supportsPreview=True, acceptResources=False)

    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        resource = Resource.of(request)
        with _Errors(context, request.news):
            old, new = unpack(request.olds), unpack(request.news)
            inputs, failures = self.plugin.check(resource, old, new, request.randomSeed)
            # What was secret on the way in is secret on the way back.
            return provider_pb2.CheckResponse(
                inputs=pack(inputs, secret_keys(request.news)), failures=_failures(failures)
            )

    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        with _Errors(context):
            arguments = unpack(request.old_inputs), unpack(request.olds), unpack(request.news)
            return _diff_response(self.plugin.diff(Resource.of(request), *arguments))

    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        resource = Resource.of(request, preview=request.preview)
        secret = secret_keys(request.properties)
        with _Errors(context, request.properties):
            identifier, outputs = self.plugin.create(resource, unpack(request.properties))
            return provider_pb2.CreateResponse(id=identifier, properties=pack(outputs, secret))

    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        resource = Resource.of(request)
        secret = secret_keys(request.properties)
        with _Errors(context, request.properties):
            found = self.plugin.read(resource, unpack(request.inputs), unpack(request.properties))
            if found is None:
                return provider_pb2.ReadResponse()
            inputs, state = (pack(part, secret) for part in found)
            return provider_pb2.ReadResponse(id=request.id, inputs=inputs, properties=state)

    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        resource = Resource.of(request, preview=request.preview)
        secret = secret_keys(request.news)
        with _Errors(context, request.news):
            outputs = self.plugin.update(resource, unpack(request.olds), unpack(request.news))
            return provider_pb2.UpdateResponse(properties=pack(outputs, secret))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        resource = Resource.of(request)
        with _Errors(context, request.properties):
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
    """Turns what is refused into the protocol's error, without the secrets of the request's properties."""

    def __init__(self, context: grpc.ServicerContext, properties: struct_pb2.Struct | None = None) -> None:
        self.context, self.properties = context, properties or struct_pb2.Struct()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, Refused):
            self.context.abort(grpc.StatusCode.FAILED_PRECONDITION, masked(str(error), self.properties))
