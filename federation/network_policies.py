"""Network policies: in the workloads' namespaces only what the workloads declare is allowed."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from clusters.addresses import Addresses
from federation.spec import Federation
from placement.api.kinds import POLICIES
from placement.manifests.manifest import Manifest
from placement.opening import LAST_PORT, OWN_PODS
from placement.pods.pod_selectors import calls_api_server, pod_labels, run_together
from placement.workload import Workload
from problems import Problem

_PRIVATE = ("10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16")
_INTERNET = {"ipBlock": {"cidr": "0.0.0.0/0", "except": list(_PRIVATE)}}
_DNS = {
    "to": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}
# Where Workload Identity gives pods their tokens.
_METADATA = {
    "to": [{"ipBlock": {"cidr": "169.254.169.252/32"}}, {"ipBlock": {"cidr": "169.254.169.254/32"}}],
    "ports": [{"protocol": "TCP", "port": port} for port in (80, 988)],
}


# Where operators reach their pods. Source: KubeRay 1.5 submits and watches jobs by the dashboard of the head, and asks
# the proxies of Ray Serve for their health; its Helm chart and its kustomization give it this label.
_KUBERAY_LABEL = {"app.kubernetes.io/component": "kuberay-operator"}
_KUBERAY = {"namespaceSelector": {}, "podSelector": {"matchLabels": _KUBERAY_LABEL}}
_OPERATORS = {"rayjobs.ray.io": (_KUBERAY, (8265,)), "rayservices.ray.io": (_KUBERAY, (8265, 8000))}


def check_openings(
    setting: str, workload: Workload, federation: Federation, manifests: Sequence[Manifest]
) -> Iterator[Problem]:
    """Yields why openings of a workload would open nothing."""
    if workload.openings and not federation.default_deny:
        advice = "nothing is closed; write federation.default_deny: true, or remove this"
        yield Problem(f"{setting}.openings", None, advice)
    elif workload.openings and manifests and not any(map(pod_labels, manifests)):
        advice = "the manifests have no pods; remove openings, or add what runs pods"
        yield Problem(f"{setting}.openings", None, advice)


def network_policies(
    name: str, workload: Workload, manifests: Sequence[Manifest], ranges: Sequence[Addresses]
) -> list[Manifest]:
    """The policies that are copied wherever a workload is, in a federation of clusters with these ranges.

    One closes the whole namespace except for DNS and tokens; one for each object that runs pods opens what the workload
    declares for them, and what pods that run together need. Pods must have labels (`with_pod_labels`).
    """
    made = [_policy(f"{name}-default-deny", {}, [], [_DNS, _METADATA])]
    selected = [(manifest, labels) for manifest in manifests for labels in pod_labels(manifest)]
    own_pods = [{"podSelector": {"matchLabels": each}} for each in _distinct(labels for _, labels in selected)]
    declared = _declared(workload, own_pods, ranges)
    if any(map(run_together, manifests)):
        declared = {way: [{side: own_pods}, *declared[way]] for way, side in _SIDES.items()}
    numbers = Counter[str]()
    for manifest, labels in selected:
        rules = {way: [*each, *_needed(manifest, way, ranges)] for way, each in declared.items()}
        if any(rules.values()):
            own = f"{name}-{manifest.type.plural}-{manifest.name}"
            numbers[own] += 1
            numbered = own if numbers[own] == 1 else f"{own}-{numbers[own]}"
            made.append(_policy(numbered, {"matchLabels": labels}, rules["ingress"], rules["egress"]))
    return made


def _declared(
    workload: Workload, own_pods: Sequence[Any], ranges: Sequence[Addresses]
) -> dict[str, list[dict[str, Any]]]:
    """What the settings of a workload allow to its own pods, and from them."""
    rules: dict[str, list[dict[str, Any]]] = {way: [] for way in _SIDES}
    for each in workload.openings:
        # Its own pods are at both ends.
        for way in _SIDES if each.peer == OWN_PODS else (each.direction,):
            peers = list(own_pods) if each.peer == OWN_PODS else _peers(each.peer, ranges)
            rules[way].append({_SIDES[way]: peers, "ports": [_tcp(*ports) for ports in each.ranges]})
    if workload.buckets:
        rules["egress"].append({"to": [_INTERNET], "ports": [{"protocol": "TCP", "port": 443}]})
    return rules


def _needed(manifest: Manifest, way: str, ranges: Sequence[Addresses]) -> Iterator[dict[str, Any]]:
    """What an object's pods and its operator need of each other and of the API server."""
    if way == "ingress" and manifest.type.config_name in _OPERATORS:
        peer, ports = _OPERATORS[manifest.type.config_name]
        yield {"from": [peer], "ports": [_tcp(port, port) for port in ports]}
    if way == "egress" and calls_api_server(manifest):
        # Each control plane has an address in the range of its nodes.
        nodes = dict.fromkeys(str(each.nodes) for each in ranges)
        yield {"to": [{"ipBlock": {"cidr": each}} for each in nodes], "ports": [_tcp(443, 443)]}


def _distinct(labels: Iterable[Mapping[str, str]]) -> list[Mapping[str, str]]:
    found: list[Mapping[str, str]] = []
    for each in labels:
        if each not in found:
            found.append(each)
    return found


_SIDES = {"ingress": "from", "egress": "to"}


def _policy(name: str, selector: dict[str, Any], ingress: list[Any], egress: list[Any]) -> Manifest:
    rules = {way: each for way, each in (("ingress", ingress), ("egress", egress)) if each}
    spec = {"podSelector": selector, "policyTypes": ["Ingress", "Egress"], **rules}
    body = {"apiVersion": POLICIES.api_version, "kind": POLICIES.kind, "metadata": {"name": name}, "spec": spec}
    return Manifest(POLICIES, name, body)


def _tcp(first: int, last: int) -> dict[str, Any]:
    # Without a port it is all of them, also for what does not know endPort, such as Cilium before 1.16
    # (cilium/cilium issues 16622 and 28684).
    if (first, last) == (1, LAST_PORT):
        return {"protocol": "TCP"}
    return {"protocol": "TCP", "port": first} | ({} if first == last else {"endPort": last})


def _peers(peer: str, ranges: Sequence[Addresses]) -> list[dict[str, Any]]:
    match peer:
        case "namespace":
            return [{"podSelector": {}}]
        case "cluster":
            return [{"namespaceSelector": {}}]
        case "members":
            # Dataplane V2 matches pods of its own cluster by their labels, never by their addresses.
            blocks = dict.fromkeys(str(block) for each in ranges for block in (each.nodes, each.pods))
            return [{"namespaceSelector": {}}, *({"ipBlock": {"cidr": each}} for each in blocks)]
        case "internet":
            return [_INTERNET]
        case _:
            return [{"ipBlock": {"cidr": peer}}]
