"""AIMD: one more with each success, a share less with each drop."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Lt

from meshsim.policies.concurrency.limit import ConcurrencyLimit, ConcurrencyLimitState
from meshsim.registry import SettingError, policy
from meshsim.units import Duration, PositiveCount


@policy
class Aimd(ConcurrencyLimit):
    """Raise the limit by one with each success while it is needed, and cut it by a share with each drop or time-out.

    It rises only while half of it is in use: an idle caller learns nothing. A call longer than `timeout` counts as dropped.

    Source: Netflix concurrency-limits, com.netflix.concurrency.limits.limit.AIMDLimit.
    """

    initial_limit: PositiveCount = 20
    """The limit at the start."""
    min_limit: PositiveCount = 20
    """It never falls below this."""
    max_limit: PositiveCount = 200
    """It never rises above this."""
    backoff_ratio: Annotated[float, Ge(0.5), Lt(1)] = 0.9
    """What is left of the limit after a drop."""
    timeout: Duration = 5_000_000_000
    """A call that takes longer counts as dropped."""

    def check(self) -> None:
        """Raise `SettingError` where the limits contradict each other."""
        check_limits(self.min_limit, self.max_limit)

    def build(self, **_: object) -> AimdState:
        """State of its own."""
        return AimdState(self)


class AimdState(ConcurrencyLimitState):
    """The limit that successes raise and drops cut."""

    __slots__ = ("backoff_ratio", "max_limit", "min_limit", "timeout")

    def __init__(self, settings: Aimd) -> None:
        """Nothing has happened."""
        super().__init__(settings.initial_limit)
        self.min_limit = settings.min_limit
        self.max_limit = settings.max_limit
        self.backoff_ratio = settings.backoff_ratio
        self.timeout = settings.timeout

    def learn(self, now_ns: int, rtt_ns: int, in_flight: int, is_dropped: bool) -> None:  # noqa: ARG002, FBT001
        """Up by one, or down by a share."""
        limit = self.limit
        if is_dropped or rtt_ns > self.timeout:
            limit = int(limit * self.backoff_ratio)
        elif in_flight * 2 >= limit:
            limit += 1
        self.limit = min(self.max_limit, max(self.min_limit, limit))


def check_limits(least: int, most: int) -> None:
    """Raise `SettingError` where the least limit is above the most."""
    if least > most:
        raise SettingError("min_limit", f"must not be above max_limit, {most:,}")
