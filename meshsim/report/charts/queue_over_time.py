"""Waiting requests of one service over time."""

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
def queue_over_time(
    services: pd.DataFrame,
    ax: Axes | None = None,
    *,
    service: str,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """How many requests wait for a worker of a service, in all replicas together, a line a variant.

    Args:
        services: Frame `services` of a result or a comparison, over time.
        ax: Where to draw; a new figure by default.
        service: Which one.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes: waiting requests, the mean over an interval and over the replications.
    """
    ax = style.axes(ax)
    rows = services[services["service"] == service]
    if rows.empty:
        return say_nothing(ax)
    lines = draw(ax, curves(rows, "queue"), style.looks(services["variant"]))
    from_zero(ax)
    style.count_axis(ax.yaxis)
    style.y_label(ax, f"requests waiting at {service}")
    finish(ax, rows, lines, faults, warm_up_s)
    return ax


def reading(services: pd.DataFrame, *, service: str, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0) -> str:
    """One sentence: the longest queue of an interval after the warm-up, by variant, and when."""
    rows = services[(services["service"] == service) & (services["time_s"] >= warm_up_s)]
    peaks = {name: peak(curve) for name, curve in curves(rows, "queue", most=len(rows) + 1).items()}
    values = {name: value for name, (value, _) in peaks.items()}
    if all(math.isnan(value) for value in values.values()):
        return "Nothing was measured."
    if max(value for value in values.values() if not math.isnan(value)) == 0:
        return f"No request waited at {service}."
    remarks = {name: at_time(when) for name, (value, when) in peaks.items() if value > 0}
    while_in = during(faults, (when for value, when in peaks.values() if value > 0))
    return f"The longest queue at {service}, mean of an interval, is {by_variant(values, 'number', remarks)}{while_in}."
