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
from meshsim.engines.reference.time.outcome import OK
from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.time.clock import Clock, Steps, Task
    from meshsim.engines.reference.time.outcome import Outcome

NEVER = -1


class Ticks:
    """The time that the event loop of one proxy sees."""

    __slots__ = ("_by_length", "_unnoticed", "_wakes_ns", "clock", "looked_ns", "phase_ns", "tick_ns")

    def __init__(self, clock: Clock, tick_ns: int, phase_ns: int) -> None:
        self.clock = clock
        self.tick_ns = tick_ns
        self.phase_ns = phase_ns
        """When the first tick is: the kernel's clock and the run have not begun together."""
        self.looked_ns = 0
        """When the loop looked last."""
        self._by_length: dict[int, TickTimers] = {}
        self._unnoticed: list[TickTimers] = []
        """Those with a timer that has run out, which the loop has not seen yet."""
        self._wakes_ns = NEVER
        """When the loop looks for their sake; another instant is an old entry of the queue."""

    def timers(self, delay_ns: int) -> TickTimers:
        """The timers of this length."""
        if delay_ns not in self._by_length:
            self._by_length[delay_ns] = TickTimers(self, delay_ns)
        return self._by_length[delay_ns]

    def look(self) -> None:
        """Something happens at the proxy: the loop sees what has run out meanwhile, after what happens now."""
        self.looked_ns = self.clock.now_ns
        if self._unnoticed:
            self._wake_at(self.looked_ns)

    def sleep(self, length_ns: int) -> Steps:
        """Wait for so long, by this clock."""
        if not length_ns:
            return
        nap = self.timers(length_ns).nap()
        try:
            yield PARK
        finally:
            nap.task = None

    def main_thread_ns(self, delay_ns: int) -> int:
        """How long a timer lasts that is set now in a loop with nothing else to do, as Envoy's main thread is mostly."""
        set_ns = self.clock.now_ns
        return self._own_wake_ns(self.end_ns(set_ns, delay_ns), set_ns) - set_ns

    def run_out(self, timers: TickTimers, end_ns: int) -> None:
        """The tick of a timer has come: it ends when the loop looks next, or wakes of its own."""
        self._unnoticed.append(timers)
        self._wake_at(self._own_wake_ns(end_ns, self.looked_ns))

    def end_ns(self, set_ns: int, delay_ns: int) -> int:
        """When a timer ends that is set at an instant: at no tick, as a rule."""
        return set_ns - self._since_tick_ns(set_ns) + delay_ns

    def run_out_ns(self, end_ns: int) -> int:
        """The first tick that is not before its end."""
        return end_ns + (self.phase_ns - end_ns) % self.tick_ns

    def call_at(self, at_ns: int, what: Callable[[simpy.Event], None]) -> None:
        """Do something at an instant, before all else that happens then."""
        event = simpy.Event(self.clock)
        event._ok, event._value = True, None  # noqa: SLF001 — as SimPy's own Timeout, which cannot be urgent
        event.callbacks.append(what)
        self.clock.schedule(event, URGENT, at_ns - self.clock.now_ns)

    def _since_tick_ns(self, at_ns: int) -> int:
        return (at_ns - self.phase_ns) % self.tick_ns

    def _own_wake_ns(self, end_ns: int, looked_ns: int) -> int:
        """When the loop wakes of its own for a timer that ends so, and finds that it has run out; it has looked at `looked_ns`.

        The wait is counted from the tick before it begins, in whole milliseconds rounded up; where the clock does not show the end then,
        the loop waits once more.
        """
        at_ns = looked_ns
        while True:
            now_ns = at_ns - self._since_tick_ns(at_ns)
            if now_ns >= end_ns:
                return at_ns
            at_ns += -(-(end_ns - now_ns) // NS_PER_MS) * NS_PER_MS

    def _wake_at(self, at_ns: int) -> None:
        if self._wakes_ns == NEVER or at_ns < self._wakes_ns:
            self._wakes_ns = at_ns
            self.call_at(at_ns, self._wake)

    def _wake(self, _: simpy.Event) -> None:
        """End all timers that have run out, the one that ends first first, as the loop's heap has them.

        One task may have several: the next of them comes after it has done what the first makes it do.
        """
        now_ns = self.clock.now_ns
        if self._wakes_ns != now_ns:
            return
        self._wakes_ns, self.looked_ns = NEVER, now_ns
        left, self._unnoticed = self._unnoticed, []
        ended: set[Task] = set()
        while left := [timers for timers in left if timers.first_run_out(now_ns) is not None]:
            first = min(left, key=TickTimers.first_end_ns)
            if first.task in ended:
                left.remove(first)
                self.run_out(first, now_ns)
            else:
                ended.add(first.end_first())


def main_thread_ns(ticks: Ticks | None, delay_ns: int) -> int:
    """How long a timer of a proxy's main thread lasts that is set now; by an exact clock where there is no other."""
    return delay_ns if ticks is None or not delay_ns else ticks.main_thread_ns(delay_ns)


class Nap(Timer):
    """A timer that ends a wait in place of interrupting it."""

    __slots__ = ()


class TickTimers:
    """All timers of one length at one proxy; they run out in the order in which they were set."""

    __slots__ = ("_delay_ns", "_is_waited_for", "_set", "_ticks")

    def __init__(self, ticks: Ticks, delay_ns: int) -> None:
        self._ticks = ticks
        self._delay_ns = delay_ns
        self._set: deque[Timer] = deque()
        """`due_ns` is when each was set: what comes of it is worked out where it matters, which it seldom does."""
        self._is_waited_for = False
        """Whether the first of them is: its tick, or then a look of the loop."""

    def start(self, outcome: Outcome) -> Timer:
        """Interrupt the active task with `Expired` when the time is over."""
        clock = self._ticks.clock
        return self._add(Timer(clock.active, clock.now_ns, outcome))

    def nap(self) -> Timer:
        """Wake the active task when the time is over."""
        clock = self._ticks.clock
        return self._add(Nap(clock.active, clock.now_ns, OK))

    @property
    def task(self) -> Task | None:
        """Whose the first of them is."""
        return self._set[0].task

    def first_end_ns(self) -> int:
        """When the first of them ends."""
        return self._ticks.end_ns(self._set[0].due_ns, self._delay_ns)

    def first_run_out(self, now_ns: int) -> Timer | None:
        """The first of them that is not cancelled, where it has run out; else the next one is waited for."""
        while self._set and self._set[0].task is None:
            self._set.popleft()
        if self._set and self._ticks.run_out_ns(self.first_end_ns()) <= now_ns:
            return self._set[0]
        self._is_waited_for = False
        if self._set:
            self._wait()
        return None

    def end_first(self) -> Task:
        """End it; whose it was."""
        timer = self._set.popleft()
        task = timer.task
        assert task is not None  # noqa: S101 — the caller has looked
        if type(timer) is Nap:
            task.wake()
        else:
            task.interrupt(Expired(timer, timer.outcome))
        return task

    def _add(self, timer: Timer) -> Timer:
        self._ticks.look()
        self._set.append(timer)
        if not self._is_waited_for:
            self._wait()
        return timer

    def _wait(self) -> None:
        self._is_waited_for = True
        self._ticks.call_at(self._ticks.run_out_ns(self.first_end_ns()), self._tick)

    def _tick(self, _: simpy.Event) -> None:
        """The tick of the one that was the first: it may have been cancelled since."""
        if self.first_run_out(self._ticks.clock.now_ns) is not None:
            self._ticks.run_out(self, self.first_end_ns())
