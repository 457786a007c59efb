"""An instance that fails some of its requests at once: without a worker, without waiting for one, without its script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.services.errors import error_of, fails, own_error, struck
from meshsim.engines.reference.services.instance import Instance
from meshsim.engines.reference.time.clock import Cancelled, Crashed
from meshsim.engines.reference.travel.row import STARTED
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

    def accept(self, job: Job) -> None:
        """A request has reached the instance: answer with an error at once, or serve it."""
        refused = self._refused(job)
        if refused is None:
            super().accept(job)
            return
        self.arrived += 1
        job.task = self._clock.start(self._refuse(job, *refused))
        if self._jobs is not None:
            self._jobs[job] = None

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
