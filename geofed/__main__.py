"""The commands that people run: python -m geofed COMMAND --help.

Each ends with 0; with 1 where a status is not ready, or a workload has no place; and with 2 for a mistake, which is one
message on standard error.
"""

# What a command needs is imported when it runs, so that --help and completion answer at once.

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from geofed.completion import VARIABLE, use_own_scripts
from geofed.mistake import Mistake

app = typer.Typer(
    help="What people run beside pulumi: the federation of a stack, and its placements.",
    no_args_is_help=True,
    # As text, and what is no mistake in a call as Python shows it.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Stack = Annotated[str, typer.Option(metavar="STACK", help="The stack: its outputs and Pulumi.STACK.yaml are read.")]


@app.command()
def status(
    stack: Stack,
    output: Annotated[Literal["table", "json"], typer.Option(help="How to print it.")] = "table",
    watch: Annotated[bool, typer.Option("--watch", help="Query again every 3 s until Ctrl-C.")] = False,
) -> None:
    """Shows a stack's members, and how much of each workload is desired and ready.

    Ends with 1 where a member or a workload is not ready. Nodes that are not Ready are shown and are no reason for 1:
    they come and go, and workloads show what is amiss.
    """
    if output == "json" and watch:
        raise typer.BadParameter("it is not allowed with --output json; leave one of them out", param_hint="--watch")
    with _mistakes():
        if output == "json":
            import json

            from geofed.status import look, plain, read_stack

            found = look(read_stack(stack))
            print(json.dumps(plain(found), indent=2))
            ready = found.ready
        else:
            from geofed.tables import show_status

            ready = show_status(stack, watch=watch)
    raise typer.Exit(0 if ready else 1)


@app.command()
def explain(
    stack: Annotated[str, typer.Option(metavar="STACK", help="The stack: Pulumi.STACK.yaml of this folder is read.")],
    workload: Annotated[str | None, typer.Option(metavar="NAME", help="This workload alone.")] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="CLUSTER", help="As if this cluster were lost. Can be repeated.")
    ] = None,
    bucket: Annotated[
        list[str] | None,
        typer.Option(metavar="gs://NAME=LOCATION", help="Where a bucket's data is. Can be repeated."),
    ] = None,
    free: Annotated[
        list[str] | None,
        typer.Option(metavar="CLUSTER=N", help="How many accelerators are free in a cluster. Can be repeated."),
    ] = None,
    output: Annotated[Literal["table", "json", "markdown"], typer.Option(help="How to print it.")] = "table",
) -> None:
    """Shows where workloads are placed and why, from the settings alone.

    No cloud, cluster or state is read. Ends with 1 where a workload has no place.
    """
    with _mistakes():
        from geofed import explain as explained

        answers = explained.explain(stack, workload, without or [], bucket or [], free or [])
        print(explained.shown(answers, output))
    raise typer.Exit(1 if any(answer.problem for answer in answers.values()) else 0)


@app.command("map")
def draw_map(
    stack: Annotated[str, typer.Option(metavar="STACK", help="The stack whose outputs are drawn.")],
    output: Annotated[Path, typer.Option(metavar="FILE", help="The file to write, .svg or .png.")] = Path("map.svg"),
) -> None:
    """Draws a stack's members and shares on a map of the world.

    Needs matplotlib.
    """
    with _mistakes():
        from geofed.map import write_map

        write_map(stack, output)
    print(output)


@app.command()
def forget(
    member: Annotated[str, typer.Argument(metavar="MEMBER", help="The member that will not come back.")],
    stack: Stack,
) -> None:
    """Makes KubeFed forget a member that is dead for good, and says what is left behind in it.

    KubeFed waits for such a member without end: neither `pulumi destroy` nor the removal of a workload would finish.
    A member that answers is a mistake, and nothing is changed.
    """
    with _mistakes():
        from geofed import forget as forgetting

        left = forgetting.forget(stack, member)
    print(f"{member} is forgotten. Left behind in it, until the cluster is deleted:")
    print("\n".join(f"  {each}" for each in left))
    print("Now remove it from clusters in the settings and run pulumi up, or run pulumi destroy.")


@app.command("new-stack")
def new_stack(name: Annotated[str, typer.Argument(metavar="NAME", help="The name of the stack.")]) -> None:
    """Writes Pulumi.NAME.yaml, the file of a new stack, with every setting explained."""
    with _mistakes():
        from geofed import new_stack as creating

        file = creating.new_stack(name)
    print(f"{file} is written. Set gcp:project in it, and go on with: pulumi stack select {name} --create")


@contextmanager
def _mistakes() -> Generator[None]:
    """Ends the command with 2 where its call or the stack is at fault; anything else is raised as it is."""
    from federation.api_client import NoAnswer
    from problems import SettingsError

    try:
        yield
    except (Mistake, NoAnswer, SettingsError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from None


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a command, by default the one that was typed. Raises SystemExit with its code."""
    use_own_scripts()
    app(arguments, prog_name="python -m geofed", complete_var=VARIABLE)


if __name__ == "__main__":
    main()
