"""The layers of a call: each a handler around a handler, and their order in one place.

A handler has one method, `call(call)`: a generator that returns the call's `Outcome`. A layer that a plan does not ask for is
not there.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Protocol

from meshsim.engines.reference.call import ENDED, FLAGS, GRPC_STATUS, ID, STATUS
from meshsim.engines.reference.clock import Expired, Interrupted
from meshsim.engines.reference.outcome import GRPC_OK, OK, Outcome, failure
from meshsim.flags import Flag
from meshsim.plan import NONE
from meshsim.randomness import BACK_OFF, Draw, attempt_key

if TYPE_CHECKING:
    from meshsim.engines.reference.call import Call
    from meshsim.engines.reference.clock import Clock, Steps
    from meshsim.engines.reference.endpoints import View
    from meshsim.plan import Retries, Stack
    from meshsim.records import Recorder

CLIENT_GAVE_UP = Outcome(0, flags=int(Flag.DC), origin_flags=int(Flag.DC))
ALL_FLAGS = (1 << 31) - 1


class Handler(Protocol):
    """Takes a call and returns its outcome."""

    def call(self, call: Call) -> Steps:
        """Steps that return an `Outcome`."""
        ...


class Refusals:
    """Writes the row of an attempt that was never sent to an instance, and of a wait that led to no attempt."""

    __slots__ = ("_service_of", "clock", "next_id", "recorder")

    def __init__(self, clock: Clock, recorder: Recorder, service_of: tuple[int, ...]) -> None:
        self.clock = clock
        self.recorder = recorder
        self._service_of = service_of
        """The service of each operation."""
        self.next_id = count().__next__
        """Number of the next attempt."""

    def refuse(self, call: Call, outcome: Outcome) -> Outcome:
        """Record the refusal; the outcome itself comes back."""
        row = call.row(outcome.origin, self.next_id())
        row[ENDED] = self.clock.now_ns
        row[STATUS], row[GRPC_STATUS], row[FLAGS] = outcome.status, outcome.grpc_status, outcome.flags
        self.recorder.attempts.append(row)
        return outcome

    def lose(self, call: Call, caller: int) -> None:
        """Record what has gone by since the latest try, if anything: no attempt's row will tell of it.

        Args:
            call: Whose waits.
            caller: Who waited.
        """
        if call.back_off_ns or call.proxy_ns or call.connection_ns:
            request, parent = call.request, call.parent
            self.recorder.waits.append(
                [
                    request.row_number, NONE if parent is None else parent.row[ID], caller,
                    NONE if call.operation == NONE else self._service_of[call.operation], request.started_ns, self.clock.now_ns,
                    call.back_off_ns, call.proxy_ns, call.connection_ns,
                ]
            )  # fmt: skip
            call.back_off_ns = call.proxy_ns = call.connection_ns = 0


class TimeoutLayer:
    """Give up after so long; whatever is still on its way is cancelled.

    Around the retries it is Envoy's route timeout, which covers all tries and the waits between them; inside the pool it is the
    per-try timeout, which begins when the try has a connection.

    Source: Envoy, source/common/router/router.cc (onResponseTimeout), upstream_request.cc (setupPerTryTimeout).
    """

    __slots__ = ("_inner", "_outcome", "_timers")

    def __init__(self, inner: Handler, clock: Clock, timeout_ns: int, outcome: Outcome) -> None:
        self._inner = inner
        self._timers = clock.timers(timeout_ns)
        self._outcome = outcome

    def call(self, call: Call) -> Steps:
        """The inner outcome, or the timeout's."""
        timer = self._timers.start(self._outcome)
        try:
            return (yield from self._inner.call(call))
        except Expired as expired:
            if expired.timer is not timer:
                raise
            return self._outcome
        finally:
            timer.task = None


