"""A retry policy: Envoy's, with its back-off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.policies.retry.conditions import is_retriable
from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw


@dataclass(frozen=True, slots=True)
class BackOff:
    """Full jitter: a whole number of milliseconds drawn from [0, interval), where the interval doubles up to a maximum.

    The doubling stops at half the maximum, and the interval after that is the maximum itself: with 25 ms and 250 ms they are 25,
    50, 100, 200, 250, 250. (Envoy's router documentation gives (2^n - 1) x base instead; the source and a measured Envoy do not.)

    Source: Envoy, source/common/common/backoff_strategy.cc (JitteredExponentialBackOffStrategy); measured on Envoy 1.40.
    """

    base_interval_ns: int
    max_interval_ns: int

    def interval_ns(self, retry: int) -> int:
        """Nanoseconds below which the wait before retry number `retry` (from 1) lies."""
        interval_ns = self.base_interval_ns
        for _ in range(retry - 1):
            if interval_ns >= self.max_interval_ns // 2:
                return self.max_interval_ns
            interval_ns *= 2
        return interval_ns

    def wait_ns(self, retry: int, draw: Draw) -> int:
        """Nanoseconds to wait before retry number `retry` (from 1)."""
        milliseconds = self.interval_ns(retry) // NS_PER_MS
        return draw.below(milliseconds) * NS_PER_MS if milliseconds > 1 else 0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Whether an outcome is tried again, and after what wait.

    `num_retries` counts what comes after the first attempt, so there are at most 1 + num_retries attempts.

    Source: Envoy, source/common/router/retry_state_impl.cc.
    """

    num_retries: int
    conditions: int
    """Bits of `meshsim.policies.retry.conditions.CONDITIONS`."""
    codes: tuple[int, ...]
    """HTTP statuses that `retriable-status-codes` matches."""
    back_off: BackOff
    avoids_previous_hosts: bool
    """Envoy's retry_host_predicate previous_hosts: pick again while the pick has been tried before."""
    max_reselections: int
    """Envoy's host_selection_retry_max_attempts: picks again at most so often, then takes the last pick even if tried."""

    def is_retriable(self, status: int, grpc_status: int, flags: int) -> bool:
        """Whether the conditions match this outcome."""
        return is_retriable(self.conditions, self.codes, status, grpc_status, flags)
