"""Fixed windows: a counter that starts anew."""

from __future__ import annotations

from meshsim.policies.admission.admission import NEVER, Admission, AdmissionState
from meshsim.registry import SettingError, policy
from meshsim.units import NS_PER_S, Duration, PositiveCount


@policy
class FixedWindow(Admission):
    """Admit so many requests in each window; windows begin at multiples of their length, by the time of day.

    They are aligned to the clock and not to a client's first request, so that all counters start anew at the same instant, and twice the
    limit may pass within a moment across a boundary: once at the end of a window and once at the beginning of the next. A run begins
    somewhere in a window: `run.time_zero` says when, and where it does not each replication draws a time of its own.

    Source: envoyproxy/ratelimit, src/redis/fixed_cache_impl.go and src/limiter/cache_key.go (the window is in the key); Kong,
    kong/plugins/rate-limiting/policies/init.lua.
    """

    requests: PositiveCount
    """How many in each window."""
    window: Duration
    """Length of a window: 1s, 1m, 1h or 24h in ratelimit and Kong."""

    def check(self) -> None:
        """Raise `SettingError` where there is no window."""
        if self.window <= 0:
            raise SettingError("window", "must be longer than 0s")

    def build(self, time_zero_ns: int = 0, **_: object) -> FixedWindowState:
        """Nothing has been counted."""
        return FixedWindowState(self, time_zero_ns)

    def limit(self) -> int:
        """How many in each window."""
        return self.requests

    def per_second(self) -> float:
        """Requests per second in the long run."""
        return self.requests * NS_PER_S / self.window


class FixedWindowState(AdmissionState):
    """The count of the present window."""

    __slots__ = ("_count", "_window", "_zero_ns", "requests", "window")

    def __init__(self, settings: FixedWindow, time_zero_ns: int) -> None:
        """Nothing has been counted."""
        self.requests = settings.requests
        self.window = settings.window
        self._zero_ns: int = time_zero_ns % settings.window
        """How much of a window is over at time zero."""
        self._window = 0
        self._count = 0

    def admit(self, now_ns: int, cost: int = 1) -> bool:
        """Count it, if it fits."""
        window = (now_ns + self._zero_ns) // self.window
        if window != self._window:
            self._window = window
            self._count = 0
        if self._count + cost > self.requests:
            return False
        self._count += cost
        return True

    def retry_after_ns(self, now_ns: int, cost: int = 1) -> int:
        """Until the next window."""
        if cost > self.requests:
            return NEVER
        return 0 if cost <= self.remaining(now_ns) else self.window - (now_ns + self._zero_ns) % self.window

    def remaining(self, now_ns: int) -> int:
        """How many are left in this window."""
        return self.requests - (self._count if (now_ns + self._zero_ns) // self.window == self._window else 0)
