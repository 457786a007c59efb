"""Tasks that begin or end within the present step: what happens at one instant happens in one step, and only waiting yields.

`Clock.start` and `Task.interrupt` leave the first or the last step of a task to the end of the queue of what is ready; whoever comes
in between finds a place still taken that is free, or taken before its turn. Where that can decide who is first, these do it now.
"""

from __future__ import annotations

from heapq import heappush
from typing import TYPE_CHECKING, Any

from simpy.events import NORMAL

from meshsim.engines.reference.time.clock import NOT_ASLEEP, Cancelled, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.time.clock import Clock, Steps


def begin(clock: Clock, steps: Steps, on_end: Callable[[Any], None] | None = None) -> Task:
    """As `Clock.start`, with the task's first step done when this returns; only within a step of another task.

    Where it never waits it is over then, and `on_end` has been called.
    """
    task = make(clock, steps, on_end)
    run(task)
    return task


def make(clock: Clock, steps: Steps, on_end: Callable[[Any], None] | None = None) -> Task:
    """A task that `run` will give its first step, for whoever has to know it before."""
    task = Task(clock, steps, on_end)
    clock.live += 1
    return task


def begin_aside(clock: Clock, steps: Steps) -> None:
    """As `begin`, for a task that keeps no run alive: what it is for is over where nobody waits for it."""
    task = begin(clock, steps)
    if task.is_over:
        return
    clock.live -= 1

    def end_aside(_: object) -> None:
        clock.live += 1  # the end of the task counts it off once more

    task.on_end = end_aside


def run(task: Task) -> None:
    """One step of a task that stands in no queue, within a step of another: with what it waited for, or with its exception."""
    clock, before = task.clock, task.clock.active
    clock.active = task
    task.is_ready = False
    try:
        delay_ns = task.send(task.value) if task.error is None else task.throw(task.take_error())
    except StopIteration as stop:
        _end(task, stop.value)
    except Cancelled:
        _end(task, None)
    else:
        task.value = None
        if delay_ns is not None:
            task.waking = number = clock.next_number()
            heappush(clock.heap, (clock.now_ns + delay_ns, NORMAL, number, task))
    finally:
        clock.active = before


def end(task: Task, error: Cancelled) -> None:
    """As `Task.interrupt`, with all given back that the task held when this returns; only within a step of another task.

    Never one within whose step this task was begun: who is ended is not in a step of his own.
    """
    if task.is_over or isinstance(task.error, Cancelled):
        return
    if task.is_ready:
        task.clock.ready.remove(task)
    task.error, task.waking = error, NOT_ASLEEP
    run(task)


def _end(task: Task, value: Any) -> None:
    task.is_over = True
    task.clock.live -= 1
    if task.on_end is not None:
        task.on_end(value)
