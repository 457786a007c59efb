"""A concurrency limit at the server's side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.flags import Flag
from meshsim.policies.concurrency.limit import ConcurrencyLimit
from meshsim.policies.filters.filter import PASS, Decision, Filter, FilterState, Verdict
from meshsim.registry import policy

if TYPE_CHECKING:
    from meshsim.policies.filters.filter import Asked
    from meshsim.policies.load_balancing.balancer import Draw

OVER_LIMIT = Verdict(503, int(Flag.concurrency), decision=Decision.SHED)
NO_TIME = int(Flag.UT | Flag.UO | Flag.queue_full | Flag.queue_timeout | Flag.pushed_out | Flag.shed | Flag.concurrency)
"""Flags of an answer that tells of overload."""


@policy
class LimitConcurrency(Filter):
    """Answer 503 above a limit on concurrent requests, fixed or found out by one of Netflix's rules.

    Source: Netflix concurrency-limits, com.netflix.concurrency.limits.limiter.SimpleLimiter.
    """

    limit: ConcurrencyLimit
    """Which rule."""

    def build(self, **_: object) -> LimitConcurrencyState:
        """The rule with state of its own."""
        return LimitConcurrencyState(self)


class LimitConcurrencyState(FilterState):
    """The limit of one proxy."""

    observes = True

    def __init__(self, settings: LimitConcurrency) -> None:
        """The rule with state of its own."""
        self.rule = settings.limit.build()

    def judge(self, now_ns: int, asked: Asked, draw: Draw) -> Verdict:  # noqa: ARG002
        """`PASS`, or 503 above the limit."""
        return PASS if self.rule.admit(now_ns) else OVER_LIMIT

    def done(self, now_ns: int, rtt_ns: int, asked: Asked, status: int, grpc_status: int, flags: int) -> None:  # noqa: ARG002
        """A sample; none where the caller gave up."""
        if status == 0:
            self.rule.cancelled()
        else:
            self.rule.done(now_ns, rtt_ns, bool(flags & NO_TIME))
