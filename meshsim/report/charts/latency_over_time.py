"""Latency over time: the tail and the middle of the requests that start in each interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import numpy as np

from meshsim.report.charts import style
from meshsim.report.charts.over_time import at_time, by_variant, curves, draw, during, finish, peak
from meshsim.report.charts.quantities import amount
from meshsim.report.charts.words import say_nothing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

Quantile = Literal["p50", "p90", "p99", "mean"]
_MOST_WITH_MEDIAN = 4


@style.styled
def latency_over_time(
    timeline: pd.DataFrame,
    ax: Axes | None = None,
    *,
    route: str = "(all)",
    quantile: Quantile = "p99",
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """A quantile of latency over time, and the p50 as a thin line below it; log axis.

    Args:
        timeline: Frame `timeline` of a result or a comparison.
        ax: Where to draw; a new figure by default.
        route: Of this route; "(all)" is all requests.
        quantile: p50, p90, p99 or mean.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes. A line is the median of the replications; with more than four variants the p50 is left out.
    """
    ax = style.axes(ax)
    rows = timeline[timeline["route"] == route]
    found = curves(rows, f"latency_{quantile}_s", how="median")
    if not any((curve.middle > 0).any() for curve in found.values()):
        return say_nothing(ax)
    ax.set_yscale("log")
    seen = style.looks(timeline["variant"])
    has_median = quantile != "p50" and len(found) <= _MOST_WITH_MEDIAN
    if has_median:
        draw(ax, curves(rows, "latency_p50_s", how="median"), seen, width=0.9, has_marks=False)
    lines = draw(ax, found, seen)
    _limits(ax)
    style.duration_axis(ax.yaxis)
    finish(ax, rows, lines, faults, warm_up_s)
    whose = "" if route == "(all)" else f" of {route}"
    style.y_label(ax, f"latency{whose}: {quantile}" + ("\n(thin: p50)" if has_median else ""))
    return ax


def reading(
    timeline: pd.DataFrame,
    *,
    route: str = "(all)",
    quantile: Quantile = "p99",
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> str:
    """One sentence: the highest value of each variant after the warm-up, and when."""
    rows = timeline[(timeline["route"] == route) & (timeline["time_s"] >= warm_up_s)]
    found = curves(rows, f"latency_{quantile}_s", how="median", most=len(rows) + 1)
    peaks = {name: peak(curve) for name, curve in found.items()}
    if all(math.isnan(value) for value, _ in peaks.values()):
        return "Nothing was measured."
    remarks = {name: at_time(time_s) for name, (value, time_s) in peaks.items() if not math.isnan(value)}
    length = amount(float(rows["interval_s"].max()), "duration")
    whose = "" if route == "(all)" else f" of {route}"
    values = {name: value for name, (value, _) in peaks.items()}
    many = ", median of the replications," if len(rows["replication"].unique()) > 1 else ""
    while_in = during(faults, (time_s for value, time_s in peaks.values() if not math.isnan(value)))
    return (
        f"The highest {quantile}{whose} of an interval of {length}{many} is {by_variant(values, 'duration', remarks)}{while_in}."
    )


def _limits(ax: Axes) -> None:
    """All that is drawn and a little more; at least from one power of ten to the next, so that noise does not look like news."""
    values = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in ax.lines])
    bands = [np.asarray(path.vertices, dtype=float)[:, 1] for part in ax.collections for path in part.get_paths()]
    values = np.concatenate([values, *bands])
    values = values[np.isfinite(values) & (values > 0)]
    low, high = float(values.min()) / 1.15, float(values.max()) * 1.15
    if high / low < 10:
        middle = math.sqrt(low * high)
        low, high = middle / math.sqrt(10), middle * math.sqrt(10)
    ax.set_ylim(low, high)
