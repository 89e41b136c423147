"""What kwokctl is given to start a control plane with, and which pods kwok leaves to the node agent."""

from collections.abc import Mapping
from pathlib import Path

from local.ports import LOOPBACK, service_range

# The node agent (local/node_agent.py) runs pods with this label or annotation as processes; kwok simulates all others.
REAL_LABEL = ("kubefed-control-plane", "controller-manager")
REAL_ANNOTATION = ("local-stack", "process")

_BINARIES = {
    "kubeApiserverBinary": "kube-apiserver",
    "kubeControllerManagerBinary": "kube-controller-manager",
    "kubeSchedulerBinary": "kube-scheduler",
    "etcdBinary": "etcd",
    "kwokControllerBinary": "kwok",
    "kubectlBinary": "kubectl",
}


def kwok_documents(binaries: Path, ports: Mapping[str, int]) -> list[dict[str, object]]:
    """The documents of kwokctl's configuration file; `ports` are those of each server, by kwokctl's names of them."""
    return [_control_plane(binaries, ports), _kwok()]


def _control_plane(binaries: Path, ports: Mapping[str, int]) -> dict[str, object]:
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokctlConfiguration",
        "options": {
            "runtime": "binary",
            "bindAddress": LOOPBACK,
            # After a kill, restarted servers leave nodes to the earlier ones until their leases expire. kwokctl
            # passes five times this number to kwok.
            "nodeLeaseDurationSeconds": 4,
            **ports,
            **{option: str(binaries / binary) for option, binary in _BINARIES.items()},
        },
        "componentsPatches": [
            {
                "name": "kube-apiserver",
                "extraArgs": [
                    # As on GKE: a pod that requests a GPU tolerates the taint of the nodes that have them.
                    {"key": "enable-admission-plugins", "value": "ExtendedResourceToleration"},
                    {"key": "service-cluster-ip-range", "value": str(service_range(ports["kubeApiserverPort"]))},
                ],
            },
            # There is one of each; after a kill it would first wait for its own earlier lease to expire.
            *(
                {"name": name, "extraArgs": [{"key": "leader-elect", "value": "false"}]}
                for name in ("kube-controller-manager", "kube-scheduler")
            ),
        ],
    }


def _kwok() -> dict[str, object]:
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        "options": {
            "disregardStatusWithLabelSelector": "=".join(REAL_LABEL),
            "disregardStatusWithAnnotationSelector": "=".join(REAL_ANNOTATION),
        },
    }
