"""Sliding window, estimated from two counters."""

from __future__ import annotations

from meshsim.policies.admission.admission import NEVER, Admission, AdmissionState
from meshsim.registry import SettingError, policy
from meshsim.units import NS_PER_S, Duration, PositiveCount


@policy
class SlidingWindowCounter(Admission):
    """Admit while this window's count, and of the last one's the share that a sliding window still covers, stay within the limit.

    The estimate takes the last window's requests for evenly spread. It is off by at most what came in that window: too low by the share
    f of it where they all came at its end (f of this window being over), too high by 1 - f where they came at its beginning. So a burst
    across the boundary gets no second limit at once, as with fixed windows; but over nearly two windows twice the limit can still meet.

    Source: Desgats, "How we built rate limiting capable of scaling to millions of domains", Cloudflare blog, 2017 (of 400 million
    requests 0.003 % were judged wrongly); Kong, kong/tools/public/rate-limiting/init.lua, sliding_window.
    """

    requests: PositiveCount
    """How many in a window."""
    window: Duration
    """Length of the window; counters are aligned to its multiples by the time of day (`run.time_zero`)."""
    count_refused: bool = False
    """Count refused requests too, as Kong does unless `disable_penalty` is on: who does not stop asking stays out."""

    def check(self) -> None:
        """Raise `SettingError` where there is no window."""
        if self.window <= 0:
            raise SettingError("window", "must be longer than 0s")

    def build(self, time_zero_ns: int = 0, **_: object) -> SlidingWindowCounterState:
        """Nothing has been counted."""
        return SlidingWindowCounterState(self, time_zero_ns)

    def limit(self) -> int:
        """How many in a window."""
        return self.requests

    def per_second(self) -> float:
        """Requests per second in the long run."""
        return self.requests * NS_PER_S / self.window


class SlidingWindowCounterState(AdmissionState):
    """The counts of this window and of the last one."""

    __slots__ = ("_count", "_last", "_window", "_zero_ns", "count_refused", "requests", "window")

    def __init__(self, settings: SlidingWindowCounter, time_zero_ns: int) -> None:
        """Nothing has been counted."""
        self.requests = settings.requests
        self.window = settings.window
        self.count_refused = settings.count_refused
        self._zero_ns: int = time_zero_ns % settings.window
        """How much of a window is over at time zero."""
        self._window = 0
        self._count = 0
        self._last = 0
        """Count of the window before."""

    def admit(self, now_ns: int, cost: int = 1) -> bool:
        """Count it, if it fits."""
        self._turn(now_ns)
        is_fitting = self._covered(now_ns) + cost * self.window <= self.requests * self.window
        if is_fitting or self.count_refused:
            self._count += cost
        return is_fitting

    def retry_after_ns(self, now_ns: int, cost: int = 1) -> int:
        """Until enough of the last window is no longer covered; that may be in the next."""
        if cost > self.requests:
            return NEVER
        self._turn(now_ns)
        over_ns = (now_ns + self._zero_ns) % self.window
        room = self.requests - cost - self._count
        if room >= 0:
            return max(0, self._until(self._last, room) - over_ns)
        return self.window - over_ns + self._until(self._count, self.requests - cost)

    def remaining(self, now_ns: int) -> int:
        """How many fit by the estimate."""
        self._turn(now_ns)
        return max(0, (self.requests * self.window - self._covered(now_ns)) // self.window)

    def estimate(self, now_ns: int) -> float:
        """Requests in the window that ends now, by the two counters."""
        self._turn(now_ns)
        return self._covered(now_ns) / self.window

    def _covered(self, now_ns: int) -> int:
        """The estimate times the length of the window, which is a whole number."""
        return self._last * (self.window - (now_ns + self._zero_ns) % self.window) + self._count * self.window

    def _until(self, last: int, room: int) -> int:
        """How much of a window must be over so that of the `last` one no more than `room` is covered."""
        return 0 if last <= room else self.window - room * self.window // last

    def _turn(self, now_ns: int) -> None:
        window = (now_ns + self._zero_ns) // self.window
        if window != self._window:
            self._last = self._count if window == self._window + 1 else 0
            self._count = 0
            self._window = window
