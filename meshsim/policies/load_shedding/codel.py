"""CoDel: drop when the queue has not been short for a while."""

from __future__ import annotations

from math import sqrt

from meshsim.policies.load_shedding.shedding import NO_LIMIT, LoadShedding, LoadSheddingState
from meshsim.registry import SettingError, policy
from meshsim.units import Duration

NEVER = -1
LONG_AGO = 16
"""Intervals after which dropping begins slowly again."""


@policy
class Codel(LoadShedding):
    """Drop a request when waits have been above the target for a whole interval, and then ever more often until they are not.

    A burst passes; a standing queue does not. The n-th drop is followed by the next after interval / sqrt(n). Where drops
    begin again soon after they have ended, n goes on from the drops of the time before. The last request in the queue is never dropped: it
    stands for the RFC's packet's worth of bytes, for which requests have no measure.

    Source: RFC 8289, "Controlled Delay Active Queue Management", 2018, section 5 (dodequeue, deque, control_law); Nichols and Jacobson,
    "Controlling queue delay", ACM Queue 10(5), 2012.
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

    __slots__ = ("_above_until_ns", "_before", "_count", "_has_dropped", "_interval", "_is_dropping", "_next_ns", "_target")

    def __init__(self, settings: Codel) -> None:
        """The queue is short."""
        self._target = settings.target
        self._interval = settings.interval
        self._above_until_ns = NEVER
        """When waits will have been too long for an interval: the RFC's first_above_time."""
        self._is_dropping = False
        self._has_dropped = False
        """Whether the latest was dropped within a time of dropping, so that the next drop has no instant yet."""
        self._next_ns = 0
        self._count = 0
        """Drops since dropping began, and of before: the RFC's count."""
        self._before = 0
        """What that was when dropping began."""

    def enter(self, now_ns: int, queued: int) -> int:  # noqa: ARG002
        """No limit; an empty queue is short."""
        if not queued:
            self._above_until_ns = NEVER
        return NO_LIMIT

    def drop(self, now_ns: int, waited_ns: int, queued: int) -> bool:
        """Whether this one goes."""
        is_standing = self._stands(now_ns, waited_ns, queued)
        if self._is_dropping:
            return self._go_on(now_ns, is_standing=is_standing)
        if is_standing:
            self._begin(now_ns)
        return is_standing

    def _stands(self, now_ns: int, waited_ns: int, queued: int) -> bool:
        """Whether waits have been above the target for an interval: the RFC's dodequeue."""
        if waited_ns < self._target or not queued:
            self._above_until_ns = NEVER
            return False
        if self._above_until_ns == NEVER:
            self._above_until_ns = now_ns + self._interval
            return False
        return now_ns >= self._above_until_ns

    def _begin(self, now_ns: int) -> None:
        """Drop the first, at a rate near that of the time before if that is not long ago."""
        lately, self._count = self._count - self._before, 1
        if lately > 1 and now_ns - self._next_ns < LONG_AGO * self._interval:
            self._count = lately
        self._is_dropping, self._has_dropped, self._before = True, False, self._count
        self._next_ns = now_ns + self._pause_ns()

    def _go_on(self, now_ns: int, *, is_standing: bool) -> bool:
        """Drop when it is time, and stop as soon as the queue is short."""
        if not is_standing:
            self._is_dropping = False
            return False
        if self._has_dropped:
            self._has_dropped = False
            self._next_ns += self._pause_ns()
        if now_ns < self._next_ns:
            return False
        self._count += 1
        self._has_dropped = True
        return True

    def _pause_ns(self) -> int:
        """The control law."""
        return round(self._interval / sqrt(self._count))
