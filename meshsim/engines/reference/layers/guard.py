"""What a caller puts before its tries: a circuit breaker, its own throttling, a concurrency limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import Interrupted
from meshsim.engines.reference.time.outcome import failure, is_servers_fault
from meshsim.flags import Flag
from meshsim.randomness import THROTTLING, Draw

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.policies.circuit_breaking.circuit_breaker import BreakerState
    from meshsim.policies.concurrency.limit import ConcurrencyLimitState
    from meshsim.policies.throttling.client_throttling import ThrottlingState

    Asked = tuple[BreakerState | None, ThrottlingState | None, ConcurrencyLimitState | None]
    """Those that let a try pass."""

TOO_MANY_REQUESTS = 429
TIMED_OUT = int(Flag.UT)
OVERLOAD = int(Flag.UT | Flag.UO | Flag.queue_full | Flag.shed | Flag.concurrency | Flag.admission)


class GuardLayer:
    """Ask before each try; nothing is sent where one of them says no.

    It stands inside the retries, as resilience4j's decorators do: each try is asked for and counted, and a try that was held back may
    itself be retried where the conditions match its 503. A try that a timeout around all of them ends counts as failed;
    one whose caller has gone does not count. How a try ended is told to those that let it pass, not to those of a new process.
    """

    __slots__ = ("_draw", "_inner", "_limited", "_open", "_refusals", "_throttled", "_view")

    def __init__(self, inner: Handler, view: View, refusals: Refusals) -> None:
        self._inner = inner
        self._view = view
        self._refusals = refusals
        self._open = failure(503, Flag.circuit_open, view.service)
        self._throttled = failure(503, Flag.throttled, view.service)
        self._limited = failure(503, Flag.concurrency, view.service)
        self._draw = Draw()

    def call(self, call: Call) -> Steps:
        """The try's outcome, or 503 at once."""
        clock = self._view.clock
        refused = self._ask(call)
        if refused is not None:
            return self._refusals.refuse(call, refused)
        began_ns, view = clock.now_ns, self._view
        asked = view.breaker, view.throttling, view.limiter
        try:
            outcome: Outcome = yield from self._inner.call(call)
        except Interrupted as error:
            _tell(asked, began_ns, clock.now_ns, None if not error.outcome.flags & TIMED_OUT else error.outcome)
            raise
        _tell(asked, began_ns, clock.now_ns, outcome)
        return outcome

    def _ask(self, call: Call) -> Outcome | None:
        """Why the try is held back, or None."""
        view, now_ns = self._view, self._view.clock.now_ns
        if view.breaker is not None and not view.breaker.admit(now_ns):
            view.activity.breaker_rejected += 1
            return self._open
        if view.throttling is not None and not view.throttling.admit(now_ns, self._draw.at(call.key, THROTTLING)):
            view.activity.throttled += 1
            if view.breaker is not None:
                view.breaker.cancelled()
            return self._throttled
        if view.limiter is not None and not view.limiter.admit(now_ns):
            view.activity.limited += 1
            if view.breaker is not None:
                view.breaker.cancelled()
            return self._limited
        return None


def _tell(asked: Asked, began_ns: int, now_ns: int, outcome: Outcome | None) -> None:
    """How a try ended; None where nobody waited for it."""
    breaker, throttling, limiter = asked
    rtt_ns = now_ns - began_ns
    if outcome is None:
        for one in (breaker, limiter):
            if one is not None:
                one.cancelled()
        return
    is_failure = is_servers_fault(outcome)
    if breaker is not None:
        breaker.done(now_ns, rtt_ns, is_failure)
    if throttling is not None:
        throttling.done(now_ns, not is_failure and outcome.status != TOO_MANY_REQUESTS)
    if limiter is not None:
        limiter.done(now_ns, rtt_ns, bool(outcome.flags & OVERLOAD))
