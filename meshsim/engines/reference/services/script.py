"""What an instance does for a request: the steps of its script."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from meshsim.distributions import Constant
from meshsim.engines.reference.services.condition import Condition
from meshsim.engines.reference.services.connection_pool import ConnectionPool
from meshsim.engines.reference.services.cores import Cores, station_of
from meshsim.engines.reference.services.line import Line
from meshsim.engines.reference.services.own_failures import own_failures
from meshsim.engines.reference.time.at_once import begin
from meshsim.engines.reference.time.clock import Cancelled, Crashed
from meshsim.engines.reference.time.gather import Gather, Quorum
from meshsim.engines.reference.time.outcome import GRPC_OK, OK, Outcome, failure
from meshsim.engines.reference.travel.call import Call
from meshsim.engines.reference.travel.row import WORKED
from meshsim.engines.reference.travel.server import JobAside
from meshsim.flags import Flag
from meshsim.plan import NONE, Step, StepKind
from meshsim.randomness import CALL, SERVICE_TIME, call_key, uniform
from meshsim.replay import Table, attempt_behind, look_up
from meshsim.units import LONGEST_NS

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.services.cache import Cache
    from meshsim.engines.reference.services.message_queue import MessageQueue
    from meshsim.engines.reference.services.processor import Processor
    from meshsim.engines.reference.time.clock import Clock, Steps, Task
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.server import Job
    from meshsim.plan import Service
    from meshsim.recorder import Recorder

COMPUTE = StepKind.COMPUTE
CALLS = StepKind.CALL
PARALLEL = StepKind.PARALLEL
TRANSACTION = StepKind.TRANSACTION
PUBLISH = StepKind.PUBLISH
CACHED = StepKind.CACHED
AT_ONCE = (TRANSACTION, CACHED)
"""Steps that need not wait: an asynchronous service gives up its worker only where they do."""


class Detached:
    """A call that goes on by itself, as what can kill its instance sees it."""

    __slots__ = ("task",)

    task: Task


class Worker(Condition):
    """An instance's workers, the pools of its connections, and how its scripts are worked through."""

    __slots__ = (
        "_clock", "_crashed", "_deadline_passed", "_dependency_status", "_failure_grpc", "_keeps_deadlines", "_line", "_refusals",
        "_rejected", "caches", "callers", "connection_pools", "cores", "is_async", "processor", "queues", "service", "station", "zone",
    )  # fmt: skip

    def __init__(
        self, clock: Clock, recorder: Recorder, service: Service, number: int, index: int, key: int, began_ns: int
    ) -> None:
        super().__init__(may_crash=service.may_crash)
        self._clock = clock
        self.service = number
        self.zone = service.zones[index]
        self.is_async = service.is_async
        self._keeps_deadlines = service.keeps_deadlines
        self._refusals, self._crashed, self._deadline_passed = own_failures(number, service.is_grpc)
        self._line = None if service.queue is None else Line(clock, service, service.queue, self._refusals)
        """Its workers, where their queue is a particular one."""
        self.cores = None if service.cpu is None else Cores(clock, service.cpu, began_ns)
        """What its computations share, where they do not each have a worker's core to themselves."""
        self.station = self._line or station_of(clock, service, self.cores)
        self.callers: dict[tuple[int, int], Handler] = {}
        """How its scripts call: by operation and place in its script, where a call may have layers of its own."""
        self._failure_grpc = 13 if service.is_grpc else NONE
        self._dependency_status = 200 if service.is_grpc else 500
        too_late = failure(self._dependency_status, Flag.pool_timeout, number, self._failure_grpc)
        self.connection_pools = tuple(
            ConnectionPool(clock, recorder, pool, call_key(key, pool.stream), too_late) for pool in service.connection_pools
        )
        self.caches: tuple[Cache, ...] = ()

        self.queues: tuple[MessageQueue, ...] = ()
        """All queues that there are to publish to."""
        self.processor: Processor | None = None
        """The meter of its processor time, where a request that waits for a broker holds a worker that does not work."""
        self._rejected = failure(self._dependency_status, Flag.message_rejected, number, self._failure_grpc)

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
            if self.is_async and job.has_worker and step.kind not in AT_ONCE and step.is_waited_for:
                job.has_worker = False
                self.station.release()
            if step.kind is CALLS:
                call = self._prepare(step, job)
                if call is None:
                    continue
                if not step.is_waited_for:
                    self._let_go(step, call, job)
                    continue
                outcome = yield from self.callers[job.operation, step.place].call(call)
                failed = None if outcome is OK or outcome is GRPC_OK else self._failed_by(step, outcome)
                if failed is not None and step.steps:
                    failed = yield from self._run(step.steps, job)
            elif step.kind is PARALLEL:
                failed = yield from self._call_in_parallel(step, job)
            elif step.kind is PUBLISH:
                failed = yield from self._publish(step, job)
            elif step.kind is CACHED:
                failed = yield from self.caches[step.cache].read(self, step, job)
            else:
                failed = yield from self._hold_connection(step, job)
            if failed is not None:
                return failed
        return None

    def _hold_connection(self, step: Step, job: Job) -> Steps:
        """Work through the steps of a transaction with a connection of its pool."""
        pool = self.connection_pools[step.pool]
        if not pool.take_free():
            self.give_up_worker(job)
            refused: Outcome | None = yield from pool.enter(job, *self.patience(job))
            if refused is not None:
                return refused
        try:
            return (yield from self._run(step.steps, job))
        finally:
            pool.release()

    def _publish(self, step: Step, job: Job) -> Steps:
        """Send a message; what the service makes of it where the queue rejects that."""
        key = call_key(job.key, step.place)
        if step.probability < 1.0 and uniform(key, CALL) >= step.probability:
            return None
        queue, content = self.queues[step.queue], call_key(job.content, step.place)
        way_ns = queue.publish_ns(key)
        if not step.is_waited_for and way_ns:
            self._clock.start(queue.put_after(way_ns, job.request, key, self.service, content))
            return None
        if way_ns:
            if self.processor is not None:
                self.processor.wait(job)
            try:
                yield way_ns
            finally:
                if self.processor is not None:
                    self.processor.go_on(job)
        if queue.put(job.request, key, self.service, content) or not step.is_waited_for or step.optional:
            return None
        if step.steps:
            return (yield from self._run(step.steps, job))
        return self._rejected

    def work_through(self, steps: tuple[Step, ...], job: Job) -> Steps:
        """Do these steps; the first failure that the service cannot do without, or None."""
        return self._run(steps, job)

    def patience(self, job: Job) -> tuple[int, Outcome]:
        """Until when a request waits for what is the instance's own, NONE for ever, and what it gets then."""
        return job.deadline_ns if self._keeps_deadlines else NONE, self._deadline_passed

    def give_up_worker(self, job: Job) -> None:
        """Before a wait, where the service is asynchronous."""
        if self.is_async and job.has_worker:
            job.has_worker = False
            self.station.release()

    def crash(self) -> None:
        """Lose all requests and what is in memory, and refuse new requests."""
        super().crash()
        for one in self.caches:
            one.lose()

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
        call.step = step.place
        if self._keeps_deadlines:
            call.deadline_ns = job.deadline_ns
        return call

    def _let_go(self, step: Step, call: Call, job: Job) -> None:
        """Make a call that nobody waits for: in a task of its own, which ends with the instance, and which no client waits for either."""
        handler = self.callers[job.operation, step.place]
        call.request = job.request.aside(self._clock.now_ns, job.content)
        call.parent, call.deadline_ns = None, NONE
        self._begin_alone(handler.call(call))

    def do_aside(self, job: Job, work: Callable[[Job], Steps]) -> None:
        """Do something for nobody in the name of a request: on a thread of its own, or on the event loop of an asynchronous service."""
        aside = JobAside(job, self._clock.now_ns)
        aside.has_worker = not self.is_async
        self._begin_alone(self._aside(work(aside), aside))

    def _aside(self, steps: Steps, job: Job) -> Steps:
        try:
            yield from steps
        finally:
            self.give_up_worker(job)

    def _begin_alone(self, steps: Steps) -> None:
        """Begin a task for which nobody waits."""
        detached = Detached()
        if self._jobs is not None:
            self._jobs[detached] = None
        detached.task = begin(self._clock, self._alone(steps, detached))

    def _alone(self, steps: Steps, detached: Detached) -> Steps:
        """A task for which nobody waits."""
        try:
            yield from steps
        except (Cancelled, Crashed):
            pass
        finally:
            if self._jobs is not None:
                del self._jobs[detached]
                self._look_whether_empty()

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
        active, need = self._clock.active, min(step.need, len(made))
        gather = Quorum(active, len(made), need) if need else Gather(active, len(made))
        branches = [
            begin(self._clock, self._branch(one, call, job), partial(gather.take, index))
            for index, (one, call) in enumerate(made)
        ]
        yield from gather.wait(branches)
        if isinstance(gather, Quorum) and gather.is_reached:
            return None
        return next((outcome for outcome in gather.outcomes if outcome is not None), None)
