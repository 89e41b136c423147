"""Where accelerators are free now: allocatable on the nodes, less what pods have requested."""

import json
from collections import Counter
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import yaml
from urllib3.exceptions import HTTPError, MaxRetryError

from federation.demand import ACCELERATOR_LABEL, PodDemand
from federation.manifests import Manifest
from federation.pod_requests import extended, requested

_OVER = ("Succeeded", "Failed")
_SECONDS = 20


class CannotMeasure(Exception):
    """A member does not answer; the message says which and why."""


@dataclass(frozen=True)
class Node:
    """A node that takes pods: its accelerator, empty where it has none, and what of each resource is free."""

    accelerator: str
    free: Mapping[str, int]


def free_nodes(nodes: Iterable[Mapping[str, Any]], pods: Iterable[Mapping[str, Any]]) -> list[Node]:
    """What is free on each node that is ready and takes pods, as the API server's objects say.

    Only extended resources are told, such as nvidia.com/gpu: they are whole numbers.
    """
    taken = Counter[tuple[str, str]]()
    for pod in pods:
        if pod.get("status", {}).get("phase") not in _OVER:
            for resource, amount in requested(pod["spec"]).items():
                taken[pod["spec"].get("nodeName", ""), resource] += amount
    return [
        Node(
            node["metadata"].get("labels", {}).get(ACCELERATOR_LABEL, ""),
            {
                resource: max(0, amount - taken[node["metadata"]["name"], resource])
                for resource, amount in extended(node["status"].get("allocatable")).items()
            },
        )
        for node in nodes
        if _takes_pods(node)
    ]


def fitting(nodes: Iterable[Node], pod: PodDemand) -> int:
    """How many pods fit that each ask for so much; for a pod that asks for nothing scarce, 0."""
    return sum(_room(node, pod) for node in nodes)


def without(nodes: Iterable[Node], pod: PodDemand, count: int) -> list[Node]:
    """What is left of what is free once so many pods have been put where they fit."""
    left: list[Node] = []
    for node in nodes:
        here = min(count, _room(node, pod))
        count -= here
        taken = {resource: amount - here * pod.resources.get(resource, 0) for resource, amount in node.free.items()}
        left.append(Node(node.accelerator, taken))
    return left


def _room(node: Node, pod: PodDemand) -> int:
    if pod.accelerators and node.accelerator not in pod.accelerators:
        return 0
    return min((node.free.get(resource, 0) // each for resource, each in pod.resources.items()), default=0)


def measure(member: str, kubeconfig: str) -> list[Node]:
    """What is free in a member, as its API server says. Raises CannotMeasure."""
    with asking(member, kubeconfig) as (client, api):
        core = client.CoreV1Api(api)
        nodes, pods = (
            listed(ask(_preload_content=False, _request_timeout=_SECONDS).data)
            for ask in (core.list_node, core.list_pod_for_all_namespaces)
        )
        return free_nodes(nodes, pods)


def federated_annotation(host: str, kubeconfig: str, manifest: Manifest, namespace: str, key: str) -> str:
    """An annotation of the object that federates a manifest's; empty where there is none. Raises CannotMeasure."""
    with asking(host, kubeconfig) as (client, api):
        where = ("types.kubefed.io", "v1beta1", namespace, manifest.type.federated_plural, manifest.name)
        ask = client.CustomObjectsApi(api).get_namespaced_custom_object
        try:
            found = answered(ask(*where, _preload_content=False, _request_timeout=_SECONDS).data)
        except client.ApiException as error:
            if error.status != 404:
                raise
            return ""
        return found["metadata"].get("annotations", {}).get(key, "")


def answered(body: str | bytes) -> dict[str, Any]:
    """The object in an API server's answer, without its nulls: the API means by null that nothing is there.

    Raises CannotMeasure, or json.JSONDecodeError or UnicodeDecodeError, where it is something else.
    """
    found: Any = json.loads(body, object_hook=_without_nulls)
    if not isinstance(found, dict):
        raise CannotMeasure(f"answers {str(found)[:50]!r} in place of an object")
    return cast(dict[str, Any], found)


def listed(body: str | bytes) -> list[Mapping[str, Any]]:
    """The items of a list in an API server's answer, which may be null. Raises what `answered` raises."""
    found = answered(body)
    if not str(found.get("kind", "")).endswith("List"):
        raise CannotMeasure(f"answers {str(found)[:50]!r} in place of a list")
    return found.get("items", [])


@contextmanager
def asking(member: str, kubeconfig: str, retries: int | None = None) -> Generator[tuple[Any, Any]]:
    """The kubernetes library's client module, and a client of the member.

    Raises CannotMeasure for what the network, TLS, the credentials and the API server answer to the block's requests;
    any other exception of the block is a mistake in it, and is raised as it is. A request that fails is made so many
    times more; the library's own number is three.
    """
    # Few programs need it, and its import takes longer than all else that they import.
    from kubernetes import client

    try:
        yield client, _client(kubeconfig, retries)
    except CannotMeasure as error:
        raise CannotMeasure(f"{member} does not answer ({error})") from None
    except client.ApiException as error:
        raise CannotMeasure(f"{member} does not answer ({_refusal(error)})") from None
    # urllib3's cover what is sent and received, and OSError sockets and TLS; an answer that is cut off, or is no API
    # server's, does not parse.
    except (HTTPError, OSError, json.JSONDecodeError, UnicodeDecodeError) as error:
        cause = error.reason if isinstance(error, MaxRetryError) and error.reason else error
        raise CannotMeasure(f"{member} does not answer ({_named(cause)})") from None


def _client(kubeconfig: str, retries: int | None) -> Any:
    """A client with the kubeconfig's credentials. Raises CannotMeasure."""
    from kubernetes import client, config

    configuration = client.Configuration(retries=retries)
    try:
        loaded: Any = yaml.safe_load(kubeconfig)
        api: Any = config.new_client_from_config_dict(  # pyright: ignore[reportUnknownMemberType]
            loaded, persist_config=False, client_configuration=configuration
        )
    # The library has ConfigException for half of what can be wrong in a kubeconfig; the other half fails as it may.
    except (
        config.ConfigException,
        yaml.YAMLError,
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
    ) as error:
        raise CannotMeasure(f"its kubeconfig cannot be used: {_named(error)}") from None
    # The library logs a credential plugin that fails, and would ask without credentials.
    found: list[Any] = loaded.get("users") or []
    users: list[Any] = [each.get("user") or {} for each in found]
    plugins = [str(each["exec"].get("command")) for each in users if each.get("exec")]
    if plugins and not (configuration.api_key or configuration.cert_file):
        raise CannotMeasure(f"{', '.join(plugins)} gave no credentials; is it installed, and are you signed in?")
    return api


def _refusal(error: Any) -> str:
    """What the library's ApiException says, on one line: the HTTP status, and the API server's own words for it."""
    try:
        told = str(answered(error.body or "{}").get("message", ""))
    except (CannotMeasure, ValueError):
        told = ""
    status = [str(error.status)] if error.status else []
    return _short(": ".join(filter(None, [" ".join([*status, str(error.reason)]), told])))


def _named(error: BaseException) -> str:
    return _short(f"{type(error).__name__}: {error}")


def _short(text: str) -> str:
    return " ".join(text.split())[:200]


def _without_nulls(found: Mapping[str, Any]) -> dict[str, Any]:
    return {key: each for key, each in found.items() if each is not None}


def _takes_pods(node: Mapping[str, Any]) -> bool:
    conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not node["spec"].get("unschedulable")
