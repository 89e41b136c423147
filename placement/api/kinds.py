"""The Kubernetes types that can be federated, by the names that KubeFed gives their configs.

It knows what is counted, what runs pods and what KubeFed can move. It does not know which types a federation enables
(its settings do), nor which CRDs a cluster has.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from placement.api.pod_kinds import NO_PODS, POD_KINDS, PodKind, Run


@dataclass(frozen=True)
class TargetType:
    """A type of object in the members, such as Deployment; `group` is empty for the core group.

    `also` are versions that mean the same as `version`, of which a member may serve another. `own_pods` says what
    objects of it run, where that differs from what is known of the type.
    """

    kind: str
    plural: str
    group: str
    version: str
    namespaced: bool = True
    has_status: bool = True
    also: tuple[str, ...] = ()
    own_pods: PodKind | None = None

    @property
    def config_name(self) -> str:
        """The name of its FederatedTypeConfig, such as deployments.apps or services."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def api_version(self) -> str:
        """The apiVersion of its manifests."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def federated_kind(self) -> str:
        """The kind that federates it, such as FederatedDeployment."""
        return f"Federated{self.kind}"

    @property
    def federated_plural(self) -> str:
        """The plural of the kind that federates it, such as federateddeployments."""
        return f"federated{self.plural}"

    @property
    def scope(self) -> str:
        """The scope of its objects in the members: Namespaced or Cluster."""
        return "Namespaced" if self.namespaced else "Cluster"

    @property
    def federated_scope(self) -> str:
        """The scope of the kind that federates it: its own, but a federated namespace lies in the one it federates."""
        return "Namespaced" if self.kind == "Namespace" else self.scope

    @property
    def api_versions(self) -> tuple[str, ...]:
        """Every apiVersion that its manifests may have."""
        return tuple(f"{self.group}/{each}" if self.group else each for each in (self.version, *self.also))

    @property
    def pod_kind(self) -> PodKind:
        """What its objects run."""
        return self.own_pods or POD_KINDS.get(self.config_name, NO_PODS)

    @property
    def run(self) -> Run:
        """How its objects are placed by default; an Indexed Job differs (pods.py)."""
        return self.pod_kind.run

    @property
    def counted(self) -> tuple[str, ...]:
        """The fields of its spec that say how many units it runs, the first being what a placement splits."""
        return self.pod_kind.counted

    @property
    def runs_pods(self) -> bool:
        """Whether its objects run pods, whether or not they can be read from a manifest."""
        return bool(self.pod_kind.pods or self.pod_kind.decided_by)

    @property
    def movable(self) -> bool:
        """Whether KubeFed moves its replicas to where they can run."""
        return self.config_name in _MOVABLE


# What KubeFed v0.10.0's scheduler handles (pkg/schedulingtypes).
_MOVABLE = ("deployments.apps", "replicasets.apps")

# Source: the built-in APIs that Kubernetes 1.30 to 1.37 serve.
_TYPES = (
    TargetType("Namespace", "namespaces", "", "v1", namespaced=False),
    TargetType("ConfigMap", "configmaps", "", "v1", has_status=False),
    TargetType("LimitRange", "limitranges", "", "v1", has_status=False),
    TargetType("PersistentVolumeClaim", "persistentvolumeclaims", "", "v1"),
    TargetType("Pod", "pods", "", "v1"),
    TargetType("ResourceQuota", "resourcequotas", "", "v1"),
    TargetType("Secret", "secrets", "", "v1", has_status=False),
    TargetType("Service", "services", "", "v1"),
    TargetType("ServiceAccount", "serviceaccounts", "", "v1", has_status=False),
    TargetType("DaemonSet", "daemonsets", "apps", "v1"),
    TargetType("Deployment", "deployments", "apps", "v1"),
    TargetType("ReplicaSet", "replicasets", "apps", "v1"),
    TargetType("StatefulSet", "statefulsets", "apps", "v1"),
    TargetType("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", "v2"),
    TargetType("CronJob", "cronjobs", "batch", "v1"),
    TargetType("Job", "jobs", "batch", "v1"),
    TargetType("Ingress", "ingresses", "networking.k8s.io", "v1"),
    TargetType("NetworkPolicy", "networkpolicies", "networking.k8s.io", "v1", has_status=False),
    TargetType("PodDisruptionBudget", "poddisruptionbudgets", "policy", "v1"),
    TargetType("Role", "roles", "rbac.authorization.k8s.io", "v1", has_status=False),
    TargetType("RoleBinding", "rolebindings", "rbac.authorization.k8s.io", "v1", has_status=False),
    # Served from Kubernetes 1.34 on.
    TargetType("ResourceClaimTemplate", "resourceclaimtemplates", "resource.k8s.io", "v1", has_status=False),
    TargetType("PersistentVolume", "persistentvolumes", "", "v1", namespaced=False),
    TargetType("ClusterRole", "clusterroles", "rbac.authorization.k8s.io", "v1", namespaced=False, has_status=False),
    TargetType(
        "ClusterRoleBinding",
        "clusterrolebindings",
        "rbac.authorization.k8s.io",
        "v1",
        namespaced=False,
        has_status=False,
    ),
    TargetType("PriorityClass", "priorityclasses", "scheduling.k8s.io", "v1", namespaced=False, has_status=False),
)

BUILT_IN = {each.config_name: each for each in _TYPES}
"""The types that every cluster serves."""

# Source: the CRDs of JobSet 0.10, LeaderWorkerSet 0.7, KubeRay 1.5, Kueue 0.17, Kubeflow's MPI operator 0.6, training
# operator 1.9 and Trainer 2.0, KServe 0.15, Spark operator 2.3, KEDA 2.17, Gateway API 1.3 and GKE's Prometheus.
_ADDED = (
    TargetType("JobSet", "jobsets", "jobset.x-k8s.io", "v1alpha2"),
    TargetType("LeaderWorkerSet", "leaderworkersets", "leaderworkerset.x-k8s.io", "v1"),
    # Both versions have the same spec.
    TargetType("LocalQueue", "localqueues", "kueue.x-k8s.io", "v1beta1", also=("v1beta2",)),
    TargetType("RayCluster", "rayclusters", "ray.io", "v1"),
    TargetType("RayJob", "rayjobs", "ray.io", "v1"),
    TargetType("RayService", "rayservices", "ray.io", "v1"),
    TargetType("MPIJob", "mpijobs", "kubeflow.org", "v2beta1"),
    TargetType("PyTorchJob", "pytorchjobs", "kubeflow.org", "v1"),
    TargetType("TFJob", "tfjobs", "kubeflow.org", "v1"),
    TargetType("XGBoostJob", "xgboostjobs", "kubeflow.org", "v1"),
    TargetType("PaddleJob", "paddlejobs", "kubeflow.org", "v1"),
    TargetType("TrainJob", "trainjobs", "trainer.kubeflow.org", "v1alpha1"),
    TargetType("TrainingRuntime", "trainingruntimes", "trainer.kubeflow.org", "v1alpha1", has_status=False),
    TargetType("InferenceService", "inferenceservices", "serving.kserve.io", "v1beta1"),
    TargetType("SparkApplication", "sparkapplications", "sparkoperator.k8s.io", "v1beta2"),
    TargetType("ScaledObject", "scaledobjects", "keda.sh", "v1alpha1"),
    TargetType("HTTPRoute", "httproutes", "gateway.networking.k8s.io", "v1"),
    TargetType("PodMonitoring", "podmonitorings", "monitoring.googleapis.com", "v1"),
    TargetType("ClusterPodMonitoring", "clusterpodmonitorings", "monitoring.googleapis.com", "v1", namespaced=False),
)

KNOWN = BUILT_IN | {each.config_name: each for each in _ADDED}
"""The types that can be federated by name alone; those that are not built in need their CRDs in the clusters."""

DEFAULT_TYPES = ("deployments.apps", "jobs.batch", "services", "configmaps", "secrets", "serviceaccounts")
"""The types that a federation enables by default; namespaces are always enabled."""

NAMESPACE = "kube-federation-system"
"""The namespace of KubeFed's control plane, on the host and in every member; no workload is placed there."""

