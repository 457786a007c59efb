"""Exponential back-off without jitter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.retry.back_off import BackOff, GrowingBackOff
from meshsim.registry import policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw


@policy
class Exponential(BackOff):
    """Wait an interval that doubles up to a maximum, the same for everybody: those who failed together try again together.

    Source: Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015.
    """

    base_interval: Duration = 25_000_000
    """The first wait."""
    max_interval: Duration = 0
    """The longest one; 0 for 10 times the base."""

    def build(self, **_: object) -> ExponentialState:
        """Nothing to begin with."""
        return ExponentialState(self)


class ExponentialState(GrowingBackOff):
    """The intervals."""

    __slots__ = ()

    def wait_ns(self, retry: int, previous_ns: int, draw: Draw) -> int:  # noqa: ARG002
        """The interval."""
        return self.doubled_ns(retry)
