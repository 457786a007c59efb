"""Envoy's back-off: full jitter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.policies.retry.back_off import BackOff, GrowingBackOff
from meshsim.registry import policy
from meshsim.units import NS_PER_MS, Duration

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw


@policy
class FullJitter(BackOff):
    """Wait a whole number of milliseconds drawn from [0, interval), where the interval doubles up to a maximum.

    The doubling stops at half the maximum, and the interval after that is the maximum itself: with 25 ms and 250 ms they are 25,
    50, 100, 200, 250, 250. (Envoy's router documentation gives (2^n - 1) x base instead; the source and a measured Envoy do not.)

    Source: Envoy, source/common/common/backoff_strategy.cc (JitteredExponentialBackOffStrategy); measured on Envoy 1.40.
    """

    base_interval: Duration = 25_000_000
    """The first wait is drawn from 0 to this; each next one from twice as much."""
    max_interval: Duration = 0
    """No wait is longer; 0 for 10 times the base."""

    def build(self, **_: object) -> FullJitterState:
        """Nothing to begin with."""
        return FullJitterState(self)


class FullJitterState(GrowingBackOff):
    """The intervals that waits are drawn from."""

    __slots__ = ()

    def interval_ns(self, retry: int) -> int:
        """Nanoseconds below which the wait before retry number `retry` (from 1) lies."""
        interval_ns, longest_ns = self.base_interval, self.longest_ns
        limit_ns = longest_ns // (2 * NS_PER_MS) * NS_PER_MS  # Envoy counts in whole milliseconds: half of 41 is 20
        for _ in range(retry - 1):
            if interval_ns >= limit_ns:
                return longest_ns
            interval_ns *= 2
        return interval_ns

    def wait_ns(self, retry: int, previous_ns: int, draw: Draw) -> int:  # noqa: ARG002
        """Nanoseconds to wait before retry number `retry` (from 1)."""
        milliseconds = self.interval_ns(retry) // NS_PER_MS
        return draw.below(milliseconds) * NS_PER_MS if milliseconds > 1 else 0
