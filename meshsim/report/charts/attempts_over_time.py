"""Attempts against calls of one service over time: how much load retries add."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from meshsim.report.charts import style
from meshsim.report.charts.over_time import at_time, by_variant, curves, draw, during, finish, from_zero, parts, peak
from meshsim.report.charts.quantities import amount
from meshsim.report.charts.words import say_nothing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@style.styled
def attempts_over_time(
    services: pd.DataFrame,
    ax: Axes | None = None,
    *,
    service: str,
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """All attempts at a service, and as thin lines the calls (first tries): what is between them are retries.

    Args:
        services: Frame `services` of a result or a comparison, over time.
        ax: Where to draw; a new figure by default.
        service: Which one.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes: attempts per second, the mean of the replications.
    """
    ax = style.axes(ax)
    rows = services[services["service"] == service]
    if rows.empty:
        return say_nothing(ax)
    seen = style.looks(services["variant"])
    found = curves(rows, "attempts_per_s")
    draw(ax, curves(rows, "calls_per_s"), seen, width=0.8, has_marks=False)
    lines = draw(ax, found, seen)
    from_zero(ax)
    style.count_axis(ax.yaxis)
    style.y_label(ax, f"attempts at {service} per second\n(thin: first tries)")
    finish(ax, rows, lines, faults, warm_up_s)
    return ax


def reading(services: pd.DataFrame, *, service: str, faults: pd.DataFrame | None = None, warm_up_s: float = 0.0) -> str:
    """One sentence: attempts a call over the time after the warm-up, by variant, and the most in one interval."""
    rows = services[(services["service"] == service) & (services["time_s"] >= warm_up_s)]
    totals = {}
    worst, whose, when = math.nan, "", math.nan
    for name, part in parts(rows):
        calls = float((part["calls_per_s"] * part["interval_s"]).sum())
        tries = float((part["attempts_per_s"] * part["interval_s"]).sum())
        totals[name] = tries / calls if calls else math.nan
        ratios = part.assign(ratio=(part["attempts_per_s"] / part["calls_per_s"]).where(part["calls_per_s"] > 0))
        most, at = peak(next(iter(curves(ratios, "ratio", most=len(ratios) + 1).values())))
        if not math.isnan(most) and not worst >= most:
            worst, whose, when = most, name, at
    if math.isnan(worst):
        return f"{service} was not called."
    if worst <= 1 and max(total for total in totals.values() if not math.isnan(total)) <= 1:
        return f"No call of {service} was tried again."
    return (
        f"The attempts per call of {service} are {by_variant(totals, 'number')} on average, "
        f"and at most {amount(worst, 'number')} in an interval ({whose}, {at_time(when)}){during(faults, [when])}."
    )
