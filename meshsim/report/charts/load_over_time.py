"""Load over time of one variant: what is offered, what is answered well, and what fails, by response flag."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.patches import Patch

from meshsim.flags import MEANINGS
from meshsim.report.charts import style
from meshsim.report.charts.over_time import Curve, at_time, curves, during, finish, from_zero, peak
from meshsim.report.charts.quantities import amount
from meshsim.report.charts.words import listed, say_nothing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

_MOST_FLAGS = 5
_LEGEND_WIDTH = 56
"""Characters of a line of the legend: as many as a figure of the common width holds."""


@style.styled
def load_over_time(
    timeline: pd.DataFrame,
    errors: pd.DataFrame,
    ax: Axes | None = None,
    *,
    variant: str | None = None,
    route: str = "(all)",
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> Axes:
    """Offered load and goodput as lines, failed requests as areas on top of each other, by flag.

    Args:
        timeline: Frame `timeline` of a result or a comparison.
        errors: Frame `errors` of the same.
        ax: Where to draw; a new figure by default, as high as its legend needs.
        variant: Which one; the first by default.
        route: Of this route; "(all)" is all requests.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.

    Returns:
        The axes: requests per second, the mean of the replications. The rarest flags are one area when there are more than five.
    """
    rows, failed, name = _of(timeline, errors, variant, route)
    found = _by_flag(errors[errors["route"] == route], failed)
    texts = [_explained(flag) for _, flag in found]
    ax = style.axes(ax)
    if not rows["offered_per_s"].notna().any():
        return say_nothing(ax)
    areas = _areas(ax, rows, found)
    lines = []
    for column, line, width in (("offered_per_s", (0, (5, 1.8)), 1.3), ("goodput_per_s", "-", 1.8)):
        curve = next(iter(curves(rows, column).values()))
        (drawn,) = ax.plot(curve.time_s, curve.middle, color=style.INK, linestyle=line, linewidth=width, marker=_mark(curve))
        lines.append(drawn)
    from_zero(ax)
    style.count_axis(ax.yaxis)
    style.y_label(ax, f"requests{'' if route == '(all)' else f' to {route}'} per second")
    if faults is not None and "variant" in faults:
        faults = faults[faults["variant"] == name].drop(columns="variant")
    finish(ax, rows, {}, faults, warm_up_s)
    ax.set_xlabel(f"time since the start, {name}")
    style.legend_below(ax, [*lines, *areas], ["offered", "answered well (goodput)", *texts], columns=1)
    return ax


def reading(
    timeline: pd.DataFrame,
    errors: pd.DataFrame,
    *,
    variant: str | None = None,
    route: str = "(all)",
    faults: pd.DataFrame | None = None,
    warm_up_s: float = 0.0,
) -> str:
    """One sentence: goodput against offered load after the warm-up, the worst interval and the most frequent flag."""
    rows, failed, name = _of(timeline, errors, variant, route)
    rows, failed = rows[rows["time_s"] >= warm_up_s], failed[failed["time_s"] >= warm_up_s]
    offered, good, lost = (_total(rows, f"{what}_per_s") for what in ("offered", "goodput", "errors"))
    if offered == 0:
        return "Nothing was measured."
    time = float((rows["interval_s"]).sum())
    start = f"With {name}, {amount(good / time, 'rate')} of the {amount(offered / time, 'rate')} offered are answered well"
    if lost == 0:
        return f"{start}, and none fails."
    most, when = peak(next(iter(curves(rows, "errors_per_s", most=len(rows) + 1).values())))
    text = f"{start}; failures reach {amount(most, 'rate')} {at_time(when)}{during(faults, [when]).replace('; that is during: ', ', during ')}"
    flags = failed.assign(lost=failed["errors_per_s"] * failed["interval_s"]).groupby("flag", sort=True)["lost"].sum()
    flags = flags[flags > 0]
    if flags.empty:
        return f"{text}."
    first = [str(flag) for flag in flags[np.isclose(flags, flags.max(), rtol=1e-9)].index]
    share = amount(float(flags.max() / flags.sum()), "share")
    if len(first) > 1:
        between = "; " if any("," in flag for flag in first) else ", "
        return f"{text}, and the most frequent flags are {listed(first, between=between)}, with {share} of the failures each."
    return f"{text}, and {share} of all failures are {first[0]} ({meaning(first[0])})."


def meaning(flags: str) -> str:
    """What response flags mean: `retries used up, timed out` for `URX,UT`."""
    return ", ".join(MEANINGS.get(flag, flag) for flag in flags.split(","))


def _of(timeline: pd.DataFrame, errors: pd.DataFrame, variant: str | None, route: str) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    name = variant if variant is not None else str(timeline["variant"].iloc[0]) if len(timeline) else ""
    kept = timeline[(timeline["variant"] == name) & (timeline["route"] == route)]
    return kept, errors[(errors["variant"] == name) & (errors["route"] == route)], name


def _by_flag(errors: pd.DataFrame, failed: pd.DataFrame) -> dict[tuple[int, str], pd.DataFrame]:
    """The rows of each flag, by its place and name: the most frequent first, and the rare ones together under an empty name.

    The places are those among the errors of all variants, so that a flag looks the same in the charts of all of them.
    """
    totals = errors.groupby("flag", sort=True)["errors_per_s"].sum().sort_values(ascending=False, kind="stable")
    names = [str(name) for name in totals[totals > 0].index]
    shown = names if len(names) <= _MOST_FLAGS else names[: _MOST_FLAGS - 1]
    found = {(place, name): failed[failed["flag"] == name] for place, name in enumerate(shown)}
    if len(shown) < len(names):
        keys = ["variant", "replication", "route", "time_s", "interval_s"]
        rest = failed[failed["flag"].isin(names[len(shown) :])]
        found[len(shown), ""] = rest.groupby(keys, sort=True)["errors_per_s"].sum().reset_index()
    return {key: rows for key, rows in found.items() if (rows["errors_per_s"] > 0).any()}


def _explained(flag: str) -> str:
    text = f"{flag}: {meaning(flag)}" if flag else "all other flags"
    return "\n".join(textwrap.wrap(text, _LEGEND_WIDTH, subsequent_indent="  "))


def _areas(ax: Axes, intervals: pd.DataFrame, found: dict[tuple[int, str], pd.DataFrame]) -> list[Artist]:
    """Areas on top of each other; the legend's patches for them."""
    handles: list[Artist] = []
    below: np.ndarray | float = 0.0
    for (place, _), rows in found.items():
        curve = next(iter(curves(_in_all(intervals, rows), "errors_per_s").values()))
        top = below + np.nan_to_num(curve.middle)
        colour = style.COLOURS[1 + place]
        hatch = style.HATCHES[1 + place]
        look: dict[str, Any] = {"facecolor": colour, "hatch": hatch, "edgecolor": style.PAPER, "linewidth": 0.0}
        ax.fill_between(curve.time_s, below, top, zorder=1.2, **look)
        handles.append(Patch(**look))
        below = top
    return handles


def _in_all(intervals: pd.DataFrame, failed: pd.DataFrame) -> pd.DataFrame:
    """The errors in every interval of every replication: zero where the frame has no row, because nothing failed."""
    keys = ["replication", "at"]
    grid = intervals[["variant", "replication", "time_s", "interval_s"]].assign(at=intervals["time_s"].round(6))
    known = failed.assign(at=failed["time_s"].round(6)).groupby(keys, sort=True)["errors_per_s"].sum().reset_index()
    return grid.merge(known, on=keys, how="left").fillna({"errors_per_s": 0.0})


def _mark(curve: Curve) -> str:
    return "o" if len(curve.time_s) == 1 else ""


def _total(rows: pd.DataFrame, column: str) -> float:
    return float((rows[column] * rows["interval_s"]).sum())