NAMESPACES = BUILT_IN["namespaces"]
CLAIMS = BUILT_IN["persistentvolumeclaims"]
VOLUMES = BUILT_IN["persistentvolumes"]
JOBS = BUILT_IN["jobs.batch"]
SECRETS = BUILT_IN["secrets"]
STATEFUL_SETS = BUILT_IN["statefulsets.apps"]
POLICIES = BUILT_IN["networkpolicies.networking.k8s.io"]

_RESERVED: Mapping[str, tuple[str, ...]] = {
    "clusterroles.rbac.authorization.k8s.io": ("admin", "cluster-admin", "edit", "view", "kubefed-controller"),
    "clusterrolebindings.rbac.authorization.k8s.io": ("cluster-admin", "kubefed-controller"),
    "priorityclasses.scheduling.k8s.io": ("system-cluster-critical", "system-node-critical"),
}


def is_reserved(target: TargetType, name: str) -> bool:
    """Whether every cluster, or KubeFed's host, already has a cluster-scoped object of this name for its own use.

    KubeFed would overwrite it, and delete it with the workload. Source: the API server's bootstrap policy and built-in
    priority classes in Kubernetes 1.35, and the roles of federation/control_plane.py. Names with a colon, as most of
    Kubernetes' own roles have, are refused for their form.
    """
    return name in _RESERVED.get(target.config_name, ())
