"""Network policies: in the workloads' namespaces only what the workloads declare is allowed."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from clusters.addresses import addresses
from federation.spec import Federation
from placement.kinds import POLICIES
from placement.manifests import Manifest
from placement.pods import pod_groups
from placement.workload import Opening, Workload
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


def check_openings(setting: str, workload: Workload, federation: Federation) -> Iterator[Problem]:
    """Yields why openings of a workload would open nothing."""
    if workload.openings and not federation.default_deny:
        advice = "nothing is closed; write federation.default_deny: true, or remove this"
        yield Problem(f"{setting}.openings", None, advice)


def network_policies(
    name: str, workload: Workload, manifests: Sequence[Manifest], slots: Sequence[int]
) -> list[Manifest]:
    """The policies that are copied wherever a workload is, in a federation of clusters with these slots.

    One closes the whole namespace except for DNS and tokens; one for each object that runs pods opens what the workload
    declares for them.
    """
    made = [_policy(f"{name}-default-deny", {}, [], [_DNS, _METADATA])]
    openings = {way: [_rule(each, slots) for each in workload.openings if each.direction == way] for way in _SIDES}
    if workload.buckets:
        openings["egress"].append({"to": [_INTERNET], "ports": [{"protocol": "TCP", "port": 443}]})
    for manifest in manifests:
        if not any(openings.values()):
            continue
        # Pods of several templates can have the same labels.
        every = {json.dumps(group.labels, sort_keys=True): group.labels for group in pod_groups(manifest)}
        for number, labels in enumerate(every.values()):
            selector = {"matchLabels": dict(labels)} if labels else {}
            own = f"{name}-{manifest.type.plural}-{manifest.name}" + (f"-{number}" if number else "")
            made.append(_policy(own, selector, openings["ingress"], openings["egress"]))
    return made


_SIDES = {"ingress": "from", "egress": "to"}


def _policy(name: str, selector: dict[str, Any], ingress: list[Any], egress: list[Any]) -> Manifest:
    rules = {way: each for way, each in (("ingress", ingress), ("egress", egress)) if each}
    spec = {"podSelector": selector, "policyTypes": ["Ingress", "Egress"], **rules}
    body = {"apiVersion": POLICIES.api_version, "kind": POLICIES.kind, "metadata": {"name": name}, "spec": spec}
    return Manifest(POLICIES, name, body)


def _rule(opening: Opening, slots: Sequence[int]) -> dict[str, Any]:
    ports = [{"protocol": "TCP", "port": port} for port in opening.ports]
    return {_SIDES[opening.direction]: _peers(opening.peer, slots), "ports": ports}


def _peers(peer: str, slots: Sequence[int]) -> list[dict[str, Any]]:
    match peer:
        case "namespace":
            return [{"podSelector": {}}]
        case "cluster":
            return [{"namespaceSelector": {}}]
        case "members":
            # Dataplane V2 matches pods of its own cluster by their labels, never by their addresses.
            plans = [addresses(slot) for slot in sorted(slots)]
            ranges = [str(each) for plan in plans for each in (plan.nodes, plan.pods)]
            return [{"namespaceSelector": {}}, *({"ipBlock": {"cidr": each}} for each in ranges)]
        case "internet":
            return [_INTERNET]
        case _:
            return [{"ipBlock": {"cidr": peer}}]
