"""Latency as a complementary distribution: which share of the requests takes longer than a time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from meshsim.report.charts import style
from meshsim.report.charts.over_time import by_variant, parts
from meshsim.report.charts.quantities import amount, change
from meshsim.report.charts.scales import share_text
from meshsim.report.charts.words import say_nothing, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from matplotlib.axes import Axes

_QUANTILES = (("p50", 0.5), ("p90", 0.1), ("p99", 0.01), ("p99.9", 1e-3), ("p99.99", 1e-4), ("p99.999", 1e-5))
_POINTS = 400
_FEW = 10
"""Requests: below so many a share says nothing, and the axis ends."""


class Distribution(NamedTuple):
    """Latencies in rising order with their counts: float64 seconds and whole numbers, shape (bins,)."""

    latency_s: np.ndarray
    requests: np.ndarray

    def slower(self, than_s: np.ndarray) -> np.ndarray:
        """The share of requests that take longer than each time."""
        left = np.append(np.cumsum(self.requests[::-1])[::-1], 0)
        shares: np.ndarray = left[np.searchsorted(self.latency_s, than_s, side="right")] / max(1, left[0])
        return shares

    def quantile(self, share: float) -> float:
        """The shortest latency that the share of requests does not exceed; NaN without requests."""
        total = self.requests.sum()
        if total == 0:
            return math.nan
        at = np.searchsorted(np.cumsum(self.requests), share * total - 1e-9 * total, side="left")
        return float(self.latency_s[min(int(at), len(self.latency_s) - 1)])


@style.styled
def latency_ccdf(latency: pd.DataFrame, ax: Axes | None = None, *, route: str | None = None, slo_s: float | None = None) -> Axes:
    """The share of requests that take longer than a time, on log axes: one line a variant, all its replications together.

    Args:
        latency: Frame `latency` of a result or a comparison: variant, replication, route, latency_s, requests.
        ax: Where to draw; a new figure by default.
        route: Only this route; all of them by default.
        slo_s: The latency that is promised, in seconds: drawn as a line.

    Returns:
        The axes: seconds along x, shares up y. The band is what the single replications span.
    """
    ax = style.axes(ax)
    rows = _of_route(latency, route)
    pooled = {name: _distribution(part) for name, part in parts(rows)}
    pooled = {name: found for name, found in pooled.items() if (found.latency_s > 0).any()}
    if not pooled:
        return say_nothing(ax)
    low, high = _ends(pooled.values(), slo_s)
    bottom = min(0.05, max(1e-6, min(_FEW / max(1, int(found.requests.sum())) for found in pooled.values())))
    ax.set(xscale="log", yscale="log", xlim=(low, high), ylim=(bottom, 1.25))
    grid = np.geomspace(low, high, _POINTS)
    seen = style.looks(latency["variant"])
    lines = {}
    for place, (variant, found) in enumerate(pooled.items()):
        look, shares = seen[variant], found.slower(grid)
        _band(ax, rows[rows["variant"] == variant], grid, look.colour, bottom)
        last = int(np.flatnonzero(shares >= bottom)[-1]) + 1
        (lines[variant],) = ax.plot(
            grid[: last + 1],
            np.maximum(shares, bottom)[: last + 1],
            color=look.colour,
            linestyle=look.line,
            marker=look.marker,
            markevery=_marks(shares, place, len(pooled), bottom),
        )
    _quantile_axis(ax, bottom)
    style.duration_axis(ax.xaxis)
    replications = rows["replication"].nunique()
    band = f"\nband: lowest to highest of {replications} replications" if replications > 1 else ""
    ax.set_xlabel(f"latency{'' if route is None else f' of {shortened(route, 40)}'}{band}")
    if slo_s:
        _slo(ax, slo_s)
    style.label_lines(ax, lines)
    return ax


def reading(latency: pd.DataFrame, *, route: str | None = None, slo_s: float | None = None) -> str:
    """One sentence: p99 of each variant with its change, and how many are slower than what is promised, or the slowest in a thousand."""
    rows = _of_route(latency, route)
    found = {name: _distribution(part) for name, part in parts(rows)}
    found = {name: one for name, one in found.items() if one.requests.sum() > 0}
    if not found:
        return "Nothing was measured."
    p99 = {name: one.quantile(0.99) for name, one in found.items()}
    first = next(iter(found))
    remarks = {name: change(value / p99[first] - 1) for name, value in p99.items() if name != first and p99[first] > 0}
    text = f"The p99{' of all requests' if route is None else f' of {route}'} is {by_variant(p99, 'duration', remarks)}"
    if slo_s:
        slower = {name: float(one.slower(np.array([slo_s]))[0]) for name, one in found.items()}
        return f"{text}; the share slower than {amount(slo_s, 'duration')} is {by_variant(slower, 'share')}."
    if found[first].requests.sum() >= 1000:
        return f"{text}; 1 in 1,000 requests of {first} takes {amount(found[first].quantile(0.999), 'duration')} or longer."
    return f"{text}."


def _of_route(latency: pd.DataFrame, route: str | None) -> pd.DataFrame:
    rows = latency[latency["latency_s"].notna() & (latency["requests"] > 0)]
    if route is not None:
        return rows[rows["route"] == route]
    return rows[rows["route"] == "(all)"] if (rows["route"] == "(all)").any() else rows


def _ends(found: Iterable[Distribution], slo_s: float | None) -> tuple[float, float]:
    """Of the latency axis: all that is above zero and the SLO, and a power of ten at least."""
    seen = np.concatenate([one.latency_s for one in found] + ([np.array([slo_s])] if slo_s else []))
    seen = seen[seen > 0]
    low, high = float(seen.min()) / 1.05, float(seen.max()) * 1.15
    widen = max(1.0, math.sqrt(10 * low / high))
    return low / widen, high * widen


def _distribution(rows: pd.DataFrame) -> Distribution:
    counts = rows.groupby("latency_s", sort=True)["requests"].sum()
    return Distribution(counts.index.to_numpy(dtype=float), counts.to_numpy(dtype=np.int64))


def _band(ax: Axes, rows: pd.DataFrame, grid: np.ndarray, colour: str, bottom: float) -> None:
    each = [_distribution(part).slower(grid) for _, part in parts(rows, "replication")]
    if len(each) > 1:
        low, high = np.maximum(np.min(each, axis=0), bottom), np.maximum(np.max(each, axis=0), bottom)
        ax.fill_between(grid, low, high, color=colour, alpha=0.22, linewidth=0, zorder=1.5)


def _marks(shares: np.ndarray, place: int, count: int, bottom: float) -> list[int]:
    """At even steps down the log axis, between those of the other lines."""
    steps = 5
    wanted = [bottom ** ((step + (place + 0.5) / count) / steps) for step in range(steps)]
    return sorted({int(np.argmax(shares <= share)) for share in wanted if (shares <= share).any()})


def _quantile_axis(ax: Axes, bottom: float) -> None:
    named = [(name, share) for name, share in _QUANTILES if share >= bottom * 0.999]
    ax.yaxis.set_major_locator(FixedLocator([1.0, *(share for _, share in named)]))
    ax.yaxis.set_major_formatter(FixedFormatter(["all", *(f"{name}  {share_text(share)}" for name, share in named)]))
    ax.yaxis.set_minor_locator(NullLocator())
    style.y_label(ax, "share of requests\nthat take longer")


def _slo(ax: Axes, slo_s: float) -> None:
    ax.axvline(slo_s, color=style.INK, linewidth=1.0, linestyle=(0, (4, 2)), zorder=2)
    low, high = ax.get_xlim()
    at = math.log(slo_s / low) / math.log(high / low)
    side = "left" if at < 0.2 else "right" if at > 0.8 else "center"
    ax.annotate(
        f"SLO {amount(slo_s, 'duration')}",
        (slo_s, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 3),
        textcoords="offset points",
        ha=side,
        va="bottom",
        annotation_clip=False,
    )
