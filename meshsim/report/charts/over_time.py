"""What the charts over time share: one curve a variant with its band, thinned out where there are more intervals than can be seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshsim.report.charts.labels import label_lines
from meshsim.report.charts.quantities import amount
from meshsim.report.charts.scales import duration_axis, duration_text
from meshsim.report.charts.windows import fault_windows, warm_up
from meshsim.report.charts.words import listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Literal

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from meshsim.report.charts.style import Look

MOST_POINTS = 200
"""Points of a curve: one every 1.5 points of a common figure's width."""
_MOST_NAMED = 4


class Curve(NamedTuple):
    """A quantity over time: float64 arrays of shape (points,), NaN where nothing is known."""

    time_s: np.ndarray
    """Middle of the time that a point stands for."""
    middle: np.ndarray
    """Mean or median over the replications."""
    low: np.ndarray
    """Of the lowest replication."""
    high: np.ndarray
    """Of the highest replication."""


def curves(
    frame: pd.DataFrame, column: str, *, how: Literal["mean", "median"] = "mean", most: int = MOST_POINTS
) -> dict[str, Curve]:
    """The curve of each variant, in the order of the frame.

    Args:
        frame: `variant`, `replication`, `time_s`, `interval_s` and the column; one row for each interval of a replication.
        column: What to draw.
        how: What a curve is of its replications; and a point of the intervals in it, where they are thinned out.
        most: The most points; neighbouring intervals are put together until there are no more.
    """
    found = {}
    for variant, rows in parts(frame):
        table = rows.pivot_table(index="time_s", columns="replication", values=column, aggfunc="mean", dropna=False)
        length = rows.groupby("time_s")["interval_s"].max().reindex(table.index).to_numpy(dtype=float)
        start = table.index.to_numpy(dtype=float)
        together = max(1, math.ceil(len(table) / most))
        group = np.arange(len(table)) // together
        grouped = table.groupby(group)
        each = grouped.mean() if how == "mean" else grouped.median()
        first = np.flatnonzero(np.diff(group, prepend=-1))
        last = np.append(first[1:], len(group)) - 1
        found[variant] = Curve(
            (start[first] + start[last] + length[last]) / 2,
            (each.mean(axis=1) if how == "mean" else each.median(axis=1)).to_numpy(dtype=float),
            each.min(axis=1).to_numpy(dtype=float),
            each.max(axis=1).to_numpy(dtype=float),
        )
    return found


def parts(frame: pd.DataFrame, column: str = "variant") -> Iterator[tuple[str, pd.DataFrame]]:
    """The rows of each variant, in the order of the frame."""
    for name in frame[column].unique():
        yield str(name), frame[frame[column] == name]


def draw(
    ax: Axes,
    found: Mapping[str, Curve],
    seen: Mapping[str, Look],
    *,
    width: float = 1.6,
    opacity: float = 1.0,
    has_marks: bool = True,
) -> dict[str, Line2D]:
    """Draw each curve with its band, and marks that do not meet those of the others.

    Returns:
        The lines by variant.
    """
    lines = {}
    for place, (variant, curve) in enumerate(found.items()):
        look = seen[variant]
        is_log = ax.get_yscale() == "log"
        middle, low, high = (np.where(part > 0, part, np.nan) if is_log else part for part in curve[1:])
        if np.nanmax(high - low, initial=0.0) > 0 and has_marks:
            ax.fill_between(curve.time_s, low, high, color=look.colour, alpha=0.22, linewidth=0, zorder=1.5)
        (lines[variant],) = ax.plot(
            curve.time_s,
            middle,
            color=look.colour,
            linestyle=look.line,
            linewidth=width,
            alpha=opacity,
            marker=look.marker,
            markevery=_marks(middle, place, len(found), has_marks=has_marks),
            zorder=2.5,
        )
    return lines


def finish(
    ax: Axes, frame: pd.DataFrame, lines: Mapping[str, Line2D], faults: pd.DataFrame | None = None, warm_up_s: float = 0.0
) -> None:
    """The time axis from the first to the last interval, its unit, what the band is, the names of lines, the warm-up and the faults."""
    start, end = float(frame["time_s"].min()), float((frame["time_s"] + frame["interval_s"]).max())
    ax.set_xlim(start, end if end > start else start + 1)
    duration_axis(ax.xaxis, most=6)
    replications = len(frame["replication"].unique())
    band = f"\nband: lowest to highest of {replications} replications" if replications > 1 and lines else ""
    ax.set_xlabel(f"time since the start{band}")
    label_lines(ax, lines)
    warm_up(ax, warm_up_s)
    fault_windows(ax, faults)


def from_zero(ax: Axes) -> None:
    """The y axis from 0 to a little above what is drawn; to 1 where all is zero."""
    top = ax.get_ylim()[1]
    has_height = any(np.nanmax(np.asarray(line.get_ydata(), dtype=float), initial=0.0) > 0 for line in ax.lines)
    ax.set_ylim(0, top if has_height and top > 0 else 1)


def peak(curve: Curve) -> tuple[float, float]:
    """The highest value of a curve and its time in seconds; NaN where nothing is known."""
    if not np.isfinite(curve.middle).any():
        return math.nan, math.nan
    at = int(np.nanargmax(curve.middle))
    return float(curve.middle[at]), float(curve.time_s[at])


def by_variant(values: Mapping[str, float], quantity: str, remarks: Mapping[str, str] | None = None) -> str:
    """`3.2 s with as-is, 1.3 s with budget (-59 %) and unknown with x`; of many variants the first, the lowest and the highest.

    Args:
        values: By variant, in the order of the comparison.
        quantity: `duration`, `share`, `rate` or `number`.
        remarks: What stands in brackets, by variant.
    """
    texts = [f"{amount(value, quantity)} with {name}{_bracket(remarks, name)}" for name, value in values.items()]
    known = {name: value for name, value in values.items() if not math.isnan(value)}
    if len(texts) > _MOST_NAMED and known:
        low, high = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
        ends = f"from {amount(known[low], quantity)} ({low}) to {amount(known[high], quantity)} ({high})"
        return f"{texts[0]}, and {ends} among all {len(values)} variants"
    return listed(texts)


def at_time(time_s: float) -> str:
    """`at 2 min 30 s`."""
    return f"at {duration_text(float(f'{time_s:.4g}'))}" if time_s > 0 else "at the start"


def during(faults: pd.DataFrame | None, times_s: Iterable[float]) -> str:
    """`; that is during: payment 5x slower` when all the times lie in one fault that all variants have, else nothing."""
    times = list(times_s)
    if faults is None or "variant" in faults or not times:
        return ""
    around = faults[(faults["from_s"] <= min(times)) & (max(times) < faults["until_s"])]
    labels = [str(label) for label in around["label"].unique()]
    return f"; that is during: {listed(labels)}" if labels else ""


def _bracket(remarks: Mapping[str, str] | None, name: str) -> str:
    remark = (remarks or {}).get(name, "")
    return f" ({remark})" if remark else ""


def _marks(values: np.ndarray, place: int, count: int, *, has_marks: bool) -> list[int]:
    """Six along the curve, between those of the other curves; and each point that has no neighbour to be joined to."""
    known = np.isfinite(values)
    alone = known & ~np.append(known[1:], False) & ~np.append(False, known[:-1])
    step = max(1, len(values) // 6)
    regular = range(int(step * (place + 0.5) / max(1, count)), len(values), step) if has_marks else ()
    return sorted({*regular, *(int(at) for at in np.flatnonzero(alone))})
