"""A fixed limit: a bulkhead."""

from __future__ import annotations

from meshsim.policies.concurrency.limit import ConcurrencyLimit, ConcurrencyLimitState
from meshsim.registry import policy
from meshsim.units import PositiveCount


@policy
class Fixed(ConcurrencyLimit):
    """Let so many requests be on their way at once, whatever happens.

    Source: resilience4j, io.github.resilience4j.bulkhead.BulkheadConfig (maxConcurrentCalls 25, no wait).
    """

    limit: PositiveCount = 25
    """Requests at once."""

    def build(self, **_: object) -> ConcurrencyLimitState:
        """A limit that learns nothing."""
        return ConcurrencyLimitState(self.limit)
