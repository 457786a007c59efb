"""Decorrelated jitter: from the wait before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.retry.back_off import BackOff, GrowingBackOff
from meshsim.registry import policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw


@policy
class DecorrelatedJitter(BackOff):
    """Wait a time drawn between the base and three times the wait before, at most the maximum.

    Source: Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.
    """

    base_interval: Duration = 25_000_000
    """The least wait."""
    max_interval: Duration = 0
    """The longest one; 0 for 10 times the base."""

    def build(self, **_: object) -> DecorrelatedJitterState:
        """Nothing to begin with."""
        return DecorrelatedJitterState(self)


class DecorrelatedJitterState(GrowingBackOff):
    """The intervals that waits are drawn from."""

    __slots__ = ()

    def wait_ns(self, retry: int, previous_ns: int, draw: Draw) -> int:  # noqa: ARG002
        """Between the base and three times the wait before."""
        most_ns = 3 * max(self.base_interval, previous_ns)
        return min(self.longest_ns, self.base_interval + round(draw.uniform() * (most_ns - self.base_interval)))
