"""Amounts of any quantity: their text, their unit, and axes that hold them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from matplotlib.ticker import FuncFormatter, MaxNLocator

from meshsim.report.charts.scales import duration_axis, duration_text, number_text, rate_axis, share_axis

if TYPE_CHECKING:
    from matplotlib.axis import Axis

MINUS = "\N{MINUS SIGN}"
UNKNOWN = "unknown"
_DURATIONS = ((1.0, 1.0, "s"), (1e-3, 1e3, "ms"), (0.0, 1e6, "µs"))


def amount(value: float, quantity: str) -> str:
    """A value with its unit: `12.3 ms`, `1.5 %`, `120/s`, `3`.

    Args:
        value: Seconds, a share from 0 to 1, per second, or a plain number.
        quantity: `duration`, `share`, `rate` or `number`.

    Returns:
        Three digits and the unit; `unknown` for NaN.
    """
    if math.isnan(value):
        return UNKNOWN
    if math.isinf(value):
        return "infinite" if value > 0 else f"{MINUS}infinite"
    if quantity == "duration":
        return duration_text(value)
    if quantity == "share":
        return f"{digits(value * 100)} %"
    return f"{digits(value)}{'/s' if quantity == 'rate' else ''}"


def digits(value: float) -> str:
    """Three digits of a number: `0.0123`, `1.5`, `12,300`."""
    return "<0.0001" if 0 < value < 0.0001 else number_text(float(f"{value:.3g}"))


def change(relative: float) -> str:
    """A change relative to the baseline, with its sign: `+12.3 %`, `\N{MINUS SIGN}4.0 %`, `0.0 %`."""
    if math.isnan(relative):
        return UNKNOWN
    if math.isinf(relative):
        return "+infinite" if relative > 0 else f"{MINUS}infinite"
    text = f"{abs(relative) * 100:,.{1 if abs(relative) < 0.9995 else 0}f}"
    sign = "" if not text.strip("0.") else "+" if relative > 0 else MINUS
    return f"{sign}{text} %"


def unit_of(quantity: str, largest: float) -> tuple[float, str]:
    """What values are multiplied with to be shown, and in which unit.

    Args:
        quantity: `duration`, `share`, `rate` or `number`.
        largest: The largest of the values.

    Returns:
        Such as `(1000.0, "ms")`; the unit of a plain number is empty.
    """
    if quantity == "duration":
        return next((factor, unit) for least, factor, unit in _DURATIONS if largest >= 2 * least)
    return {"share": (100.0, "%"), "rate": (1.0, "per second")}.get(quantity, (1.0, ""))


def quantity_axis(axis: Axis, quantity: str) -> None:
    """Ticks with their unit, at round places; to be called when the limits are set."""
    if quantity == "duration":
        duration_axis(axis)
    elif quantity == "share":
        share_axis(axis)
    elif quantity == "rate":
        rate_axis(axis)
    else:
        axis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: number_text(value)))
