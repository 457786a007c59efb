"""An instance that fails some of its requests at once: without a worker, without waiting for one, without its script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.services.errors import error_of, fails, own_error, struck
from meshsim.engines.reference.services.instance import Instance
from meshsim.engines.reference.time.clock import Cancelled, Crashed
from meshsim.engines.reference.travel.row import ARRIVED, STARTED
from meshsim.plan import NONE
from meshsim.randomness import ERROR, FAULT, uniform

if TYPE_CHECKING:
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.server import Job

LATENCY = 1 << 20
"""Index of how long such an error takes among what is drawn for the same purpose."""


class FastFailing(Instance):
    """One replica of a service that may fail at once.

    A process answers so that has lost its database or its configuration, before its handler runs. Such an instance is idle, and the
    fewer requests it has in flight the more a balancer that looks at them sends there; its shallow health checks pass.
    """

    __slots__ = ()

    def _serve(self, job: Job) -> Steps:
        """Answer with an error at once, or serve the request."""
        if job.row[ARRIVED] == NONE:
            if self.is_gone:
                job.caller.wake()
                return
            self._take_in(job)
        refused = self._refused(job)
        yield from super()._serve(job) if refused is None else self._refuse(job, *refused)

    def _refused(self, job: Job) -> tuple[Outcome, int] | None:
        """The error that an attempt gets without work, and how long it takes; None where it is worked on."""
        operation = self._operations[job.operation]
        if operation.error_latency is not None and fails(operation, job):
            return own_error(operation), round(operation.error_latency.quantile(uniform(job.key, ERROR, LATENCY)))
        for failing in self.failing_at_once:
            if failing.latency is not None and struck(failing, job):
                drawn = uniform(job.key, FAULT, LATENCY + failing.number)
                return error_of(failing, operation), round(failing.latency.quantile(drawn))
        return None

    def _refuse(self, job: Job, error: Outcome, latency_ns: int) -> Steps:
        """Answer with an error after so long; a crash or a caller that cancels may come before that."""
        outcome: Outcome | None = None
        job.row[STARTED] = self._clock.now_ns
        try:
            if latency_ns:
                yield latency_ns
            outcome = error
        except Crashed:
            outcome = self._crashed
        except Cancelled:
            pass
        finally:
            self._finish(job, outcome)
