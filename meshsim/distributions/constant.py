"""Constant: always the same time."""

from __future__ import annotations

from meshsim.distributions.distribution import Distribution
from meshsim.registry import policy
from meshsim.units import Duration


@policy
class Constant(Distribution):
    """Always the same time; a bare duration such as `9ms` means this."""

    value: Duration
    """The time."""

    def quantile(self, u: float) -> float:  # noqa: ARG002 — nothing is left to chance
        """The value, in nanoseconds."""
        return float(self.value)

    @property
    def mean_ns(self) -> float:
        """The value, in nanoseconds."""
        return float(self.value)
