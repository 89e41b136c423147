"""The status of a stack: its members, and how much of each workload is desired and ready.

With --output json:

    {"stack": "prod", "ready": true,
     "members": {NAME: {"ready": true, "reason": "", "region": "us-west1", "role": "training", "version": "v1.35.4",
                        "nodes": {"ready": 3, "total": 3}, "accelerators": {"nvidia-l4": {"free": 1, "total": 2}}}},
     "workloads": {NAME: {"ready": true, "desired": 3, "ready_replicas": 3,
                          "shares": {CLUSTER: {"desired": 2, "ready_replicas": 2, "note": "", "fault": ""}}}}}

A fault is what KubeFed could not do there, and why. What a member does not answer is null. Every member is among the
shares, with 0 where it is passed over. What is complete counts as ready. Of what has no number of replicas, such as a
JobSet, 1 is desired where it is placed, and ready once its controller or its pods say so.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from clusters.spec import member_labels
from federation.faults import host_lists, with_faults
from federation.health import MemberHealth, Placed, WorkloadHealth, list_of, members_health, observed, workload_health
from federation.queries import ask_members
from geofed.mistake import Mistake
from geofed.outputs import stack_outputs
from geofed.stack import read_settings
from placement.overrides import count_in, overrides_of
from placement.pods.runs import counted, run_of
from settings import Settings


@dataclass(frozen=True)
class Stack:
    """What a stack's outputs and settings say: which members to query, and what is desired in them."""

    name: str
    host: str
    members: Mapping[str, Mapping[str, Any]]
    kubeconfigs: Mapping[str, str]
    placed: Mapping[str, Placed]


@dataclass(frozen=True)
class Status:
    """The status of a stack."""

    stack: Stack
    members: Mapping[str, MemberHealth]
    workloads: Mapping[str, WorkloadHealth]

    @property
    def ready(self) -> bool:
        """Whether every member is Ready and every workload runs what it should."""
        return all(each.ready for each in [*self.members.values(), *self.workloads.values()])


def read_stack(name: str) -> Stack:
    """Reads a stack's settings and outputs. Raises Mistake or SettingsError."""
    settings = read_settings(name)
    return stack_of(name, settings, stack_outputs(name, secrets=True))


def stack_of(name: str, settings: Settings, outputs: Mapping[str, Any]) -> Stack:
    """What a stack's settings and its outputs, secrets in plain, say together. Raises Mistake."""
    host = settings.federation.host
    if host not in outputs["members"]:
        raise Mistake(f"federation.host {host}: not a member yet; run pulumi up --stack {name} first")
    placed: dict[str, Placed] = {}
    for workload, decisions in outputs["placements"].items():
        if workload not in settings.workloads:
            raise Mistake(
                f"workloads.{workload}: it exists, but is not in the settings; run pulumi up --stack {name} first"
            )
        shares = {
            each["cluster"]: _desired(settings, workload, each["cluster"], int(each["share"])) for each in decisions
        }
        placed[workload] = Placed(settings.workloads[workload].namespace, settings.manifests[workload], shares)
    kubeconfigs = {member: outputs[f"{member}_kubeconfig"] for member in outputs["members"]}
    return Stack(name, host, outputs["members"], kubeconfigs, placed)


def _desired(settings: Settings, name: str, cluster: str, share: int) -> int:
    """The share of a cluster, or what overrides make of it where the workload is not divided."""
    workload, manifests = settings.workloads[name], settings.manifests[name]
    objects = counted(manifests)
    if not share or not objects or cluster not in settings.members or run_of(manifests, workload.run) == "divided":
        return share
    overrides = overrides_of(workload, cluster, member_labels(settings.members[cluster]))
    return sum(count_in(each, overrides) for each in objects)


def look(stack: Stack) -> Status:
    """Queries all members. Each that does not answer is reported in the status."""
    paths = {list_of(placed, manifest) for placed in stack.placed.values() for manifest in observed(placed)}
    of_host = {each for placed in stack.placed.values() for each in host_lists(placed)}
    answers = ask_members(stack.kubeconfigs, stack.host, paths, of_host)
    workloads = {
        name: with_faults(workload_health(placed, answers), placed, answers[stack.host])
        for name, placed in sorted(stack.placed.items())
    }
    return Status(stack, members_health(sorted(stack.members), stack.host, answers), workloads)


def plain(status: Status) -> dict[str, Any]:
    """A status in the shape that the head of this file describes."""
    return {
        "stack": status.stack.name,
        "ready": status.ready,
        "members": {name: _plain_member(status, name) for name in status.members},
        "workloads": {
            name: {
                "ready": each.ready,
                "desired": each.desired,
                "ready_replicas": each.ready_replicas,
                "shares": {cluster: asdict(share) for cluster, share in each.shares.items()},
            }
            for name, each in status.workloads.items()
        },
    }


def _plain_member(status: Status, name: str) -> dict[str, Any]:
    each, labels = status.members[name], status.stack.members[name]
    nodes, accelerators = each.nodes, each.accelerators
    return {
        "ready": each.ready,
        "reason": each.reason,
        "region": labels["region"],
        "role": labels["role"],
        "version": each.version,
        "nodes": nodes and {"ready": nodes.good, "total": nodes.total},
        "accelerators": None
        if accelerators is None
        else {kind: {"free": count.good, "total": count.total} for kind, count in accelerators.items()},
    }
