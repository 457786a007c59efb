"""The innermost layer: over the link to the instance, and back with its answer."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import PARK, Interrupted
from meshsim.engines.reference.time.outcome import CALLER_LEFT, LOST_AFTER_NS, OK, Outcome, failure
from meshsim.engines.reference.travel.network import ANSWER_WAY, REQUEST_WAY
from meshsim.engines.reference.travel.row import (
    ARRIVED,
    ENDED,
    FINISHED,
    FLAGS,
    GRPC_STATUS,
    INBOUND_NS,
    INSTANCE,
    SENT,
    STATUS,
    WASTED,
    WORKED,
)
from meshsim.engines.reference.travel.server import Job
from meshsim.engines.reference.travel.sidecar import INBOUND
from meshsim.flags import Flag
from meshsim.plan import NONE, OnCancel

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.time.clock import Clock, Steps
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.network import Links
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.engines.reference.travel.server import Server
    from meshsim.engines.reference.travel.sidecar import Passed, Sidecar


NOBODY: Passed = []
"""Where no filter is: nothing is put into it."""


class HopLayer:
    """Send to the endpoint that was picked, and wait for what it answers.

    Where the caller gives up, a message says so to the instance one latency later; what that makes of it is its own matter. The filters of
    its sidecar hear of an answer when it leaves the instance, before its way back, and of a caller that has gone when the message comes.
    """

    __slots__ = ("_broken", "_clock", "_links", "_refusals", "_refused", "_service")

    def __init__(self, clock: Clock, links: Links, service: int, refusals: Refusals) -> None:
        self._clock = clock
        self._links = links
        self._service = service
        self._refusals = refusals
        self._refused = failure(503, Flag.UF, service)
        self._broken = failure(503, Flag.UC, service)

    def call(self, call: Call) -> Steps:  # noqa: C901 — both ways in one wait, for speed
        """The instance's answer."""
        clock, endpoint = self._clock, call.endpoint
        instance = endpoint.instance
        row = call.row(self._service, self._refusals.next_id())
        if call.parent is None:
            call.request.attempts += 1
        row[INSTANCE] = instance.index
        row[SENT] = clock.now_ns
        endpoint.in_flight += 1
        outcome = job = None
        passed: Passed = NOBODY if instance.guard is None else []
        there_ns = back_ns = endpoint.latency_ns
        if there_ns < 0:
            there_ns, back_ns = self._drawn(call, instance)
        try:
            if instance.guard is None and (there_ns or not instance.is_gone):  # one wait for both ways and the work between
                job = Job(call, row, instance, clock.active, back_ns)
                instance.expect(job, there_ns)
                outcome = yield PARK
            elif there_ns:
                yield there_ns
            if outcome is None:
                job = None
                outcome = yield from self._enter(instance, call, row, passed)
                is_back = False
                if outcome is None:
                    is_back = not passed  # else the answer goes by the filters first
                    job = Job(call, row, instance, clock.active, back_ns if is_back else 0)
                    instance.accept(job)
                    outcome = (yield PARK) or self._broken  # nothing is said where it has gone in this very instant
                if passed and instance.guard is not None:
                    instance.guard.screen.tell(passed, outcome, call.request)
                    passed = NOBODY
                if back_ns and not is_back:
                    yield back_ns
        except Interrupted as error:
            job = self._arrived(job)
            self._end(row, error.outcome, job)
            if passed and instance.guard is not None:
                self._say(there_ns, partial(instance.guard.screen.tell, passed, CALLER_LEFT, call.request))
            if job is not None:
                self._abandon(job, call.zone)
            raise
        finally:
            endpoint.in_flight -= 1
        self._end(row, outcome, None)
        return outcome

    def _drawn(self, call: Call, instance: Server) -> tuple[int, int]:
        """How long the request and its answer travel, where that is drawn for each."""
        links = self._links
        return (
            links.latency_ns(call.key, REQUEST_WAY, call.zone, instance.zone),
            links.latency_ns(call.key, ANSWER_WAY, instance.zone, call.zone),
        )

    def _arrived(self, job: Job | None) -> Job | None:
        """The job of a caller that gives up, unless it was on its way still: then it never comes."""
        if job is None or job.row[ARRIVED] != NONE:
            return job
        self._clock.call_off(job.task)
        return None

    def _enter(self, instance: Server, call: Call, row: list[int], passed: Passed) -> Steps:
        """At the door of the pod: why the request does not reach the instance, or None."""
        if instance.is_unreachable:
            yield LOST_AFTER_NS
            return self._broken
        if instance.is_down:
            return self._refused
        return None if instance.guard is None else (yield from self._pass(instance.guard, call, row, passed))

    def _pass(self, sidecar: Sidecar, call: Call, row: list[int], passed: Passed) -> Steps:
        """Through the sidecar at the instance: its answer in place of the instance's, or None."""
        outcome: Outcome | None = None
        began_ns = self._clock.now_ns
        try:
            if sidecar.takes_time:
                yield from sidecar.work(call, INBOUND)
            if sidecar.screen.is_plain:
                outcome = sidecar.screen.judge(call, INBOUND)
            else:
                outcome = yield from sidecar.screen.screen(call, INBOUND, passed)
        finally:
            row[INBOUND_NS] = self._clock.now_ns - began_ns
        if call.endpoint.instance.is_down:  # it went while the sidecar took its time; so did the sidecar
            return self._broken
        return None if outcome is None else outcome._replace(origin=self._service)

    def _abandon(self, job: Job, zone: int) -> None:
        """Nobody waits any more: tell the instance, unless it would not listen."""
        job.is_abandoned = True
        instance = job.instance
        if job.row[FINISHED] != NONE:
            job.row[WASTED] = job.row[WORKED]
        elif instance.on_cancel is not OnCancel.CONTINUE:
            self._say(self._links.latency_ns(job.key, REQUEST_WAY, zone, instance.zone), job.cancel)

    def _say(self, latency_ns: int, what: Callable[[], None]) -> None:
        """That the caller has gone is known at the instance so much later."""
        if latency_ns:
            self._clock.start(_later(latency_ns, what))
        else:  # a retry in this very instant finds the place free
            what()

    def _end(self, row: list[int], outcome: Outcome, job: Job | None) -> None:
        """The caller's part of the row; written here unless an instance still works on it."""
        row[ENDED] = self._clock.now_ns
        if outcome is not OK:  # a new row says so already
            row[STATUS], row[GRPC_STATUS], row[FLAGS] = outcome.status, outcome.grpc_status, row[FLAGS] | outcome.flags
        if job is None or row[FINISHED] != NONE:
            self._refusals.recorder.attempts.append(row)


def _later(latency_ns: int, what: Callable[[], None]) -> Steps:
    """A task: the message that the caller has gone, and what comes of it."""
    yield latency_ns
    what()
