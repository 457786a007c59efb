"""What every concurrency limit answers."""

from __future__ import annotations

from meshsim.own_policies import State, yes_or_no
from meshsim.registry import Policy, family


class ConcurrencyLimitState(State):
    """Says how many requests may be on their way at once. It belongs to one proxy."""

    __slots__ = ("in_flight", "limit")

    def __init__(self, limit: int) -> None:
        """Nothing is on its way, and there may be so many."""
        self.limit = limit
        """How many there may be now."""
        self.in_flight = 0

    def admit(self, now_ns: int) -> bool:  # noqa: ARG002
        """Whether one more may go on; one that may is to be followed by `done` or `cancelled`."""
        if self.in_flight >= self.limit:
            return False
        self.in_flight += 1
        return True

    def done(self, now_ns: int, rtt_ns: int, is_dropped: bool) -> None:  # noqa: FBT001
        """One has ended.

        Args:
            now_ns: Time.
            rtt_ns: How long it took.
            is_dropped: Whether it timed out or was turned away: what tells of overload.
        """
        in_flight = self.in_flight
        self.in_flight -= 1
        self.learn(now_ns, rtt_ns, in_flight, is_dropped)

    def cancelled(self) -> None:
        """One has ended without telling anything: its caller has gone."""
        self.in_flight -= 1

    def learn(self, now_ns: int, rtt_ns: int, in_flight: int, is_dropped: bool) -> None:  # noqa: FBT001
        """Take in a sample; `in_flight` counts the one that has ended."""


@family("concurrency_limit", ConcurrencyLimitState, admit=yes_or_no)
class ConcurrencyLimit(Policy):
    """Says how a limit on requests at once is found. Each proxy has a limit of its own."""

    def build(self, **_: object) -> ConcurrencyLimitState:
        """One that has learned nothing yet."""
        raise NotImplementedError
