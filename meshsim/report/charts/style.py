"""The common style of all charts: colours, lines and marks of the variants, the size, and pictures that are the same bytes each time.

Everything that is neither paper nor a variant is drawn in `INK`, fainter by its opacity only. So an inline SVG needs one rule to suit a
dark page: `svg` writes the ink as `currentColor` and leaves the paper out. The variants' colours are read on white and on dark grey alike.
"""

from __future__ import annotations

import contextlib
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from meshsim.report.charts.ink import FONT_SIZE, INK, OWN_FIGURE, PAPER
from meshsim.report.charts.labels import label_lines, legend_below, y_label
from meshsim.report.charts.pictures import png, svg
from meshsim.report.charts.scales import count_axis, duration_axis, rate_axis, share_axis
from meshsim.report.charts.windows import fault_windows, warm_up

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.axes import Axes

__all__ = [
    "COLOURS",
    "FONT_SIZE",
    "INK",
    "PAPER",
    "STYLE",
    "Look",
    "apply_style",
    "axes",
    "count_axis",
    "duration_axis",
    "fault_windows",
    "label_lines",
    "legend_below",
    "looks",
    "off_screen",
    "png",
    "rate_axis",
    "share_axis",
    "styled",
    "svg",
    "warm_up",
    "y_label",
]

WIDTH_IN, HEIGHT_IN = 5.2, 3.2

COLOURS = (INK, "#0072B2", "#D55E00", "#009E73", "#C06A9B", "#B07A00", "#2E8FC4", "#7F7F7F")
"""Okabe and Ito's, for all kinds of colour sight; yellow is left out, orange and sky blue are darker, to be seen on white as well.

Source: Okabe & Ito, Color Universal Design, 2008, https://jfly.uni-koeln.de/color/. Each has a contrast of 3:1 or more with white and with
#16181d, which is what WCAG 2.2, 1.4.11, asks of graphics.
"""
LINES: tuple[Any, ...] = (
    "-",
    (0, (5, 1.8)),
    (0, (1.2, 1.4)),
    (0, (6, 1.6, 1.2, 1.6)),
    (0, (9, 2.5)),
    (0, (3, 1.4, 1.2, 1.4, 1.2, 1.4)),
    (0, (2.4, 2.4)),
    (0, (9, 1.6, 3, 1.6)),
)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
HATCHES = ("", "////", "----", "xxxx", "||||", "\\\\\\\\", "++++", "//")
"""Of lines only: in an SVG, dots and circles take 250 kB a hatch."""

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": INK,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.labelsize": FONT_SIZE,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": FONT_SIZE + 0.5,
    "axes.unicode_minus": True,
    "figure.constrained_layout.h_pad": 0.05,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.05,
    "figure.dpi": 100,
    "figure.facecolor": PAPER,
    "figure.figsize": (WIDTH_IN, HEIGHT_IN),
    "font.family": ["DejaVu Sans"],
    "font.size": FONT_SIZE,
    "grid.alpha": 0.16,
    "grid.color": INK,
    "grid.linewidth": 0.6,
    "hatch.color": INK,
    "hatch.linewidth": 0.6,
    "legend.borderaxespad": 0.2,
    "legend.edgecolor": INK,
    "legend.fontsize": FONT_SIZE,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4.5,
    "path.simplify": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "meshsim",
    "text.color": INK,
    "text.parse_math": False,
    "text.usetex": False,
    "xtick.color": INK,
    "xtick.labelsize": FONT_SIZE,
    "ytick.color": INK,
    "ytick.labelsize": FONT_SIZE,
}
"""matplotlib's settings, by their names. Nothing is drawn as a formula, so that `$` in a name is a dollar sign."""

_is_off_screen: ContextVar[bool] = ContextVar("_is_off_screen", default=False)


class Look(NamedTuple):
    """How one variant is drawn, everywhere."""

    colour: str
    line: Any
    """matplotlib's line style."""
    marker: str
    hatch: str
    """For filled areas; empty for the first."""


@contextlib.contextmanager
def apply_style() -> Iterator[None]:
    """The settings of all charts, for a `with` block; they are as before after it.

    It is not `matplotlib.rc_context`, which sets all settings back: where a notebook's first figure is one of ours, its backend switches
    pyplot to interactive just then, and no later figure would be shown.
    """
    before = {name: mpl.rcParams[name] for name in STYLE}
    mpl.rcParams.update(STYLE)
    try:
        yield
    finally:
        mpl.rcParams.update(before)


styled = apply_style()
"""Decorates a chart: what it draws is in the common style, whatever the settings outside."""


def looks(variants: Iterable[str]) -> dict[str, Look]:
    """The look of each variant, by its name.

    The first one, the baseline, is always solid and in ink. Up to eight differ in colour, line, marker and hatch each, so that they are
    told apart in black and white; the pairs of colour and line, and of line and marker, stay different up to 64.
    """
    found: dict[str, Look] = {}
    for name in variants:
        if name not in found:
            turn, place = divmod(len(found), len(COLOURS))
            shifted = (place + turn) % len(LINES)
            marker = (place + 2 * turn) % len(MARKERS)
            found[name] = Look(COLOURS[place], LINES[shifted], MARKERS[marker], HATCHES[shifted])
    return found


def axes(ax: Axes | None, *, height: float = 1.0) -> Axes:
    """The axes in the common style; of a new figure, where none are given.

    The new figure is pyplot's, as those of pandas' `plot` are: this is what makes a notebook show it at the end of the cell, once, and
    `pyplot.show()` show it from a script. Nothing else uses pyplot. Within `off_screen` the figure is one that pyplot does not know of.

    Args:
        ax: Where to draw, or None.
        height: Of the new figure, as a multiple of 3.2 inches; its width is 5.2 inches always.
    """
    with apply_style():
        if ax is None:
            size = (WIDTH_IN, HEIGHT_IN * height)
            figure = Figure(figsize=size) if _is_off_screen.get() else plt.figure(figsize=size)
            figure.set_label(OWN_FIGURE)
            return figure.add_subplot()
        ax.spines[["top", "right"]].set_visible(False)
        ax.spines[:].set_color(INK)
        ax.set_axisbelow(True)
        ax.tick_params(colors=INK, labelsize=FONT_SIZE)
        ax.grid(visible=True, alpha=STYLE["grid.alpha"], color=INK, linewidth=STYLE["grid.linewidth"])
        return ax


@contextlib.contextmanager
def off_screen() -> Iterator[None]:
    """In a `with` block: charts that are given no axes make a figure that no notebook shows and nobody needs to close.

    For reports: `with off_screen(): picture = svg(latency_ccdf(data).figure)`.
    """
    token = _is_off_screen.set(True)
    try:
        yield
    finally:
        _is_off_screen.reset(token)
