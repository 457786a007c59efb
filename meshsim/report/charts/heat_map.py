"""A figure over two settings that were swept together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, cast

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from meshsim.report.charts import style
from meshsim.report.charts.quantities import amount, digits, unit_of
from meshsim.report.charts.stages import hatched, readable_on
from meshsim.report.charts.words import counted, figure_of, listed, say_nothing, told_apart, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MISSING = "#DDDDDD"
_AROUND_IN, _ROW_IN = 0.75, 0.34
_WIDE = 20.0
"""The highest over the lowest value, from which on colours are spread by the logarithm."""
_COLUMNS = 7
"""Cells side by side that have room for text of the usual size."""


@style.styled
def heat_map(
    points: pd.DataFrame, ax: Axes | None = None, *, figure: str, axis_x: str, axis_y: str, line: str | None = None
) -> Axes:
    """The figure in each cell of a two-way matrix, written and coloured; cells that were not measured are hatched.

    Args:
        points: Frame `points`: x, x_text, y, y_text, line, figure, quantity, value.
        ax: Where to draw; None makes a figure.
        figure: Which figure, such as `latency:p(99)`.
        axis_x: Path of the setting on the x axis.
        axis_y: Path of the setting on the y axis, which grows upwards.
        line: Which of the curves, where a third setting was swept; None for the first.

    Returns:
        The axes; cells are one wide and one high, their middles at 0, 1, 2 ...

    Source: The colours are matplotlib's cividis, even in brightness and the same to red-green blind eyes (Nuñez, Anderton and
        Renslow, PLOS ONE 13(7), 2018).
    """
    table, quantity = matrix(points, figure, line)
    values = table.to_numpy(dtype=np.float64)
    ax = style.axes(ax, height=max(0.75, (_AROUND_IN + _ROW_IN * len(table)) / style.HEIGHT_IN))
    if np.isnan(values).all():
        return say_nothing(ax)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    is_wide = low > 0 and high > _WIDE * low
    norm = LogNorm(low, high) if is_wide else Normalize(low, high if high > low else low + (abs(low) or 1.0))
    factor, unit = unit_of(quantity, max(abs(low), abs(high)))
    rows, columns = values.shape
    shown = np.ma.masked_invalid(values)
    picture = ax.pcolormesh(np.arange(columns + 1) - 0.5, np.arange(rows + 1) - 0.5, shown, cmap="cividis", norm=norm)
    for (row, column), value in np.ndenumerate(values):
        _write(ax, row, column, value * factor, norm(value) if math.isfinite(value) else None, columns)
    ax.set_xticks(range(columns), list(told_apart(map(str, table.columns), 14).values()))
    ax.set_yticks(range(rows), list(told_apart(map(str, table.index), 18).values()))
    if sum(len(text.get_text()) + 2 for text in ax.get_xticklabels()) > 46:
        ax.tick_params(axis="x", rotation=30, rotation_mode="xtick")
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set_xlabel("\n".join(wrapped(axis_x, 44)))
    ax.set_ylabel("\n".join(wrapped(axis_y, max(16, 7 * rows))))
    bar = figure_of(ax).colorbar(picture, ax=ax, pad=0.02, aspect=14)
    bar.locator = LogLocator(subs=(1, 2, 5)) if is_wide else MaxNLocator(5)
    bar.minorlocator = NullLocator()
    if low == high:
        bar.set_ticks([low])
    bar.formatter = FuncFormatter(lambda value, _: digits(value * factor))
    bar.outline.set_visible(False)
    bar.set_label("\n".join(wrapped(f"{figure} ({unit})" if unit else figure, max(16, 7 * rows))))
    return ax


def reading(points: pd.DataFrame, *, figure: str, axis_x: str, axis_y: str, line: str | None = None) -> str:
    """One sentence: where the figure is lowest and highest, and how many cells were not measured."""
    table, quantity = matrix(points, figure, line)
    cells = cast("pd.Series[float]", table.stack()).dropna()  # noqa: PD013 — a Series by both settings, which melt does not give
    if cells.empty:
        return f"{figure} over {axis_x} and {axis_y}: nothing was measured."
    low, high = float(cells.to_numpy().min()), float(cells.to_numpy().max())
    missing = table.size - len(cells)
    gaps = f"; {counted(missing, 'cell')} of {table.size} {'was' if missing == 1 else 'were'} not measured" if missing else ""
    if low == high:
        return f"{figure} is {amount(low, quantity)} in each cell that was measured{gaps}."
    said = []
    for name, value in (("lowest", low), ("highest", high)):
        there = cells.index[cells.to_numpy() == value].to_frame(index=False)
        where = [f"{axis_x} {x} with {axis_y} {y}" for y, x in there.itertuples(index=False)]
        said.append(f"{name} ({amount(value, quantity)}) at {listed(where, most=3)}")
    return f"{figure} is {said[0]}, and {said[1]}{gaps}."


def matrix(points: pd.DataFrame, figure: str, line: str | None = None) -> tuple[pd.DataFrame, str]:
    """The figure by both settings, and its quantity.

    Returns:
        Index: texts of the y setting, columns: texts of the x setting, each in the order of their numbers; values in the figure's
        unit, NaN where nothing was measured.
    """
    mine = points[points["figure"] == figure]
    if mine.empty:
        return pd.DataFrame(), ""
    mine = mine[mine["line"] == (mine["line"].iloc[0] if line is None else line)]
    x_texts = mine.sort_values("x", kind="stable")["x_text"].unique()
    y_texts = mine.sort_values("y", kind="stable")["y_text"].unique()
    table = mine.pivot_table(index="y_text", columns="x_text", values="value", aggfunc="mean", sort=False, dropna=False)
    return table.reindex(index=y_texts, columns=x_texts), str(mine["quantity"].iloc[0]) if len(mine) else ""


def _write(ax: Axes, row: int, column: int, value: float, place: float | None, columns: int) -> None:
    if place is None:
        cell = Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor=_MISSING, linewidth=0)
        ax.add_patch(hatched(cell, "////"))
        colour, around = "#000000", {"facecolor": _MISSING, "edgecolor": "none", "pad": 1.2}
    else:
        colour, around = readable_on(*mpl.colormaps["cividis"](float(place))[:3]), None
    is_narrow = columns > _COLUMNS
    short = float(f"{value:.2g}") if is_narrow else value
    text = digits(short) if math.isfinite(value) else "infinite" if math.isinf(value) else "none" if is_narrow else "missing"
    size = min(style.FONT_SIZE, style.FONT_SIZE * (_COLUMNS + 2) / columns) if is_narrow else style.FONT_SIZE
    ax.text(column, row, text, ha="center", va="center_baseline", color=colour, fontsize=size, bbox=around)
