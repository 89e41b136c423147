"""Runs the real program with a stack's settings under mocks, and keeps what it asked the engine for."""

import asyncio
import base64
import contextlib
import functools
import json
import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import yaml
from google.protobuf import empty_pb2
from pulumi.runtime import mocks, rpc, run_in_stack, set_all_config
from pulumi.runtime.settings import set_root_resource

from federation.api_client import NoAnswer

ROOT = Path(__file__).parents[2]
PROJECT = "geo-federation"
_UNLIMITED = {"dimensionsInfos": [{"details": [{"value": "-1"}]}]}
_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


@dataclass(frozen=True)
class Asked:
    """One resource as the program asked for it; inputs are plain, and `secrets` names those that hold a secret."""

    urn: str
    type: str
    name: str
    parent: str
    inputs: Mapping[str, Any]
    secrets: frozenset[str]
    provider: str
    dependencies: frozenset[str]
    deleted_with: str
    protect: bool
    additional_secrets: frozenset[str]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The other options that it has, by their names in Pulumi's protocol: no default, and nothing empty."""

    @property
    def ignored(self) -> tuple[str, ...]:
        """The paths of inputs whose changes are ignored."""
        return tuple(self.options.get("ignoreChanges", ()))

    @property
    def kind(self) -> str:
        """The Kubernetes kind, or the last part of the type."""
        return str(self.inputs.get("kind") or self.type.rpartition(":")[2])

    @property
    def object_name(self) -> str:
        """The name in Kubernetes."""
        return str(self.inputs["metadata"]["name"])


@dataclass
class Run:
    """What one run of the program asked for, and returned."""

    settings: Mapping[str, Any]
    asked: list[Asked] = field(default_factory=list[Asked])
    read: list[Asked] = field(default_factory=list[Asked])
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    secret_outputs: frozenset[str] = frozenset()

    @property
    def clusters(self) -> Mapping[str, Any]:
        return self.settings["clusters"]

    @property
    def host(self) -> str:
        return self.settings["federation"]["host"]

    @property
    def kubernetes(self) -> list[Asked]:
        """Every Kubernetes object, in the order of registration."""
        return [each for each in self.asked if each.type.startswith("kubernetes:")]

    def of_type(self, type_: str) -> list[Asked]:
        return [each for each in self.asked if each.type == type_]

    def of_kind(self, kind: str) -> list[Asked]:
        """The Kubernetes objects of a kind."""
        return [each for each in self.kubernetes if each.kind == kind]

    def one(self, kind: str, name: str) -> Asked:
        """The one Kubernetes object of a kind and name."""
        found = [each for each in self.of_kind(kind) if each.object_name == name]
        assert len(found) == 1, f"{len(found)} objects {kind} {name}"
        return found[0]

    def cluster(self, name: str) -> Asked:
        found = [each for each in self.of_type("gcp:container/cluster:Cluster") if each.name == name]
        assert len(found) == 1
        return found[0]

    def needs(self, each: Asked) -> set[str]:
        """The URNs of everything that must be there before a resource is made."""
        by_urn = {other.urn: other for other in self.asked}
        seen: set[str] = set()
        todo = list(each.dependencies)
        while todo:
            urn = todo.pop()
            if urn not in seen:
                seen.add(urn)
                todo += by_urn[urn].dependencies if urn in by_urn else ()
        return seen


def endpoint(cluster: str) -> str:
    """Its name, where people and CI reach it."""
    return f"gke-{cluster}.us-west1.gke.goog"


def address(cluster: str) -> str:
    """Its address, where there is no name."""
    return f"{cluster}.address.example"


def private_endpoint(cluster: str) -> str:
    """Where KubeFed reaches it."""
    return f"{cluster}.private.example"


def certificate_authority(cluster: str) -> str:
    return base64.b64encode(f"certificate authority of {cluster}".encode()).decode()


def token(name: str) -> str:
    return f"token of {name}"


def stack_settings(stack: str) -> dict[str, Any]:
    """The settings of a stack's real file, without the project's prefix."""
    config: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items()}


@functools.cache
def run_of(stack: str) -> Run:
    """One run of a stack as its file has it, for all tests."""
    with contextlib.chdir(ROOT):
        return run_program(stack, stack_settings(stack))


