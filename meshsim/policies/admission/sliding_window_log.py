"""Sliding window, exact."""

from __future__ import annotations

from collections import deque

from meshsim.policies.admission.admission import NEVER, Admission, AdmissionState
from meshsim.registry import SettingError, policy
from meshsim.units import NS_PER_S, Duration, PositiveCount


@policy
class SlidingWindowLog(Admission):
    """Admit so many requests in any window, wherever it begins, by the times of all that were admitted.

    Exact, at the price of one time stamp for each request of a window. A request leaves the window exactly one length after it came. Only
    admitted requests are kept: implementations that also log refused ones lock a client out that does not stop asking.

    Source: the sorted-set script of ClassDojo/rolling-rate-limiter and its like (ZREMRANGEBYSCORE, ZCARD, ZADD).
    """

    requests: PositiveCount
    """How many in any window."""
    window: Duration
    """Length of the window."""

    def check(self) -> None:
        """Raise `SettingError` where there is no window."""
        if self.window <= 0:
            raise SettingError("window", "must be longer than 0s")

    def build(self, **_: object) -> SlidingWindowLogState:
        """Nobody has come."""
        return SlidingWindowLogState(self)

    def limit(self) -> int:
        """How many in any window."""
        return self.requests

    def per_second(self) -> float:
        """Requests per second in the long run."""
        return self.requests * NS_PER_S / self.window


class SlidingWindowLogState(AdmissionState):
    """When the requests of the last window came."""

    __slots__ = ("_log", "requests", "window")

    def __init__(self, settings: SlidingWindowLog) -> None:
        """Nobody has come."""
        self.requests = settings.requests
        self.window = settings.window
        self._log: deque[int] = deque()
        """When each of the admitted came; as often as it cost."""

    def admit(self, now_ns: int, cost: int = 1) -> bool:
        """Log it, if it fits."""
        log, gone_ns = self._log, now_ns - self.window
        while log and log[0] <= gone_ns:
            log.popleft()
        if len(log) + cost > self.requests:
            return False
        for _ in range(cost):
            log.append(now_ns)
        return True

    def retry_after_ns(self, now_ns: int, cost: int = 1) -> int:
        """Until enough of the logged ones leave the window."""
        if cost > self.requests:
            return NEVER
        too_many = len(self._log) + cost - self.requests
        return max(0, self._log[too_many - 1] + self.window - now_ns) if too_many > 0 else 0

    def remaining(self, now_ns: int) -> int:
        """How many more fit into the window that ends now."""
        gone_ns = now_ns - self.window
        return self.requests - sum(came_ns > gone_ns for came_ns in self._log)
