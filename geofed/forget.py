"""Makes KubeFed forget a member that is dead for good, and says what is left behind in it.

KubeFed does not call an object gone from a member that it cannot query, so that neither `pulumi destroy` nor the
removal of a workload would end. A member that is forgotten holds up neither; the next `pulumi up` that has it in its
settings would register it again.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from federation.api_client import asking, listed
from federation.federated_objects import clusters_with_copies, query_federated_objects
from federation.health import condition
from geofed.mistake import Mistake
from geofed.outputs import stack_outputs
from geofed.stack import read_settings
from placement.api.kinds import NAMESPACE
from problems import one_of

_SECONDS = 20
_CORE = ("core.kubefed.io", "v1beta1", NAMESPACE)
_OWN = "account, token and roles"

Object = Mapping[str, Any]


def forget(stack: str, member: str) -> list[str]:
    """Makes KubeFed forget a member, and returns what is left behind in it, as text.

    Raises Mistake, NoAnswer or SettingsError, and has then changed nothing.
    """
    host = read_settings(stack).federation.host
    if member == host:
        raise Mistake(f"{host}: the federation's host; without it there is no federation that could forget it")
    kubeconfig = stack_outputs(stack, secrets=True)[f"{host}_kubeconfig"]
    return _forget(host, kubeconfig, member)


def check_forgettable(member: str, registrations: Iterable[Object]) -> None:
    """Raises Mistake for a name that is no member's, and for a member that answers."""
    known = {each["metadata"]["name"]: each for each in registrations}
    if member not in known:
        raise Mistake(f"{member}: not a member; write {one_of(member, sorted(known))}")
    if condition(known[member], "Ready") == "True":
        raise Mistake(f"{member}: it is Ready; to let it go, write member: false for it, or remove it from clusters")


def left_behind(member: str, federated: Iterable[Object]) -> Iterator[str]:
    """The objects that KubeFed has put into a member, by its own account, as text."""
    for each in federated:
        if member in clusters_with_copies(each):
            kind, name = each["kind"].removeprefix("Federated"), each["metadata"]["name"]
            # A federated namespace is in the namespace that it federates, and a cluster-scoped object in none.
            namespace = "" if kind == "Namespace" else each["metadata"].get("namespace", "")
            yield f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"


def _forget(host: str, kubeconfig: str, member: str) -> list[str]:
    """What is left behind. Raises NoAnswer or Mistake."""
    with asking(host, kubeconfig) as (client, api):
        ask = client.CustomObjectsApi(api).list_namespaced_custom_object
        registered = listed(ask(*_CORE, "kubefedclusters", _preload_content=False, _request_timeout=_SECONDS).data)
    federated = query_federated_objects(host, kubeconfig)
    check_forgettable(member, registered)
    with asking(host, kubeconfig) as (client, api):
        remove = client.CustomObjectsApi(api).delete_namespaced_custom_object
        remove(*_CORE, "kubefedclusters", member, _request_timeout=_SECONDS)
    return [*left_behind(member, federated), f"KubeFed's {_OWN} {member}-{host}"]
