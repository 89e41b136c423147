"""Draws a stack's members and the shares of its workloads on a map of the world.

Needs matplotlib, which the program itself does not.
"""

# matplotlib's types leave its keyword arguments open.
# pyright: reportUnknownMemberType=false

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clusters.facts.regions import regions
from geofed.mistake import Mistake
from geofed.outputs import stack_outputs

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from matplotlib.offsetbox import AnnotationBbox, OffsetBox
    from matplotlib.patches import PathPatch

Placements = Mapping[str, Sequence[Mapping[str, Any]]]
"""The stack's output: each workload's decisions, of which cluster and share are drawn."""

Box = tuple[float, float, float, float]
"""Left, low, right and high."""

FORMATS = (".svg", ".png")
# Natural Earth's land at 1:110m (public domain), sampled every two degrees from 85 degrees north, 179 degrees west.
_LAND = Path(__file__).with_name("land.txt")
_NORTH, _WEST, _STEP = 85, -179, 2
_EAST_WEST, _SOUTH_NORTH = (-180, 180), (-58, 86)
# In inches, of the shape of what is drawn; what follows is in pixels.
_SIZE, _DPI = (12.0, 4.8), 150
_POINT, _MARGIN = 18, 20
_INK, _QUIET, _LAND_COLOUR = "#1f2933", "#6b7785", "#cdd5de"
# Okabe and Ito's colours, which people tell apart however they see colours.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#f0e442")


def shares(cluster: str, placements: Placements) -> dict[str, int]:
    """What a cluster has of each workload, without those that it has nothing of."""
    found = {
        workload: int(each["share"])
        for workload, decisions in placements.items()
        for each in decisions
        if each["cluster"] == cluster
    }
    return {workload: share for workload, share in sorted(found.items()) if share}


def land() -> Iterator[tuple[float, float]]:
    """The points that are drawn for land, as longitude and latitude in degrees."""
    for row, line in enumerate(_LAND.read_text(encoding="ascii").splitlines()):
        for column, mark in enumerate(line):
            if mark == "#":
                yield _WEST + column * _STEP, _NORTH - row * _STEP


def spots(
    points: Mapping[str, tuple[float, float]], sizes: Mapping[str, tuple[float, float]], whole: tuple[float, float]
) -> dict[str, tuple[float, float]]:
    """Where the middle of each point's card is placed: as near as it can be without covering a point or another card.

    All in one unit, from the lower left corner of a picture of the size `whole`.
    """
    covered = [_around(point, (_POINT, _POINT)) for point in points.values()]
    found: dict[str, tuple[float, float]] = {}
    # From east to west, so that what is crowded opens towards the west, where most oceans are.
    for name, point in sorted(points.items(), key=lambda item: item[1], reverse=True):
        size = sizes[name]
        free = (each for each in _choices(point, size, whole) if _is_free(_around(each, size), covered, whole))
        found[name] = next(free, point)
        covered.append(_around(found[name], size))
    return found


