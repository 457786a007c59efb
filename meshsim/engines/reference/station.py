"""Workers and a first-come-first-served queue in front of them."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from meshsim.engines.reference.clock import PARK, Interrupted

if TYPE_CHECKING:
    from meshsim.engines.reference.clock import Clock, Steps, Task


class Turn:
    """A place in the queue."""

    __slots__ = ("has_worker", "is_gone", "task")

    def __init__(self, task: Task) -> None:
        self.task = task
        self.has_worker = False
        self.is_gone = False


class Station:
    """A number of workers; who finds none free waits, first come first served.

    Keeps the integrals over time of held workers and of waiting requests: the utilisation, and Little's law.
    """

    __slots__ = ("_queue", "_since_ns", "busy", "busy_ns", "clock", "passed", "queued", "queued_ns", "workers")

    def __init__(self, clock: Clock, workers: int) -> None:
        self.clock = clock
        self.workers = workers
        self.busy = 0
        self.queued = 0
        self.busy_ns = 0
        """Held workers, integrated over time up to the last change."""
        self.queued_ns = 0
        """Waiting requests, likewise."""
        self.passed = 0
        """How many have got a worker."""
        self._queue: deque[Turn] = deque()
        self._since_ns = 0

    def settle(self) -> None:
        """Bring the integrals up to now."""
        now_ns = self.clock.now_ns
        if now_ns != self._since_ns:
            passed_ns = now_ns - self._since_ns
            self.busy_ns += self.busy * passed_ns
            self.queued_ns += self.queued * passed_ns
            self._since_ns = now_ns

    def take_free(self) -> bool:
        """Take a worker if one is free."""
        busy = self.busy
        if busy >= self.workers:
            return False
        if busy:  # an idle station has nothing to settle but the time
            self.settle()
        else:
            self._since_ns = self.clock.now_ns
        self.busy = busy + 1
        self.passed += 1
        return True

    def wait(self) -> Steps:
        """Wait in the queue for a worker; the active task holds it afterwards."""
        self.settle()
        turn = Turn(self.clock.active)
        self._queue.append(turn)
        self.queued += 1
        try:
            yield PARK
        except Interrupted:
            if turn.has_worker:  # handed over in the very instant of the interruption
                self.release()
            else:
                self.settle()
                turn.is_gone = True
                self.queued -= 1
            raise

    def release(self) -> None:
        """Give the worker to whoever waits longest, or free it."""
        self.settle()
        queue = self._queue
        while queue:
            turn = queue.popleft()
            if not turn.is_gone:
                turn.has_worker = True
                self.queued -= 1
                self.passed += 1
                turn.task.wake()
                return
        self.busy -= 1

    def hold(self, duration_ns: int) -> Steps:
        """Wait for a worker and hold it for so long."""
        if not self.take_free():
            yield from self.wait()
        try:
            yield duration_ns
        finally:
            self.release()
