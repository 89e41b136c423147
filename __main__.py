"""One federation of GPU clusters: settings, clusters, control plane, members, types, workloads and outputs."""

import pulumi
from pulumi_gcp import config as gcp_config

from clusters.apis import Apis, needed_apis
from clusters.existing_network import JoinedNetwork, check_existing
from clusters.fleet import Fleet
from clusters.gke import create_gke_cluster
from clusters.network import Network
from clusters.quota_warnings import warn_of_quotas
from clusters.spec import member_labels
from federation.base import create_base
from federation.bucket_access import create_bucket_access
from federation.control_plane import ControlPlane
from federation.decisions import decide
from federation.drain import drain_members
from federation.exports import create_exports
from federation.keep_data import keep_data
from federation.members import register_members
from federation.readme import stack_readme
from federation.types import FederatedTypes
from federation.workloads import create_workloads
from settings import load

settings = load()
specs, workloads, manifests, federation = settings.clusters, settings.workloads, settings.manifests, settings.federation
host_name, types, fleet = federation.host, federation.targets(), federation.multi_cluster_services
labels = {name: member_labels(spec) for name, spec in settings.members.items()}

warn_of_quotas(specs, gcp_config.project or "")
check_existing(settings.network, specs)
apis = Apis("apis", needed_apis(specs, fleet))
regions = [spec.region for spec in specs.values()]
network = JoinedNetwork(settings.network) if settings.network else Network("network", regions, apis)
clusters = {
    name: create_gke_cluster(name, spec, network, apis, specs[host_name], fleet) for name, spec in specs.items()
}
gke = [each.cluster for each in clusters.values()]
in_fleet = [Fleet("fleet", apis, gke)] if fleet else []
access = create_bucket_access(workloads, manifests, apis, gke)
host, members = clusters[host_name], {name: clusters[name] for name in labels}
kubeconfigs = {name: cluster.kubeconfig for name, cluster in members.items()}
decided = decide(workloads, manifests, host_name, settings.decided, labels, kubeconfigs)
placed = keep_data(workloads, decided, host_name, clusters)

left_alone = settings.left_alone
control_plane = ControlPlane("kubefed", host, types, bool(left_alone[host_name]))
registered = register_members(members, host_name, control_plane, labels, types, federation.tokens, left_alone)
based = create_base(settings.base, settings.members, members, host_name, control_plane)
enabled = FederatedTypes("types", host, members, control_plane, types, settings.base, based)
classes = [one for each in members.values() for one in each.compute_classes]
ready = [*registered, *enabled.configs, *classes]
suspends, of_base = all(left_alone.values()), enabled.of_base
federated = create_workloads(workloads, manifests, placed, host_name, members, ready, access, of_base, suspends)
create_exports(workloads, settings.decided.workloads, members, federated, in_fleet)

for name, cluster in clusters.items():
    pulumi.export(f"{name}_cluster_name", cluster.name)
    pulumi.export(f"{name}_cluster_endpoint", cluster.endpoint)
    pulumi.export(f"{name}_kubeconfig", cluster.kubeconfig)
described = {name: {"region": each["region"], "role": each["role"], "labels": each} for name, each in labels.items()}
# Pulumi removes members at the end of a run, which waits for its outputs.
pulumi.export("members", drain_members(host_name, placed, kubeconfigs, federated.values()).apply(lambda _: described))
pulumi.export("placements", {name: each.apply(lambda workload: workload.placements) for name, each in placed.items()})
pulumi.export("readme", stack_readme(pulumi.get_stack(), members, host_name, workloads))