def run_program(
    stack: str,
    settings: Mapping[str, Any],
    preview: bool = False,
    served: Mapping[str, Any] | None = None,
    quotas: Mapping[str, Any] | None = None,
    subnets: Mapping[str, Any] | None = None,
) -> Run:
    """Runs __main__.py in the working directory, where manifests are looked for.

    `served` holds the specs of the CRDs that every cluster has, by name, `quotas` what Google says of quotas, by id;
    others have no limit. `subnets` is what Google Cloud says of an existing subnet, by
    projects/PROJECT/regions/REGION/NAME: a text is an error.
    """
    run = Run(settings)
    set_all_config(
        {
            key if ":" in key else f"{PROJECT}:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in settings.items()
        }
    )
    try:
        asyncio.run(_run(stack, _Cloud(preview, served or {}, quotas or {}, subnets or {}), run))
    finally:
        set_root_resource(cast(Any, None))
        set_all_config({})
    return run


async def _run(stack: str, cloud: "_Cloud", run: Run) -> None:
    def main() -> None:
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")

    # Here and not before: the mocks' first resource belongs to the running event loop.
    mocks.set_mocks(cloud, PROJECT, stack, cloud.preview, monitor=_Monitor(cloud, run))
    set_root_resource(cast(Any, None))
    # With mocks there is no API server that could say which members are registered.
    unknown = NoAnswer("no answer")
    with (
        patch("federation.drain.asking", side_effect=unknown),
        patch("federation.federated_objects.asking", side_effect=unknown),
    ):
        await run_in_stack(main)


class _Cloud(mocks.Mocks):
    """What the cloud returns; a preview knows none of it yet."""

    def __init__(
        self,
        preview: bool,
        served: Mapping[str, Any],
        quotas: Mapping[str, Any],
        subnets: Mapping[str, Any],
    ) -> None:
        self.preview, self.served, self.quotas, self.subnets = preview, served, quotas, subnets

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        arguments: dict[str, Any] = cast(Any, args).args
        if args.token == "gcp:cloudquota/getSQuotaInfo:getSQuotaInfo":
            # Anything but a map is why it cannot be read.
            found = self.quotas.get(arguments["quotaId"], _UNLIMITED)
            return ({}, [("quotaId", found)]) if isinstance(found, str) else (found, [])
        if args.token == "gcp:compute/getSubnetwork:getSubnetwork":
            found = self.subnets[f"projects/{arguments['project']}/regions/{arguments['region']}/{arguments['name']}"]
            # As the provider's plugin answers.
            return ({}, [("", found)]) if isinstance(found, str) else (found, [])
        raise AssertionError(f"the program asks the cloud for {args.token}, which no mock knows")

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        state = {**cast(Any, args).inputs}
        if self.preview:
            return "", state
        match args.typ:
            case "gcp:container/cluster:Cluster":
                state |= {
                    "name": f"{args.name}-1234567",
                    "endpoint": address(args.name),
                    "privateClusterConfig": {
                        **state["privateClusterConfig"],
                        "privateEndpoint": private_endpoint(args.name),
                    },
                    "controlPlaneEndpointsConfig": {
                        **state["controlPlaneEndpointsConfig"],
                        "dnsEndpointConfig": {"endpoint": endpoint(args.name)},
                    },
                    "masterAuth": {"clusterCaCertificate": certificate_authority(args.name)},
                    "selfLink": f"https://container.example/{args.name}-1234567",
                }
            case "gcp:compute/network:Network" | "gcp:compute/subnetwork:Subnetwork" | "gcp:compute/router:Router":
                state |= {"name": f"{args.name}-1234567"}
            case "gcp:projects/serviceIdentity:ServiceIdentity":
                state |= {"email": f"robot.{state['service']}@google.example"}
            case "gcp:serviceaccount/account:Account":
                email = f"{state['accountId']}@project.example"
                state |= {"email": email, "name": f"projects/project/serviceAccounts/{email}"}
            case "kubernetes:core/v1:Secret" if state.get("type") == "kubernetes.io/service-account-token":
                secret = token(state["metadata"]["name"])
                state |= {"data": {"token": base64.b64encode(secret.encode()).decode()}}
            case "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition" if args.resource_id:
                state |= {"spec": self.served[args.resource_id]}
            case _:
                pass
        return f"{args.name}_id", state


