"""One federation of GPU clusters: settings, clusters, control plane, members, types, workloads and outputs."""

import pulumi

from clusters.gke import create_gke_cluster
from clusters.network import Network
from clusters.spec import member_labels
from federation.control_plane import ControlPlane
from federation.kinds import BUILT_IN
from federation.members import Member
from federation.types import FederatedTypes
from federation.workloads import FederatedNamespace, FederatedWorkload, place_workload
from settings import load

settings = load()
host_name = settings.federation.host
types = [BUILT_IN[name] for name in settings.federation.types]
labels = {name: member_labels(cluster) for name, cluster in settings.clusters.items()}
placed = {
    name: place_workload(workload, settings.manifests[name], labels) for name, workload in settings.workloads.items()
}

network = Network("network")
clusters = {name: create_gke_cluster(name, cluster, network) for name, cluster in settings.clusters.items()}
host = clusters[host_name]

control_plane = ControlPlane("kubefed", host, types)
members = [
    Member(name, cluster, host_name, host, control_plane, labels[name], types) for name, cluster in clusters.items()
]
federated_types = FederatedTypes("types", host, control_plane, types)

ready = [*(member.registration for member in members), *federated_types.configs]
namespaces = {
    namespace: FederatedNamespace(
        namespace,
        sorted({name for each in placed.values() if each.namespace == namespace for name in each.clusters}),
        host,
        after=ready,
    )
    for namespace in sorted({each.namespace for each in placed.values()})
}
for name, workload in placed.items():
    FederatedWorkload(name, workload, host, namespaces[workload.namespace])

for name, cluster in clusters.items():
    pulumi.export(f"{name}_cluster_name", cluster.name)
    pulumi.export(f"{name}_cluster_endpoint", cluster.endpoint)
    pulumi.export(f"{name}_kubeconfig", cluster.kubeconfig)
specs = settings.clusters.items()
pulumi.export(
    "members", {name: {"region": each.region, "role": each.role, "labels": labels[name]} for name, each in specs}
)
pulumi.export("placements", {name: workload.placements for name, workload in placed.items()})
