"""How many replications a precision takes.

Looking at the interval again and again until it is narrow enough costs a little of its coverage, the more the fewer replications
there are at the first look; from ten on it is small.

Source: Law, Simulation Modeling and Analysis, 5th ed., section 9.4.1 (specified precision).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from meshsim.statistics.intervals import Interval

FASTEST_GROWTH = 2
"""Times as many replications at most before the next look: the width of few is itself uncertain."""


def is_precise(interval: Interval, relative_error: float) -> bool:
    """Whether half the interval is at most so large a share of the value; a figure of nothing, or never, is as precise as it gets."""
    if interval.count == 0 or not math.isfinite(interval.value):
        return True
    return interval.half_width is not None and interval.half_width <= relative_error * abs(interval.value)


def replications_wanted(interval: Interval, relative_error: float, have: int, most: int) -> int:
    """How many replications to have before the next look.

    The width falls with the square root of their number.

    Args:
        interval: Of those that are there.
        relative_error: What is asked for.
        have: How many there are.
        most: Never more than these.

    Returns:
        `have` where the interval is narrow enough; else more, twice as many at most.
    """
    if is_precise(interval, relative_error) or have >= most:
        return min(have, most)
    growth = float(FASTEST_GROWTH)
    if interval.half_width is not None and interval.value:
        too_wide = interval.half_width / (relative_error * abs(interval.value))
        growth = min(growth, too_wide * too_wide)  # limited before rounding: an interval up to "never" is infinitely wide
    return min(max(math.ceil(have * growth), have + 1), most)
