"""Envoy's retry budget."""

from __future__ import annotations


class RetryBudget:
    """How many retries there may be at once: a share of the requests that are on their way, but never below a minimum.

    It limits concurrent retries, not their rate: 20 % of 13 requests in flight is below the minimum of 3, so that the default
    budget then behaves as `max_retries: 3`. The failing attempt still counts among the active ones.

    Source: Envoy, source/common/upstream/resource_manager_impl.h (RetryBudgetImpl); measured on Envoy 1.40.
    """

    __slots__ = ("budget_percent", "min_retry_concurrency")

    def __init__(self, budget_percent: float = 0.2, min_retry_concurrency: int = 3) -> None:
        self.budget_percent = budget_percent
        """Share from 0 to 1."""
        self.min_retry_concurrency = min_retry_concurrency

    def limit(self, active: int, pending: int) -> int:
        """Retries that there may be with so many requests active and waiting for a connection."""
        return max(int(self.budget_percent * (active + pending)), self.min_retry_concurrency)
