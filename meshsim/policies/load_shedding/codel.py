"""CoDel: drop when the queue has not been short for a while."""

from __future__ import annotations

from math import sqrt

from meshsim.policies.load_shedding.shedding import LoadShedding, LoadSheddingState
from meshsim.registry import SettingError, policy
from meshsim.units import Duration


@policy
class Codel(LoadShedding):
    """Drop a request when waits have been above the target for a whole interval, and then ever more often until they are not.

    A burst passes; a standing queue does not. The next drop comes interval / sqrt(number of drops) after the last. The last
    request in the queue is never dropped.

    Source: Nichols and Jacobson, "Controlling queue delay", ACM Queue 10(5), 2012; RFC 8289.
    """

    target: Duration = 5_000_000
    """Wait that is fine."""
    interval: Duration = 100_000_000
    """How long waits may be above it before anything is dropped."""

    def check(self) -> None:
        """Raise `SettingError` where the target is not below the interval."""
        if not 0 < self.target < self.interval:
            raise SettingError("target", "must be above 0s and below the interval, such as 5ms of 100ms")

    def build(self, **_: object) -> CodelState:
        """The queue is short."""
        return CodelState(self)


class CodelState(LoadSheddingState):
    """Since when waits have been too long, and the drops that follow."""

    __slots__ = ("_above_since_ns", "_count", "_is_dropping", "_next_ns", "interval", "target")

    def __init__(self, settings: Codel) -> None:
        """The queue is short."""
        self.target = settings.target
        self.interval = settings.interval
        self._above_since_ns = -1
        self._is_dropping = False
        self._next_ns = 0
        self._count = 0

    def drop(self, now_ns: int, waited_ns: int, queued: int) -> bool:
        """Whether this one goes."""
        may_drop = self._is_standing(now_ns, waited_ns, queued)
        if self._is_dropping:
            if not may_drop:
                self._is_dropping = False
                return False
            if now_ns < self._next_ns:
                return False
            self._count += 1
            self._next_ns += self._pause_ns()
            return True
        if not may_drop:
            return False
        self._is_dropping = True
        was_recent = self._count > 2 and now_ns - self._next_ns < 8 * self.interval
        self._count = self._count - 2 if was_recent else 1
        self._next_ns = now_ns + self._pause_ns()
        return True

    def _is_standing(self, now_ns: int, waited_ns: int, queued: int) -> bool:
        """Whether waits have been above the target for an interval."""
        if waited_ns < self.target or not queued:
            self._above_since_ns = -1
            return False
        if self._above_since_ns < 0:
            self._above_since_ns = now_ns
            return False
        return now_ns - self._above_since_ns >= self.interval

    def _pause_ns(self) -> int:
        return round(self.interval / sqrt(self._count))
