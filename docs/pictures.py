"""Draws docs/pictures/ anew from the local stack, once it is up: `make pictures`."""

import re
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from geofed.map import draw, write
from geofed.outputs import stack_outputs
from geofed.status import Status, look, read_stack
from geofed.tables import render

STACK = "local"
FOLDER = Path(__file__).with_name("pictures")


def status_picture(status: Status) -> str:
    """An SVG of what `make status` shows in a terminal; the same status gives the same picture."""
    console = Console(record=True, file=StringIO(), width=104, force_terminal=True, color_system="truecolor")
    console.print(render(status, framed=True), highlight=False)
    svg = console.export_svg(title="make status", theme=MONOKAI, unique_id="status")
    # A picture on a page fetches no fonts; what stands in for them is named beside them.
    return "\n".join(line.rstrip() for line in re.sub(r"@font-face \{.*?\}\n", "", svg, flags=re.DOTALL).splitlines())


def main() -> None:
    """Writes status.svg and map.svg."""
    outputs = stack_outputs(STACK)
    where = {name: member["region"] for name, member in outputs["members"].items()}
    write(draw(where, outputs["placements"]), FOLDER / "map.svg")
    (FOLDER / "status.svg").write_text(status_picture(look(read_stack(STACK))) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
