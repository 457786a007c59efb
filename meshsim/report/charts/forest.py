"""Paired differences to the baseline, in percent, each with its interval."""

from __future__ import annotations

import math
from statistics import median_high
from typing import TYPE_CHECKING, Any, NamedTuple

from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from meshsim.report.charts import style
from meshsim.report.charts.quantities import amount, change
from meshsim.report.charts.scales import share_text
from meshsim.report.charts.stages import legend_under, width_points
from meshsim.report.charts.words import counted, say_nothing, shortened, told_apart, wrapped

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

COLOURS = {"better": "#0072B2", "worse": "#D55E00", "different": "#7F7F7F", "same": style.INK}
"""By verdict."""
_BETTER_SIDE = "#009E73"
_ROW_IN, _AROUND_IN = 0.2, 1.0
_BETWEEN = 0.4
"""Lines between two figures."""
_LONGEST_NAME = 50
_EDGE = 1.06
_BESIDE = ("axes fraction", "data")
_MANY_TIMES = 5.0
"""Relative differences from here on are told as a multiple of the baseline and no longer in percent."""
_FARTHEST = 6.0
"""What is more than so many times farther out than the middle one of the rows is drawn as an arrow at the edge."""


class Row(NamedTuple):
    """One difference."""

    figure: str
    variant: str
    relative: float
    """Difference over the baseline's value, as are `low` and `high`; NaN or infinite where that value is zero."""
    low: float
    high: float
    difference: float
    quantity: str
    is_distinct: bool
    better: str

    @property
    def verdict(self) -> str:
        """`better`, `worse` or `different`; `same` where it cannot be told from noise."""
        if not self.is_distinct:
            return "same"
        if self.better not in {"lower", "higher"}:
            return "different"
        return "better" if (self.difference < 0) == (self.better == "lower") else "worse"

    @property
    def text(self) -> str:
        """`\N{MINUS SIGN}59.4 % [\N{MINUS SIGN}66.0, \N{MINUS SIGN}52.8]`, or the plain difference where there is no ratio."""
        if math.isnan(self.difference):
            return "not measured"
        if math.isinf(self.difference):
            return "never" if self.difference > 0 else "no longer never"
        if not math.isfinite(self.relative):
            sign = "+" if self.difference > 0 else ""
            return f"{sign}{amount(self.difference, self.quantity)}, from 0"
        if math.isnan(self.low) or math.isnan(self.high):
            return f"{change(self.relative)}, no interval"
        if self.relative >= _MANY_TIMES:
            low, times, high = (_times(1 + one) for one in (self.low, self.relative, self.high))
            return f"{times} times [{low}, {high}]"
        low, high = (change(one).removesuffix(" %") for one in (self.low, self.high))
        return f"{change(self.relative)} [{low}, {high}]"


@style.styled
def forest(figures: pd.DataFrame, ax: Axes | None = None, *, variant: str | None = None) -> Axes:
    """The difference of each figure to the baseline's, in percent, with its interval; hollow where it may be noise.

    Args:
        figures: Frame `figures`: figure, variant, quantity, difference, relative, relative_low, relative_high, is_distinct, better.
        ax: Where to draw; None makes a figure that grows with the rows.
        variant: Only this one; None for all but the baseline, which is the first.

    Returns:
        The axes: x is the relative difference (0.05 is shown as +5 %), y grows downwards.
    """
    rows = rows_of(figures, variant)
    if not rows:
        return say_nothing(style.axes(ax, height=0.6), "no variant was compared" if len(figures) else "nothing was measured")
    variants = list(dict.fromkeys(row.variant for row in rows))
    labels = {name: "\n".join(wrapped(text, 18)) for name, text in told_apart(variants, 32).items()} if len(variants) > 1 else {}
    places, names, bottom = _places(rows, {name: label.count("\n") + 1 for name, label in labels.items()})
    ax = style.axes(ax, height=(_AROUND_IN + _ROW_IN * bottom) / style.HEIGHT_IN)
    markers = {name: look.marker for name, look in style.looks(["", *variants]).items()}
    limit = _limit(rows)
    ax.set_xlim(-limit * _EDGE, limit * _EDGE)
    ax.set_ylim(bottom, 0)
    for row, y in zip(rows, places, strict=True):
        _draw(ax, row, y, limit, markers[row.variant] if labels else "o")
        ax.annotate(row.text, (1, y), (6, 0), xycoords=_BESIDE, textcoords="offset points", va="center_baseline")
    left = -max((width_points(line) for label in labels.values() for line in label.splitlines()), default=0.0) - 4
    for name, y in names:
        ax.annotate(
            name, (0, y), (left, 0), xycoords=_BESIDE, textcoords="offset points", va="center_baseline", fontweight="bold"
        )
    ax.set_yticks(places, [labels.get(row.variant, "") for row in rows])
    ax.tick_params(axis="y", length=0, pad=4)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(3, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: ("+" if value > 0 else "") + share_text(value)))
    baseline = shortened(str(figures["variant"].iloc[0]), 24)
    ax.set_xlabel(f"difference to {baseline}" if labels else f"{shortened(variants[0], 24)} against {baseline}")
    _explain(ax, rows, -left)
    return ax


