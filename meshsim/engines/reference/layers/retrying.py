"""Retries: one try after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshsim.engines.reference.time.clock import Interrupted
from meshsim.engines.reference.time.outcome import GRPC_OK, OK
from meshsim.engines.reference.travel.row import FLAGS
from meshsim.flags import Flag
from meshsim.plan import NONE
from meshsim.randomness import BACK_OFF, Draw, attempt_key
from meshsim.units import NS_PER_MS

if TYPE_CHECKING:
    from meshsim.engines.reference.destinations.view import View
    from meshsim.engines.reference.time.clock import Steps
    from meshsim.engines.reference.time.outcome import Outcome
    from meshsim.engines.reference.travel.call import Call
    from meshsim.engines.reference.travel.endpoint import EndpointView
    from meshsim.engines.reference.travel.handler import Handler
    from meshsim.engines.reference.travel.refusals import Refusals
    from meshsim.plan import Retries
    from meshsim.policies.retry import RetryPolicy
    from meshsim.policies.retry.token_budget import RetryTokenBudgetState

TIMED_OUT = int(Flag.UT)
TRIES_IN_ONE_STEP = 64
"""After so many tries without a wait each further one is an event of its own, so that others have their turn and can end it."""
_CONNECTION = int(Flag.UF | Flag.UC)


def seen(outcome: Outcome, visible: int) -> int:
    """The flags of an outcome that a layer can see: a client sees an answer, not why its proxy gave it, but its own connection's end.

    Args:
        outcome: One that no service is the origin of has ended before the proxy, where it says that a connection failed.
        visible: Which flags of answers it sees.
    """
    return outcome.flags & (visible | _CONNECTION if outcome.origin == NONE else visible)


def wait_ns(policy: RetryPolicy, outcome: Outcome, retry: int, previous_ns: int, draw: Draw) -> int:
    """How long to wait before a retry: what the answer asks for, where the policy honours that, or the back-off.

    What an answer asks for is the least: up to half as much again is drawn on top of it, so that not all come back at once. An answer
    that asks for longer than the maximum is not taken at its word.

    Source: Envoy, source/common/router/retry_state_impl.cc (rate_limited_retry_back_off), source/common/common/backoff_strategy.cc
    (JitteredLowerBoundBackOffStrategy).
    """
    asked_ns = outcome.retry_after_ns
    if 0 < asked_ns <= policy.max_retry_after_ns:
        half_ms = asked_ns // (2 * NS_PER_MS)
        return asked_ns + (draw.below(half_ms) * NS_PER_MS if half_ms > 1 else 0)
    return policy.back_off.wait_ns(retry, previous_ns, draw)


class RetryLayer:
    """Call again while the policy asks for it and the retry breaker has room.

    A slot of the retry breaker is held from the decision to retry, so through the back-off, until that try's outcome.

    Source: Envoy, source/common/router/retry_state_impl.cc (shouldRetry).
    """

    __slots__ = ("_budgeted", "_draw", "_inner", "_layer", "_policy", "_refusals", "_ticks", "_view", "_visible")

    def __init__(self, inner: Handler, retries: Retries, refusals: Refusals, layer: int, view: View | None, visible: int) -> None:
        self._inner = inner
        self._refusals = refusals
        self._policy = retries.policy
        self._layer = layer
        self._view = view
        self._visible = visible
        """Flags that this layer can see: a client sees an answer, not why its proxy gave it."""
        self._budgeted = None if view is None or view.token_budget is None else view
        """Where the budget of tokens is: a new process of the proxy has a new one."""
        self._ticks = None if view is None else view.ticks
        self._draw = Draw()

    def call(self, call: Call) -> Steps:  # noqa: C901 — one loop, for speed
        """The outcome of the last try."""
        policy, view, first_key = self._policy, self._view, call.key
        attempt = 1
        previous_ns = 0
        holds_slot = after_timeout = False
        budget = None if self._budgeted is None else self._budgeted.token_budget
        if budget is not None:
            budget.deposit(self._refusals.clock.now_ns)
        try:
            while True:
                call.attempt = attempt
                outcome: Outcome = yield from self._inner.call(call)
                if holds_slot:
                    view.retries.done()  # type: ignore[union-attr]
                    holds_slot = False
                if (
                    outcome is OK
                    or outcome is GRPC_OK
                    or not policy.is_retriable(outcome.status, outcome.grpc_status, seen(outcome, self._visible))
                ):
                    return outcome if budget is None else self._paid(budget, outcome, attempt > 1, after_timeout)
                if attempt > policy.num_retries:
                    return stop(call, outcome, Flag.URX)
                if view is not None:
                    after_timeout = bool(outcome.flags & TIMED_OUT)
                    if not view.admits_retry(after_timeout, tried(call)):
                        return stop(call, outcome, Flag.UO)
                    holds_slot = True
                previous_ns = wait_ns(policy, outcome, attempt, previous_ns, self._draw.at(call.key, BACK_OFF))
                waited_ns = 0
                if previous_ns:
                    waited_ns = yield from self._wait(call, previous_ns)
                elif attempt >= TRIES_IN_ONE_STEP:
                    yield 0
                attempt += 1
                call.key = attempt_key(first_key, self._layer, attempt)
                call.back_off_ns = waited_ns
                call.proxy_ns = call.filter_ns = call.connection_ns = call.tls_ns = 0
                if view is not None:
                    view.activity_of(tried(call)).retries += 1
        finally:
            if holds_slot:
                view.retries.done()  # type: ignore[union-attr]

    def _paid(self, budget: RetryTokenBudgetState, outcome: Outcome, is_retry: bool, after_timeout: bool) -> Outcome:  # noqa: FBT001
        """The outcome, after a success has gone into the budget."""
        if not outcome.is_failure:
            budget.succeeded(self._refusals.clock.now_ns, is_retry, after_timeout)
        return outcome

    def _wait(self, call: Call, length_ns: int) -> Steps:
        """The wait before a try; how long it was, which by a coarse clock is not what was asked for."""
        began_ns = self._refusals.clock.now_ns
        try:
            if self._ticks is None:
                yield length_ns
            else:
                yield from self._ticks.sleep(length_ns)
        except Interrupted:
            call.back_off_ns = self._refusals.clock.now_ns - began_ns
            call.proxy_ns = call.filter_ns = call.connection_ns = call.tls_ns = 0
            self._refusals.lose(call, call.caller)
            raise
        return self._refusals.clock.now_ns - began_ns


def tried(call: Call) -> EndpointView | None:
    """Where the latest try was sent; None before any was. A further try is counted for whoever made it necessary."""
    return getattr(call, "endpoint", None)


def stop(call: Call, outcome: Outcome, flag: Flag) -> Outcome:
    """The outcome with the reason why there is no further try."""
    if call.last_row is not None:
        call.last_row[FLAGS] |= flag
    return outcome.flagged(flag)
