"""Exponential: the time without memory."""

from __future__ import annotations

from meshsim.distributions.distribution import Distribution
from meshsim.portable import ln
from meshsim.registry import policy
from meshsim.units import Duration


@policy
class Exponential(Distribution):
    """Without memory: what is left does not depend on what has passed; the service time of M/M/c.

    Source: Devroye, Non-Uniform Random Variate Generation, 1986, section II.2.
    """

    mean: Duration
    """Mean, and standard deviation too."""

    def check(self) -> None:
        """The mean is more than 0."""
        self.require_positive("mean")

    def quantile(self, u: float) -> float:
        """-mean ln(1 - u), in nanoseconds."""
        return -self.mean * ln(1.0 - u)

    @property
    def mean_ns(self) -> float:
        """The mean, in nanoseconds."""
        return float(self.mean)
