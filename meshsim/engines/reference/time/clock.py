"""Time, and the light tasks that live in it.

`Clock` is SimPy's Environment counting whole nanoseconds. SimPy's own events and processes work in it as ever; what happens hundreds of
thousands of times (a request on its way) is a `Task`: a generator that starts in the step that starts it, whose end is no event.

**Order at one instant.** Events run in the order of SimPy's key: time, priority, number at scheduling. Whatever becomes ready during an event
(a started task, a woken one, an interrupted one) runs in the order in which it became ready, before the next event. Timers come before all
else at their instant: an answer that arrives at the very nanosecond of its timeout is too late.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any

import simpy
from simpy.events import NORMAL, URGENT

from meshsim.engines.reference.time.steps import PARK, Cancelled, Crashed, Expired, Interrupted, Overdue, Steps

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.time.outcome import Outcome

__all__ = ["PARK", "Cancelled", "Clock", "Crashed", "Expired", "Interrupted", "Overdue", "Steps", "Task", "Timer", "Timers"]

NOT_ASLEEP = -1
EVENTS_PER_LOOK = 2048  # between two looks at progress, at chunks to hand on and at Ctrl-C


class Timer:
    """Interrupts a task at an instant, unless it is cancelled (its task taken away) before."""

    __slots__ = ("due_ns", "outcome", "task")

    def __init__(self, task: Task, due_ns: int, outcome: Outcome) -> None:
        self.task: Task | None = task
        self.due_ns = due_ns
        self.outcome = outcome


class Timers:
    """All timers of one length: they fall due in the order in which they were set, so one event in SimPy's queue serves them all.

    Most timers are cancelled long before they are due, and then cost no event at all.
    """

    __slots__ = ("_clock", "_delay_ns", "_is_armed", "_set")

    def __init__(self, clock: Clock, delay_ns: int) -> None:
        self._clock = clock
        self._delay_ns = delay_ns
        self._set: deque[Timer] = deque()
        self._is_armed = False

    def start(self, outcome: Outcome) -> Timer:
        """Interrupt the active task with `Expired` when the time is over."""
        timer = Timer(self._clock.active, self._clock.now_ns + self._delay_ns, outcome)
        self._set.append(timer)
        if not self._is_armed:
            self._arm(timer.due_ns)
        return timer

    def fire(self) -> None:
        """Interrupt those that are due, and wait for the next that is not cancelled."""
        self._is_armed = False
        while self._set:
            timer = self._set[0]
            if timer.task is not None:
                if timer.due_ns > self._clock.now_ns:
                    self._arm(timer.due_ns)
                    return
                timer.task.interrupt(Expired(timer, timer.outcome))
            self._set.popleft()

    def _arm(self, due_ns: int) -> None:
        self._is_armed = True
        clock = self._clock
        heappush(clock.heap, (due_ns, URGENT, clock.next_number(), self))


class Task:
    """One generator on its way through simulated time.

    While it sleeps it stands in SimPy's queue itself, as the event of its own waking; only its latest entry there counts.
    """

    __slots__ = ("clock", "error", "is_over", "is_ready", "later_ns", "on_end", "send", "value", "waking")

    def __init__(self, clock: Clock, steps: Steps, on_end: Callable[[Any], None] | None) -> None:
        self.clock = clock
        self.later_ns = 0
        """How long it sleeps still before it goes on with `value`."""
        self.send = steps.send
        self.on_end = on_end
        self.value: Any = None
        """What the wait that ends next gives."""
        self.error: Interrupted | None = None
        """What is thrown into it instead."""
        self.waking = NOT_ASLEEP
        """Number of the entry in the queue that ends its sleep."""
        self.is_ready = True
        self.is_over = False

    def wake(self, value: Any = None) -> None:
        """Go on from `PARK` with this value, in this instant."""
        self.value = value
        if not self.is_ready:
            self.is_ready = True
            self.clock.ready.append(self)

    def wake_later(self, value: Any, delay_ns: int) -> None:
        """Go on from `PARK` with this value after so long: as if it woke now and slept, without the steps of its generator for it."""
        self.value = value
        if self.error is None:
            self.later_ns = delay_ns
        if not self.is_ready:
            self.is_ready = True
            self.clock.ready.append(self)

    def interrupt(self, error: Interrupted) -> None:
        """End the present wait with this exception, in this instant; nothing where the task is over.

        Of two timers at one instant the first that was set counts, which is the outer one; who is cancelled has no timers left.
        """
        if self.is_over or isinstance(self.error, Cancelled | Crashed) or (self.error is not None and isinstance(error, Expired)):
            return
        self.error = error
        self.waking = NOT_ASLEEP
        self.later_ns = 0
        if not self.is_ready:
            self.is_ready = True
            self.clock.ready.append(self)

    def throw(self, error: Interrupted) -> int | None:
        """Go on with an exception in place of what the wait was for; the next wait, as from the generator."""
        delay_ns: int | None = self.send.__self__.throw(error)  # type: ignore[attr-defined]
        return delay_ns

    def take_error(self) -> Interrupted:
        """The pending interruption; kept in no local of the loop, which its traceback would tie into a cycle of garbage."""
        try:
            return self.error  # type: ignore[return-value]
        finally:
            self.error = None


class Clock(simpy.Environment):
    """SimPy's Environment in whole nanoseconds, with light tasks."""

    def __init__(self) -> None:
        super().__init__(initial_time=0)
        self.heap: list[tuple[int, int, int, Any]] = self._queue  # type: ignore[assignment]
        """SimPy's own queue: time, priority, number, event."""
        self.next_number = self._eid.__next__
        """Number of the next entry in the queue."""
        self.now_ns = 0
        """Time; SimPy's `now`, without the cost of a property."""
        self.active: Task
        """The task that runs now."""
        self.ready: deque[Task] = deque()
        self.live = 0
        """Tasks that are not over."""
        self.events = 0
        """Events that have happened; steps of woken tasks within one event do not count."""
        self.is_stopped = False
        """Set to leave the loop soon (Ctrl-C)."""
        self.is_over = False
        """Set when nothing can happen any more but timers that were cancelled."""
        self.pauses = 0
        """Entries of the queue that stand there for ever: of processes that look after something at each interval."""
        self._timers: dict[int, Timers] = {}

    def start(self, steps: Steps, on_end: Callable[[Any], None] | None = None) -> Task:
        """Start a task in this instant, when the present step is over.

        Args:
            steps: Its generator.
            on_end: Called with what the generator returns.
        """
        task = Task(self, steps, on_end)
        self.live += 1
        self.ready.append(task)
        return task

    def start_later(self, steps: Steps, delay_ns: int) -> Task:
        """Start a task after so long."""
        task = Task(self, steps, None)
        self.live += 1
        task.is_ready = False
        task.waking = number = self.next_number()
        heappush(self.heap, (self.now_ns + delay_ns, NORMAL, number, task))
        return task

    def call_off(self, task: Task) -> None:
        """Take back a task that has not begun."""
        task.waking = NOT_ASLEEP
        if task.is_ready:
            self.ready.remove(task)
        task.is_over = True
        self.live -= 1

    def start_aside(self, steps: Steps, on_end: Callable[[Any], object] | None = None) -> Task:
        """As `start`, for a task that keeps no run alive: what it is for is over where nobody waits for it."""

        def end(outcome: object) -> None:
            self.live += 1  # the end of the task counts it off once more
            if on_end is not None:
                on_end(outcome)

        task = self.start(steps, end)
        self.live -= 1
        return task

    def pause(self, delay_ns: int) -> simpy.Event:
        """A wait of a process that goes on for ever: one that keeps no run alive."""
        self.pauses += 1
        event = self.timeout(delay_ns)
        event.callbacks.append(self._end_pause)
        return event

    def _end_pause(self, _: simpy.Event) -> None:
        self.pauses -= 1

    def call_at(self, due_ns: int, what: Callable[[], None]) -> None:
        """Do something at an instant; now where that has come already."""
        event = self.timeout(max(0, due_ns - self.now_ns))
        event.callbacks.append(lambda _: what())

    def timers(self, delay_ns: int) -> Timers:
        """The timers of this length."""
        return self._timers.setdefault(delay_ns, Timers(self, delay_ns))

    def run_all(self, look: Callable[[], None]) -> None:
        """Run until nothing is left to happen (`is_over`), or `is_stopped`.

        Args:
            look: Called every few thousand events, between steps.
        """
        while self._queue and not self.is_stopped and not self.is_over:
            self.events += self._run_some(EVENTS_PER_LOOK)
            look()

    def _run_some(self, most: int) -> int:  # noqa: C901, PLR0912 — one loop without calls is twice as fast as tidier ones
        """Run so many events at most; how many there were. The inner loop of the engine, so nothing in it is a call that need not be."""
        queue, ready, next_number = self.heap, self.ready, self.next_number
        for count in range(most):
            if not queue:
                return count
            now_ns, _, number, event = heappop(queue)
            self._now = self.now_ns = now_ns
            kind = type(event)
            if kind is Task:
                if number == event.waking:
                    event.is_ready = True
                    ready.append(event)
            elif kind is Timers:
                event.fire()
            else:
                _run_callbacks(event)
                if self.is_over:
                    return count + 1
            while ready:
                self.active = task = ready.popleft()
                task.is_ready = False
                if task.later_ns:
                    task.waking = number = next_number()
                    heappush(queue, (now_ns + task.later_ns, NORMAL, number, task))
                    task.later_ns = 0
                    continue
                try:
                    delay_ns = task.send(task.value) if task.error is None else task.throw(task.take_error())
                except StopIteration as stop:
                    task.is_over = True
                    self.live -= 1
                    if task.on_end is not None:
                        task.on_end(stop.value)
                    continue
                except Cancelled:  # before its first step
                    task.is_over = True
                    self.live -= 1
                    if task.on_end is not None:
                        task.on_end(None)
                    continue
                task.value = None
                if delay_ns is not None:
                    task.waking = number = next_number()
                    heappush(queue, (now_ns + delay_ns, NORMAL, number, task))
        return most


def _run_callbacks(event: simpy.Event) -> None:
    """What SimPy's own step does with an event of its own kind."""
    callbacks, event.callbacks = event.callbacks, None  # type: ignore[assignment]
    for callback in callbacks:
        callback(event)
    if not event._ok and not event.defused:  # noqa: SLF001
        raise event._value  # noqa: SLF001
