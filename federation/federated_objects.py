"""Federated objects on the host, and what KubeFed reports of their copies."""

from collections.abc import Sequence

from federation.api_client import asking
from federation.queries import Object, items
from placement.api.kinds import NAMESPACE

_TYPE_CONFIGS = f"/apis/core.kubefed.io/v1beta1/namespaces/{NAMESPACE}/federatedtypeconfigs"


def query_federated_objects(host: str, kubeconfig: str) -> list[Object]:
    """Every federated object on the host. Raises NoAnswer."""
    with asking(host, kubeconfig, retries=0) as (_, api):
        found: list[Object] = []
        for config in items(api, _TYPE_CONFIGS):
            each = config["spec"]["federatedType"]
            found += items(api, f"/apis/{each['group']}/{each['version']}/{each['pluralName']}")
        return found


def copies_of(federated: Object) -> Sequence[Object]:
    """One entry for each copy: the cluster's `name`, and a `status` where KubeFed could not update or remove it."""
    status: Object = federated.get("status") or {}
    return status.get("clusters") or []


def clusters_with_copies(federated: Object, except_status: str | None = None) -> frozenset[str]:
    """The clusters that have a copy, without copies of one status."""
    return frozenset(
        each["name"] for each in copies_of(federated) if except_status is None or each.get("status") != except_status
    )
