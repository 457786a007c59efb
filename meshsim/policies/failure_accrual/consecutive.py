"""Failures in a row."""

from __future__ import annotations

from meshsim.policies.failure_accrual.accrual import FailureAccrual, FailureAccrualState, Ratio
from meshsim.registry import policy
from meshsim.units import Duration, PositiveCount


@policy
class Consecutive(FailureAccrual):
    """Shut an endpoint out after so many failures in a row.

    Any success begins the count anew. Off in Linkerd unless a Service asks for it.

    Source: Linkerd, linkerd.io/2/reference/circuit-breaking; linkerd2-proxy, linkerd/app/outbound/src/http/breaker/consecutive_failures.rs.
    """

    max_failures: PositiveCount = 7
    """Failures in a row that shut it out."""
    min_penalty: Duration = 1_000_000_000
    """How long an endpoint is shut out first; it doubles with each failed probe."""
    max_penalty: Duration = 60_000_000_000
    """How long at most."""
    jitter_ratio: Ratio = 0.5
    """A random share up to this is added to the penalty."""

    def build(self, *, hosts: int) -> ConsecutiveState:
        """No endpoint has failed."""
        return ConsecutiveState(self, hosts)


class ConsecutiveState(FailureAccrualState):
    """How often each endpoint has failed in a row."""

    __slots__ = ("_failures", "max_failures")

    def __init__(self, settings: Consecutive, hosts: int) -> None:
        """No endpoint has failed."""
        super().__init__(settings, hosts)
        self.max_failures = settings.max_failures
        self._failures = [0] * hosts

    def has_failed(self, index: int, now_ns: int, failed: bool) -> bool:  # noqa: ARG002, FBT001
        """Whether this was one failure too many."""
        self._failures[index] = self._failures[index] + 1 if failed else 0
        if self._failures[index] < self.max_failures:
            return False
        self._failures[index] = 0
        return True
