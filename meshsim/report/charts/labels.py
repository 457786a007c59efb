"""Names at the lines themselves, so that nobody looks them up in a legend; and the legend, where that cannot work."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.offsetbox import AnnotationBbox, DrawingArea, HPacker, TextArea
from matplotlib.transforms import ScaledTranslation

from meshsim.report.charts.ink import CHARACTER_POINTS, FONT_SIZE, INK, OWN_FIGURE, ROW_POINTS
from meshsim.report.charts.words import told_apart, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MOST_FAR = 4
"""Lines that end far from the right edge: more long joints than that cross too much."""
_LINE_LENGTH, _MOST_LENGTH = 16, 30
_NAME = "name of "
_SAMPLE_POINTS = 24.0
_AWAY_POINTS = 7.0


class _End(NamedTuple):
    """Where a line ends, as shares of the axes."""

    x: float
    y: float
    text: str
    rows: int
    line: Line2D


def label_lines(ax: Axes, lines: Mapping[str, Line2D]) -> None:
    """Write the name of each line, with a sample of it, to the right of where it ends; to be called last, when the limits are set.

    The names are spread so that none overlaps another, in the order of the ends, and joined to the ends by thin lines. Where there are
    more than have room, or most end far from the edge, a legend stands below the axes instead.

    Args:
        ax: The axes that the lines are in.
        lines: The lines by their names; one without any finite point is named as such.
    """
    shown = told_apart(lines, _MOST_LENGTH)
    ends = sorted((_end(ax, shown[name], line) for name, line in lines.items()), key=lambda end: (-end.y, end.x))
    room = _height_points(ax)
    if len(ends) == 0:
        return
    far = sum(end.x < 0.95 for end in ends)
    if sum(end.rows for end in ends) * ROW_POINTS > room * 1.02 or far > _MOST_FAR:
        legend_below(ax, list(lines.values()), list(shown.values()))
        return
    for end, y in zip(ends, spread([end.y for end in ends], [end.rows * ROW_POINTS / room for end in ends]), strict=True):
        _write(ax, end, y)


def legend_below(ax: Axes, handles: Sequence[Artist], names: Sequence[str], *, columns: int | None = None) -> None:
    """A legend under the axes and their label; a figure that the chart made for itself grows by as much.

    Args:
        ax: The axes.
        handles: What is explained.
        names: The explanations, in the same order.
        columns: How many stand side by side; as many as have room, by default.
    """
    figure = ax.get_figure(root=True)
    if not isinstance(figure, Figure) or not handles:
        return
    if columns is None:
        columns = max(1, min(len(names), int(72 * figure.get_figwidth() / (45 + 6 * max(len(name) for name in names)))))
    label = ax.get_xlabel()
    rows = max(sum(name.count("\n") + 1 for name in names[at::columns]) for at in range(columns))
    if figure.get_label() == OWN_FIGURE:
        figure.set_figheight(figure.get_figheight() + (rows * ROW_POINTS + 4) / 72)
    below = 19 + (ROW_POINTS * (label.count("\n") + 1) if label else 0)
    ax.legend(
        handles,
        names,
        ncols=columns,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=ax.transAxes + ScaledTranslation(0, -below / 72, figure.dpi_scale_trans),
        labelspacing=0.25,
        columnspacing=1.4,
    )


def y_label(ax: Axes, text: str) -> None:
    """Name the y axis, in as many lines as its height asks for."""
    most = max(12, int(_height_points(ax) / 5.3))
    ax.set_ylabel("\n".join("\n".join(textwrap.wrap(line, most)) for line in text.split("\n")))


def names_width(ax: Axes) -> float:
    """Points that the names to the right of the axes need; 0 without any."""
    texts = [str(label.get_gid()).removeprefix(_NAME) for label in ax.artists if str(label.get_gid()).startswith(_NAME)]
    longest = max((len(line) for text in texts for line in text.split("\n")), default=0)
    return longest * CHARACTER_POINTS + _SAMPLE_POINTS + _AWAY_POINTS + 4 if longest else 0.0


def spread(wanted: Sequence[float], heights: Sequence[float]) -> list[float]:
    """Middles of labels that do not overlap, as near as can be to the wanted ones and within 0 and 1 where they have room there.

    It is the least-squares solution under fixed order: isotonic regression after the heights above are taken off (pool adjacent
    violators; Barlow et al., Statistical Inference under Order Restrictions, 1972).

    Args:
        wanted: Middles, from the top (largest) down.
        heights: Of the labels, in the same order.
    """
    offsets = np.cumsum(heights) - np.asarray(heights) / 2
    blocks: list[list[float]] = []
    for value in np.asarray(wanted) + offsets:
        blocks.append([float(value)])
        while len(blocks) > 1 and np.mean(blocks[-2]) < np.mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    # After the offsets are added, all that is left of "within the axes" is one interval that is the same for each label.
    free = max(0.0, float(sum(heights)) - 1)
    lowest, highest = float(sum(heights)) - free / 2, 1.0 + free / 2
    levels = [min(max(float(np.mean(block)), lowest), highest) for block in blocks for _ in block]
    return [float(level - offset) for level, offset in zip(levels, offsets, strict=True)]


def _end(ax: Axes, name: str, line: Line2D) -> _End:
    along, up = (np.asarray(values, dtype=float) for values in line.get_data(orig=False))
    text = name
    seen = np.isfinite(along) & np.isfinite(up)
    if ax.get_yscale() == "log":
        seen &= up > 0
    if not seen.any():
        x, y, text = 1.0, 0.0, f"{name} (nothing)"
    else:
        last = int(np.flatnonzero(seen)[-1])
        to_axes = line.get_transform() - ax.transAxes
        x, y = (float(np.clip(value, 0, 1)) for value in to_axes.transform((along[last], up[last])))
    parts = wrapped(text, _LINE_LENGTH)
    return _End(x, y, "\n".join(parts), len(parts), line)


def _write(ax: Axes, end: _End, y: float) -> None:
    figure = ax.get_figure(root=True)
    if figure is None:
        return
    colour = end.line.get_color()
    away = _AWAY_POINTS / (72 * figure.get_figwidth() * ax.get_position().width)
    if y != end.y or end.x < 1:
        joint = Line2D([end.x, 1 + away * 0.85], [end.y, y], transform=ax.transAxes, color=colour, linewidth=0.6, alpha=0.6)
        joint.set_clip_on(False)
        joint.set_in_layout(False)
        ax.add_artist(joint)
    sample = DrawingArea(_SAMPLE_POINTS, FONT_SIZE)
    drawn = Line2D([], [])
    drawn.update_from(end.line)
    drawn.set_data([0, _SAMPLE_POINTS / 2, _SAMPLE_POINTS], [FONT_SIZE / 2] * 3)
    drawn.set_markevery([1])
    drawn.set_transform(sample.get_transform())
    drawn.set_clip_path(None)
    drawn.set_clip_on(False)
    sample.add_artist(drawn)
    text = TextArea(end.text, textprops={"color": INK, "fontsize": FONT_SIZE, "linespacing": 1.05})
    box = HPacker(children=[sample, text], align="center", pad=0, sep=4)
    label = AnnotationBbox(
        box,
        (1, y),
        xycoords="axes fraction",
        xybox=(_AWAY_POINTS, 0),
        boxcoords="offset points",
        box_alignment=(0, 0.5),
        frameon=False,
        pad=0,
        annotation_clip=False,
    )
    label.set_gid(_NAME + end.text)
    ax.add_artist(label)


def _height_points(ax: Axes) -> float:
    figure = ax.get_figure(root=True)
    return 72 * (figure.get_figheight() if figure else 3.2) * ax.get_position().height
