"""When a proxy's workers hear of what its main thread knows of the health of a destination's hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.ticks import main_thread_ns
from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.time.clock import Clock
    from meshsim.engines.reference.time.ticks import Ticks

LONG_AGO_NS = -(1 << 62)


class MergeWindow:
    """Passes changes of health on, those that come soon after one another together.

    A change is passed on at once where the latest delivery was longer ago than the window, in whole milliseconds, and else a full
    window after the change itself, together with whatever has changed until then. A change of membership is passed on at once, and
    with it all that waits. Every delivery begins a window, also one that brought nothing new. The wait is a timer of the main thread: where
    the proxy's clock is coarse it lasts whole ticks.

    Source: Envoy, source/common/upstream/cluster_manager_impl.cc (scheduleUpdate, applyUpdates).
    """

    __slots__ = ("_clock", "_deliver", "_ticks", "_told_ns", "_waiting", "_window_ns")

    def __init__(self, clock: Clock, window_ns: int, deliver: Callable[[], None], ticks: Ticks | None = None) -> None:
        self._clock = clock
        self._ticks = ticks
        self._window_ns = window_ns
        self._deliver = deliver
        self._told_ns = LONG_AGO_NS
        self._waiting = 0
        """Number of the delivery that is due later; negated where none is."""

    def change(self) -> None:
        """Somebody's health is another one."""
        clock, window_ns = self._clock, self._window_ns
        if not window_ns or (clock.now_ns - self._told_ns) // NS_PER_MS > window_ns // NS_PER_MS:
            self.flush()
        elif self._waiting <= 0:
            self._waiting = number = 1 - self._waiting
            clock.call_at(clock.now_ns + main_thread_ns(self._ticks, window_ns), lambda: self._is_due(number))

    def flush(self) -> None:
        """Pass on all there is, now."""
        if self._waiting > 0:
            self._waiting = -self._waiting
        self._told_ns = self._clock.now_ns
        self._deliver()

    def _is_due(self, number: int) -> None:
        if number == self._waiting:
            self.flush()
