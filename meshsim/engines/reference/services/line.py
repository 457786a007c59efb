"""Workers with a queue of its own order, whose requests may have to leave it without a worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, cast

from meshsim.engines.reference.time.clock import PARK, Expired, Interrupted
from meshsim.engines.reference.time.outcome import failure
from meshsim.engines.reference.time.station import Station
from meshsim.flags import Flag
from meshsim.policies.queueing import Waiting

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps, Task, Timer
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.server import Job
    from meshsim.plan import Queue, Service


class Refusals(NamedTuple):
    """What those get that leave an instance's queue without a worker.

    Over HTTP it is 503 for all of them: HAProxy's answer when `timeout queue` strikes, Jetty's for `maxSuspend` and for a full queue, HHVM's for
    an expired job. A gRPC service says UNAVAILABLE, or RESOURCE_EXHAUSTED where the queue was full.

    Source: HAProxy, doc/configuration.txt (timeout queue); Jetty, QoSHandler.java (notAvailable).
    """

    full: Outcome
    too_late: Outcome
    pushed_out: Outcome
    shed: Outcome

    @classmethod
    def of(cls, service: int, *, is_grpc: bool) -> Refusals:
        """Those of a service."""

        def refusal(flag: Flag, grpc_status: int) -> Outcome:
            return failure(200, flag, service, grpc_status) if is_grpc else failure(503, flag, service)

        return cls(
            refusal(Flag.queue_full, 8), refusal(Flag.queue_timeout, 14), refusal(Flag.pushed_out, 8), refusal(Flag.shed, 14)
        )


class Place(Waiting):
    """A place in the queue."""

    __slots__ = ("has_worker", "task")

    def __init__(self, task: Task, since_ns: int, job: Job | None, *, is_new: bool) -> None:
        if job is None:
            super().__init__(since_ns, is_new=is_new)
        else:
            request = job.request
            super().__init__(since_ns, request.criticality, request.consumer, job.deadline_ns, is_new=is_new)
        self.task = task
        self.has_worker = False


class Line(Station):
    """Workers, and before them a queue with a discipline, a longest wait and load shedding.

    All that wait are in one order, but only new requests are refused: what goes on after a call (of an asynchronous service), and a health
    check, wait for as long as it takes and count for the limit.
    """

    __slots__ = ("_discipline", "_limit", "_max_wait_ns", "_refusals", "_shedding")

    def __init__(self, clock: Clock, service: Service, queue: Queue, refusals: Refusals) -> None:
        super().__init__(clock, service.workers)
        self._limit = service.queue_limit
        self._refusals = refusals
        self._discipline = queue.discipline.build()
        self._shedding = None if queue.shedding is None else queue.shedding.build()
        self._max_wait_ns = queue.max_wait_ns

    def enter(self, job: Job) -> Steps:
        """Wait for a worker as a new request: None when the active task holds one, and its outcome where it gets none."""
        place = Place(self.clock.active, self.clock.now_ns, job, is_new=True)
        queued = self.queued
        if 0 <= self._limit <= queued:
            other = cast("Place | None", self._discipline.push_out(place))
            if other is None:
                return self._refusals.full
            self._refuse(other, self._refusals.pushed_out)
        timer = self._limit_wait(queued)
        job.is_queued = True
        try:
            outcome: Outcome | None = yield from self._stand(place)
        except Expired as expired:
            return expired.outcome
        finally:
            job.is_queued = False
            if timer is not None:
                timer.task = None
        return outcome

    def go_on(self, job: Job) -> Steps:
        """Wait for a worker once more, as a request that has been worked on before."""
        yield from self._stand(Place(self.clock.active, self.clock.now_ns, job, is_new=False))

    def wait(self) -> Steps:
        """Wait for a worker as somebody who is no request."""
        yield from self._stand(Place(self.clock.active, self.clock.now_ns, None, is_new=False))

    def release(self) -> None:
        """Give the worker to whom the discipline says, unless he is shed then, or free it."""
        now_ns: int = self.clock.now_ns
        while self.queued:
            place = cast("Place", self._discipline.pop(now_ns))  # what goes in comes out
            self._leave(place)
            if place.is_new and self._shedding is not None and self._shedding.drop(now_ns, now_ns - place.since_ns, self.queued):
                place.task.wake(self._refusals.shed)
                continue
            place.has_worker = True
            self.passed += 1
            place.task.wake()
            return
        self.busy -= 1
        self._held_ns += now_ns

    def _limit_wait(self, queued: int) -> Timer | None:
        """What ends the wait of a new request that finds so many others, if anything does."""
        longest_ns, outcome = self._max_wait_ns, self._refusals.too_late
        if self._shedding is not None:
            limit_ns = self._shedding.enter(self.clock.now_ns, queued)
            if limit_ns >= 0 and not 0 <= longest_ns <= limit_ns:
                longest_ns, outcome = limit_ns, self._refusals.shed
        return self.clock.timers(longest_ns).start(outcome) if longest_ns >= 0 else None

    def _stand(self, place: Place) -> Steps:
        """Wait until somebody wakes the active task, with nothing or with an outcome."""
        self._discipline.push(place)
        self.queued += 1
        self._waited_ns -= self.clock.now_ns
        try:
            return (yield PARK)
        except Interrupted:
            if place.has_worker:  # handed over in the very instant of the interruption
                self.release()
            elif place.is_waiting:
                self._discipline.remove(place)
                self._leave(place)
            raise

    def _refuse(self, place: Place, outcome: Outcome) -> None:
        self._discipline.remove(place)
        self._leave(place)
        place.task.wake(outcome)

    def _leave(self, place: Place) -> None:
        place.is_waiting = False
        self.queued -= 1
        self._waited_ns += self.clock.now_ns
