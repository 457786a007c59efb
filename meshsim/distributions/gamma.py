"""Gamma: from nearly constant to long-tailed, by its coefficient of variation."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from meshsim.distributions.distribution import Distribution
from meshsim.portable import exp, gamma_tails, ln, ln_gamma, normal_quantile
from meshsim.registry import SettingError, policy
from meshsim.units import LONGEST_NS, Duration, Number

LEAST_CV, MOST_CV = 0.01, 10.0
_END = 8.25
"""The table's reach in standard normal deviations; `randomness.uniform` reaches 8.21."""
_CELLS_PER_UNIT = 32
_CELLS = round(2 * _END * _CELLS_PER_UNIT)
_LN_ROOT_TWO_PI = 0.9189385332046727


class Cell(NamedTuple):
    """Between two points of the table, ln x = y0 + t (y1 + t (y2 + t y3)), where t goes from 0 to 1."""

    y0: float
    y1: float
    y2: float
    y3: float


@policy
class Gamma(Distribution):
    """From nearly constant (cv near 0) over exponential (cv 1) to long-tailed.

    The logarithm of the quantile is a smooth function of the standard normal's; it stands in a table of cubics. Relative error:
    below 1e-7 for u from 1e-9 to 1 - 1e-9 (tested against SciPy for cv from 0.01 to 10).

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions, vol. 1, 2nd ed. 1994, chapter 17.
    """

    mean: Duration
    """Mean."""
    cv: Number
    """Coefficient of variation, standard deviation divided by mean; from 0.01 to 10."""

    def check(self) -> None:
        """The mean is more than 0 and the cv within what the table covers."""
        self.require_positive("mean")
        if not LEAST_CV <= self.cv <= MOST_CV:
            raise SettingError("cv", f"cv must be from {LEAST_CV:g} to {MOST_CV:g}, not {self.cv:g}")

    def set_up(self, **_context: Any) -> None:
        """The table of the shape 1 / cv^2, and the scale mean x cv^2."""
        self._ln_scale = ln(self.mean * self.cv * self.cv)
        self._cells = cells(1.0 / (self.cv * self.cv))

    def quantile(self, u: float) -> float:
        """From the table, in nanoseconds."""
        at = (normal_quantile(u) + _END) * _CELLS_PER_UNIT
        index = min(max(int(at), 0), _CELLS - 1)
        t = min(max(at - index, 0.0), 1.0)
        y0, y1, y2, y3 = self._cells[index]
        return min(exp(self._ln_scale + (y0 + t * (y1 + t * (y2 + t * y3)))), LONGEST_NS)

    @property
    def mean_ns(self) -> float:
        """The mean, in nanoseconds."""
        return float(self.mean)


@lru_cache(maxsize=64)
def cells(shape: float) -> tuple[Cell, ...]:
    """The logarithm of a gamma variate of scale 1 by the standard normal's deviation, from -8.25 to 8.25 in steps of 1/32.

    Between the points it is the cubic that has the right values and slopes at both (Hermite).
    """
    middle = _CELLS // 2
    points: list[tuple[float, float]] = [(0.0, 0.0)] * (_CELLS + 1)
    for direction in (1, -1):
        y = _start(shape)
        slope = 0.0
        for index in range(middle, _CELLS + 1 if direction > 0 else -1, direction):
            z = index / _CELLS_PER_UNIT - _END
            y, slope = _solve(shape, z, y + direction * slope / _CELLS_PER_UNIT)
            points[index] = (y, slope)
    return tuple(_cubic(*left, *right) for left, right in pairwise(points))


def _start(shape: float) -> float:
    """The logarithm of the median, roughly (Wilson and Hilferty, PNAS 17, 1931; of a small shape by the series' first term)."""
    if shape < 0.5:
        return (ln(0.5) + ln_gamma(shape + 1.0)) / shape
    root = 1.0 - 1.0 / (9.0 * shape)
    return ln(shape * root * root * root)


def _solve(shape: float, z: float, y: float) -> tuple[float, float]:
    """The y = ln x at which the gamma's distribution function is the standard normal's at `z`, and dy/dz; by Newton's method."""
    for _ in range(60):
        below, above = gamma_tails(shape, y)
        reached = normal_quantile(below) if below < above else -normal_quantile(above)
        slope = exp(ln_gamma(shape) + exp(y) - shape * y - reached * reached / 2 - _LN_ROOT_TWO_PI)
        change = (z - reached) * slope
        y += change
        if abs(z - reached) < 1e-9:  # the step squares the error, and the slope is as near as that
            break
    return y, slope


def _cubic(y0: float, slope0: float, y1: float, slope1: float) -> Cell:
    rise = y1 - y0
    d0, d1 = slope0 / _CELLS_PER_UNIT, slope1 / _CELLS_PER_UNIT
    return Cell(y0, d0, 3.0 * rise - 2.0 * d0 - d1, d0 + d1 - 2.0 * rise)
