"""A fixed limit: a bulkhead."""

from __future__ import annotations

from meshsim.policies.concurrency.limit import ConcurrencyLimit
from meshsim.registry import policy
from meshsim.units import PositiveCount


@policy
class Fixed(ConcurrencyLimit):
    """Let so many requests be on their way at once, whatever happens.

    Source: resilience4j, io.github.resilience4j.bulkhead.BulkheadConfig (maxConcurrentCalls 25, no wait).
    """

    limit: PositiveCount = 25
    """Requests at once."""

    def first_limit(self) -> int:
        """The setting."""
        return self.limit
