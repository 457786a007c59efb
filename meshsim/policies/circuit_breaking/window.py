"""The outcomes that a circuit breaker looks at: of the last calls, or of the last seconds."""

from __future__ import annotations

from collections import deque

NS_PER_S = 1_000_000_000


class Window:
    """Calls, failures and slow calls of the last `size` calls, or of the last `size` whole seconds of the time of day.

    Source: resilience4j, io.github.resilience4j.core.metrics.SlidingTimeWindowMetrics (getEpochSecond).
    """

    __slots__ = ("_is_timed", "_seen", "_size", "_zero_ns", "calls", "failures", "slow")

    def __init__(self, size: int, *, is_timed: bool, zero_ns: int = 0) -> None:
        self._size = size
        self._zero_ns = zero_ns
        """How much of a second is over at time zero."""
        self._is_timed = is_timed
        self._seen: deque[list[int]] = deque()
        """Second (of a timed one), calls, failures, slow calls."""
        self.calls = self.failures = self.slow = 0

    def clear(self) -> None:
        """Forget everything."""
        self._seen.clear()
        self.calls = self.failures = self.slow = 0

    def add(self, now_ns: int, is_failure: bool, is_slow: bool) -> None:  # noqa: FBT001
        """A call has ended."""
        second = (now_ns + self._zero_ns) // NS_PER_S
        if self._is_timed and self._seen and self._seen[-1][0] == second:
            last = self._seen[-1]
            last[1] += 1
            last[2] += is_failure
            last[3] += is_slow
        else:
            self._seen.append([second, 1, int(is_failure), int(is_slow)])
        self.calls += 1
        self.failures += is_failure
        self.slow += is_slow
        self.expire(now_ns)

    def expire(self, now_ns: int) -> None:
        """Drop what is too old."""
        oldest = (now_ns + self._zero_ns) // NS_PER_S - self._size
        while self._seen and (self._seen[0][0] <= oldest if self._is_timed else len(self._seen) > self._size):
            _, calls, failures, slow = self._seen.popleft()
            self.calls -= calls
            self.failures -= failures
            self.slow -= slow
