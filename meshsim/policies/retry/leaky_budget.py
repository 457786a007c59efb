"""Finagle's and Linkerd's retry budget."""

from __future__ import annotations

from collections import deque
from typing import Annotated

from annotated_types import Ge, Le

from meshsim.policies.retry.token_budget import RetryTokenBudget, RetryTokenBudgetState
from meshsim.registry import SettingError, policy
from meshsim.units import NS_PER_S, Duration

WINDOWS = 10
"""Parts of the ttl: deposits of one of them expire together."""


@policy
class LeakyBudget(RetryTokenBudget):
    """Allow retries for a share of the first tries of the last seconds, and a few each second whatever the load.

    Each first try deposits, whether it succeeds or not: in a total outage with 20 % there are 1.2 times the requests, plus the
    reserve. (Linkerd's proxy deposits when a request has ended without a retriable failure, so that an outage there leaves the
    reserve only.) It is a rate, unlike Envoy's budget, which limits how many there are at once. A deposit expires after `ttl`.

    Source: Finagle, finagle-core/src/main/scala/com/twitter/finagle/service/RetryBudget.scala (ttl 10 s, 10/s, 20 %); Linkerd,
    linkerd2, controller/api/destination/profile_translator.go (retryRatio 0.2, minRetriesPerSecond 10, ttl 10s), and
    linkerd2-proxy, linkerd/app/core/src/retry.rs.
    """

    ttl: Duration = 10_000_000_000
    """How long a deposit can be used."""
    min_retries_per_second: Annotated[int, Ge(0), Le(2**32 - 1)] = 10
    """Retries that are free each second."""
    retry_ratio: Annotated[float, Ge(0), Le(1000)] = 0.2
    """Retries for each first try."""

    def check(self) -> None:
        """Raise `SettingError` where Finagle would refuse the settings."""
        if not NS_PER_S <= self.ttl <= 60 * NS_PER_S:
            raise SettingError("ttl", "must be from 1s to 60s, as in Finagle")

    def build(self, born_ns: int = 0, **_: object) -> LeakyBudgetState:
        """Nothing but the reserve; windows follow each other since the process began."""
        return LeakyBudgetState(self, born_ns)


class LeakyBudgetState(RetryTokenBudgetState):
    """The deposits that have not expired, and the reserve."""

    __slots__ = ("_deposits", "_reserve", "_since_ns", "_sum", "retry_ratio", "ttl")

    def __init__(self, settings: LeakyBudget, born_ns: int) -> None:
        """Nothing but the reserve; windows follow each other since the process began."""
        self.ttl = settings.ttl
        self.retry_ratio = settings.retry_ratio
        self._since_ns = -born_ns % settings.ttl
        self._deposits: deque[list[float]] = deque()
        """Window, and what is left of what was deposited in it; withdrawals take from the latest windows' sum."""
        self._sum = 0.0
        self._reserve = float(settings.min_retries_per_second * settings.ttl // NS_PER_S)

    def balance(self, now_ns: int) -> float:
        """Retries that can be paid for."""
        self._expire(now_ns)
        return self._sum + self._reserve

    def deposit(self, now_ns: int) -> None:
        """A share of a retry."""
        self._put(now_ns, self.retry_ratio)

    def withdraw(self, now_ns: int, is_timeout: bool) -> bool:  # noqa: ARG002, FBT001
        """Take one, if there is one: what is taken comes back when its window expires, as in Finagle's windowed adder."""
        if self.balance(now_ns) < 1.0 - 1e-9:
            return False
        self._put(now_ns, -1.0)
        return True

    def _put(self, now_ns: int, amount: float) -> None:
        window = (now_ns + self._since_ns) * WINDOWS // self.ttl
        if not self._deposits or self._deposits[-1][0] != window:
            self._deposits.append([window, 0.0])
        self._deposits[-1][1] += amount
        self._sum += amount

    def _expire(self, now_ns: int) -> None:
        oldest = (now_ns + self._since_ns) * WINDOWS // self.ttl - WINDOWS
        while self._deposits and self._deposits[0][0] <= oldest:
            self._sum -= self._deposits.popleft()[1]
