"""Weibull: a heavier (shape below 1) or lighter (above 1) tail than the exponential's."""

from __future__ import annotations

from typing import Any

from meshsim.distributions.distribution import Distribution
from meshsim.portable import exp, ln, ln_gamma
from meshsim.registry import SettingError, policy
from meshsim.units import LONGEST_NS, Duration, Number

LEAST_SHAPE = 0.1


@policy
class Weibull(Distribution):
    """Like the exponential (shape 1), with a heavier tail for a shape below 1 and a lighter one above.

    Source: Weibull, "A statistical distribution function of wide applicability", Journal of Applied Mechanics 18, 1951.
    """

    mean: Duration
    """Mean."""
    shape: Number
    """1 is exponential, 0.5 a long tail, 3.6 nearly normal."""

    def check(self) -> None:
        """The mean is more than 0, the shape such that the mean is not the work of a few giants."""
        self.require_positive("mean")
        if self.shape < LEAST_SHAPE:
            raise SettingError("shape", f"shape must be {LEAST_SHAPE} or more, not {self.shape:g}")

    def set_up(self, **_context: Any) -> None:
        """The scale: mean = scale x Gamma(1 + 1/shape)."""
        self._power = 1.0 / self.shape
        self._ln_scale = ln(self.mean) - ln_gamma(1.0 + self._power)

    def quantile(self, u: float) -> float:
        """Scale x (-ln(1 - u))^(1/shape), in nanoseconds."""
        return min(exp(self._ln_scale + self._power * ln(-ln(1.0 - u))), LONGEST_NS)

    @property
    def mean_ns(self) -> float:
        """The mean, in nanoseconds."""
        return float(self.mean)