def reading(figures: pd.DataFrame, *, variant: str | None = None) -> str:
    """One sentence: how many differences are more than noise, and the largest for the better and for the worse."""
    rows = [row for row in rows_of(figures, variant) if not math.isnan(row.difference)]
    if not rows:
        return "Differences to the baseline: nothing was compared."
    baseline = figures["variant"].iloc[0]
    distinct = [row for row in rows if row.is_distinct]
    if not distinct:
        number = "the one difference" if len(rows) == 1 else f"none of the {len(rows)} differences"
        return f"{number[0].upper()}{number[1:]} to {baseline} can{'not' if len(rows) == 1 else ''} be told from noise."
    said = [f"{len(distinct)} of {counted(len(rows), 'difference')} to {baseline} can be told from noise"]
    for verdict, words in (
        ("better", "for the better"),
        ("worse", "for the worse"),
        ("different", "neither better nor worse in itself"),
    ):
        those = [row for row in distinct if row.verdict == verdict]
        if those:
            largest = max(those, key=lambda row: abs(row.relative) if math.isfinite(row.relative) else math.inf)
            said.append(f"{len(those)} {words}, most of all {largest.figure} with {largest.variant} ({largest.text})")
    return "; ".join(said) + "."


def rows_of(figures: pd.DataFrame, variant: str | None) -> list[Row]:
    """A row for each figure and variant but the baseline, figures in their order."""
    if figures.empty:
        return []
    baseline = figures["variant"].iloc[0]
    wanted = figures[(figures["variant"] != baseline) if variant is None else (figures["variant"] == variant)]
    columns = [
        "figure",
        "variant",
        "relative",
        "relative_low",
        "relative_high",
        "difference",
        "quantity",
        "is_distinct",
        "better",
    ]
    rows = [Row(*row) for row in wanted[columns].itertuples(index=False)]
    order = {name: at for at, name in enumerate(figures["figure"].unique())}
    return sorted(rows, key=lambda row: order[row.figure])


def _places(rows: list[Row], lines: dict[str, int]) -> tuple[list[float], list[tuple[str, float]], float]:
    """Where each row is, each figure's name with its place, and where the last one ends; in lines from the top."""
    places: list[float] = []
    names: list[tuple[str, float]] = []
    at, last = 0.0, ""
    for row in rows:
        if row.figure != last:
            at += _BETWEEN
            for line in wrapped(row.figure, _LONGEST_NAME):
                names.append((line, at + 0.5))
                at += 1
            last = row.figure
        tall = lines.get(row.variant, 1)
        places.append(at + tall / 2)
        at += tall
    return places, names, at + _BETWEEN


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{max(0.0, ratio):.3g}"


def _limit(rows: list[Row]) -> float:
    """How far the axis reaches to both sides, so that one huge difference does not flatten all others."""
    reaches = [
        max(abs(one) for one in (row.relative, row.low, row.high) if math.isfinite(one))
        for row in rows
        if math.isfinite(row.relative)
    ]
    extents = [one for one in reaches if one > 0]  # what is exactly the same says nothing about how far the others reach
    if not extents:
        return 0.1
    return max(0.005, *(one for one in extents if one <= _FARTHEST * median_high(extents)))


def _draw(ax: Axes, row: Row, y: float, limit: float, marker: str) -> None:
    if row.better in {"lower", "higher"}:
        side = -limit * _EDGE if row.better == "lower" else 0.0
        ax.add_patch(Rectangle((side, y - 0.5), limit * _EDGE, 1, facecolor=_BETTER_SIDE, alpha=0.13, linewidth=0, zorder=0.5))
    ax.plot([0, 0], [y - 0.5, y + 0.5], color=style.INK, linewidth=0.9)
    if not math.isfinite(row.relative):
        return
    colour = COLOURS[row.verdict]
    if math.isfinite(row.low) and math.isfinite(row.high):
        ax.plot(
            [max(row.low, -limit * _EDGE), min(row.high, limit * _EDGE)],
            [y, y],
            color=colour,
            linewidth=1.8,
            solid_capstyle="butt",
        )
    is_outside = abs(row.relative) > limit
    ax.plot(
        max(-limit, min(limit, row.relative)),
        y,
        marker=(">" if row.relative > 0 else "<") if is_outside else marker,
        markersize=7,
        color=colour,
        markerfacecolor=colour if row.is_distinct else "none",
        markeredgewidth=1.4,
        linestyle="none",
        zorder=4,
    )


def _explain(ax: Axes, rows: list[Row], left: float) -> None:
    present = {row.verdict for row in rows if math.isfinite(row.relative)}
    handles: list[Artist] = []
    names = []
    for verdict, colour in COLOURS.items():
        if verdict in present:
            face = "none" if verdict == "same" else colour
            look: dict[str, Any] = {"marker": "o", "markersize": 7, "markeredgewidth": 1.4, "linestyle": "none"}
            handles.append(Line2D([], [], color=colour, markerfacecolor=face, **look))
            names.append({"same": "cannot be told from noise"}.get(verdict, verdict))
    if any(row.better in {"lower", "higher"} for row in rows):
        handles.append(Patch(facecolor=_BETTER_SIDE, alpha=0.25, linewidth=0))
        names.append("side that is better")
    legend_under(ax, handles, names, left)
