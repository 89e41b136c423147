"""Makes KubeFed forget a member that is dead for good, and says what is left behind in it.

    python -m geofed.forget --stack prod serving

KubeFed does not call an object gone from where it cannot look, so that neither `pulumi destroy` nor the removal of a
workload would end. A member that is forgotten holds up neither; the next `pulumi up` that has it in its settings would
register it again.

Ends with 0, and with 2 for a mistake, such as a member that answers: then nothing is changed.
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from federation.api_client import NoAnswer, asking, listed
from federation.health import condition
from geofed.outputs import NoOutputs, stack_outputs
from geofed.stack import Mistake, read_settings
from placement.kinds import NAMESPACE
from problems import SettingsError, one_of

_SECONDS = 20
_CORE = ("core.kubefed.io", "v1beta1", NAMESPACE)
_OWN = "account, token and roles"

Object = Mapping[str, Any]


def main(arguments: Sequence[str] | None = None) -> int:
    """Tells it on standard output; a mistake is one message on standard error."""
    parser = argparse.ArgumentParser("python -m geofed.forget", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stack", required=True, help="the stack: its outputs and Pulumi.STACK.yaml are read")
    parser.add_argument("member", help="the member that will not come back")
    asked = parser.parse_args(arguments)
    try:
        host = read_settings(asked.stack).federation.host
        if asked.member == host:
            raise Mistake(f"{host}: the federation's host; without it there is no federation that could forget it")
        kubeconfig = stack_outputs(asked.stack, secrets=True)[f"{host}_kubeconfig"]
        left = _forget(host, kubeconfig, asked.member)
    except (NoAnswer, Mistake, NoOutputs, SettingsError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{asked.member} is forgotten. Left behind in it, until the cluster is deleted:")
    print("\n".join(f"  {each}" for each in left))
    print("Now take it out of clusters in the settings and run pulumi up, or run pulumi destroy.")
    return 0


def check_forgettable(member: str, registrations: Iterable[Object]) -> None:
    """Raises Mistake for a name that is no member's, and for a member that answers."""
    known = {each["metadata"]["name"]: each for each in registrations}
    if member not in known:
        raise Mistake(f"{member}: not a member; write {one_of(member, sorted(known))}")
    if condition(known[member], "Ready") == "True":
        raise Mistake(f"{member}: it is Ready; to let it go, write member: false for it, or take it out of clusters")


def left_behind(member: str, federated: Iterable[Object]) -> Iterator[str]:
    """The objects that KubeFed has put into a member, by its own account, in words."""
    for each in federated:
        clusters: list[Object] = each.get("status", {}).get("clusters") or []
        if member in [one["name"] for one in clusters]:
            kind, name = each["kind"].removeprefix("Federated"), each["metadata"]["name"]
            yield f"{kind} {name}" if kind == "Namespace" else f"{kind} {each['metadata']['namespace']}/{name}"


def _forget(host: str, kubeconfig: str, member: str) -> list[str]:
    """What is left behind. Raises NoAnswer or Mistake."""
    with asking(host, kubeconfig) as (client, api):
        ask = client.CustomObjectsApi(api)

        def found(request: Any, *where: str) -> list[Object]:
            return listed(request(*where, _preload_content=False, _request_timeout=_SECONDS).data)

        registered = found(ask.list_namespaced_custom_object, *_CORE, "kubefedclusters")
        federated: list[Object] = []
        for config in found(ask.list_namespaced_custom_object, *_CORE, "federatedtypeconfigs"):
            each = config["spec"]["federatedType"]
            federated += found(ask.list_cluster_custom_object, each["group"], each["version"], each["pluralName"])
    check_forgettable(member, registered)
    with asking(host, kubeconfig) as (client, api):
        remove = client.CustomObjectsApi(api).delete_namespaced_custom_object
        remove(*_CORE, "kubefedclusters", member, _request_timeout=_SECONDS)
    return [*left_behind(member, federated), f"KubeFed's {_OWN} {member}-{host}"]


if __name__ == "__main__":
    sys.exit(main())
