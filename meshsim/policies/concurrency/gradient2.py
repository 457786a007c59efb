"""Gradient2: the limit from the ratio of long and short averages of the round trip."""

from __future__ import annotations

from math import sqrt
from typing import Annotated

from annotated_types import Ge, Gt, Le

from meshsim.policies.concurrency.aimd import check_limits
from meshsim.policies.concurrency.limit import ConcurrencyLimit, ConcurrencyLimitState
from meshsim.registry import policy
from meshsim.units import Count, PositiveCount


@policy
class Gradient2(ConcurrencyLimit):
    """Multiply the limit by the tolerated ratio of the long-term average round trip to this one, and add room for a queue.

    The ratio is kept between 0.5 and 1. When the long-term average is twice the present round trip it is drawn down, so that it recovers
    from an overload. It looks only at calls made while half of the limit was in use. `queue_size` 0 is sqrt(limit), not the
    library's 4.

    Source: Netflix concurrency-limits, com.netflix.concurrency.limits.limit.Gradient2Limit.
    """

    initial_limit: PositiveCount = 20
    """The limit at the start."""
    min_limit: PositiveCount = 20
    """It never falls below this."""
    max_limit: PositiveCount = 200
    """It never rises above this."""
    queue_size: Count = 4
    """Room for a queue, added at each step; 0 for the square root of the limit."""
    rtt_tolerance: Annotated[float, Ge(1), Le(1e6)] = 1.5
    """How many times the long-term round trip is still fine."""
    long_window: PositiveCount = 600
    """Samples of the long-term average."""
    smoothing: Annotated[float, Gt(0), Le(1)] = 0.2
    """How much of each change is taken over."""

    def check(self) -> None:
        """Raise `SettingError` where the limits contradict each other."""
        check_limits(self.min_limit, self.max_limit)

    def build(self, **_: object) -> Gradient2State:
        """Nothing is known of the round trip."""
        return Gradient2State(self)


class Gradient2State(ConcurrencyLimitState):
    """The averages of the round trip, and the limit that they make."""

    __slots__ = (
        "_count",
        "_estimated",
        "_long_ns",
        "_sum_ns",
        "long_window",
        "max_limit",
        "min_limit",
        "queue_size",
        "rtt_tolerance",
        "smoothing",
    )

    def __init__(self, settings: Gradient2) -> None:
        """Nothing is known of the round trip."""
        super().__init__(settings.initial_limit)
        self.min_limit = settings.min_limit
        self.max_limit = settings.max_limit
        self.queue_size = settings.queue_size
        self.rtt_tolerance = settings.rtt_tolerance
        self.long_window = settings.long_window
        self.smoothing = settings.smoothing
        self._estimated = float(settings.initial_limit)
        self._long_ns = 0.0
        self._sum_ns, self._count = 0.0, 0

    def learn(self, now_ns: int, rtt_ns: int, in_flight: int, is_dropped: bool) -> None:  # noqa: ARG002, FBT001
        """One step; a drop tells by its round trip alone."""
        if rtt_ns <= 0:
            return
        long_ns = self._average(rtt_ns)
        if long_ns / rtt_ns > 2.0:
            self._long_ns = long_ns = long_ns * 0.95
        if in_flight < self._estimated / 2:
            return
        gradient = max(0.5, min(1.0, self.rtt_tolerance * long_ns / rtt_ns))
        room = float(self.queue_size) if self.queue_size else sqrt(self._estimated)
        wanted = self._estimated * gradient + room
        wanted = self._estimated * (1.0 - self.smoothing) + wanted * self.smoothing
        self._estimated = max(float(self.min_limit), min(float(self.max_limit), wanted))
        self.limit = int(self._estimated)

    def _average(self, rtt_ns: int) -> float:
        """Exponential average over the long window, begun with the plain mean of ten samples."""
        if self._count < 10:
            self._count += 1
            self._sum_ns += rtt_ns
            self._long_ns = self._sum_ns / self._count
        else:
            factor = 2.0 / (self.long_window + 1)
            self._long_ns = self._long_ns * (1.0 - factor) + rtt_ns * factor
        return self._long_ns
