"""Asks the API servers of all members side by side; one that does not answer holds up none of the others."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Any

from federation.api_client import NoAnswer, answered, asking
from placement.api.kinds import NAMESPACE
from placement.manifests.manifest import Manifest

Object = Mapping[str, Any]

# For one request, and for all that a member is queried for, its credentials included.
_SECONDS, _ALL_SECONDS = 5, 20
# For what a decision needs: it fails without.
_DECISION_SECONDS = 20
_REGISTRATIONS = f"/apis/core.kubefed.io/v1beta1/namespaces/{NAMESPACE}/kubefedclusters"
# Names are enough to know what is there, and of a Secret they are all that may be known.
_NAMES_ALONE = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


@dataclass(frozen=True)
class ListPath:
    """A collection of a member's API server, such as /apis/apps/v1/namespaces/ai/deployments.

    Where `names_alone`, only the metadata of its objects is read.
    """

    path: str
    names_alone: bool = False


@dataclass(frozen=True)
class Answer:
    """What a member's API server says; what it does not serve is empty."""

    version: str
    nodes: Sequence[Object] = ()
    pods: Sequence[Object] = ()
    found: Mapping[ListPath, Sequence[Object]] = field(default_factory=dict[ListPath, Sequence[Object]])
    registrations: Sequence[Object] = ()
    """The members that KubeFed knows, where its control plane is."""


def ask_members(
    kubeconfigs: Mapping[str, str], host: str, wanted: Collection[ListPath], of_host: Collection[ListPath] = ()
) -> dict[str, Answer | str]:
    """What every member answers, or why it does not, within `_ALL_SECONDS`; the host is queried for more.

    Whatever else goes wrong is raised.
    """
    found: dict[str, Answer | str] = dict.fromkeys(kubeconfigs, f"does not answer within {_ALL_SECONDS} s")
    mistakes: list[Exception] = []

    def ask(member: str) -> None:
        try:
            is_host = member == host
            found[member] = _answer(member, kubeconfigs[member], [*wanted, *(of_host if is_host else [])], is_host)
        except NoAnswer as error:
            found[member] = str(error).removeprefix(f"{member} ")
        except Exception as error:
            mistakes.append(error)

    # Not a pool: the end of the program would wait for its threads.
    threads = [Thread(target=ask, args=(member,), daemon=True) for member in kubeconfigs]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + _ALL_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    for mistake in mistakes:
        raise mistake
    # A late answer changes nothing any more.
    return dict(found)


def _answer(member: str, kubeconfig: str, wanted: Collection[ListPath], is_host: bool) -> Answer:
    with asking(member, kubeconfig, retries=0) as (_, api):
        return Answer(
            _get(api, "/version").get("gitVersion", ""),
            items(api, "/api/v1/nodes"),
            items(api, "/api/v1/pods"),
            {each: items(api, each.path, each.names_alone) for each in wanted},
            items(api, _REGISTRATIONS) if is_host else [],
        )


def federated_annotation(host: str, kubeconfig: str, manifest: Manifest, namespace: str, key: str) -> str:
    """An annotation of the object that federates a manifest's; empty where there is none. Raises NoAnswer."""
    with asking(host, kubeconfig) as (client, api):
        where = ("types.kubefed.io", "v1beta1", namespace, manifest.type.federated_plural, manifest.name)
        ask = client.CustomObjectsApi(api).get_namespaced_custom_object
        try:
            found = answered(ask(*where, _preload_content=False, _request_timeout=_DECISION_SECONDS).data)
        except client.ApiException as error:
            if error.status != 404:
                raise
            return ""
        return found["metadata"].get("annotations", {}).get(key, "")


def has_ended(pod: Object) -> bool:
    """Whether a pod runs no more, and holds no resources."""
    status: Object = pod.get("status") or {}
    return status.get("phase") in ("Succeeded", "Failed")


def items(api: Any, path: str, names_alone: bool = False) -> list[Object]:
    """What a list of an API server holds; empty where it is not served. Raises NoAnswer."""
    return _get(api, path, names_alone).get("items", [])


def _get(api: Any, path: str, names_alone: bool = False) -> dict[str, Any]:
    """What is at a path; empty where nothing is."""
    headers = {"Accept": _NAMES_ALONE if names_alone else "application/json"}
    request = api.param_serialize("GET", path, header_params=headers, auth_settings=["BearerToken"])
    response = api.call_api(*request, _request_timeout=_SECONDS)
    body = response.read()
    if response.status == 404:
        return {}
    if response.status != 200:
        raise NoAnswer(f"{response.status} {response.reason} for {path}")
    return answered(body)