class RetryLayer:
    """Call again while the policy asks for it and the retry breaker has room.

    A slot of the retry breaker is held from the decision to retry, so through the back-off, until that try's outcome.

    Source: Envoy, source/common/router/retry_state_impl.cc (shouldRetry).
    """

    __slots__ = ("_draw", "_inner", "_layer", "_policy", "_refusals", "_view", "_visible")

    def __init__(self, inner: Handler, retries: Retries, refusals: Refusals, layer: int, view: View | None, visible: int) -> None:
        self._inner = inner
        self._refusals = refusals
        self._policy = retries.policy
        self._layer = layer
        self._view = view
        self._visible = visible
        """Flags that this layer can see: a client sees an answer, not why its proxy gave it."""
        self._draw = Draw()

    def call(self, call: Call) -> Steps:
        """The outcome of the last try."""
        policy, view, first_key = self._policy, self._view, call.key
        attempt = 1
        holds_slot = False
        try:
            while True:
                call.attempt = attempt
                outcome: Outcome = yield from self._inner.call(call)
                if holds_slot and view is not None:
                    view.retries.done()
                    holds_slot = False
                if (
                    outcome is OK
                    or outcome is GRPC_OK
                    or not policy.is_retriable(outcome.status, outcome.grpc_status, outcome.flags & self._visible)
                ):
                    return outcome
                if attempt > policy.num_retries:
                    return self._stop(call, outcome, Flag.URX)
                if view is not None:
                    if not view.admits_retry():
                        return self._stop(call, outcome, Flag.UO)
                    holds_slot = True
                wait_ns = policy.back_off.wait_ns(attempt, self._draw.at(call.key, BACK_OFF))
                if wait_ns:
                    yield from self._wait(call, wait_ns)
                attempt += 1
                call.key = attempt_key(first_key, self._layer, attempt)
                call.back_off_ns = wait_ns
                call.proxy_ns = call.connection_ns = 0
        finally:
            if holds_slot and view is not None:
                view.retries.done()

    def _wait(self, call: Call, wait_ns: int) -> Steps:
        """The wait before a try."""
        began_ns = self._refusals.clock.now_ns
        try:
            yield wait_ns
        except Interrupted:
            call.back_off_ns = self._refusals.clock.now_ns - began_ns
            call.proxy_ns = call.connection_ns = 0
            self._refusals.lose(call, call.caller)
            raise

    @staticmethod
    def _stop(call: Call, outcome: Outcome, flag: Flag) -> Outcome:
        if call.last_row is not None:
            call.last_row[FLAGS] |= flag
        return outcome.flagged(flag)


class PickLayer:
    """Choose the endpoint of this try; a retry may avoid those tried before.

    Source: Envoy, source/common/upstream/load_balancer_impl (host_selection_retry_max_attempts),
    source/extensions/retry/host/previous_hosts.
    """

    __slots__ = ("_inner", "_reselections", "_view")

    def __init__(self, inner: Handler, view: View, reselections: int) -> None:
        self._inner = inner
        self._view = view
        self._reselections = reselections

    def call(self, call: Call) -> Steps:
        """What the endpoint answers; no generator of its own, it only says which one goes on."""
        endpoint = self._view.pick(call.key)
        if self._reselections:
            if call.attempt > 1:
                for _ in range(self._reselections):
                    if endpoint not in call.tried:
                        break
                    endpoint = self._view.pick_again()
            else:
                call.tried.clear()
            call.tried.append(endpoint)
        call.endpoint = endpoint
        return self._inner.call(call)


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
    handler = inner
    if stack.retries is not None and stack.retries.policy.num_retries > 0:
        handler = RetryLayer(handler, stack.retries, refusals, layer, view, visible)
    if stack.timeout_ns:
        handler = TimeoutLayer(handler, refusals.clock, stack.timeout_ns, on_timeout)
    return handler


def timed_out(service: int) -> Outcome:
    """What Envoy answers when a timeout of its own expires: 504, flag UT."""
    return failure(504, Flag.UT, service)
