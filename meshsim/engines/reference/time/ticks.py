"""Timers of a proxy whose clock is coarse: they begin at one tick and end at another.

An event loop on libevent reads Linux' coarse clock, which stands still between two ticks of the kernel, once for each turn of the loop. A
timer that is set between two ticks begins at the first of them, up to a tick early; it has run out at the first tick that is not before its
end. And it is noticed only when the loop looks: at the next event of the proxy, or when it wakes of its own, which it does as long
after a tick as its last look was after one. What comes of it, with a tick of 4 ms: a timeout of 150 ms in a proxy with some hundred requests a
second is 0.8 ms late in the mean, one of 100 ms (a multiple of the tick) 0.6 ms early, and a back-off after a timeout 1.1 to 1.6 ms late.

Source: libevent, event.c (event_add, timeout_next, timeout_process, update_time_cache), evutil_time.c
(CLOCK_MONOTONIC_COARSE, evutil_tv_to_msec_); Envoy, source/common/event/libevent_scheduler.cc (an event base without a precise timer) and
timer_impl.cc; measured on Envoy 1.40.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import simpy
from simpy.events import URGENT

from meshsim.engines.reference.time.clock import PARK, Expired, Timer
from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.time.outcome import Outcome

NEVER = -1


class Ticks:
    """The time that the event loop of one proxy sees."""

    __slots__ = ("_by_length", "clock", "looked_ns", "phase_ns", "tick_ns", "unnoticed")

    def __init__(self, clock: Clock, tick_ns: int, phase_ns: int) -> None:
        self.clock = clock
        self.tick_ns = tick_ns
        self.phase_ns = phase_ns
        """When the first tick is: the kernel's clock and the run have not begun together."""
        self.looked_ns = 0
        """When the loop looked last."""
        self.unnoticed: list[TickTimers] = []
        """Those with a timer that has run out, which the loop has not seen yet."""
        self._by_length: dict[int, TickTimers] = {}

    def timers(self, delay_ns: int) -> TickTimers:
        """The timers of this length."""
        if delay_ns not in self._by_length:
            self._by_length[delay_ns] = TickTimers(self, delay_ns)
        return self._by_length[delay_ns]

    def look(self) -> None:
        """Something happens at the proxy: the loop sees what has run out meanwhile, after what happens now."""
        self.looked_ns = self.clock.now_ns
        if self.unnoticed:
            for timers in self.unnoticed:
                timers.arm(self.looked_ns)
            self.unnoticed.clear()

    def sleep(self, length_ns: int) -> Steps:
        """Wait for so long, by this clock."""
        if not length_ns:
            return
        nap = self.timers(length_ns).nap()
        try:
            yield PARK
        finally:
            nap.task = None

    def since_tick_ns(self, at_ns: int) -> int:
        """How long ago the last tick was."""
        return (at_ns - self.phase_ns) % self.tick_ns

    def end_ns(self, set_ns: int, delay_ns: int) -> int:
        """When a timer ends that is set at an instant: at no tick, as a rule."""
        return set_ns - self.since_tick_ns(set_ns) + delay_ns

    def run_out_ns(self, end_ns: int) -> int:
        """The first tick that is not before its end."""
        return end_ns + (self.phase_ns - end_ns) % self.tick_ns

    def wakes_ns(self, end_ns: int) -> int:
        """When the loop wakes of its own for a timer that ends so, and finds that it has run out.

        The wait is counted from the tick before it begins, in whole milliseconds rounded up; where the clock does not show the end then,
        the loop waits once more.
        """
        at_ns = self.looked_ns
        while True:
            now_ns = at_ns - self.since_tick_ns(at_ns)
            if now_ns >= end_ns:
                return at_ns
            at_ns += -(-(end_ns - now_ns) // NS_PER_MS) * NS_PER_MS


class Nap(Timer):
    """A timer that ends a wait in place of interrupting it."""

    __slots__ = ()


class TickTimers:
    """All timers of one length at one proxy; they run out in the order in which they were set."""

    __slots__ = ("_armed_ns", "_delay_ns", "_set", "_ticks")

    def __init__(self, ticks: Ticks, delay_ns: int) -> None:
        self._ticks = ticks
        self._delay_ns = delay_ns
        self._set: deque[Timer] = deque()
        self._armed_ns = NEVER
        """When these timers are looked at next; another instant is an old entry of the queue."""

    def start(self, outcome: Outcome) -> Timer:
        """Interrupt the active task with `Expired` when the time is over."""
        clock = self._ticks.clock
        return self._add(Timer(clock.active, clock.now_ns, outcome))

    def nap(self) -> Timer:
        """Wake the active task when the time is over."""
        clock = self._ticks.clock
        return self._add(Nap(clock.active, clock.now_ns, None))  # type: ignore[arg-type]

    def _add(self, timer: Timer) -> Timer:
        """`due_ns` is when it was set: what comes of it is worked out where it matters, which it seldom does."""
        self._ticks.look()
        self._set.append(timer)
        if self._armed_ns == NEVER:
            self.arm(self._run_out_ns(timer))
        return timer

    def _run_out_ns(self, timer: Timer) -> int:
        ticks = self._ticks
        return ticks.run_out_ns(ticks.end_ns(timer.due_ns, self._delay_ns))

    def arm(self, at_ns: int) -> None:
        """Look at these timers at an instant, before all else that happens then."""
        clock = self._ticks.clock
        self._armed_ns = at_ns
        event = simpy.Event(clock)
        event._ok, event._value = True, None  # noqa: SLF001 — as SimPy's own Timeout, which cannot be urgent
        event.callbacks.append(self._fire)
        clock.schedule(event, URGENT, at_ns - clock.now_ns)

    def _fire(self, _: simpy.Event) -> None:
        """End those that have run out, once the loop looks; and wait for the next that is not cancelled."""
        ticks, now_ns = self._ticks, self._ticks.clock.now_ns
        if self._armed_ns != now_ns:
            return
        self._armed_ns = NEVER
        while self._set:
            timer = self._set[0]
            if timer.task is not None:
                if self._run_out_ns(timer) > now_ns:
                    self.arm(self._run_out_ns(timer))
                    return
                wakes_ns = ticks.wakes_ns(ticks.end_ns(timer.due_ns, self._delay_ns))
                if wakes_ns > now_ns:
                    ticks.unnoticed.append(self)
                    self.arm(wakes_ns)
                    return
                self._end(timer)
            self._set.popleft()

    def _end(self, timer: Timer) -> None:
        self._ticks.looked_ns = self._ticks.clock.now_ns
        assert timer.task is not None  # noqa: S101 — the caller has looked
        if type(timer) is Nap:
            timer.task.wake()
        else:
            timer.task.interrupt(Expired(timer, timer.outcome))
