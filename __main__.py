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
from federation.leaving import let_leave
from federation.members import Member
from federation.readme import stack_readme
from federation.types import FederatedTypes
from federation.workloads import FederatedNamespace, FederatedWorkload, reach
from settings import load

settings = load()
specs, workloads, host_name = settings.clusters, settings.workloads, settings.federation.host
joined = settings.members
types, fleet = settings.federation.targets(), settings.federation.multi_cluster_services
labels = {name: member_labels(spec) for name, spec in joined.items()}

apis = Apis("apis", needed_apis(specs, fleet))
network = Network("network", [spec.region for spec in specs.values()], apis)
clusters = {
    name: create_gke_cluster(name, spec, network, apis, specs[host_name], fleet) for name, spec in specs.items()
}
gke = [each.cluster for each in clusters.values()]
in_fleet = [Fleet("fleet", apis, gke)] if fleet else []
access = create_bucket_access(workloads, settings.manifests, apis, gke)
host, members = clusters[host_name], {name: clusters[name] for name in joined}
kubeconfigs = {name: cluster.kubeconfig for name, cluster in members.items()}
placed = decide(settings, labels, kubeconfigs)

control_plane = ControlPlane("kubefed", host, types)
registrations = [
    Member(
        name, cluster, host_name, host, control_plane, labels[name], types, settings.federation.tokens.get(name, 1)
    ).registration
    for name, cluster in members.items()
]
federated_types = FederatedTypes("types", host, members, control_plane, types)

ready = [*registrations, *federated_types.configs]
federated_objects: list[pulumi.CustomResource] = []
for namespace in sorted({workload.namespace for workload in workloads.values()}):
    here = {name: workload for name, workload in workloads.items() if workload.namespace == namespace}
    after = [*ready, *access.get(namespace, [])]
    federated = FederatedNamespace(namespace, reach([placed[name] for name in here]), host, after)
    federated_objects.append(federated.federated)
    for name, workload in here.items():
        there = FederatedWorkload(name, settings.manifests[name], placed[name], host, federated)
        federated_objects.extend(there.objects)
        if workload.export:
            settled = placed_by_settings(settings, name, labels)
            ExportedServices(name, workload, settled, members, [there, *in_fleet])

for name, cluster in clusters.items():
    pulumi.export(f"{name}_cluster_name", cluster.name)
    pulumi.export(f"{name}_cluster_endpoint", cluster.endpoint)
    pulumi.export(f"{name}_kubeconfig", cluster.kubeconfig)
told = {name: {"region": each.region, "role": each.role, "labels": labels[name]} for name, each in joined.items()}
# Members go at the end of a run, which waits for its outputs.
pulumi.export("members", let_leave(settings, placed, kubeconfigs, federated_objects).apply(lambda _: told))
pulumi.export("placements", {name: each.apply(lambda workload: workload.placements) for name, each in placed.items()})
pulumi.export("readme", stack_readme(pulumi.get_stack(), joined, host_name, settings.workloads))
