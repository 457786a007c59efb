"""Small multiples over time: one narrow panel for each quantity in which something happened, one below the other, on one time axis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from meshsim.report.charts import style
from meshsim.report.charts.labels import legend_below
from meshsim.report.charts.over_time import at_time, curves, draw, during, from_zero, peak
from meshsim.report.charts.quantities import amount
from meshsim.report.charts.scales import count_axis, duration_axis, share_axis
from meshsim.report.charts.windows import fault_windows, title_row, warm_up
from meshsim.report.charts.words import listed, say_nothing, shortened, told_apart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

    from meshsim.report.charts.style import Look

_PANEL_IN, _AROUND_IN = 0.92, 0.55
"""Height of a panel with its title, and what the time axis and the names of faults need."""
_FIGURE_IN = 3.2
_MOST_LENGTH = 30
_MOST_SAID = 4
_ABOVE = 1.08
"""Where the axis of a share ends at most, and how much higher than what is drawn others do: a line at the top is seen whole."""


class Panel(NamedTuple):
    """One quantity over time."""

    column: str
    title: str
    """Above the panel: what is drawn."""
    said: str
    """In a sentence, before `reach 3/s with as-is`."""
    quantity: str = "rate"
    """`rate`, `share` or `number`."""
    calm: float = 0.0
    """The value while nothing happens; of shares below 1 of a `calm` of 1 the lowest is said."""
    company: tuple[str, ...] = ()
    """Columns one of which must not be calm (zero) either, for the panel to be worth its place."""

    @property
    def unit(self) -> str:
        """At the y axis."""
        return {"rate": "per s", "share": "share"}.get(self.quantity, "number")

    def has_happened(self, rows: pd.DataFrame) -> bool:
        """Whether the quantity ever was another than while nothing happens."""
        values = rows[self.column].to_numpy(dtype=float)
        is_moved = bool((np.abs(values[np.isfinite(values)] - self.calm) > 1e-9).any())
        return is_moved and (not self.company or bool((rows[list(self.company)].fillna(0) != 0).to_numpy().any()))


def happened(rows: pd.DataFrame, panels: Sequence[Panel]) -> list[Panel]:
    """The panels in which something happened, in their order."""
    return [panel for panel in panels if panel.has_happened(rows)] if len(rows) else []


def ways(frame: pd.DataFrame, panels: Sequence[Panel]) -> dict[str, int]:
    """How many panels each destination has: those with most first, and then in the order of the frame."""
    found = {name: len(happened(rows, panels)) for name, rows in _by_way(frame)}
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def of_way(frame: pd.DataFrame, panels: Sequence[Panel], destination: str | None) -> tuple[str, pd.DataFrame]:
    """A destination, or the one with the most panels, and its rows."""
    name = destination if destination is not None else next(iter(ways(frame, panels)), "")
    return name, frame[frame["destination"] == name]


def stacked(
    frame: pd.DataFrame,
    ax: Axes | None,
    panels: Sequence[Panel],
    *,
    destination: str | None,
    faults: pd.DataFrame | None,
    warm_up_s: float,
    nothing: str,
) -> Axes:
    """Draw the panels of one destination.

    Args:
        frame: Over time, by variant, replication and destination.
        ax: Its place is divided among the panels; a new figure, as high as they need, by default.
        panels: What may be drawn.
        destination: Which one; the one with the most panels by default.
        faults: Frame `faults`, to be shaded.
        warm_up_s: Seconds that are not measured, to be shaded.
        nothing: What is said where no panel is left.

    Returns:
        The axes of the last panel, which has the time axis; the others stand above it.
    """
    _, rows = of_way(frame, panels, destination)
    shown = happened(rows, panels)
    ax = style.axes(ax, height=(len(shown) * _PANEL_IN + _AROUND_IN) / _FIGURE_IN if shown else 0.4)
    if not shown:
        return say_nothing(ax, nothing)
    places = _divided(ax, len(shown))
    seen = style.looks(frame["variant"])
    lines: dict[str, Line2D] = {}
    for place, panel in zip(places, shown, strict=True):
        is_first = place is places[0]
        title_row(place, panel.title, is_first=is_first)
        lines |= _draw(place, rows, panel, seen)
        place.tick_params(labelbottom=place is ax)
        warm_up(place, warm_up_s, is_named=is_first)
        fault_windows(place, faults, is_named=is_first)
    names = [name for name in seen if name in lines]
    replications = len(rows["replication"].unique())
    band = f"\nband: lowest to highest of {replications} replications" if replications > 1 else ""
    alone = f", {shortened(names[0], _MOST_LENGTH)}" if len(names) == 1 else ""
    ax.set_xlabel(f"time since the start{alone}{band}")
    if len(names) > 1:
        legend_below(ax, [lines[name] for name in names], list(told_apart(names, _MOST_LENGTH).values()))
    return ax


def told(
    frame: pd.DataFrame,
    panels: Sequence[Panel],
    *,
    destination: str | None,
    faults: pd.DataFrame | None,
    warm_up_s: float,
    nothing: str,
) -> str:
    """One sentence: the extreme of each panel after the warm-up, whose it is and when; begun by a destination that nobody asked for."""
    found, rows = of_way(frame, panels, destination)
    name = found if destination is None else ""
    if not happened(rows, panels):
        return _sentence(nothing)
    measured = rows[rows["time_s"] >= warm_up_s]
    moved = happened(measured, panels)
    if not moved:
        return _sentence("what happened lies in the warm-up", name)
    said, times = [], []
    for panel in moved[:_MOST_SAID]:
        value, whose, when = _extreme(measured, panel)
        reach = "fall to" if panel.calm > value else "reach"
        said.append(f"{panel.said} {reach} {amount(value, panel.quantity)} with {listed(whose, most=3)} ({at_time(when)})")
        times.append(when)
    further = [panel.said for panel in moved[_MOST_SAID:]]
    besides = f"; also seen: {listed(further)}" if further else ""
    return _sentence(f"{'; '.join(said)}{during(faults, times)}{besides}", name)


def _sentence(text: str, name: str = "") -> str:
    """Begun by a name, as it is written, or by a capital."""
    return f"{name}: {text}." if name else f"{text[0].upper()}{text[1:]}."


def _by_way(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    for name in frame["destination"].unique():
        yield str(name), frame[frame["destination"] == name]


def _divided(ax: Axes, count: int) -> list[Axes]:
    """Axes one below the other in the place of one, which becomes the last."""
    figure, spec = ax.get_figure(), ax.get_subplotspec()
    if figure is None or spec is None:
        raise ValueError("small multiples need axes that are part of a grid, such as those of pyplot.subplots")
    grid = spec.subgridspec(count, 1)
    above = [style.axes(figure.add_subplot(grid[number])) for number in range(count - 1)]
    ax.set_subplotspec(grid[count - 1])
    return [*above, ax]


def _draw(ax: Axes, rows: pd.DataFrame, panel: Panel, seen: dict[str, Look]) -> dict[str, Line2D]:
    """One panel: the curves of all variants, the axes and the title."""
    known = rows[rows.groupby("variant", sort=False)[panel.column].transform("count") > 0]
    lines = draw(ax, curves(known, panel.column), seen, width=1.4)
    from_zero(ax)
    if panel.quantity == "share":
        ax.set_ylim(0, _ABOVE if panel.calm else min(_ABOVE, ax.get_ylim()[1]))
        share_axis(ax.yaxis, most=3)
    else:
        ax.set_ylim(0, ax.get_ylim()[1] * _ABOVE)
        count_axis(ax.yaxis, most=4)
    start, end = float(rows["time_s"].min()), float((rows["time_s"] + rows["interval_s"]).max())
    ax.set_xlim(start, end if end > start else start + 1)
    duration_axis(ax.xaxis)
    ax.set_ylabel(panel.unit)
    return lines


def _extreme(rows: pd.DataFrame, panel: Panel) -> tuple[float, list[str], float]:
    """The value that is farthest from the calm, whose it is, and when it is so with the first of them."""
    ends = {}
    for name, curve in curves(rows, panel.column, most=len(rows) + 1).items():
        value, when = peak(curve._replace(middle=np.abs(curve.middle - panel.calm)))
        if not math.isnan(value):
            ends[name] = (float(curve.middle[curve.time_s == when][0]), value, when)
    most = max(away for _, away, _ in ends.values())
    worst = {name: one for name, one in ends.items() if math.isclose(one[1], most, rel_tol=1e-9)}
    value, _, when = next(iter(worst.values()))
    return value, list(worst), when
