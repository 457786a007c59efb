"""Pareto: a tail that falls as a power."""

from __future__ import annotations

from meshsim.distributions.distribution import Distribution
from meshsim.portable import exp, ln
from meshsim.registry import SettingError, policy
from meshsim.units import LONGEST_NS, Duration, Number


@policy
class Pareto(Distribution):
    """A tail that falls as a power: P(time > t) = (minimum / t)^alpha.

    The variance is infinite up to alpha = 2, so means of runs settle slowly.

    Source: Arnold, Pareto Distributions, 2nd ed. 2015, section 1.2.
    """

    minimum: Duration
    """The shortest time."""
    alpha: Number
    """The power; more than 1, since with less the mean is infinite."""

    def check(self) -> None:
        """The minimum is more than 0 and the mean finite."""
        self.require_positive("minimum")
        if self.alpha <= 1:
            raise SettingError("alpha", f"alpha must be more than 1 (with {self.alpha:g} the mean is infinite)")

    def quantile(self, u: float) -> float:
        """Minimum x (1 - u)^(-1/alpha), in nanoseconds."""
        return min(self.minimum * exp(-ln(1.0 - u) / self.alpha), LONGEST_NS)

    @property
    def mean_ns(self) -> float:
        """The minimum times alpha / (alpha - 1), in nanoseconds."""
        return self.minimum * self.alpha / (self.alpha - 1)
