"""The layers of a call: each a handler around a handler, and their order in one place.

A handler has one method, `call(call)`: a generator that returns the call's `Outcome`. A layer that a plan does not ask for is
not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.layers.hedging import HedgeLayer
from meshsim.engines.reference.layers.retrying import RetryLayer
from meshsim.engines.reference.time.clock import Expired
from meshsim.engines.reference.time.outcome import Outcome, failure
from meshsim.flags import Flag
from meshsim.plan import NONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from meshsim.engines.reference.destinations.activity import Activity
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Clock, Steps, Timers
    from meshsim.engines.reference.time.ticks import Ticks, TickTimers
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.plan import Stack

    Counted = Callable[[Call], Activity]
    """Where it is counted what befalls a call."""

CLIENT_GAVE_UP = Outcome(0, flags=int(Flag.DC), origin_flags=int(Flag.DC))
ALL_FLAGS = (1 << 31) - 1


class TimeoutLayer:
    """Give up after so long; whatever is still on its way is cancelled.

    Around the retries it is Envoy's route timeout, which covers all tries and the waits between them; inside the pool it is the
    per-try timeout, which begins when the try has a connection. In a proxy whose clock is coarse it runs out at a tick, and that the
    call is done is something that the proxy's loop sees.

    Source: Envoy, source/common/router/router.cc (onResponseTimeout), upstream_request.cc (setupPerTryTimeout).
    """

    __slots__ = ("_counted", "_inner", "_outcome", "_ticks", "_timers")

    def __init__(
        self,
        inner: Handler,
        clock: Clock,
        timeout_ns: int,
        outcome: Outcome,
        counted: Counted | None = None,
        ticks: Ticks | None = None,
    ) -> None:
        self._inner = inner
        self._ticks = ticks
        """Of a proxy whose clock is coarse."""
        self._timers: Timers | TickTimers = clock.timers(timeout_ns) if ticks is None else ticks.timers(timeout_ns)
        self._outcome = outcome
        self._counted = counted
        """Where it is counted, if it is a route's."""

    def call(self, call: Call) -> Steps:
        """The inner outcome, or the timeout's."""
        timer = self._timers.start(self._outcome)
        try:
            return (yield from self._inner.call(call))
        except Expired as expired:
            if expired.timer is not timer:
                raise
            if self._counted is not None:
                self._counted(call).timeouts += 1
            return kept(self._outcome, call)
        finally:
            timer.task = None
            if self._ticks is not None:
                self._ticks.look()


def kept(outcome: Outcome, call: Call) -> Outcome:
    """A timeout's outcome, with what a race of tries inside of it has marked the call with."""
    marks = getattr(call, "marks", 0)
    return outcome.flagged(marks) if marks else outcome


class DeadlineLayer:
    """Let the call say when its caller will give up: the earliest of the timeouts around it."""

    __slots__ = ("_clock", "_inner", "_timeout_ns")

    def __init__(self, inner: Handler, clock: Clock, timeout_ns: int) -> None:
        self._inner = inner
        self._clock = clock
        self._timeout_ns = timeout_ns

    def call(self, call: Call) -> Steps:
        """The inner outcome."""
        before_ns, own_ns = call.deadline_ns, self._clock.now_ns + self._timeout_ns
        if before_ns == NONE or own_ns < before_ns:
            call.deadline_ns = own_ns
        try:
            return (yield from self._inner.call(call))
        finally:
            call.deadline_ns = before_ns


class GrpcLayer:
    """Turn a proxy's HTTP answer into what a gRPC caller sees.

    Source: Envoy, source/common/grpc/status.cc; local replies to gRPC requests are HTTP 200 with a grpc-status.
    """

    __slots__ = ("_inner",)

    def __init__(self, inner: Handler) -> None:
        self._inner = inner

    def call(self, call: Call) -> Steps:
        """The inner outcome, as gRPC."""
        outcome: Outcome = yield from self._inner.call(call)
        return outcome.as_grpc()


def around(
    inner: Handler, stack: Stack, refusals: Refusals, layer: int, view: View | None, on_timeout: Outcome, visible: int
) -> Handler:
    """The timeout over all tries around the retries around `inner`: outermost first, as in Envoy's router.

    The timeout stands outside since it covers the waits between tries too; what it cuts off is never tried again.
    """
    handler, retries = inner, stack.retries
    if retries is not None and retries.hedging is not None:
        handler = HedgeLayer(handler, retries, retries.hedging, refusals, layer, view, visible)
    elif retries is not None and retries.policy.num_retries > 0:
        handler = RetryLayer(handler, retries, refusals, layer, view, visible)
    return within(handler, stack.timeout_ns, refusals, on_timeout)


def within(
    inner: Handler,
    timeout_ns: int,
    refusals: Refusals,
    on_timeout: Outcome,
    counted: Counted | None = None,
    ticks: Ticks | None = None,
) -> Handler:
    """A timeout around `inner`, which is told of it where any service wants to know; `inner` itself for a timeout of 0."""
    if not timeout_ns:
        return inner
    told = DeadlineLayer(inner, refusals.clock, timeout_ns) if refusals.tells_deadlines else inner
    return TimeoutLayer(told, refusals.clock, timeout_ns, on_timeout, counted, ticks)


def timed_out(service: int) -> Outcome:
    """What Envoy answers when a timeout of its own expires: 504, flag UT."""
    return failure(504, Flag.UT, service)
