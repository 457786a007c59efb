"""Workers and a first-come-first-served queue in front of them."""

from __future__ import annotations

from collections import deque
from math import prod
from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import PARK, Interrupted

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps, Task


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

    __slots__ = ("_held_ns", "_queue", "_waited_ns", "busy", "clock", "passed", "queued", "workers")

    def __init__(self, clock: Clock, workers: float) -> None:
        self.clock = clock
        self.workers = workers
        self.busy = 0
        self.queued = 0
        self.passed = 0
        """How many have got a worker."""
        self._queue: deque[Turn] | None = None
        """None before anybody has waited: most of a large mesh never do."""
        self._held_ns = 0
        """All ends of holding minus all beginnings so far; with what is held now it makes the integral."""
        self._waited_ns = 0
        """The same of waiting."""

    @property
    def busy_ns(self) -> int:
        """Held workers, integrated over time up to now."""
        return self._held_ns + self.busy * self.clock.now_ns

    @property
    def queued_ns(self) -> int:
        """Waiting requests, integrated over time up to now."""
        return self._waited_ns + self.queued * self.clock.now_ns

    @property
    def load(self) -> float:
        """What is at work or ready to be, as a multiple of what can be at work at once."""
        return (self.busy + self.queued) / self.workers

    def reading(self) -> tuple[int, int, int, int, int]:
        """Waiting and held now, both integrated over time up to now, and how many have got a worker: the same as long as it does nothing."""
        queued, busy = self.queued, self.busy
        if not queued and not busy:
            return 0, 0, self._waited_ns, self._held_ns, self.passed
        now_ns = self.clock.now_ns
        return queued, busy, self._waited_ns + queued * now_ns, self._held_ns + busy * now_ns, self.passed

    def take_free(self) -> bool:
        """Take a worker if one is free."""
        if self.busy >= self.workers:
            return False
        self.busy += 1
        self.passed += 1
        self._held_ns -= self.clock.now_ns
        return True

    def wait(self) -> Steps:
        """Wait in the queue for a worker; the active task holds it afterwards."""
        turn = Turn(self.clock.active)
        if self._queue is None:
            self._queue = deque()
        self._queue.append(turn)
        self.queued += 1
        self._waited_ns -= self.clock.now_ns
        try:
            yield PARK
        except Interrupted:
            if turn.has_worker:  # handed over in the very instant of the interruption
                self.release()
            else:
                turn.is_gone = True
                self.queued -= 1
                self._waited_ns += self.clock.now_ns
            raise

    def release(self) -> None:
        """Give the worker to whoever waits longest, or free it."""
        queue = self._queue
        while queue:
            turn = queue.popleft()
            if not turn.is_gone:
                turn.has_worker = True
                self.queued -= 1
                self._waited_ns += self.clock.now_ns
                self.passed += 1
                turn.task.wake()
                return
        self.busy -= 1
        self._held_ns += self.clock.now_ns

    def hold(self, duration_ns: int) -> Steps:
        """Wait for a worker and hold it for so long."""
        if not self.take_free():
            yield from self.wait()
        try:
            if duration_ns:  # what takes no time holds nobody up at this instant
                yield duration_ns
        finally:
            self.release()


class SlowableStation(Station):
    """Workers that a fault may slow down: whatever they begin then takes so many times as long."""

    __slots__ = ("_factors",)

    def __init__(self, clock: Clock, workers: int) -> None:
        super().__init__(clock, workers)
        self._factors: list[float] = []

    def slow_down(self, factor: float) -> None:
        """From now on; two slow-downs at once multiply."""
        self._factors.append(factor)

    def speed_up(self, factor: float) -> None:
        """End one of them."""
        self._factors.remove(factor)

    def hold(self, duration_ns: int) -> Steps:
        """Wait for a worker and hold it for so long, or longer."""
        if not self.take_free():
            yield from self.wait()
        try:
            if duration_ns:
                yield round(duration_ns * prod(self._factors))
        finally:
            self.release()
