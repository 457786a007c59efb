"""A fixed wait."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.retry.back_off import BackOff, BackOffState
from meshsim.registry import policy
from meshsim.units import Duration

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw


@policy
class Constant(BackOff):
    """Wait the same time before each retry; 0s for none at all, as NGINX and Kong do.

    Source: resilience4j, io.github.resilience4j.retry.RetryConfig (waitDuration 500 ms); NGINX, proxy_next_upstream.
    """

    interval: Duration = 500_000_000
    """The wait."""

    def check(self) -> None:
        """Any wait will do."""

    def build(self, **_: object) -> ConstantState:
        """Nothing to begin with."""
        return ConstantState(self)


class ConstantState(BackOffState):
    """The wait."""

    __slots__ = ("interval",)

    def __init__(self, settings: Constant) -> None:
        """Nothing has happened."""
        self.interval = settings.interval

    def wait_ns(self, retry: int, previous_ns: int, draw: Draw) -> int:  # noqa: ARG002
        """The interval."""
        return self.interval
