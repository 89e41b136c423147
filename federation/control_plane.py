"""KubeFed's control plane on the host cluster: CRDs, rights, configuration and the controller itself."""

from collections.abc import Sequence
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from clusters.gke import GkeCluster
from federation import admission, crds
from federation.admission_policies import create_policy
from federation.cluster_roles import bind_cluster_role, bind_types_role
from federation.config import kubefed_config
from federation.digest import digest
from federation.rbac import controller_namespace_rules, controller_rules, controller_type_rules
from placement.api.kinds import NAMESPACE, NAMESPACES, TargetType

IMAGE = "quay.io/kubernetes-multicluster/kubefed:v0.10.0"
CONTROLLER = "kubefed-controller"
_LABELS = {"kubefed-control-plane": "controller-manager"}


class ControlPlane(pulumi.ComponentResource):
    """KubeFed v0.10.0 from native resources, without its chart and its webhook.

    What needs the controller to run depends on `controller`, and is so deleted before it.
    """

    controller: kubernetes.apps.v1.Deployment
    namespace: kubernetes.core.v1.Namespace

    def __init__(
        self,
        name: str,
        host: GkeCluster,
        types: Sequence[TargetType],
        keeps_order: bool = False,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """`keeps_order` where the host has admission policies, by which overrides stay in their order."""
        super().__init__("geo-federation:federation:ControlPlane", name, None, opts)
        on_host = pulumi.ResourceOptions(parent=self, provider=host.provider, deleted_with=host.cluster)
        self.namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": NAMESPACE,
                "labels": {"name": NAMESPACE, "pod-security.kubernetes.io/enforce": "restricted"},
            },
            opts=on_host,
        )
        definitions = [self._definition(name, body, on_host) for body in crds.core_crds()]
        self.federated_types = {
            target.config_name: self._definition(name, crds.federated_crd(target), on_host)
            for target in dict.fromkeys([NAMESPACES, *types])
        }
        rights = self._rights(name, types, on_host)
        movable = [target for target in dict.fromkeys(types) if target.movable]
        if keeps_order and movable:
            order = admission.in_order(movable, CONTROLLER)
            rights.append(create_policy(f"{name}-overrides-in-order", "kubefed-overrides-in-order", order, on_host))
        config = kubernetes.apiextensions.CustomResource(
            f"{name}-config",
            api_version="core.kubefed.io/v1beta1",
            kind="KubeFedConfig",
            metadata={"name": "kubefed", "namespace": NAMESPACE},
            spec=kubefed_config(),
            opts=pulumi.ResourceOptions.merge(
                on_host, pulumi.ResourceOptions(depends_on=[self.namespace, *definitions])
            ),
        )
        self.controller = kubernetes.apps.v1.Deployment(
            f"{name}-controller",
            metadata={"name": "kubefed-controller-manager", "namespace": NAMESPACE, "labels": _LABELS},
            spec=_controller_spec(),
            opts=pulumi.ResourceOptions.merge(
                on_host, pulumi.ResourceOptions(depends_on=[config, *rights, host.system_pool])
            ),
        )
        kubernetes.policy.v1.PodDisruptionBudget(
            f"{name}-disruption-budget",
            metadata={"name": "kubefed-controller-manager", "namespace": NAMESPACE},
            # Nodes are drained one after another, for upgrades and by the autoscaler; one controller runs throughout.
            spec={"min_available": 1, "selector": {"match_labels": _LABELS}},
            opts=pulumi.ResourceOptions.merge(on_host, pulumi.ResourceOptions(depends_on=[self.namespace])),
        )
        self.register_outputs({"namespace": self.namespace.metadata.name})

    def _definition(
        self, name: str, body: dict[str, Any], on_host: pulumi.ResourceOptions
    ) -> kubernetes.apiextensions.v1.CustomResourceDefinition:
        metadata, spec = body["metadata"], body["spec"]
        return kubernetes.apiextensions.v1.CustomResourceDefinition(
            f"{name}-{metadata['name']}", metadata=metadata, spec=spec, opts=on_host
        )

    def _rights(self, name: str, types: Sequence[TargetType], on_host: pulumi.ResourceOptions) -> list[pulumi.Resource]:
        rbac = kubernetes.rbac.v1
        in_namespace = pulumi.ResourceOptions.merge(on_host, pulumi.ResourceOptions(depends_on=[self.namespace]))
        account = kubernetes.core.v1.ServiceAccount(
            f"{name}-account", metadata={"name": CONTROLLER, "namespace": NAMESPACE}, opts=in_namespace
        )
        subject: rbac.SubjectArgsDict = {"kind": "ServiceAccount", "name": CONTROLLER, "namespace": NAMESPACE}
        for_types = bind_types_role(name, CONTROLLER, controller_type_rules(types), CONTROLLER, on_host)
        always = bind_cluster_role(f"{name}-cluster-", CONTROLLER, controller_rules(), CONTROLLER, on_host, [for_types])
        role = rbac.Role(
            f"{name}-role",
            metadata={"name": CONTROLLER, "namespace": NAMESPACE},
            rules=controller_namespace_rules(),
            opts=in_namespace,
        )
        binding = rbac.RoleBinding(
            f"{name}-binding",
            metadata={"name": CONTROLLER, "namespace": NAMESPACE},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "Role", "name": CONTROLLER},
            subjects=[subject],
            opts=in_namespace,
        )
        return [account, always, role, binding]


def _controller_spec() -> kubernetes.apps.v1.DeploymentSpecArgsDict:
    health: kubernetes.core.v1.HTTPGetActionArgsDict = {"path": "/healthz", "port": "health"}
    selector: kubernetes.meta.v1.LabelSelectorArgsDict = {"match_labels": _LABELS}
    # The controller reads its configuration only when it starts, so a change of it must start a new one.
    config_digest = digest(kubefed_config())
    return {
        "replicas": 2,
        "selector": selector,
        "template": {
            "metadata": {"labels": _LABELS, "annotations": {"geo-federation/config-digest": config_digest}},
            "spec": {
                "service_account_name": CONTROLLER,
                "termination_grace_period_seconds": 10,
                "affinity": {
                    "pod_anti_affinity": {
                        # Not required: on one node, two are better than one.
                        "preferred_during_scheduling_ignored_during_execution": [
                            {"weight": weight, "pod_affinity_term": {"label_selector": selector, "topology_key": key}}
                            for key, weight in (("kubernetes.io/hostname", 100), ("topology.kubernetes.io/zone", 50))
                        ]
                    }
                },
                "security_context": {
                    "run_as_non_root": True,
                    "run_as_user": 1001,
                    "seccomp_profile": {"type": "RuntimeDefault"},
                },
                "containers": [
                    {
                        "name": "controller-manager",
                        "image": IMAGE,
                        "command": ["/hyperfed/controller-manager"],
                        "args": [f"--kubefed-namespace={NAMESPACE}", "--healthz-addr=:8080", "--metrics-addr=:9090"],
                        "ports": [
                            {"name": "health", "container_port": 8080},
                            {"name": "metrics", "container_port": 9090},
                        ],
                        "readiness_probe": {"http_get": health, "period_seconds": 1, "timeout_seconds": 3},
                        "liveness_probe": {"http_get": health, "period_seconds": 3, "timeout_seconds": 3},
                        "resources": {
                            "requests": {"cpu": "100m", "memory": "128Mi"},
                            "limits": {"memory": "512Mi"},
                        },
                        "security_context": {
                            "allow_privilege_escalation": False,
                            "read_only_root_filesystem": True,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }
                ],
            },
        },
    }
