"""The types of networks that pods request, as GKE serves them in clusters with several networks."""

from typing import Any

from local.api import Api
from local.gcp.crds import ensure_crd

_GROUP = "networking.gke.io"


def ensure_networks(api: Api) -> None:
    """Has a cluster serve the types. Raises ApiError or Unreachable."""
    for body in (_crd("Network", "networks", _NETWORK), _crd("GKENetworkParamSet", "gkenetworkparamsets", _PARAMETERS)):
        ensure_crd(api, body)


# The fields of GKE's guides of GPUDirect and of several networks for pods.
_NETWORK: dict[str, Any] = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"type": "string", "enum": ["L2", "L3", "Device"]},
        "parametersRef": {
            "type": "object",
            "required": ["group", "kind", "name"],
            "properties": {each: {"type": "string"} for each in ("group", "kind", "name")},
        },
    },
}
_PARAMETERS: dict[str, Any] = {
    "type": "object",
    "required": ["vpc", "vpcSubnet"],
    "properties": {
        "vpc": {"type": "string"},
        "vpcSubnet": {"type": "string"},
        "deviceMode": {"type": "string", "enum": ["NetDevice", "DPDK-VFIO", "RDMA"]},
    },
}


def _crd(kind: str, plural: str, spec: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {
            "spec": spec,
            "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        },
    }
    version: dict[str, Any] = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
    }
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{_GROUP}"},
        "spec": {"group": _GROUP, "scope": "Cluster", "names": names, "versions": [version]},
    }
