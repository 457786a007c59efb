"""A service's instance: a queue, workers, and the script that they work through."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.services.errors import error_of, fails, own_error, struck
from meshsim.engines.reference.services.script import Worker
from meshsim.engines.reference.time.clock import Cancelled, Crashed
from meshsim.engines.reference.time.outcome import GRPC_OK, LOST_AFTER_NS, OK, is_servers_fault
from meshsim.engines.reference.travel.addresses import Addresses
from meshsim.engines.reference.travel.row import ARRIVED, FINISHED, STARTED, WASTED, WORKED
from meshsim.plan import NONE

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.server import Job
    from meshsim.engines.reference.travel.sidecar import Sidecar
    from meshsim.plan import Operation, Service
    from meshsim.recorder import Recorder

LOSING_STEP_NS = 1_000_000_000


class Instance(Worker):
    """One replica of a service."""

    __slots__ = (
        "_ok", "_operations", "_queue_limit", "_recorder", "addresses", "failed", "guard", "index", "key", "on_cancel", "sidecar",
        "subset",
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        recorder: Recorder,
        service: Service,
        number: int,
        index: int,
        operations: tuple[Operation, ...],
        key: int = 0,
        began_ns: int = 0,
    ) -> None:
        super().__init__(clock, recorder, service, number, index, key, began_ns)
        self._recorder = recorder
        self._operations = operations
        self.index = index
        self.key = key
        """What belongs to its place by chance comes from it."""
        self.addresses = Addresses(key, service.addresses[index] if index < len(service.addresses) else "")
        self.on_cancel = service.on_cancel
        self.sidecar: Sidecar | None = None
        self.guard: Sidecar | None = None
        """The sidecar, where it does anything with what comes in."""
        self.subset = service.subsets[index] if service.subsets else NONE
        self.failed = 0
        """Of the finished ones, those that failed at the server's side; for the reports of its load."""
        self._queue_limit = service.queue_limit
        self._ok = GRPC_OK if service.is_grpc else OK

    def expect(self, job: Job, after_ns: int) -> None:
        """A request reaches the instance after so long; where that has gone by then, its caller goes on with None."""
        if after_ns:
            job.task = self._clock.start_later(self._serve(job), after_ns)
        else:
            self.accept(job)

    def accept(self, job: Job) -> None:
        """A request is at the door: serve it in a task of its own, which goes on when its caller does not.

        It is in with that task's first step: a caller who goes in this very instant, before it, never came, and the caller of an instance
        that goes before it goes on with None.
        """
        job.task = self._clock.start(self._serve(job))

    def be_checked(self) -> Steps:
        """Answer a health check as a request without work is: with a worker, and not while its processors stand still."""
        yield from self.station.hold(0)
        if self.cores is not None:
            yield from self.cores.compute(0)

    def _take_in(self, job: Job) -> None:
        self.arrived += 1
        job.row[ARRIVED] = self._clock.now_ns
        if self._jobs is not None:
            self._jobs[job] = None

    def _serve(self, job: Job) -> Steps:  # noqa: C901 — one generator, for speed
        """Queue, work through the script, and hand the outcome to the caller if it still waits."""
        station, row = self.station, job.row
        if row[ARRIVED] == NONE:
            if self.is_gone:
                job.caller.wake()
                return None
            self._take_in(job)
        outcome: Outcome | None = None
        try:
            if not station.take_free():
                if self._line is not None:
                    outcome = yield from self._line.enter(job)
                elif 0 <= self._queue_limit <= station.queued:
                    outcome = self._refusals.full
                else:
                    job.is_queued = True
                    yield from station.wait()
                    job.is_queued = False
                if outcome is not None:
                    return None
            job.has_worker = True
            row[STARTED] = self._clock.now_ns
            operation = self._operations[job.operation]
            outcome = yield from self._run(operation.steps, job)
            if outcome is None:
                is_sure = operation.never_fails and not self.failing
                outcome = self._ok if is_sure else self._answer(operation, job)
        except Crashed:
            outcome = self._crashed
        except Cancelled:
            pass
        finally:
            if job.has_worker:
                station.release()
            self._finish(job, outcome)
        return None

    def _finish(self, job: Job, outcome: Outcome | None) -> None:
        row = job.row
        self.finished += 1
        row[FINISHED] = self._clock.now_ns
        if self._jobs is not None:
            del self._jobs[job]
            self._look_whether_empty()
        if outcome is not None and outcome is not self._ok:
            self.failed += is_servers_fault(outcome)
        if job.is_abandoned:
            row[WASTED] = row[WORKED]
            self._recorder.attempts.append(row)
            return
        if self.is_unreachable:  # the answer is lost; whoever waits for it without a timeout learns from TCP
            self._clock.start(self._lose(job))
            return
        if job.parent is not None and job.parent.is_in_vain():
            row[WASTED] = row[WORKED]
        job.caller.wake_later(outcome, job.way_back_ns)

    def _lose(self, job: Job) -> Steps:
        """A task: the answer is on its way for as long as TCP tries, and is given up."""
        left_ns = LOST_AFTER_NS
        while left_ns > 0 and not job.is_abandoned:  # in steps, so that nothing waits once nobody does
            yield min(left_ns, LOSING_STEP_NS)
            left_ns -= LOSING_STEP_NS
        if not job.is_abandoned:
            job.caller.wake_later(self._crashed, job.way_back_ns)

    def _answer(self, operation: Operation, job: Job) -> Outcome:
        """The service's own answer: well, or with an error of its own."""
        if operation.error_latency is None and fails(operation, job):
            return own_error(operation)
        for failing in self.failing:
            if struck(failing, job):
                return error_of(failing, operation)
        return self._ok
