"""How busy each service is, by variant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.lines import Line2D

from meshsim.report.charts import style
from meshsim.report.charts.over_time import by_variant
from meshsim.report.charts.quantities import amount
from meshsim.report.charts.words import listed, say_nothing, told_apart

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_MOST_LENGTH = 24
_MARK_POINTS, _GAP_POINTS = 5.4, 9.0
"""Height of a mark, and between the marks of one service and of the next."""


@style.styled
def utilisation(nodes: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """The share of its workers that a service holds: one mark a variant, the busiest service first.

    Args:
        nodes: Frame `nodes` of a result or a comparison; or `services` over time, of which the mean over time is drawn.
        ax: Where to draw; a new figure by default, as high as its services need.

    Returns:
        The axes: a mark is the mean of the replications, its line reaches from the lowest to the highest of them.
    """
    each = _each(nodes)
    names = _busiest_first(each)
    seen = style.looks(nodes["variant"])
    row_points = max(17.0, _MARK_POINTS * len(seen) + _GAP_POINTS)
    between = _MARK_POINTS / row_points
    ax = style.axes(ax, height=max(0.5, (row_points * len(names) + 50) / 72 / style.HEIGHT_IN))
    if not names:
        return say_nothing(ax)
    summed = each.groupby(["variant", "service"])["utilisation"].agg(["mean", "min", "max"]).reset_index()
    found = {(variant, name): (mean, low, high) for variant, name, mean, low, high in summed.itertuples(index=False)}
    for place, (variant, look) in enumerate(seen.items()):
        shift = (place - (len(seen) - 1) / 2) * between
        for row, name in enumerate(names):
            if (variant, name) not in found:
                continue
            mean, low, high = found[variant, name]
            if high > low:
                ax.plot([low, high], [row + shift] * 2, color=look.colour, linewidth=1.2, zorder=2, solid_capstyle="butt")
            ax.plot([mean], [row + shift], color=look.colour, marker=look.marker, markersize=5, linestyle="", zorder=3)
    _frame(ax, names, float(summed["max"].max()))
    if len(seen) > 1:
        _legend(ax, seen)
    return ax


def reading(nodes: pd.DataFrame) -> str:
    """One sentence: the busiest service of the first variant and its utilisation with each; and which are at their limit."""
    each = _each(nodes)
    means = each.groupby(["variant", "service"], sort=False)["utilisation"].mean()
    variants = [str(name) for name in nodes["variant"].unique() if name in means.index.get_level_values(0)]
    if not variants:
        return "Nothing was measured."
    first = means.loc[variants[0]]
    most = float(first.max())
    busiest = [str(name) for name in first[np.isclose(first, most, rtol=1e-9)].index]
    if len(busiest) > 1:
        return f"With {variants[0]}, {listed(busiest)} are the busiest, at {amount(most, 'share')} of their workers."
    values = {name: float(means.get((name, busiest[0]), float("nan"))) for name in variants}
    whose = f" with {variants[0]}" if len(variants) > 1 else ""
    text = f"{busiest[0]} is the busiest service{whose}"
    return f"{text}; the share of its workers that is busy there is {by_variant(values, 'share')}."


def _each(nodes: pd.DataFrame) -> pd.DataFrame:
    """One row for each variant, replication and service: variant, replication, service, utilisation."""
    known = nodes[nodes["utilisation"].notna()]
    keys = ["variant", "replication", "service"]
    if "time_s" not in known:
        return known.groupby(keys, sort=False)["utilisation"].mean().reset_index()
    weighed = known.assign(held=known["utilisation"] * known["interval_s"])
    summed = weighed.groupby(keys, sort=False)[["held", "interval_s"]].sum().reset_index()
    return summed.assign(utilisation=summed["held"] / summed["interval_s"])[[*keys, "utilisation"]]


def _busiest_first(each: pd.DataFrame) -> list[str]:
    """By the highest mean of any variant; equal ones by name."""
    means = each.groupby(["service", "variant"])["utilisation"].mean().groupby("service").max()
    return sorted((str(name) for name in means.index), key=lambda name: (-float(means[name]), name))


def _frame(ax: Axes, names: list[str], most: float) -> None:
    ax.set_ylim(len(names) - 0.45, -0.55)
    ax.set_yticks(range(len(names)), list(told_apart(names, _MOST_LENGTH).values()))
    ax.tick_params(axis="y", length=0)
    ax.grid(visible=False, axis="y")
    for row in range(1, len(names)):
        ax.axhline(row - 0.5, color=style.INK, alpha=0.12, linewidth=0.6, zorder=0.5)
    ax.set_xlim(0, max(1.03, most * 1.03))
    ax.axvline(1.0, color=style.INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=1)
    style.share_axis(ax.xaxis)
    ax.set_xlabel("utilisation: workers held, of all that are up")


def _legend(ax: Axes, seen: dict[str, style.Look]) -> None:
    marks = [Line2D([], [], color=look.colour, marker=look.marker, markersize=5, linestyle="") for look in seen.values()]
    names = list(told_apart(seen, 30).values())
    beside = 7 * max(
        len(label.get_text()) for label in ax.get_yticklabels()
    )  # the legend begins where the axes do, right of the services
    room = 72 * ax.get_figure(root=True).get_figwidth() - beside  # type: ignore[union-attr]
    style.legend_below(ax, marks, names, columns=max(1, int(room / (45 + 6 * max(map(len, names))))))
