"""Where the time goes on the slowest requests, stage by stage or service by service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd
from matplotlib.colors import to_rgb

from meshsim.report.charts import style
from meshsim.report.charts.quantities import amount
from meshsim.report.charts.stages import (
    FILLS,
    LARGEST,
    REST,
    Fill,
    hatched,
    legend_under,
    meant,
    readable_on,
    sample,
    width_points,
)
from meshsim.report.charts.words import figure_of, listed, say_nothing, shortened, told_apart, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

SLOWEST = "slowest 1 % of the requests"
EVERYTHING_ELSE = "all others"
_BAR = 0.68
_AROUND_IN, _LINE_IN = 0.75, 0.17


@style.styled
def where_time_goes(
    stages: pd.DataFrame, ax: Axes | None = None, *, route: str = "(all)", by: Literal["stage", "service"] = "stage"
) -> Axes:
    """One bar per variant: the mean latency of the slowest 1 % of the requests, divided into its parts.

    Args:
        stages: Frame `stages`: variant, replication, route, service, stage, mean_s (seconds per slow request).
        ax: Where to draw; None makes a figure.
        route: Whose requests; `(all)` for those of all routes.
        by: What the parts are.

    Returns:
        The axes: x in seconds, one bar per variant, the first on top.
    """
    parts = parts_of(stages, route=route, by=by)
    names = ["\n".join(wrapped(text, 16)) for text in told_apart(map(str, parts.index), 44).values()]
    rows = sum(max(3.0, 1.3 * (1 + name.count("\n"))) for name in names)
    ax = style.axes(ax, height=(_AROUND_IN + _LINE_IN * (rows + len(parts.columns) / 2)) / style.HEIGHT_IN if names else 0.6)
    if parts.empty or not parts.to_numpy().sum() > 0:
        return say_nothing(ax)
    fills = _fills(list(parts.columns), by)
    starts = parts.cumsum(axis=1) - parts
    drawn: list[tuple[Rectangle, str, str]] = []
    for name, (colour, hatch) in fills.items():
        bars = ax.barh(range(len(parts)), parts[name], _BAR, left=starts[name], color=colour, linewidth=0)
        for bar in bars:
            hatched(bar, hatch)
            drawn.append((bar, name, colour))
    totals = parts.sum(axis=1)
    for row, total in enumerate(totals):
        ax.annotate(amount(total, "duration"), (total, row), (4, 0), textcoords="offset points", va="center", fontweight="bold")
    ax.set_yticks(range(len(parts)), names)
    ax.set_ylim(len(parts) - 0.5, -0.5)
    ax.set_xlim(0, totals.max() * 1.2)
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    ax.spines["left"].set_visible(False)
    ax.set_xlabel(f"mean latency of the {SLOWEST}" + ("" if route == "(all)" else f"\nof {shortened(route, 50)}"))
    style.duration_axis(ax.xaxis)
    left = max(width_points(line) for name in names for line in name.splitlines()) + 4
    legend_under(
        ax, [sample(fill) for fill in fills.values()], [_meant(text, by) for text in told_apart(fills, 28).values()], left
    )
    _write_inside(ax, drawn)
    return ax


def reading(stages: pd.DataFrame, *, route: str = "(all)", by: Literal["stage", "service"] = "stage") -> str:
    """One sentence: the largest part of each variant's slow requests."""
    parts = parts_of(stages, route=route, by=by, most=10**6)
    if parts.empty or not parts.to_numpy().sum() > 0:
        return "Where the time goes: nothing was measured."
    of = "" if route == "(all)" else f" of {route}"
    said = []
    for variant, row in parts.iterrows():
        total = row.sum()
        if not total > 0:
            said.append(f"nothing was measured with {variant}")
            continue
        largest = row[row >= row.max() * (1 - 1e-9)]
        names = listed([_meant(str(name), by) for name in largest.index])
        verb, each = ("takes", "") if len(largest) == 1 else ("take", " each")
        share = amount(row.max() / total, "share")
        said.append(f"{names} {verb} {share}{each} of {amount(total, 'duration')} with {variant}")
    return f"On the {SLOWEST}{of}, {listed(said, between='; ')}."


def parts_of(stages: pd.DataFrame, *, route: str, by: Literal["stage", "service"], most: int = len(LARGEST)) -> pd.DataFrame:
    """Mean seconds of each part, over replications.

    Returns:
        Index: variants in their order; columns: stages in theirs, or the `most` largest services, then all others in one.
    """
    mine = stages[stages["route"] == route]
    if mine.empty:
        return pd.DataFrame()
    variants = mine["variant"].unique()
    replications = mine.groupby("variant")["replication"].nunique()
    sums = mine.groupby(["variant", by])["mean_s"].sum().unstack(fill_value=0)  # noqa: PD010 — two columns of an index, not a pivot
    parts = sums.div(replications, axis=0).loc[variants]
    if by == "stage":
        known = [name for name in FILLS if name in parts.columns]
        return parts[[*known, *(name for name in parts.columns if name not in FILLS)]]
    order = parts.sum().sort_values(ascending=False, kind="stable").index
    if len(order) <= most:
        return parts[order]
    kept = parts[order[:most]].copy()
    kept[EVERYTHING_ELSE] = parts[order[most:]].sum(axis=1)
    return kept


def _fills(names: list[str], by: str) -> dict[str, Fill]:
    if by == "stage":
        return {name: FILLS.get(name, REST) for name in names}
    own = iter(LARGEST)
    return {name: REST if name == EVERYTHING_ELSE else next(own, REST) for name in names}


def _meant(name: str, by: str) -> str:
    return meant(name) if by == "stage" else name.strip("()")


def _write_inside(ax: Axes, drawn: list[tuple[Rectangle, str, str]]) -> None:
    """Names and amounts in the parts that are wide enough for them, once it is known how wide the axes are."""
    figure_of(ax).draw_without_rendering()
    for bar, name, colour in drawn:
        middle = (bar.get_x() + bar.get_width() / 2, bar.get_y() + bar.get_height() / 2)
        value = amount(bar.get_width(), "duration")
        for text in (f"{name.strip('()')}\n{value}", value):
            label = ax.text(
                *middle,
                text,
                ha="center",
                va="center",
                color=readable_on(*to_rgb(colour)),
                linespacing=1.0,
                bbox={"facecolor": colour, "edgecolor": "none", "pad": 0.6},
            )
            label.set_in_layout(False)
            room, wanted = bar.get_window_extent(), label.get_window_extent()
            if wanted.width <= room.width * 0.92 and wanted.height <= room.height:
                break
            label.remove()
