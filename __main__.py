"""One federation of GPU clusters: settings, clusters, control plane, members, types, workloads and outputs."""

import pulumi

from clusters.gke import create_gke_cluster
from clusters.network import Network
from clusters.spec import member_labels
from federation.control_plane import ControlPlane
from federation.decisions import decide
from federation.members import Member
from federation.readme import stack_readme
from federation.types import FederatedTypes
from federation.workloads import FederatedNamespace, FederatedWorkload, reach
from settings import load

settings = load()
host_name = settings.federation.host
types = settings.federation.targets()
labels = {name: member_labels(cluster) for name, cluster in settings.clusters.items()}

network = Network("network")
clusters = {name: create_gke_cluster(name, cluster, network) for name, cluster in settings.clusters.items()}
host = clusters[host_name]
placed = decide(settings, labels, {name: cluster.kubeconfig for name, cluster in clusters.items()})

control_plane = ControlPlane("kubefed", host, types)
members = [
    Member(name, cluster, host_name, host, control_plane, labels[name], types) for name, cluster in clusters.items()
]
federated_types = FederatedTypes("types", host, clusters, control_plane, types)

ready = [*(member.registration for member in members), *federated_types.configs]
in_namespace: dict[str, list[str]] = {}
for name, workload in settings.workloads.items():
    in_namespace.setdefault(workload.namespace, []).append(name)
for namespace, names in sorted(in_namespace.items()):
    federated = FederatedNamespace(namespace, reach([placed[name] for name in names]), host, after=ready)
    for name in names:
        FederatedWorkload(name, settings.manifests[name], placed[name], host, federated)

for name, cluster in clusters.items():
    pulumi.export(f"{name}_cluster_name", cluster.name)
    pulumi.export(f"{name}_cluster_endpoint", cluster.endpoint)
    pulumi.export(f"{name}_kubeconfig", cluster.kubeconfig)
specs = settings.clusters.items()
pulumi.export(
    "members", {name: {"region": each.region, "role": each.role, "labels": labels[name]} for name, each in specs}
)
pulumi.export("placements", {name: each.apply(lambda workload: workload.placements) for name, each in placed.items()})
pulumi.export("readme", stack_readme(pulumi.get_stack(), settings.clusters, host_name, settings.workloads))
