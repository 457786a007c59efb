"""A fixed quota of retries that successes fill up."""

from __future__ import annotations

from meshsim.policies.retry.token_budget import RetryTokenBudget, RetryTokenBudgetState
from meshsim.registry import policy
from meshsim.units import Count, PositiveCount


@policy
class RetryQuota(RetryTokenBudget):
    """Pay for each retry out of a bucket that is full at the start; a success gives something back.

    A success of a retry gives back what that retry has cost, a success of a first try `success_refund`. So retries that help are free,
    and only those that fail again use the bucket up. In a total outage it runs empty and there is no retry at all until successes
    come: 1.0 times the load, where a budget that first tries fill gives more.

    Source: AWS SDKs, retry behavior, standard mode (botocore, retries/standard.py: quota 500, 5 for a retry, 10 after a timeout, 1 back
    for a success without a retry); Brooker, "Fixing retries with token buckets and circuit breakers", 2022.
    """

    capacity: PositiveCount = 500
    """Size of the bucket."""
    retry_cost: PositiveCount = 5
    """Tokens for a retry."""
    timeout_retry_cost: PositiveCount = 10
    """Tokens for a retry after a timeout."""
    success_refund: Count = 1
    """Tokens that a success without a retry gives back."""

    def build(self, **_: object) -> RetryQuotaState:
        """A full bucket."""
        return RetryQuotaState(self)


class RetryQuotaState(RetryTokenBudgetState):
    """What is in the bucket."""

    __slots__ = ("capacity", "retry_cost", "success_refund", "timeout_retry_cost", "tokens")

    def __init__(self, settings: RetryQuota) -> None:
        """A full bucket."""
        self.capacity = settings.capacity
        self.retry_cost = settings.retry_cost
        self.timeout_retry_cost = settings.timeout_retry_cost
        self.success_refund = settings.success_refund
        self.tokens = settings.capacity

    def succeeded(self, now_ns: int, is_retry: bool = False, is_timeout: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        """Give something back."""
        self.tokens = min(self.capacity, self.tokens + (self._cost(is_timeout) if is_retry else self.success_refund))

    def withdraw(self, now_ns: int, is_timeout: bool) -> bool:  # noqa: ARG002, FBT001
        """Take what a retry costs, if it is there."""
        cost = self._cost(is_timeout)
        if self.tokens < cost:
            return False
        self.tokens -= cost
        return True

    def _cost(self, is_timeout: bool) -> int:  # noqa: FBT001
        return self.timeout_retry_cost if is_timeout else self.retry_cost
