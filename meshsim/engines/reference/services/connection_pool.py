"""An instance's connections to a database, which the transactions of its scripts hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.services.own_wait import tell
from meshsim.engines.reference.time.clock import Expired, Timers
from meshsim.engines.reference.time.station import Station
from meshsim.plan import NONE
from meshsim.randomness import POOL, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.services.processor import Processor
    from meshsim.engines.reference.time.clock import Clock, Steps, Timer
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.server import Job
    from meshsim.plan import ConnectionPool as Plan
    from meshsim.recorder import Recorder


class ConnectionPool(Station):
    """So many connections, and those who wait for one; the longest wait may have a limit.

    A connection that comes back is handed to one that waits: HikariCP's queue of them is a fair one, while Go takes any of them (the first
    of a map, which Go iterates over in random order, and later a random one of a set). Who has a deadline stops waiting then, as a Go
    context's does.

    Source: HikariCP, util/ConcurrentBag.java (borrow, requite; `new SynchronousQueue<>(true)`); Go, database/sql/sql.go (conn,
    putConnDBLocked: `range db.connRequests`, later `connRequests.TakeRandom`).
    """

    __slots__ = ("_handed_over", "_is_fifo", "_key", "_recorder", "_timeout_ns", "_too_late", "name", "processor", "timed_out")

    def __init__(self, clock: Clock, recorder: Recorder, plan: Plan, key: int, too_late: Outcome) -> None:
        super().__init__(clock, plan.size)
        self.name = plan.name
        self._recorder = recorder
        self._timeout_ns = plan.timeout_ns
        self._is_fifo = plan.is_fifo
        self._key = key
        self._too_late = too_late
        self._handed_over = 0
        self.timed_out = 0
        """Requests that have waited in vain."""
        self.processor: Processor | None = None
        """The meter of the instance's processor time, where a request that waits here holds a worker that does not work."""

    def enter(self, job: Job, deadline_ns: int, too_late: Outcome) -> Steps:
        """Wait for a connection: None when the active task holds one, and its outcome where it gets none.

        Args:
            job: Whose.
            deadline_ns: When it stops waiting whatever the pool's own limit; NONE for never.
            too_late: What it gets then.
        """
        if not self._timeout_ns:
            self.timed_out += 1
            return self._too_late
        since_ns = self.clock.now_ns
        timer = self._limit(deadline_ns, too_late)
        if self.processor is not None:
            self.processor.wait(job)
        try:
            yield from self.wait()
        except Expired as expired:
            self.timed_out += expired.outcome is self._too_late
            return expired.outcome
        finally:
            if timer is not None:
                timer.task = None
            if self.processor is not None:
                self.processor.go_on(job)
            tell(self._recorder, job, since_ns, self.clock.now_ns)
        return None

    def release(self) -> None:
        """Give the connection to one that waits, or keep it."""
        if not self._is_fifo and self.queued > 1:
            queue = self._queue
            assert queue is not None  # noqa: S101 — somebody waits
            while True:
                self._handed_over += 1
                queue.rotate(-int(uniform(self._key, POOL, self._handed_over) * len(queue)))
                if not queue[0].is_gone:
                    break
                queue.popleft()
        super().release()

    def _limit(self, deadline_ns: int, too_late: Outcome) -> Timer | None:
        """What ends the wait of the active task, if anything does."""
        now_ns, timeout_ns = self.clock.now_ns, self._timeout_ns
        if deadline_ns != NONE and (timeout_ns == NONE or deadline_ns - now_ns < timeout_ns):
            return Timers(self.clock, max(0, deadline_ns - now_ns)).start(too_late)
        return None if timeout_ns == NONE else self.clock.timers(timeout_ns).start(self._too_late)