class _Monitor(mocks.MockMonitor):
    """A mock monitor that keeps each request whole: mocks are told neither of dependencies nor of options."""

    def __init__(self, cloud: _Cloud, run: Run) -> None:
        super().__init__(cloud)
        self.run = run

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            inputs = cast(dict[str, Any], rpc.deserialize_properties(request.object, keep_unknowns=True))
            self.run.asked.append(
                Asked(
                    urn=self.make_urn(request.parent, request.type, request.name),
                    type=request.type,
                    name=request.name,
                    parent=request.parent,
                    inputs=_plain(inputs),
                    secrets=frozenset(key for key, value in inputs.items() if _holds_secret(value)),
                    provider=request.provider,
                    dependencies=frozenset(request.dependencies),
                    deleted_with=request.deletedWith,
                    protect=request.protect,
                    additional_secrets=frozenset(request.additionalSecretOutputs),
                    options=_options(request),
                )
            )
        return super().RegisterResource(request)  # pyright: ignore[reportUnknownMemberType]

    def ReadResource(self, request: Any) -> Any:
        self.run.read.append(
            Asked(
                urn=self.make_urn(request.parent, request.type, request.name),
                type=request.type,
                name=request.name,
                parent=request.parent,
                inputs={"id": request.id},
                secrets=frozenset(),
                provider=request.provider,
                dependencies=frozenset(request.dependencies),
                deleted_with="",
                protect=False,
                additional_secrets=frozenset(),
            )
        )
        return super().ReadResource(request)  # pyright: ignore[reportUnknownMemberType]

    def RegisterResourceOutputs(self, request: Any) -> empty_pb2.Empty:
        if "::pulumi:pulumi:Stack::" in request.urn:
            outputs = cast(dict[str, Any], rpc.deserialize_properties(request.outputs, keep_unknowns=True))
            self.run.outputs = _plain(outputs)
            self.run.secret_outputs = frozenset(key for key, value in outputs.items() if _is_secret(value))
        return super().RegisterResourceOutputs(request)  # pyright: ignore[reportUnknownMemberType]


def _options(request: Any) -> dict[str, Any]:
    timeouts = {key: getattr(request.customTimeouts, key) for key in ("create", "update", "delete")}
    options = {
        "deleteBeforeReplace": request.deleteBeforeReplace,
        "replaceOnChanges": list(request.replaceOnChanges),
        "ignoreChanges": list(request.ignoreChanges),
        "retainOnDelete": request.retainOnDelete,
        "import": request.importId,
        "customTimeouts": {key: each for key, each in timeouts.items() if each},
        "aliases": [each for alias in request.aliases if (each := _alias(alias))],
    }
    return {name: each for name, each in options.items() if each}


def _alias(alias: Any) -> str:
    """What a resource was called before: its name, type and parent, as far as they were others.

    Empty where its type alone was another, as the SDKs say of most of their own.
    """
    spec, of_program = alias.spec, alias.spec.type.startswith(PROJECT)
    parts = {
        "type": spec.type if of_program else "",
        "parent": "none" if spec.noParent else spec.parentUrn.rpartition("::")[2],
    }
    named = [spec.name or alias.urn, *(f"{part} {each}" for part, each in parts.items() if each)]
    return " of ".join(filter(None, named))


def _holds_secret(value: Any) -> bool:
    if _is_secret(value):
        return True
    if isinstance(value, dict):
        return any(map(_holds_secret, cast(dict[str, Any], value).values()))
    return isinstance(value, list) and any(map(_holds_secret, cast(list[Any], value)))


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and cast(dict[str, Any], value).get(_SIGNATURE) == _SECRET


def _plain(value: Any) -> Any:
    if _is_secret(value):
        return _plain(value["value"])
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in cast(dict[str, Any], value).items()}
    if isinstance(value, list):
        return [_plain(each) for each in cast(list[Any], value)]
    return value
