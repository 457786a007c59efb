"""A retry policy: Envoy's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from meshsim.policies.retry.conditions import is_retriable

if TYPE_CHECKING:
    from meshsim.policies.retry.back_off import BackOffState


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
    back_off: BackOffState
    avoids_previous_hosts: bool
    """Envoy's retry_host_predicate previous_hosts: pick again while the pick has been tried before."""
    max_reselections: int
    """Envoy's host_selection_retry_max_attempts: picks again at most so often, then takes the last pick even if tried."""
    max_retry_after_ns: int = 0
    """An answer that says when to come again is taken at its word up to this; 0 for not at all."""
    avoids_previous_priorities: bool = False
    """Envoy's retry_priority previous_priorities: leave out the priorities that have been tried."""
    update_frequency: int = 1
    """After how many tries those are looked at again."""

    def is_retriable(self, status: int, grpc_status: int, flags: int) -> bool:
        """Whether the conditions match this outcome."""
        return is_retriable(self.conditions, self.codes, status, grpc_status, flags)
