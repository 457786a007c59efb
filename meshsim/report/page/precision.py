"""A figure and its interval in one unit, with as many digits as the interval lets one believe."""

from __future__ import annotations

import math
from typing import NamedTuple

from meshsim.report.charts.quantities import amount

MINUS = "\N{MINUS SIGN}"
MOST_DIGITS = 7
"""Of a figure, however narrow its interval."""
_LONGEST_S = 120.0
"""From here on durations are in minutes and hours, not in decimals of one unit."""
_DURATIONS = ((1.0, 1.0, " s"), (1e-3, 1e3, " ms"), (1e-6, 1e6, " µs"), (0.0, 1e9, " ns"))


class Told(NamedTuple):
    """A figure for people."""

    value: str
    """With its unit."""
    interval: str
    """`398 to 427 ms`; empty where there is none."""


def told(value: float, low: float, high: float, quantity: str, *, is_difference: bool = False) -> Told:
    """The text of a figure and of its interval.

    Half the interval's width decides on the digits: two of it are shown where they begin with 10 to 35, else one.

    Args:
        value: Seconds, a share from 0 to 1, per second, or a plain number.
        low: Lower end of its interval; NaN for none.
        high: Upper end.
        quantity: `duration`, `share`, `rate` or `number`.
        is_difference: Whether it has a sign, and a share is in percentage points.

    Source: of the rule for the digits: Particle Data Group, Review of Particle Physics, introduction, section 5.3.
    """
    half = (high - low) / 2
    largest = max(abs(value), abs(low), abs(high))
    if not (math.isfinite(half) and half > 0) or (quantity == "duration" and largest >= _LONGEST_S):
        return _plainly(value, low, high, quantity, is_difference=is_difference)
    factor, unit = _unit(quantity, largest, is_difference=is_difference)
    decimals = _decimals(half * factor, largest * factor)
    texts = [_signed(one * factor, decimals, is_difference=is_difference) for one in (value, low, high)]
    return Told(texts[0] + unit, f"{texts[1]} to {texts[2]}{unit}")


def _unit(quantity: str, largest: float, *, is_difference: bool) -> tuple[float, str]:
    if quantity == "duration":
        return next((factor, unit) for least, factor, unit in _DURATIONS if largest >= least)
    if quantity == "share":
        return 100.0, " points" if is_difference else " %"
    return 1.0, "/s" if quantity == "rate" else ""


def _decimals(half: float, largest: float) -> int:
    exponent = math.floor(math.log10(half))
    wanted = -exponent + int(half / 10.0**exponent < 3.55)
    return max(0, min(wanted, MOST_DIGITS - 1 - math.floor(math.log10(largest))))


def _signed(number: float, decimals: int, *, is_difference: bool) -> str:
    text = f"{abs(number):,.{decimals}f}"
    if not text.strip("0."):
        return text
    return (MINUS if number < 0 else "+" if is_difference else "") + text


def _plainly(value: float, low: float, high: float, quantity: str, *, is_difference: bool) -> Told:
    """Where no interval says how precise it is: three digits."""
    texts = [_amount(one, quantity, is_difference=is_difference) for one in (value, low, high)]
    return Told(texts[0], "" if math.isnan(low) or math.isnan(high) else f"{texts[1]} to {texts[2]}")


def _amount(value: float, quantity: str, *, is_difference: bool) -> str:
    if math.isnan(value):
        return "\N{EN DASH}"
    if quantity == "duration" and math.isinf(value):
        return "never"
    sign = "+" if is_difference and value > 0 else ""
    text = sign + amount(value, quantity)
    return text.replace(" %", " points") if is_difference and quantity == "share" else text
