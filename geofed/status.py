"""Says how a stack's federation stands: its members, and what each workload should run and runs.

    python -m geofed.status --stack prod

Ends with 0 where every member is Ready and every workload runs what it should, with 1 where not, and with 2 for a
mistake. Nodes that are not Ready are told and are no reason for 1: they come and go, and workloads show what is amiss.

With --output json:

    {"stack": "prod", "ready": true,
     "members": {NAME: {"ready": true, "reason": "", "region": "us-west1", "role": "training", "version": "v1.35.4",
                        "nodes": {"ready": 3, "total": 3}, "accelerators": {"nvidia-l4": {"free": 1, "total": 2}}}},
     "workloads": {NAME: {"ready": true, "desired": 3, "ready_replicas": 3,
                          "shares": {CLUSTER: {"desired": 2, "ready_replicas": 2, "note": "", "fault": ""}}}}}

A fault is what KubeFed could not do there, and why. What a member does not answer is null. Every member is among the
shares, with 0 where it is passed over. A Job that is complete counts as ready.
"""

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from federation.faults import host_lists, with_faults
from federation.health import (
    Count,
    MemberHealth,
    Placed,
    Share,
    WorkloadHealth,
    list_of,
    members_health,
    observed,
    workload_health,
)
from federation.queries import ask_members
from geofed.outputs import NoOutputs, stack_outputs
from geofed.stack import Mistake, read_settings
from problems import SettingsError
from settings import Settings

if TYPE_CHECKING:
    from rich.console import Group

_WATCH_SECONDS = 3


@dataclass(frozen=True)
class Stack:
    """What a stack's outputs and settings say: whom to ask, and what should be there."""

    name: str
    host: str
    members: Mapping[str, Mapping[str, Any]]
    kubeconfigs: Mapping[str, str]
    placed: Mapping[str, Placed]


@dataclass(frozen=True)
class Status:
    """How a stack's federation stands."""

    stack: Stack
    members: Mapping[str, MemberHealth]
    workloads: Mapping[str, WorkloadHealth]

    @property
    def ready(self) -> bool:
        """Whether every member is Ready and every workload runs what it should."""
        return all(each.ready for each in [*self.members.values(), *self.workloads.values()])


def main(arguments: Sequence[str] | None = None) -> int:
    """Tells it on standard output; a mistake is one message on standard error."""
    asked = _arguments(arguments)
    try:
        if asked.output == "json":
            status = look(read_stack(asked.stack))
            print(json.dumps(plain(status), indent=2))
            return 0 if status.ready else 1
        return _show(asked.stack, asked.watch)
    except ImportError as error:
        print(f"{error.name} is not installed; install it: pip install {error.name}", file=sys.stderr)
    except (Mistake, NoOutputs, SettingsError) as error:
        print(error, file=sys.stderr)
    return 2


def read_stack(name: str) -> Stack:
    """Reads a stack's settings and outputs. Raises Mistake, NoOutputs or SettingsError."""
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
                f"workloads.{workload}: it runs, but is not in the settings; run pulumi up --stack {name} first"
            )
        shares = {each["cluster"]: int(each["share"]) for each in decisions}
        placed[workload] = Placed(settings.workloads[workload].namespace, settings.manifests[workload], shares)
    kubeconfigs = {member: outputs[f"{member}_kubeconfig"] for member in outputs["members"]}
    return Stack(name, host, outputs["members"], kubeconfigs, placed)


def look(stack: Stack) -> Status:
    """Asks all members, and says how the federation stands."""
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


def render(status: Status, *, framed: bool) -> "Group":
    """A status as tables, in frames and colours where they are `framed`."""
    from rich.console import Group
    from rich.text import Text

    ready = sum(each.ready for each in status.members.values())
    workloads_ready = sum(each.ready for each in status.workloads.values())
    head = Text.assemble(
        (f"Stack {status.stack.name}: ", "bold"),
        _coloured(f"{ready} of {len(status.members)} members Ready", ready == len(status.members)),
        ", ",
        _coloured(
            f"{workloads_ready} of {len(status.workloads)} workloads ready", workloads_ready == len(status.workloads)
        ),
    )
    members = _table("member region ready version nodes accelerators", framed)
    for name, each in status.members.items():
        told = Text("yes", "green") if each.ready else Text("no", "red")
        region = str(status.stack.members[name]["region"])
        members.add_row(name, region, told, each.version or "-", _nodes(each.nodes), _accelerators(each.accelerators))
    reasons = [Text(f"{name}: {each.reason}", "red") for name, each in status.members.items() if not each.ready]
    workloads = _table("workload cluster desired ready", framed)
    for name, each in status.workloads.items():
        shown = {
            cluster: share
            for cluster, share in each.shares.items()
            if share.desired or share.ready_replicas or share.fault
        }
        for cluster, share in (shown or {"none": Share(0, 0)}).items():
            workloads.add_row(name, cluster, str(share.desired), _share(share, each.ready))
        workloads.add_section()
    return Group(head, members, *reasons, *([] if framed else [""]), workloads)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m geofed.status", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--stack", required=True, help="the stack: its outputs and Pulumi.STACK.yaml are read")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--output", choices=("table", "json"), default="table", help="how to tell it")
    how.add_argument("--watch", action="store_true", help=f"look again every {_WATCH_SECONDS} s until Ctrl-C")
    return parser.parse_args(arguments)


def _show(name: str, watch: bool) -> int:
    from rich.console import Console
    from rich.live import Live

    console = Console(highlight=False)
    if not console.is_terminal:
        if watch:
            raise Mistake("--watch: this is no terminal; leave it out, and call again as often as you like")
        # Plain lines are as long as they are: what reads them can cut them.
        console = Console(highlight=False, width=1000)
    stack = read_stack(name)
    status = look(stack)
    if not watch:
        console.print(render(status, framed=console.is_terminal))
        return 0 if status.ready else 1
    with Live(render(status, framed=True), console=console, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(_WATCH_SECONDS)
                status = look(stack)
                live.update(render(status, framed=True), refresh=True)
        except KeyboardInterrupt:
            return 0 if status.ready else 1


def _table(columns: str, framed: bool) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.ROUNDED if framed else None, pad_edge=framed, header_style="bold")
    for column in columns.split():
        table.add_column(column.upper(), justify="right" if column == "desired" else "left")
    return table


def _coloured(text: str, good: bool) -> Any:
    return (text, "green" if good else "red")


def _nodes(nodes: Count | None) -> Any:
    from rich.text import Text

    if nodes is None:
        return "-"
    return Text(f"{nodes.good} of {nodes.total} Ready", "" if nodes.good == nodes.total else "yellow")


def _accelerators(accelerators: Mapping[str, Count] | None) -> str:
    if accelerators is None:
        return "-"
    return ", ".join(f"{name}: {each.good} of {each.total} free" for name, each in accelerators.items()) or "none"


def _share(share: Share, ready: bool) -> Any:
    from rich.text import Text

    colour = "green" if (share.ready_replicas or 0) >= share.desired else "yellow" if ready else "red"
    colour = "red" if share.fault else colour
    notes = "; ".join(filter(None, [share.note, share.fault]))
    note = f" ({notes})" if notes else ""
    return Text(f"{'unknown' if share.ready_replicas is None else share.ready_replicas}{note}", colour)


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


if __name__ == "__main__":
    sys.exit(main())
