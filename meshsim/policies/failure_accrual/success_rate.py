"""Failures in a row, or too small a share of successes."""

from __future__ import annotations

from collections import deque

from meshsim.policies.failure_accrual.accrual import FailureAccrual, FailureAccrualState, Ratio
from meshsim.registry import policy
from meshsim.units import Duration, PositiveCount, Share

TOO_MANY_REQUESTS = 429


@policy
class SuccessRate(FailureAccrual):
    """Shut an endpoint out when its success rate over a window is too low, or after failures in a row: Linkerd's `unified` mode.

    Here 429 is a failure too, unlike with `consecutive`.

    Source: Linkerd, linkerd.io/2/reference/circuit-breaking (unified failure accrual).
    """

    success_rate_threshold: Share = 0.8
    """Share of successes below which it is shut out."""
    window: Duration = 10_000_000_000
    """Over which the share is taken."""
    min_requests: PositiveCount = 5
    """Requests in the window below which the share does not count."""
    max_failures: PositiveCount = 7
    """Failures in a row that shut it out whatever the share."""
    min_penalty: Duration = 1_000_000_000
    """How long an endpoint is shut out first; it doubles with each failed probe."""
    max_penalty: Duration = 60_000_000_000
    """How long at most."""
    jitter_ratio: Ratio = 0.5
    """A random share up to this is added to the penalty."""

    def build(self, *, hosts: int) -> SuccessRateState:
        """Nothing has been seen."""
        return SuccessRateState(self, hosts)


class SuccessRateState(FailureAccrualState):
    """The outcomes of each endpoint in the window."""

    __slots__ = ("_failed", "_failures", "_seen", "max_failures", "min_requests", "success_rate_threshold", "window")

    def __init__(self, settings: SuccessRate, hosts: int) -> None:
        """Nothing has been seen."""
        super().__init__(settings, hosts)
        self.success_rate_threshold = settings.success_rate_threshold
        self.window = settings.window
        self.min_requests = settings.min_requests
        self.max_failures = settings.max_failures
        self._failures = [0] * hosts
        self._seen: list[deque[tuple[int, bool]]] = [deque() for _ in range(hosts)]
        self._failed = [0] * hosts

    def is_failure(self, status: int, grpc_status: int, flags: int) -> bool:
        """Whether an outcome is held against the endpoint."""
        return status == TOO_MANY_REQUESTS or super().is_failure(status, grpc_status, flags)

    def has_failed(self, index: int, now_ns: int, failed: bool) -> bool:  # noqa: FBT001
        """Whether this was one failure too many, in a row or in the window."""
        seen = self._seen[index]
        seen.append((now_ns, failed))
        self._failed[index] += failed
        while seen[0][0] <= now_ns - self.window:
            self._failed[index] -= seen.popleft()[1]
        self._failures[index] = self._failures[index] + 1 if failed else 0
        is_low = len(seen) >= self.min_requests and len(seen) - self._failed[index] < self.success_rate_threshold * len(seen)
        if not is_low and self._failures[index] < self.max_failures:
            return False
        self.opened(index, now_ns)
        return True

    def opened(self, index: int, now_ns: int) -> None:  # noqa: ARG002
        """Begin anew."""
        self._seen[index].clear()
        self._failed[index] = self._failures[index] = 0
