"""One federation of GPU clusters: settings, clusters, control plane, members, types, workloads and outputs."""

import pulumi

from clusters.apis import Apis, needed_apis
from clusters.fleet import Fleet
from clusters.gke import create_gke_cluster
from clusters.network import Network
from clusters.spec import member_labels
from federation.bucket_access import create_bucket_access
from federation.control_plane import ControlPlane
from federation.decisions import decide, placed_by_settings
from federation.exports import ExportedServices
from federation.members import Member
from federation.readme import stack_readme
from federation.types import FederatedTypes
from federation.workloads import FederatedNamespace, FederatedWorkload, reach
from settings import load

settings = load()
specs, workloads, host_name = settings.clusters, settings.workloads, settings.federation.host
types, fleet = settings.federation.targets(), settings.federation.multi_cluster_services
labels = {name: member_labels(spec) for name, spec in specs.items()}

apis = Apis("apis", needed_apis(specs, fleet))
network = Network("network", [spec.region for spec in specs.values()], apis)
clusters = {
    name: create_gke_cluster(name, spec, network, apis, specs[host_name], fleet) for name, spec in specs.items()
}
gke = [each.cluster for each in clusters.values()]
joined = [Fleet("fleet", apis, gke)] if fleet else []
access = create_bucket_access(workloads, settings.manifests, apis, gke)
host = clusters[host_name]
placed = decide(settings, labels, {name: cluster.kubeconfig for name, cluster in clusters.items()})

control_plane = ControlPlane("kubefed", host, types)
members = [
    Member(name, cluster, host_name, host, control_plane, labels[name], types, settings.federation.tokens.get(name, 1))
    for name, cluster in clusters.items()
]
federated_types = FederatedTypes("types", host, clusters, control_plane, types)

ready = [*(member.registration for member in members), *federated_types.configs]
for namespace in sorted({workload.namespace for workload in workloads.values()}):
    here = {name: workload for name, workload in workloads.items() if workload.namespace == namespace}
    after = [*ready, *access.get(namespace, [])]
    federated = FederatedNamespace(namespace, reach([placed[name] for name in here]), host, after)
    for name, workload in here.items():
        there = FederatedWorkload(name, settings.manifests[name], placed[name], host, federated)
        if workload.export:
            settled = placed_by_settings(settings, name, labels)
            ExportedServices(name, workload, settled, clusters, [there, *joined])

for name, cluster in clusters.items():
    pulumi.export(f"{name}_cluster_name", cluster.name)
    pulumi.export(f"{name}_cluster_endpoint", cluster.endpoint)
    pulumi.export(f"{name}_kubeconfig", cluster.kubeconfig)
told = {name: {"region": each.region, "role": each.role, "labels": labels[name]} for name, each in specs.items()}
pulumi.export("members", told)
pulumi.export("placements", {name: each.apply(lambda workload: workload.placements) for name, each in placed.items()})
pulumi.export("readme", stack_readme(pulumi.get_stack(), settings.clusters, host_name, settings.workloads))
