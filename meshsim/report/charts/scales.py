"""Axes with units: durations, shares and rates as people write them, at round places."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from meshsim.report.charts.ink import CHARACTER_POINTS

if TYPE_CHECKING:
    from matplotlib.axis import Axis

_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800, 604800)
"""Round steps of clocks, which count in sixties."""
_MOST_TICKS = 7


def duration_axis(axis: Axis, *, most: int = _MOST_TICKS) -> None:
    """Seconds as `10 ms`, `1 s`, `2 min` at round places, on a linear or a log axis; to be called when the limits are set.

    Args:
        axis: `ax.xaxis` or `ax.yaxis`.
        most: The most ticks.
    """
    axis.set_major_formatter(FuncFormatter(lambda value, _: duration_text(value)))
    low, high = sorted(axis.get_view_interval())
    if axis.get_scale() == "log":
        _log_ticks(axis, low, high)
    elif high - low >= _MOST_TICKS:
        axis.set_major_locator(FixedLocator(_clock_ticks(axis, low, high, most)))
    else:
        axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 5, 10]))


def share_axis(axis: Axis, *, most: int = 6) -> None:
    """Shares from 0 to 1 as percent: `5 %`, at no more places than `most` and one."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: share_text(value)))
    if axis.get_scale() != "log":
        axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10]))


def rate_axis(axis: Axis, thing: str = "") -> None:
    """Rates per second as `1,200/s`; or, with a name of what is counted, plain numbers and `requests per second` at the axis.

    Args:
        axis: `ax.xaxis` or `ax.yaxis`.
        thing: What is counted, in the plural.
    """
    unit = "" if thing else "/s"
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{number_text(value)}{unit}"))
    if axis.get_scale() != "log":
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
    if thing:
        axis.set_label_text(f"{thing} per second")


def count_axis(axis: Axis, *, most: int = 6) -> None:
    """Plain numbers, with commas between the thousands, at no more places than `most` and one."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: number_text(value)))
    axis.set_major_locator(MaxNLocator(nbins=most, steps=[1, 2, 2.5, 5, 10], integer=False))


def duration_text(seconds: float) -> str:
    """`0`, `250 µs`, `10 ms`, `1.5 s`, `2 min`, `1 min 30 s`, `2 h`."""
    size = abs(seconds)
    sign = "\N{MINUS SIGN}" if seconds < 0 else ""
    if size < 1e-12:
        return "0"
    if size >= 59.9995:
        return sign + _clock(round(size))
    unit, name = next(
        ((unit, name) for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")) if size >= unit * 0.9999), (1e-9, "ns")
    )
    return f"{sign}{float(f'{size / unit:.3g}'):g} {name}"


def share_text(share: float) -> str:
    """`0 %`, `2.5 %`, `100 %`."""
    return f"{number_text(share * 100)} %"


def number_text(value: float) -> str:
    """`0`, `0.05`, `2.5`, `1,200`, `2e+06` never: thousands have commas."""
    rounded = float(f"{value:.6g}")
    text = f"{abs(rounded):,.6f}".rstrip("0").rstrip(".") if abs(rounded) < 1e15 else f"{abs(rounded):g}"
    return f"{'' if rounded >= 0 else chr(0x2212)}{text}"


def _clock(seconds: int) -> str:
    for unit, name, small, small_name in ((3600, "h", 60, "min"), (60, "min", 1, "s")):
        if seconds >= unit:
            whole, rest = divmod(seconds, unit)
            return f"{whole} {name}" + (f" {rest // small} {small_name}" if rest // small else "")
    return f"{seconds} s"


def _clock_ticks(axis: Axis, low: float, high: float, most: int) -> list[float]:
    """Multiples of the smallest round step whose texts have room."""
    room = _length_points(axis)
    for step in _STEPS_S:
        ticks = [float(index * step) for index in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)][:1000]
        widest = max((len(duration_text(tick)) for tick in ticks), default=0) if _is_along_x(axis) else 1
        if len(ticks) <= most + 1 and len(ticks) * (widest * CHARACTER_POINTS + 8) <= room:
            return ticks
    return [low, high]


def _log_ticks(axis: Axis, low: float, high: float) -> None:
    """Every power of ten; 2 and 5 of each as well where they have room; and small ticks without text between them."""
    decades = math.log10(high / low) if low > 0 else 1.0
    has_room = decades < (1.6 if _is_along_x(axis) else 2.5)
    axis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0) if has_room else (1.0,), numticks=10))
    axis.set_minor_locator(LogLocator(base=10, subs=range(2, 10), numticks=10) if decades < 7 else NullLocator())
    axis.set_minor_formatter(NullFormatter())


def _is_along_x(axis: Axis) -> bool:
    return axis is axis.axes.xaxis


def _length_points(axis: Axis) -> float:
    """How long the axis will be, at least: names to the right of the axes take some of it."""
    figure = axis.get_figure(root=True)
    box = axis.axes.get_position()
    if figure is None:
        return 200.0
    return 72 * (figure.get_figwidth() * box.width * 0.8 if _is_along_x(axis) else figure.get_figheight() * box.height)
