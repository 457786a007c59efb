"""Controlled delay: a short limit on the wait while a queue stands, a long one otherwise."""

from __future__ import annotations

from meshsim.policies.load_shedding.shedding import LoadShedding, LoadSheddingState
from meshsim.registry import SettingError, policy
from meshsim.units import Duration


@policy
class ControlledDelay(LoadShedding):
    """Drop a request after the target if the queue had not been empty for an interval when it came, and after the interval otherwise.

    This is Facebook's variant of CoDel. In a burst requests may wait for the whole interval; when a queue has built up, new ones are dropped
    as soon as they have waited for the target. Requests that came before keep the limit that they came with. With `lifo` or `adaptive_lifo`
    new requests are then served within the target or not at all.

    Source: Maurer, "Fail at Scale", ACM Queue 13(8), 2015, "Controlled delay" (lastEmptyTime < now - N: timeout M, else N; M 5 ms, N 100 ms);
    paypal/hera, lib/adaptivequeuemgr.go (getBacklogTimeout). Facebook's folly/executors/Codel.cpp is another one: while the least wait
    of the interval before was above the target it drops whom it finds to have waited for more than twice the target.
    """

    target: Duration = 5_000_000
    """How long a request may wait where a queue has built up."""
    interval: Duration = 100_000_000
    """How long it may wait otherwise, and how long the queue must not have been empty before the target applies."""

    def check(self) -> None:
        """Raise `SettingError` where the target is not below the interval."""
        if not 0 < self.target < self.interval:
            raise SettingError("target", "must be above 0s and below the interval, such as 5ms of 100ms")

    def build(self, **_: object) -> ControlledDelayState:
        """The queue is empty."""
        return ControlledDelayState(self)


class ControlledDelayState(LoadSheddingState):
    """When the queue was empty for the last time."""

    __slots__ = ("_empty_ns", "_interval", "_target")

    def __init__(self, settings: ControlledDelay) -> None:
        """The queue is empty."""
        self._target = settings.target
        self._interval = settings.interval
        self._empty_ns = 0

    def enter(self, now_ns: int, queued: int) -> int:
        """The interval, or the target in a queue that stands."""
        if not queued:
            self._empty_ns = now_ns
        return self._target if self._empty_ns < now_ns - self._interval else self._interval
