"""Equal jitter: half fixed, half drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.retry.back_off import BackOff, GrowingBackOff
from meshsim.registry import policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw


@policy
class EqualJitter(BackOff):
    """Wait half of an interval that doubles up to a maximum, and a random part of the other half.

    Source: Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.
    """

    base_interval: Duration = 25_000_000
    """The first interval."""
    max_interval: Duration = 0
    """The longest one; 0 for 10 times the base."""

    def build(self, **_: object) -> EqualJitterState:
        """Nothing to begin with."""
        return EqualJitterState(self)


class EqualJitterState(GrowingBackOff):
    """The intervals that waits are drawn from."""

    __slots__ = ()

    def wait_ns(self, retry: int, previous_ns: int, draw: Draw) -> int:  # noqa: ARG002
        """Between half of the interval and all of it."""
        half_ns = self.doubled_ns(retry) // 2
        return half_ns + round(draw.uniform() * half_ns)
