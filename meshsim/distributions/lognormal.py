"""Lognormal: the usual shape of service times, from a median and a percentile or from a mean and a spread."""

from __future__ import annotations

import math
from typing import Any

from meshsim.distributions.distribution import Distribution
from meshsim.portable import exp, ln, normal_quantile
from meshsim.registry import SettingError, policy
from meshsim.units import LONGEST_NS, Duration, Number, format_duration

_PAIRS = ({"p50", "p99"}, {"mean", "cv"}, {"mean", "sigma"})
_Z99 = 2.3263478740408408
"""The 99th percentile of the standard normal distribution."""


@policy
class Lognormal(Distribution):
    """Its logarithm is normal: give p50 and p99, mean and cv, or mean and sigma.

    With logarithmic mean mu and deviation sigma the median is e^mu, the mean e^(mu + sigma^2 / 2), and cv^2 = e^(sigma^2) - 1.

    Source: Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions, vol. 1, 2nd ed. 1994, chapter 14.
    """

    p50: Duration | None = None
    """Median; with p99."""
    p99: Duration | None = None
    """99th percentile, more than the median."""
    mean: Duration | None = None
    """Mean; with cv or sigma."""
    cv: Number | None = None
    """Coefficient of variation: standard deviation divided by mean."""
    sigma: Number | None = None
    """Standard deviation of the natural logarithm."""

    def check(self) -> None:
        """Exactly one pair is given, and each is more than 0."""
        given = [name for name in ("p50", "p99", "mean", "cv", "sigma") if getattr(self, name) is not None]
        if set(given) not in _PAIRS:
            came = ", ".join(given) or "nothing"
            raise SettingError(given[0] if given else "p50", f"give p50 and p99, mean and cv, or mean and sigma; found {came}")
        self.require_positive(*given)
        if self.p50 is not None and self.p99 is not None and self.p99 <= self.p50:
            raise SettingError("p99", f"p99 ({format_duration(self.p99)}) must be more than p50 ({format_duration(self.p50)})")

    def set_up(self, **_context: Any) -> None:
        """Median and sigma, from the pair that is given."""
        self._sigma = self._deviation()
        median = self.mean_ns * exp(-self._sigma * self._sigma / 2) if self.p50 is None else float(self.p50)
        self._mu = ln(median) if median > 0 else -math.inf

    def quantile(self, u: float) -> float:
        """e^(mu + sigma z), z the standard normal's, in nanoseconds."""
        return min(exp(self._mu + self._sigma * normal_quantile(u)), LONGEST_NS)

    @property
    def mean_ns(self) -> float:
        """Mean, in nanoseconds."""
        if self.mean is not None:
            return float(self.mean)
        sigma = self._deviation()
        return float(self.p50 or 0) * exp(sigma * sigma / 2)

    def _deviation(self) -> float:
        """Standard deviation of the logarithm."""
        if self.p50 is not None and self.p99 is not None:
            return ln(self.p99 / self.p50) / _Z99
        return math.sqrt(ln(1.0 + self.cv * self.cv)) if self.cv is not None else float(self.sigma or 0)
