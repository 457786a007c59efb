"""A service's instance: a queue, workers, and the script that they work through."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

from meshsim.distributions import Constant
from meshsim.engines.reference.services.condition import Condition
from meshsim.engines.reference.services.cores import Cores, station_of
from meshsim.engines.reference.services.errors import error_of, fails, own_error, struck
from meshsim.engines.reference.services.line import Line, Refusals
from meshsim.engines.reference.time.at_once import begin
from meshsim.engines.reference.time.clock import Cancelled, Crashed
from meshsim.engines.reference.time.gather import Gather
from meshsim.engines.reference.time.outcome import GRPC_OK, LOST_AFTER_NS, OK, Outcome, failure, is_servers_fault
from meshsim.engines.reference.travel.addresses import Addresses
from meshsim.engines.reference.travel.call import Call
from meshsim.engines.reference.travel.row import ARRIVED, FINISHED, STARTED, WASTED, WORKED
from meshsim.flags import Flag
from meshsim.plan import NONE, Step, StepKind
from meshsim.randomness import CALL, SERVICE_TIME, call_key, uniform
from meshsim.replay import Table, attempt_behind, look_up
from meshsim.units import LONGEST_NS

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.server import Job
    from meshsim.engines.reference.travel.sidecar import Sidecar
    from meshsim.plan import Operation, Service
    from meshsim.recorder import Recorder

LOSING_STEP_NS = 1_000_000_000
COMPUTE = StepKind.COMPUTE
CALLS = StepKind.CALL


class Instance(Condition):
    """One replica of a service."""

    __slots__ = (
        "_clock", "_crashed", "_deadline_passed", "_dependency_status", "_failure_grpc", "_keeps_deadlines", "_line",
        "_ok", "_operations", "_queue_full", "_queue_limit", "_recorder", "addresses", "callers", "cores", "failed", "guard",
        "index", "is_async", "key", "on_cancel", "service", "sidecar", "station", "subset", "zone",
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
        super().__init__(may_crash=service.may_crash)
        self._clock = clock
        self._recorder = recorder
        self._operations = operations
        self.service = number
        self.index = index
        self.zone = service.zones[index]
        self.key = key
        """What belongs to its place by chance comes from it."""
        self.addresses = Addresses(key, service.addresses[index] if index < len(service.addresses) else "")
        refusals, self._crashed, self._deadline_passed = _failures(number, service.is_grpc)
        self._line = None if service.queue is None else Line(clock, service, service.queue, refusals)
        """Its workers, where their queue is a particular one."""
        self.cores = None if service.cpu is None else Cores(clock, service.cpu, began_ns)
        """What its computations share, where they do not each have a worker's core to themselves."""
        self.station = self._line or station_of(clock, service, self.cores)
        self.on_cancel = service.on_cancel
        self.sidecar: Sidecar | None = None
        self.guard: Sidecar | None = None
        """The sidecar, where it does anything with what comes in."""
        self.callers: dict[tuple[int, int], Handler] = {}
        """How its scripts call: by operation and place in its script, where a call may have layers of its own."""
        self.subset = service.subsets[index] if service.subsets else NONE
        self.failed = 0
        """Of the finished ones, those that failed at the server's side; for the reports of its load."""
        self._keeps_deadlines = service.keeps_deadlines
        self._queue_limit = service.queue_limit
        self.is_async = service.is_async
        self._ok = GRPC_OK if service.is_grpc else OK
        self._failure_grpc = 13 if service.is_grpc else NONE
        self._dependency_status = 200 if service.is_grpc else 500
        self._queue_full = refusals.full

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
                    outcome = self._queue_full
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
            if self.on_empty is not None and not self._jobs:
                self.on_empty()
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

    def _run(self, steps: tuple[Step, ...], job: Job) -> Steps:  # noqa: C901, PLR0912 — one loop, for speed
        """Work through steps in order; the first failure that the service cannot do without, or None."""
        clock, row, keeps_deadlines, cores = self._clock, job.row, self._keeps_deadlines, self.cores
        for step in steps:
            if keeps_deadlines and 0 <= job.deadline_ns <= clock.now_ns:
                return self._deadline_passed
            if step.kind is COMPUTE:
                if not job.has_worker:
                    yield from self._take_worker(job)
                    if keeps_deadlines and 0 <= job.deadline_ns <= clock.now_ns:
                        return self._deadline_passed
                work_ns = self._work_ns(step, job)
                if not work_ns:
                    continue
                began_ns: int = clock.now_ns
                try:
                    if cores is None:
                        yield work_ns
                    else:
                        yield from cores.compute(work_ns)
                finally:
                    row[WORKED] += clock.now_ns - began_ns
                continue
            if self.is_async and job.has_worker:
                job.has_worker = False
                self.station.release()
            if step.kind is CALLS:
                call = self._prepare(step, job)
                if call is None:
                    continue
                outcome = yield from self.callers[job.operation, step.place].call(call)
                failed = None if outcome is OK or outcome is GRPC_OK else self._failed_by(step, outcome)
            else:
                failed = yield from self._call_in_parallel(step, job)
            if failed is not None:
                return failed
        return None

    def _take_worker(self, job: Job) -> Steps:
        """Get a worker again after a call, in an asynchronous service: through the queue, whatever its limits."""
        if not self.station.take_free():
            yield from self.station.wait() if self._line is None else self._line.go_on(job)
        job.has_worker = True

    def _work_ns(self, step: Step, job: Job) -> int:
        """How long a worker computes at this step; ten years at most, as any duration."""
        time = step.time
        if type(time) is Constant:
            drawn_ns = float(time.value)
        elif isinstance(time, Table):
            drawn_ns = look_up(time, job.request.number, attempt_behind(time, job.tries))
        else:
            drawn_ns = time.quantile(uniform(job.key, SERVICE_TIME, step.place))  # type: ignore[union-attr]
        if self.slowness != 1.0:
            drawn_ns = min(drawn_ns * self.slowness, LONGEST_NS)
        return round(drawn_ns)

    def _prepare(self, step: Step, job: Job) -> Call | None:
        """The call of a step, or None where it is not made this time."""
        key = call_key(job.key, step.place)
        if step.probability < 1.0 and uniform(key, CALL) >= step.probability:
            return None
        call = Call(job.request, key, step.operation, self.service, self.zone, job)
        if self._keeps_deadlines:
            call.deadline_ns = job.deadline_ns
        return call

    def _failed_by(self, step: Step, outcome: Outcome) -> Outcome | None:
        """A failed call as this service's own failure; None where it did not fail, or the service can do without."""
        if step.optional or not outcome.is_failure:
            return None
        return Outcome(self._dependency_status, self._failure_grpc, int(Flag.dependency), outcome.origin, outcome.origin_flags)

    def _branch(self, step: Step, call: Call, job: Job) -> Steps:
        """One of several calls at once; one that is cancelled ends quietly."""
        try:
            outcome: Outcome = yield from self.callers[job.operation, step.place].call(call)
        except Cancelled:
            return None
        return self._failed_by(step, outcome)

    def _call_in_parallel(self, step: Step, job: Job) -> Steps:
        """Make all calls of a step at once and wait for all; the first failure in the order of the script, or None."""
        made = [(one, call) for one in step.calls if (call := self._prepare(one, job)) is not None]
        if not made:
            return None
        gather = Gather(self._clock.active, len(made))
        branches = [
            begin(self._clock, self._branch(one, call, job), partial(gather.take, index))
            for index, (one, call) in enumerate(made)
        ]
        yield from gather.wait(branches)
        return next((outcome for outcome in gather.outcomes if outcome is not None), None)

    def _answer(self, operation: Operation, job: Job) -> Outcome:
        """The service's own answer: well, or with an error of its own."""
        if operation.error_latency is None and fails(operation, job):
            return own_error(operation)
        for failing in self.failing:
            if struck(failing, job):
                return error_of(failing, operation)
        return self._ok


@cache
def _failures(service: int, is_grpc: bool) -> tuple[Refusals, Outcome, Outcome]:  # noqa: FBT001 — the key of a cache
    """What all instances of a service say: to whom leaves the queue, in a crash, and after the deadline."""
    deadline = failure(200, Flag.deadline, service, 4) if is_grpc else failure(504, Flag.deadline, service)
    return Refusals.of(service, is_grpc=is_grpc), failure(503, Flag.UC, service), deadline
