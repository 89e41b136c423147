"""A status as tables, in frames and colours on a terminal, and as plain lines elsewhere."""

import time
from collections.abc import Mapping

from rich import box
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from federation.health import Count, MemberHealth, Share, WorkloadHealth
from geofed.mistake import Mistake
from geofed.status import Status, look, read_stack

WATCH_SECONDS = 3


def show_status(name: str, *, watch: bool) -> bool:
    """Prints a stack's status, with `watch` until Ctrl-C; returns whether all is ready.

    Raises Mistake or SettingsError.
    """
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
        return status.ready
    with Live(render(status, framed=True), console=console, auto_refresh=False) as live:
        try:
            while True:
                time.sleep(WATCH_SECONDS)
                status = look(stack)
                live.update(render(status, framed=True), refresh=True)
        except KeyboardInterrupt:
            return status.ready


def render(status: Status, *, framed: bool) -> Group:
    """A status as tables, in frames and colours where they are `framed`."""
    head = Text.assemble(
        (f"Stack {status.stack.name}: ", "bold"),
        _of_all(status.members, "members Ready"),
        ", ",
        _of_all(status.workloads, "workloads ready"),
    )
    members = _table("member region ready version nodes accelerators", framed)
    for name, each in status.members.items():
        ready = Text("yes", "green") if each.ready else Text("no", "red")
        region = str(status.stack.members[name]["region"])
        members.add_row(name, region, ready, each.version or "-", _nodes(each.nodes), _accelerators(each.accelerators))
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


def _table(columns: str, framed: bool) -> Table:
    table = Table(box=box.ROUNDED if framed else None, pad_edge=framed, header_style="bold")
    for column in columns.split():
        table.add_column(column.upper(), justify="right" if column == "desired" else "left")
    return table


def _of_all(found: Mapping[str, MemberHealth | WorkloadHealth], words: str) -> tuple[str, str]:
    """How many are ready, and the colour of it."""
    ready = sum(each.ready for each in found.values())
    return f"{ready} of {len(found)} {words}", "green" if ready == len(found) else "red"


def _nodes(nodes: Count | None) -> Text | str:
    if nodes is None:
        return "-"
    return Text(f"{nodes.good} of {nodes.total} Ready", "" if nodes.good == nodes.total else "yellow")


def _accelerators(accelerators: Mapping[str, Count] | None) -> str:
    if accelerators is None:
        return "-"
    return ", ".join(f"{name}: {each.good} of {each.total} free" for name, each in accelerators.items()) or "none"


def _share(share: Share, ready: bool) -> Text:
    colour = "green" if (share.ready_replicas or 0) >= share.desired else "yellow" if ready else "red"
    colour = "red" if share.fault else colour
    notes = "; ".join(filter(None, [share.note, share.fault]))
    note = f" ({notes})" if notes else ""
    return Text(f"{'unknown' if share.ready_replicas is None else share.ready_replicas}{note}", colour)
