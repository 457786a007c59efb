"""What every retry budget of tokens answers."""

from __future__ import annotations

from typing import Any

from meshsim.own_policies import State, yes_or_no
from meshsim.registry import Policy, family


class RetryTokenBudgetState(State):
    """Pays for retries out of tokens. It belongs to one caller's view of one destination."""

    __slots__ = ()

    def deposit(self, now_ns: int) -> None:
        """A request is tried for the first time."""

    def succeeded(self, now_ns: int, is_retry: bool = False, is_timeout: bool = False) -> None:  # noqa: FBT001, FBT002
        """A request has succeeded.

        Args:
            now_ns: Time.
            is_retry: Whether its last try was a retry, which has been paid for.
            is_timeout: Whether that one came after a timeout.
        """

    def withdraw(self, now_ns: int, is_timeout: bool) -> bool:  # noqa: FBT001
        """Whether a retry may be made; it is paid for then.

        Args:
            now_ns: Time.
            is_timeout: Whether the try that failed had timed out.
        """
        raise NotImplementedError


@family("retry_token_budget", RetryTokenBudgetState, withdraw=yes_or_no)
class RetryTokenBudget(Policy):
    """Says what retries cost and what pays for them. Each caller's view of a destination has tokens of its own."""

    def build(self, **context: Any) -> RetryTokenBudgetState:
        """The tokens as they are at the start.

        Args:
            context: `born_ns`, when the caller's process began; below 0 for one that was there before the run.
        """
        raise NotImplementedError