def draw(where: Mapping[str, str], placements: Placements) -> "Figure":
    """The map of members, each with its region, and of the shares that the placements give them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=_SIZE, dpi=_DPI, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1), xlim=_EAST_WEST, ylim=_SOUTH_NORTH, aspect="equal")
    axes.set_axis_off()
    axes.add_patch(_dots(land()))
    places = {name: (regions()[region].longitude, regions()[region].latitude) for name, region in where.items()}
    colours = {name: _COLOURS[number % len(_COLOURS)] for number, name in enumerate(sorted(placements))}
    renderer = FigureCanvasAgg(figure).get_renderer()
    cards: dict[str, OffsetBox] = {}
    sizes: dict[str, tuple[float, float]] = {}
    for name, place in places.items():
        taken = shares(name, placements)
        axes.scatter(*place, s=60, zorder=3, facecolor=_INK if taken else "white", edgecolor=_INK, linewidth=1.5)
        cards[name] = _card(name, where[name], taken, colours)
        cards[name].set_figure(figure)
        extent = cards[name].get_window_extent(renderer)
        sizes[name] = (extent.width + _MARGIN, extent.height + _MARGIN)
    figure.draw_without_rendering()
    points = {name: tuple(axes.transData.transform(place)) for name, place in places.items()}
    for name, spot in spots(points, sizes, (_SIZE[0] * _DPI, _SIZE[1] * _DPI)).items():
        x, y = (spot[axis] - points[name][axis] for axis in (0, 1))
        axes.add_artist(_beside(places[name], (x * 72 / _DPI, y * 72 / _DPI), cards[name]))
    return figure


def write_map(stack: str, file: Path) -> None:
    """Draws a stack from its outputs. Raises Mistake."""
    if file.suffix not in FORMATS:
        raise Mistake(f"--output {file}: write a name that ends in {' or '.join(FORMATS)}")
    outputs = stack_outputs(stack)
    where = {name: member["region"] for name, member in outputs["members"].items()}
    try:
        write(draw(where, outputs["placements"]), file)
    except ImportError:
        raise Mistake("matplotlib is not installed; install it: pip install matplotlib") from None
    except OSError as error:
        raise Mistake(f"--output {file}: it cannot be written: {error.strerror}") from None


def write(figure: "Figure", file: Path) -> None:
    """Writes a map; the same map gives the same file."""
    import matplotlib

    with matplotlib.rc_context({"svg.hashsalt": "geo-federation"}):
        figure.savefig(file, metadata={"Date": None} if file.suffix == ".svg" else None)


def _card(name: str, region: str, taken: Mapping[str, int], colours: Mapping[str, str]) -> "OffsetBox":
    """What is shown of a member: its name, its region, and a line for each workload that it has a share of."""
    from matplotlib.offsetbox import DrawingArea, HPacker, TextArea, VPacker
    from matplotlib.patches import Rectangle

    lines: list[Artist] = [
        TextArea(name, textprops={"size": 9, "weight": "bold", "color": _INK}),
        TextArea(region, textprops={"size": 7, "color": _QUIET}),
    ]
    for workload, share in taken.items():
        mark = DrawingArea(8, 8)
        mark.add_artist(Rectangle((0, 0), 7, 7, color=colours[workload]))
        text = TextArea(f"{workload}  {share}", textprops={"size": 8, "color": _INK})
        lines.append(HPacker(children=[mark, text], align="center", pad=0, sep=4))
    return VPacker(children=lines, align="left", pad=0, sep=2.5)


def _dots(points: Iterable[tuple[float, float]]) -> "PathPatch":
    """Dots as the round ends of very short lines: one path, where a marker for each would be thousands."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Line

    ends = [(x + length, y) for x, y in points for length in (0, 0.05)]
    line = Line(ends, [Line.MOVETO, Line.LINETO] * (len(ends) // 2))
    line.should_simplify = False
    return PathPatch(line, edgecolor=_LAND_COLOUR, fill=False, linewidth=2.4, capstyle="round", snap=False)


def _beside(place: tuple[float, float], offset: tuple[float, float], card: "OffsetBox") -> "AnnotationBbox":
    """A card in a frame, with a line to its place; the offset of its middle is in points."""
    from matplotlib.offsetbox import AnnotationBbox

    return AnnotationBbox(
        card,
        place,
        xybox=offset,
        boxcoords="offset points",
        bboxprops={"boxstyle": "round,pad=0.35", "edgecolor": _QUIET, "facecolor": "white", "linewidth": 0.8},
        arrowprops={"arrowstyle": "-", "color": _QUIET, "linewidth": 0.8, "shrinkB": 5},
        pad=0,
        zorder=4,
    )


def _choices(
    point: tuple[float, float], size: tuple[float, float], whole: tuple[float, float]
) -> Iterator[tuple[float, float]]:
    """Where the middle of a card could be: right beside its point, or else anywhere, the nearest first."""
    for right, up in ((1, 0), (1, 1), (1, -1), (0, 1), (0, -1), (-1, 0), (-1, 1), (-1, -1)):
        yield point[0] + right * (_POINT + size[0] / 2), point[1] + up * (_POINT + size[1] / 2)
    grid = product(range(0, int(whole[0]), _POINT), range(0, int(whole[1]), _POINT))
    yield from sorted(grid, key=lambda place: math.dist(place, point))


def _around(middle: tuple[float, float], size: tuple[float, float]) -> Box:
    (x, y), (width, height) = middle, size
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def _is_free(box: Box, covered: Sequence[Box], whole: tuple[float, float]) -> bool:
    left, low, right, high = box
    inside = left >= 0 and low >= 0 and right <= whole[0] and high <= whole[1]
    return inside and not any(
        left < each[2] and right > each[0] and low < each[3] and high > each[1] for each in covered
    )
