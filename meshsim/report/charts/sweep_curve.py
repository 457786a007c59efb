"""A figure against the setting that was swept, with its intervals, and the knee of a load curve."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from meshsim.report.charts import style
from meshsim.report.charts.ink import CHARACTER_POINTS
from meshsim.report.charts.quantities import amount, quantity_axis
from meshsim.report.charts.words import listed, say_nothing, told_apart, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

_LABEL_LENGTH, _LABEL_IN = 16, 0.079
"""As the names beside the lines are broken, and how much higher each row of them makes the figure, as a multiple."""
_AXES_POINTS = 270.0
"""Width of the axes, on the safe side."""


@style.styled
def sweep_curve(
    points: pd.DataFrame,
    ax: Axes | None = None,
    *,
    figure: str,
    axis_x: str,
    scale: Literal["linear", "log", "auto"] = "auto",
    goodput: str | None = None,
    latency_mean: str | None = None,
) -> Axes:
    """The figure at each point of a sweep, one curve per `line`, bands for the intervals.

    Args:
        points: Frame `points`: x (base units), x_text, line, figure, quantity, value, low, high.
        ax: Where to draw; None makes a figure.
        figure: Which figure, such as `latency:p(99)`.
        axis_x: Path of the setting that was swept, such as `load.shoppers.rate`.
        scale: Of the setting; `auto` takes a logarithm where the points are spaced evenly on it.
        goodput: Name of the figure that says how many requests ended well per second; marks the knee, with `latency_mean`.
        latency_mean: Name of the figure that is the mean latency.

    Returns:
        The axes: x the setting in base units (its place in the order where it is no number), y the figure.
    """
    mine = points[points["figure"] == figure]
    rows = sum(len(wrapped(str(line), _LABEL_LENGTH)) for line in mine["line"].unique())
    ax = style.axes(ax, height=min(2.2, max(1.0, rows * _LABEL_IN)))
    if mine.empty or not mine["value"].notna().any():
        return say_nothing(ax)
    places = _places(points)
    quantity = str(mine["quantity"].iloc[0])
    lines = [str(line) for line in mine["line"].unique()]
    looks = style.looks(lines)
    drawn: dict[str, Line2D] = {}
    for line in lines:
        curve = mine[mine["line"] == line].sort_values("x", kind="stable")
        at = [places[text] for text in curve["x_text"]]
        look = looks[line]
        band = curve["low"].notna() & curve["high"].notna()
        if band.any():
            ax.fill_between(at, curve["low"], curve["high"], where=band.tolist(), color=look.colour, alpha=0.18, linewidth=0)
        (drawn[line],) = ax.plot(
            at, curve["value"], color=look.colour, linestyle=look.line, marker=look.marker, label=line or figure
        )
    _scale_x(ax, places, scale, is_number=bool(points["x"].notna().all()))
    low, high = ax.get_ylim()
    ax.set_ylim(min(0.0, low) if low < 0.35 * high else low, high)
    quantity_axis(ax.yaxis, quantity)
    ax.set_ylabel("\n".join(wrapped(figure, 34)))
    ax.set_xlabel("\n".join(wrapped(axis_x, 50)))
    names = {line: line for line in lines}
    if goodput is not None and latency_mean is not None:
        for line in lines:
            knee_text = _mark_knee(
                ax, points[points["line"] == line], figure, goodput, latency_mean, places, is_only=len(lines) == 1
            )
            names[line] += knee_text and f" ({knee_text})"
    if len(lines) > 1:
        style.label_lines(ax, {names[line]: curve for line, curve in drawn.items()})
    return ax


def knee(load: Sequence[float], goodput: Sequence[float], latency_mean: Sequence[float]) -> float:
    """The load with the greatest power, goodput over mean latency: beyond it latency grows faster than goodput does.

    In M/M/1 the power is `load * (capacity - load)`, greatest at half the capacity.

    Args:
        load: What was swept, in any unit.
        goodput: Requests per second that ended well, at each load.
        latency_mean: Seconds, at each load; NaN where nothing was measured.

    Returns:
        One of the loads, the lowest where several are as good; NaN where no point has a power.

    Source: Kleinrock, "Power and deterministic rules of thumb for probabilistic problems in computer communications", ICC 1979.
    """
    loads, ended, latency = (np.asarray(one, dtype=np.float64) for one in (load, goodput, latency_mean))
    measured = np.isfinite(loads) & np.isfinite(ended) & (latency > 0)
    if not measured.any():
        return math.nan
    loads = loads[measured]
    power = ended[measured] / latency[measured]
    return float(loads[power >= power.max() * (1 - 1e-12)].min())


def reading(
    points: pd.DataFrame, *, figure: str, axis_x: str, goodput: str | None = None, latency_mean: str | None = None
) -> str:
    """One sentence: the lowest and the highest of the figure on each curve and where they are, and the knee."""
    mine = points[(points["figure"] == figure) & points["value"].notna()]
    if mine.empty:
        return f"{figure} against {axis_x}: nothing was measured."
    said = []
    for line in mine["line"].unique():
        curve = mine[mine["line"] == line].sort_values("x", kind="stable")
        quantity = str(curve["quantity"].iloc[0])
        by_value = curve.sort_values("value", kind="stable")
        low, high = by_value.iloc[0], by_value.iloc[-1]
        of = f" with {line}" if line else ""
        if len(curve) == 1:
            said.append(f"is {amount(low['value'], quantity)} at {low['x_text']}, the only point{of}")
        elif low["value"] == high["value"]:
            said.append(f"is {amount(low['value'], quantity)} at each point{of}")
        else:
            ends = [f"{amount(one['value'], quantity)} (at {one['x_text']})" for one in (low, high)]
            said.append(f"is between {ends[0]} and {ends[1]}{of}")
        if goodput is not None and latency_mean is not None:
            said[-1] += _knee_text(points[points["line"] == line], goodput, latency_mean)
    return f"{figure} {listed(said, between='; ')} ({axis_x})."


def _knee_text(points: pd.DataFrame, goodput: str, latency_mean: str) -> str:
    at = _knee_of(points, goodput, latency_mean)
    if at is None:
        return ""
    x, text = at
    loads = points.loc[points["figure"] == goodput, "x"]
    where = (
        ", the highest load of the sweep" if x == loads.max() else ", the lowest load of the sweep" if x == loads.min() else ""
    )
    return f", its knee at {text}{where}"


def _knee_of(points: pd.DataFrame, goodput: str, latency_mean: str) -> tuple[float, str] | None:
    """Load of the knee, as a number and as the user wrote it."""
    ended = points[points["figure"] == goodput].drop_duplicates("x").set_index("x")
    latency = points[points["figure"] == latency_mean].drop_duplicates("x").set_index("x")["value"].reindex(ended.index)
    x = knee(ended.index.to_list(), ended["value"].to_list(), latency.to_list())
    return None if math.isnan(x) else (x, str(ended.loc[[x], "x_text"].iloc[0]))


def _mark_knee(
    ax: Axes, points: pd.DataFrame, figure: str, goodput: str, latency_mean: str, places: dict[str, float], *, is_only: bool
) -> str:
    """A ring on the curve, named where it is the only one; what the name of the curve says otherwise."""
    at = _knee_of(points, goodput, latency_mean)
    curve = points[points["figure"] == figure].drop_duplicates("x_text").set_index("x_text")["value"]
    if at is None or at[1] not in curve.index or math.isnan(curve[at[1]]):
        return ""
    place = (places[at[1]], float(curve[at[1]]))
    ax.plot(*place, marker="o", markersize=11, markerfacecolor="none", markeredgecolor=style.INK, linestyle="none", zorder=5)
    text = f"knee {at[1]}"
    if is_only:
        ax.annotate(text, place, xytext=(-4, 12), textcoords="offset points", ha="right")
    return text


def _places(points: pd.DataFrame) -> dict[str, float]:
    """Where each value of the setting stands: at its number, or one after the other where it has none."""
    ordered = points.drop_duplicates("x_text").sort_values("x", kind="stable")
    if ordered["x"].notna().all() and ordered["x"].is_unique:
        return {str(text): float(x) for text, x in zip(ordered["x_text"], ordered["x"], strict=True)}
    return {str(text): float(at) for at, text in enumerate(points["x_text"].unique())}


def _scale_x(ax: Axes, places: dict[str, float], scale: str, *, is_number: bool) -> None:
    """Ticks at the values that were swept, as the user wrote them: those that have room beside each other, all where they are names."""
    at = np.array(sorted(places.values()))
    if scale == "log" or (scale == "auto" and is_number and _is_geometric(at)):
        ax.set_xscale("log")
        ax.minorticks_off()
    ordered = sorted(places.items(), key=lambda one: one[1])
    spots = (ax.transData - ax.transAxes).transform([(place, 0.0) for _, place in ordered])[:, 0]
    shown: list[tuple[float, str]] = []
    names, free = told_apart(places, 20), -1.0
    for (text, place), spot in zip(ordered, spots, strict=True):
        half = (len(text) / 2 + 0.8) * CHARACTER_POINTS / _AXES_POINTS
        if not is_number or spot - half >= free:
            shown.append((place, names[text]))
            free = spot + half
    ax.set_xticks([place for place, _ in shown], [text for _, text in shown])
    if not is_number and sum(len(text) + 2 for _, text in shown) * CHARACTER_POINTS > _AXES_POINTS:
        ax.tick_params(axis="x", rotation=30, rotation_mode="xtick")


def _is_geometric(at: np.ndarray) -> bool:
    """Whether values stand more evenly on a logarithmic scale than on a linear one."""
    if len(at) < 3 or at[0] <= 0 or at[-1] < 8 * at[0]:
        return False
    steps, ratios = np.diff(at), np.diff(np.log(at))
    return bool(steps.std() / steps.mean() > 2 * ratios.std() / ratios.mean())
