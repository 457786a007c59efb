"""Envoy's gradient controller: the arithmetic of its adaptive concurrency filter."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from meshsim.policies.load_balancing.balancer import Draw

LONG_AGO_NS = -(1 << 62)


class Settings(NamedTuple):
    """Envoy's settings, durations in ns and shares from 0 to 1."""

    percentile: float
    max_limit: int
    update_interval: int
    min_rtt_interval: int
    request_count: int
    jitter: float
    min_concurrency: int
    buffer: float


class GradientController:
    """A limit that follows the ratio of the best round trip to the present one.

    limit = gradient x limit + sqrt(gradient x limit), where gradient = best x (1 + buffer) / present, between 0.5 and 2. The best
    is measured anew at intervals: the limit is pinned to its minimum until enough samples have come. That is also done when
    the limit has been at its minimum for five updates in a row.

    Windows are looked at when something happens, not by a timer: nothing that is asked for differs.

    Source: Envoy, source/extensions/filters/http/adaptive_concurrency/controller/gradient_controller.cc.
    """

    __slots__ = (
        "_drawn",
        "_measured_at_ns",
        "_min_rtt_ns",
        "_over_ns",
        "_samples",
        "_saved_limit",
        "_settings",
        "_stuck",
        "_update_at_ns",
        "in_flight",
        "is_measuring",
        "limit",
    )  # fmt: skip

    def __init__(self, settings: Settings, over_ns: int = 0) -> None:
        """A controller that begins with a measurement.

        Args:
            settings: Envoy's.
            over_ns: How much of an interval between two measurements is over as it begins: that of a process which was there before.
        """
        self._settings = settings
        self._over_ns = over_ns
        self._samples: list[int] = []
        self._min_rtt_ns = 0
        self._stuck = 0
        self._update_at_ns = -1
        self._drawn = 0.0
        """For the jitter of the next interval."""
        self._measured_at_ns = 0
        """When the next measurement begins."""
        self.in_flight = 0
        self.is_measuring = True
        """Whether the best round trip is being measured; at the start it is."""
        self._saved_limit = settings.min_concurrency
        self.limit = settings.min_concurrency

    @property
    def min_rtt_ns(self) -> int:
        """The best round trip, 0 before the first measurement."""
        return self._min_rtt_ns

    def admit(self, now_ns: int, draw: Draw) -> bool:
        """Whether one more may go on."""
        self._look(now_ns)
        if self.is_measuring:
            self._drawn = draw.uniform()
        if self.in_flight >= self.limit:
            return False
        self.in_flight += 1
        return True

    def cancelled(self) -> None:
        """One that was admitted has no round trip."""
        self.in_flight -= 1

    def done(self, now_ns: int, rtt_ns: int) -> None:
        """One has ended; one that was admitted before the measurement began does not count for it."""
        self.in_flight -= 1
        self._look(now_ns)
        if self.is_measuring:
            if now_ns - rtt_ns < self._measured_at_ns:
                return
            self._samples.append(rtt_ns)
            if len(self._samples) >= self._settings.request_count:
                self._end_measurement(now_ns)
            return
        self._samples.append(rtt_ns)

    def _look(self, now_ns: int) -> None:
        """Do what is due."""
        if self.is_measuring:
            return
        if now_ns >= self._measured_at_ns:
            self._begin_measurement(now_ns)
        elif now_ns >= self._update_at_ns:
            interval = self._settings.update_interval
            self._update_at_ns += (now_ns - self._update_at_ns) // interval * interval + interval
            self._update(now_ns)

    def _begin_measurement(self, now_ns: int) -> None:
        self.is_measuring = True
        self._measured_at_ns = now_ns
        self._saved_limit, self.limit = self.limit, self._settings.min_concurrency
        self._samples.clear()

    def _end_measurement(self, now_ns: int) -> None:
        self.is_measuring = False
        self._min_rtt_ns = self._quantile()
        self._samples.clear()
        self.limit = max(self._saved_limit, self._settings.min_concurrency)
        jitter = 1.0 + self._settings.jitter * self._drawn
        self._measured_at_ns = now_ns + round((self._settings.min_rtt_interval - self._over_ns) * jitter)
        self._over_ns = 0
        self._update_at_ns = now_ns + self._settings.update_interval
        self._stuck = 0

    def _update(self, now_ns: int) -> None:
        """One step at the end of a window; nothing without samples."""
        if not self._samples:
            return
        settings = self._settings
        present_ns = max(1, self._quantile())
        self._samples.clear()
        gradient = max(0.5, min(2.0, self._min_rtt_ns * (1.0 + settings.buffer) / present_ns))
        limit = gradient * self.limit
        limit += sqrt(limit)
        self.limit = max(settings.min_concurrency, min(settings.max_limit, int(limit)))
        self._stuck = self._stuck + 1 if self.limit == settings.min_concurrency else 0
        if self._stuck >= 5:
            self._begin_measurement(now_ns)

    def _quantile(self) -> int:
        ordered = sorted(self._samples)
        return ordered[min(len(ordered) - 1, int(self._settings.percentile * len(ordered)))]
