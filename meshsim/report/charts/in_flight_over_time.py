"""Requests in the system over time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.over_time import at_time, by_variant, curves, draw, during, finish, from_zero, peak
from meshsim.report.charts.words import say_nothing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@style.styled
def in_flight_over_time(
    timeline: pd.DataFrame,
    ax: Axes | None = None,
    *,
    route: str = "(all)",
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """How many requests are under way at the end of each interval, a line a variant.

    Args:
        timeline: Frame `timeline` of a result or a comparison.
        ax: Where to draw; a new figure by default.
        route: Of this route; "(all)" is all requests.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes: requests, the mean of the replications.
    """
    ax = style.axes(ax)
    rows = timeline[timeline["route"] == route]
    if rows.empty:
        return say_nothing(ax)
    lines = draw(ax, curves(rows, "in_flight"), style.looks(timeline["variant"]))
    from_zero(ax)
    style.count_axis(ax.yaxis)
    style.y_label(ax, "requests in flight" if route == "(all)" else f"requests of {route} in flight")
    finish(ax, rows, lines, faults, warm_up_s)
    return ax


def reading(timeline: pd.DataFrame, *, route: str = "(all)", faults: pd.DataFrame | None = None, warm_up_s: float = 0.0) -> str:
    """One sentence: the most requests in flight after the warm-up, by variant, and when."""
    rows = timeline[(timeline["route"] == route) & (timeline["time_s"] >= warm_up_s)]
    peaks = {name: peak(curve) for name, curve in curves(rows, "in_flight", most=len(rows) + 1).items()}
    if all(math.isnan(value) for value, _ in peaks.values()):
        return "Nothing was measured."
    values = {name: value for name, (value, _) in peaks.items()}
    remarks = {name: at_time(when) for name, (value, when) in peaks.items() if value > 0}
    thing = "requests" if route == "(all)" else f"requests of {route}"
    while_in = during(faults, (when for value, when in peaks.values() if value > 0))
    return f"The most {thing} in flight at the end of an interval are {by_variant(values, 'number', remarks)}{while_in}."
